// npm run bench -- <name>: one measurement. The peers it compares with are installed into bench/ on first use.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { freshen, installIfStale, root } from './fresh.mjs';

const bench = join(root, 'bench');
const [name, ...args] = process.argv.slice(2);
const script = join(bench, `${name}.mjs`);

if (!name || !existsSync(script)) {
  const names = existsSync(bench) ? readdirSync(bench).filter((file) => file.endsWith('.mjs')) : [];
  console.error(`usage: npm run bench -- <name>, one of ${names.map((file) => file.slice(0, -4)).join(', ')}`);
  process.exit(2);
}
freshen();
if (existsSync(join(bench, 'package-lock.json'))) installIfStale(bench);
process.exitCode = spawnSync(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' }).status ?? 1;
