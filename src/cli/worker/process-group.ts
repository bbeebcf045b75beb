import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { commandEnvironment } from '../../config.js';
import type { Exit } from './finish.js';
import { guard } from './guard.js';
import { membersOf, processOf } from './process-table.js';
import type { RunFolder } from './run-folder.js';

/** A command in a process group of its own: signals reach all that it started, and what it leaves behind ends with it. */
export class ProcessGroup {
  readonly exited: Promise<Exit>;
  private killTimer: NodeJS.Timeout | undefined;
  private killAt = Infinity;
  private ended = false;

  private constructor(
    /** of the guard, which leads the group; undefined: nothing could be started */
    readonly pid: number | undefined,
    exit: Promise<Exit>,
  ) {
    this.exited = this.untilExit(exit);
  }

  /** Under its guard, whose lease must be in the folder by now; its output goes to the files there. */
  static start(command: readonly string[], env: NodeJS.ProcessEnv, folder: RunFolder): ProcessGroup {
    const child = spawn('/bin/sh', ['-c', guard, 'ledger-run', folder.path, ...command], {
      env,
      detached: true,
      stdio: 'ignore',
    });
    return new ProcessGroup(child.pid, ownExit(child, command[0] ?? '', env.PATH, folder));
  }

  /** One that a former worker started and that lives. */
  static takeUp({ pid, start }: { pid: number; start: string }, folder: RunFolder): ProcessGroup {
    return new ProcessGroup(pid, foreignExit(pid, start, folder));
  }

  /** SIGTERM now, SIGKILL after so many ms; asked again, the earlier end holds. */
  terminate(killAfterMs: number): void {
    const killAt = performance.now() + killAfterMs;
    if (this.ended || killAt >= this.killAt) return;
    this.killAt = killAt;
    this.signal('SIGTERM');
    clearTimeout(this.killTimer);
    this.killTimer = setTimeout(() => this.kill(), killAfterMs);
  }

  kill(): void {
    if (!this.ended) this.signal('SIGKILL');
  }

  private async untilExit(leaderExit: Promise<Exit>): Promise<Exit> {
    const exit = await leaderExit;
    await this.endRemains();
    this.ended = true;
    clearTimeout(this.killTimer);
    return exit;
  }

  /** No successor may start beside what is left of this run. */
  private async endRemains(): Promise<void> {
    if (this.pid === undefined || !this.signal('SIGTERM')) return;
    for (let waited = 0; waited < 1_000 && membersOf(this.pid).length > 0; waited += 20) await pause(20);
    this.kill();
  }

  /** False when nobody is left in the group. */
  private signal(signal: NodeJS.Signals): boolean {
    try {
      return this.pid !== undefined && process.kill(-this.pid, signal);
    } catch {
      return false;
    }
  }
}

/** What the guard noted says more than its own end: it may have been killed after it. */
export function notedExit(folder: RunFolder, file: string, path: string | undefined): Exit | undefined {
  const code = folder.exitCode();
  if (code === undefined) return undefined;
  const notStarted = whyNotStarted(code, file, path);
  return { code, signal: null, ...(notStarted !== undefined && { notStarted }) };
}

async function ownExit(child: ChildProcess, file: string, path: string | undefined, folder: RunFolder): Promise<Exit> {
  const exit = await new Promise<Exit>((resolveExit) => {
    child.once('exit', (code, signal) => resolveExit({ code, signal }));
    child.once('error', (error) => resolveExit({ code: null, signal: null, notStarted: `/bin/sh: ${error.message}` }));
  });
  return notedExit(folder, file, path) ?? exit;
}

/** Only a parent is told of an end; all others have to look. */
async function foreignExit(pid: number, start: string, folder: RunFolder): Promise<Exit> {
  while (processOf(pid)?.start === start) await pause(200);
  const { file } = folder.record() ?? {};
  return notedExit(folder, file ?? '', commandEnvironment().PATH) ?? { code: null, signal: null, vanished: true };
}

/** A shell says with 127 that there is no such command, and with 126 that it cannot be executed; a command may end so as well. */
function whyNotStarted(code: number, file: string, path: string | undefined): string | undefined {
  if (code === 127 && !found(file, path, constants.F_OK)) return `${file}: there is no such command on this machine`;
  if (code === 126 && !found(file, path, constants.X_OK)) return `${file}: it cannot be executed`;
  return undefined;
}

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

function found(file: string, path = defaultPath, mode: number): boolean {
  const candidates = file.includes('/') ? [file] : path.split(delimiter).map((folder) => resolve(folder, file));
  return candidates.some((candidate) => {
    try {
      accessSync(candidate, mode);
      return true;
    } catch {
      return false;
    }
  });
}
