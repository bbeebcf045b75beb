import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** This process among all that share the database. */
export interface ProcessIdentity {
  readonly holder: string;
  /** the machine, and the pid namespace in it that `pid` counts in */
  readonly host: string;
  readonly pid: number;
  /** tells a process from a later one with the same pid; empty where the system does not say */
  readonly pidStarted: string;
}

export const thisProcess = (): ProcessIdentity => ({
  holder: randomUUID(),
  host,
  pid: process.pid,
  pidStarted: startOf(process.pid) ?? '',
});

/** Only what can be known for certain: a process of this host that is gone, or whose pid is another's by now. */
export function isGone(other: Pick<ProcessIdentity, 'host' | 'pid' | 'pidStarted'>): boolean {
  if (other.host !== host) return false;
  if (!isAlive(other.pid)) return true;
  const started = startOf(other.pid);
  return started !== undefined && other.pidStarted !== '' && started !== other.pidStarted;
}

const host = [hostname(), attempt(() => readlinkSync('/proc/self/ns/pid'))].filter((part) => part !== undefined).join(' ');

/** Boot and start time in clock ticks since; the name before them may hold blanks and parentheses. */
function startOf(pid: number): string | undefined {
  return attempt(() => {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return `${boot} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`;
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function attempt(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
