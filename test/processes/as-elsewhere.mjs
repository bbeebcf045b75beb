// Makes a process what it would be on another machine: node --import as-elsewhere.mjs …
// ELSEWHERE_SKEW_MS: how far that machine's clock is ahead; ELSEWHERE_HOST: its name.
import { createRequire, syncBuiltinESMExports } from 'node:module';

const { ELSEWHERE_HOST: host, ELSEWHERE_SKEW_MS: skewMs = '0' } = process.env;

const RealDate = Date;
const now = () => RealDate.now() + Number(skewMs);
globalThis.Date = new Proxy(RealDate, {
  construct: (real, args, target) => Reflect.construct(real, args.length === 0 ? [now()] : args, target),
  apply: (real) => new real(now()).toString(),
  get: (real, name) => (name === 'now' ? now : Reflect.get(real, name)),
});

if (host) createRequire(import.meta.url)('node:os').hostname = () => host;
syncBuiltinESMExports();
