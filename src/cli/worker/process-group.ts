import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';

export interface Exit {
  /** null: it never started, or a signal ended it */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** why it could not be started */
  readonly notStarted?: string;
}

export interface GroupOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly onStdout: (chunk: Buffer) => void;
  readonly onStderr: (chunk: Buffer) => void;
}

/** A command in a process group of its own: signals reach all that it started, and what it leaves behind ends with it. */
export class ProcessGroup {
  readonly pid: number | undefined;
  readonly exited: Promise<Exit>;
  private readonly child: ChildProcess;
  private killTimer: NodeJS.Timeout | undefined;
  private killAt = Infinity;
  private ended = false;

  constructor([file = '', ...args]: readonly string[], { env, onStdout, onStderr }: GroupOptions) {
    this.child = spawn(file, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    this.pid = this.child.pid;
    this.child.stdout?.on('data', onStdout);
    this.child.stderr?.on('data', onStderr);
    this.exited = this.untilExit(file);
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
    this.signal('SIGKILL');
  }

  private async untilExit(file: string): Promise<Exit> {
    const closed = new Promise<void>((resolve) => this.child.once('close', () => resolve()));
    const exit = await new Promise<Exit>((resolve) => {
      this.child.once('exit', (code, signal) => resolve({ code, signal }));
      this.child.once('error', (error) => resolve({ code: null, signal: null, notStarted: `${file}: ${startError(error)}` }));
    });
    if (exit.notStarted === undefined) await this.endRemains();
    this.ended = true;
    clearTimeout(this.killTimer);
    // A process that left the group may hold the pipes open for ever; what it says is not the run's any more.
    await Promise.race([closed, pause(1_000, undefined, { ref: false })]);
    this.child.stdout?.destroy();
    this.child.stderr?.destroy();
    return exit;
  }

  /** No successor may start beside what is left of this run. */
  private async endRemains(): Promise<void> {
    if (!this.signal('SIGTERM')) return;
    for (let waited = 0; waited < 1_000 && this.signal(0); waited += 20) await pause(20);
    this.kill();
  }

  /** False when nobody is left in the group. */
  private signal(signal: NodeJS.Signals | 0): boolean {
    try {
      return this.pid !== undefined && process.kill(-this.pid, signal);
    } catch {
      return false;
    }
  }
}

const startError = (error: Error): string =>
  'code' in error && error.code === 'ENOENT' ? 'there is no such command on this machine' : error.message;
