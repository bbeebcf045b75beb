// npm start: installs and builds what is stale, then runs the server in this very process, so that signals reach it directly.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freshen } from './fresh.mjs';

freshen();
const { serverConfig } = await import('../dist/config.js');
if (claimFolder(readConfig())) await import('../dist/main.js');

/** A bad value is the server's to explain; here it only means that there is no folder to claim. */
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
  const other = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
  if (other && isStart(other.pid)) {
    console.error(`A ledger is already running from this folder, at ${other.address} (pid ${other.pid}).`);
    process.exitCode = 1;
    return false;
  }
  mkdirSync(config.home, { recursive: true });
  writeFileSync(file, JSON.stringify({ pid: process.pid, address: `http://${config.host}:${config.port}` }));
  process.once('exit', () => rmSync(file, { force: true }));
  return true;
}

/** After a kill the number may belong to another program. */
function isStart(pid) {
  try {
    process.kill(pid, 0);
    return !existsSync('/proc/self/cmdline') || readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('start.mjs');
  } catch {
    return false;
  }
}
