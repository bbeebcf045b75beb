import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** What a running Postgres says about itself in `postmaster.pid`. */
export interface Postmaster {
  pid: number;
  port: number;
  ready: boolean;
}

/** What the lock file of a data folder stands for; `written` is one that a starting server has made and not filled yet. */
type Lock = Postmaster | 'none' | 'stale' | 'written';

/** Long enough for a server on a busy machine; an empty file that is older was left by a crash. */
const writtenMs = 10_000;

/** The server that runs on this data folder, ready or not. */
export function postmaster(dataDir: string): Postmaster | undefined {
  const lock = lockOf(dataDir);
  return typeof lock === 'object' ? lock : undefined;
}

export function lockOf(dataDir: string): Lock {
  const file = lockFile(dataDir);
  const text = readIfThere(file);
  if (text === undefined) return 'none';
  const [pid = '', , , port, , , , status] = text.split('\n').map((line) => line.trim());
  if (!/^[1-9]\d*$/.test(pid)) return ageMs(file) < writtenMs ? 'written' : 'stale';
  if (!isPostgres(Number(pid))) return 'stale';
  return { pid: Number(pid), port: Number(port), ready: status === 'ready' };
}

/** Only for who starts a server next: whoever merely looks may be looking at the file of one that starts. */
export function removeStaleLock(dataDir: string): void {
  if (lockOf(dataDir) === 'stale') rmSync(lockFile(dataDir), { force: true });
}

/** Waits until `condition` answers something; undefined when it did not in time. */
export async function within<T>(
  milliseconds: number,
  condition: () => T | undefined | Promise<T | undefined>,
): Promise<T | undefined> {
  const deadline = performance.now() + milliseconds;
  for (;;) {
    const answer = await condition();
    if (answer !== undefined || performance.now() > deadline) return answer;
    await delay(15);
  }
}

const lockFile = (dataDir: string): string => join(dataDir, 'postmaster.pid');

const ageMs = (file: string): number => Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** A pid from before a restart of the machine or container may be another program's by now. */
function isPostgres(pid: number): boolean {
  if (!isAlive(pid)) return false;
  if (!existsSync('/proc/self/cmdline')) return true;
  const [program] = readIfThere(`/proc/${pid}/cmdline`)?.split('\0') ?? [];
  return program !== undefined && basename(program) === 'postgres';
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
