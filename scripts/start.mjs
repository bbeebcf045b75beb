// npm start: installs and builds what is stale, then runs `ledger serve` in this very process, so that signals reach it directly.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freshen } from './fresh.mjs';

freshen();
const { runCommand } = await import('../dist/cli/program.js');
const { serverConfig } = await import('../dist/config.js');
if (claimFolder(readConfig())) process.exitCode = await runCommand(['serve']);

/** A bad value is for the command to explain; here it only means that there is no folder to claim. */
function readConfig() {
  try {
    return serverConfig();
  } catch {
    return undefined;
  }
}

/** One `npm start` per folder: a second one would fight over the port at best. */
function claimFolder(config) {
  if (!config) return true;
  const file = join(config.home, 'start.json');
  const other = whoStarted(file);
  if (other) {
    console.error(`A ledger is already running from this folder, at ${other.address} (pid ${other.pid}).`);
    process.exitCode = 1;
    return false;
  }
  mkdirSync(config.home, { recursive: true });
  writeFileSync(file, JSON.stringify({ pid: process.pid, address: `http://${config.host}:${config.port}` }));
  process.once('exit', () => rmSync(file, { force: true }));
  return true;
}

/** After a kill the file is left behind, and the pid may belong to another program. */
function whoStarted(file) {
  try {
    const { pid, address } = JSON.parse(readFileSync(file, 'utf8'));
    process.kill(pid, 0);
    const ours = !existsSync('/proc/self/cmdline') || readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('scripts/start.mjs');
    return ours && pid !== process.pid ? { pid, address } : undefined;
  } catch {
    return undefined;
  }
}
