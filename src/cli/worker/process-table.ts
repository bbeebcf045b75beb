import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** A process that lives; one that only waits to be waited for does not. */
export interface Entry {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** tells it from every other process that had or will have this pid */
  readonly start: string;
  /** when that was, in hundredths of a second on the guard's clock */
  readonly startedAt: number;
}

/** Undefined when nothing lives under this pid. */
export function processOf(pid: number): Entry | undefined {
  return isLinux ? statOf(String(pid)) : listed(['-p', String(pid)])[0];
}

export function membersOf(group: number): Entry[] {
  const all = isLinux ? readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (statOf(name) ?? []) : [])) : listed(['-A']);
  return all.filter((entry) => entry.group === group);
}

/** What a process was told in its environment when it began; undefined where that cannot be read. */
export function environmentOf(pid: number): readonly string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return undefined;
  }
}

const isLinux = existsSync('/proc/self/stat');

/** Pids and start times begin anew with each start of the machine. */
const boot = isLinux ? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim() : '';

/** `proc_pid_stat(5)`: the fields after the name, which is in brackets and may hold anything. */
function statOf(pid: string): Entry | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state = 'X', parent, group, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = rest[16] ?? '';
    if ('ZX'.includes(state)) return undefined;
    return {
      pid: Number(pid),
      parent: Number(parent),
      group: Number(group),
      start: `${boot} ${ticks}`,
      startedAt: Number(ticks),
    };
  } catch {
    return undefined;
  }
}

function listed(which: readonly string[]): Entry[] {
  const columns = ['-o', 'pid=,ppid=,pgid=,stat=,lstart='];
  const { stdout } = spawnSync('ps', [...which, ...columns], {
    encoding: 'utf8',
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
  });
  return stdout.split('\n').flatMap((line) => {
    const [pid, parent, group, state = 'Z', ...words] = line.trim().split(/\s+/);
    if (state.startsWith('Z')) return [];
    const start = words.join(' ');
    return [
      { pid: Number(pid), parent: Number(parent), group: Number(group), start, startedAt: Date.parse(`${start} UTC`) / 10 },
    ];
  });
}
