import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

declare global {
  var postgresGuard: ChildProcess | undefined;
}

export default async function globalTeardown(): Promise<void> {
  const guard = globalThis.postgresGuard;
  if (!guard) return;
  const gone = once(guard, 'exit');
  guard.stdin?.end();
  await gone;
}
