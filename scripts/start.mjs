// npm start: installs and builds what is stale, then does what `ledger serve` does, in this very process, so that signals reach it.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freshen } from './fresh.mjs';

freshen();
const { runCommand } = await import('../dist/cli/program.js');
const { serverConfig } = await import('../dist/config.js');
const config = readConfig();
if (!config) process.exitCode = await runCommand(['serve']);
else if (claimFolder(config)) await run(config);

/** A bad value is for the command to explain. */
function readConfig() {
  try {
    return serverConfig();
  } catch {
    return undefined;
  }
}

/** One `npm start` per folder: a second one would fight over the port at best. */
function claimFolder({ home }) {
  const other = whoStarted(startFile(home));
  if (other) {
    const where = other.address ? `, at ${other.address}` : '';
    console.error(`A ledger is already running from this folder${where} (pid ${other.pid}).`);
    process.exitCode = 1;
    return false;
  }
  mkdirSync(home, { recursive: true });
  leaveWord(home);
  process.once('exit', () => rmSync(startFile(home), { force: true }));
  return true;
}

async function run(config) {
  const { serve } = await import('../dist/main.js');
  try {
    await serve(config, (address) => leaveWord(config.home, address));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}

function startFile(home) {
  return join(home, 'start.json');
}

/** Without an address until it listens. */
function leaveWord(home, address) {
  writeFileSync(startFile(home), JSON.stringify({ pid: process.pid, address }));
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
