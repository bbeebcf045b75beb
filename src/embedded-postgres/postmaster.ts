import { existsSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** What a running Postgres says about itself in `postmaster.pid`. */
export interface Postmaster {
  pid: number;
  port: number;
  ready: boolean;
}

/** The server that runs on this data folder; the lock file of a dead one is removed. */
export function postmaster(dataDir: string): Postmaster | undefined {
  const file = join(dataDir, 'postmaster.pid');
  const lines = readIfThere(file)
    ?.split('\n')
    .map((line) => line.trim());
  if (!lines) return undefined;
  const pid = Number(lines[0]);
  if (isPostgres(pid)) return { pid, port: Number(lines[3]), ready: lines[7] === 'ready' };
  rmSync(file, { force: true });
  return undefined;
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
