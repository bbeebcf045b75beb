import type { Client } from '../client.js';
import { sayDuration } from '../../projections/say-duration.js';
import { finishOf, type Finish, type Stop } from './finish.js';
import { LeaseKeeper, type Lease } from './lease-keeper.js';
import type { Exit, ProcessGroup } from './process-group.js';
import { OutputTail } from './output-tail.js';
import type { Reports } from './reports.js';
import { readResultFile } from './result-file.js';
import type { RunFolder } from './run-folder.js';
import type { RunOutput } from './run-output.js';
import { conclusion } from './sentences.js';
import type { WorkerSettings } from './settings.js';

export interface Surroundings {
  readonly settings: WorkerSettings;
  readonly client: Client;
  readonly reports: Reports;
  readonly say: (line: string) => void;
}

/** A run and its lease, and when what gave or last renewed the lease was sent, on `performance.now()`. */
export interface Held {
  readonly run: string;
  readonly lease: Lease;
  readonly sentAt: number;
}

/** What runs, and where it leaves its traces. */
export interface Work {
  readonly folder: RunFolder;
  readonly group: ProcessGroup;
  readonly output: RunOutput;
  /** what is left of the time that it may take */
  readonly forMs: number;
  readonly timeoutMs: number;
}

/** How long a command has between SIGTERM and SIGKILL. */
const politeMs = 20_000;
const handBackMs = 2_000;
/** The longest that a timer of Node can wait. */
const longestTimer = 2 ** 31 - 1;

/** A command under a lease that is kept, and never beyond it. */
export abstract class LeasedRun {
  protected readonly lease: LeaseKeeper;
  protected stop: Stop | undefined;
  protected leaseOver: string | undefined;
  private work: Work | undefined;

  protected constructor(
    protected readonly held: Held,
    protected readonly around: Surroundings,
  ) {
    this.lease = new LeaseKeeper(around.client, held.run, held.lease, held.sentAt, {
      cancelRequested: () => this.end({ kind: 'cancelled', why: 'a cancellation was asked for' }, politeMs),
      ending: () => this.end({ kind: 'handed_back', why: 'the lease could not be renewed' }, politeMs),
      over: (why) => this.leave(why),
      renewed: (endAt) => this.allowUntil(endAt),
      output: () => this.work?.output.progress() ?? {},
    });
  }

  /** Resolves when nothing of it is left to do; what went wrong has been told. */
  abstract run(): Promise<void>;

  get id(): string {
    return this.held.run;
  }

  /** The worker is ending: the run is another's to do. */
  handBack(): void {
    this.end({ kind: 'handed_back', why: 'its worker was stopped' }, handBackMs);
  }

  /** Its command runs; otherwise only words are exchanged with the ledger. */
  get isRunning(): boolean {
    return this.work !== undefined;
  }

  /** From now on the command is ended as whatever happens to its run asks for. */
  protected async untilEnd(work: Work): Promise<Exit> {
    this.work = work;
    const tail = new OutputTail(work.folder, work.output);
    const overdue = setTimeout(
      () => this.end(timedOut(work.timeoutMs), politeMs),
      Math.max(0, Math.min(work.forMs, longestTimer)),
    );
    const exit = await work.group.exited;
    this.work = undefined;
    clearTimeout(overdue);
    this.lease.stop();
    await tail.end();
    return exit;
  }

  /** What is left in its folder was told, or is kept with the report. */
  protected async report({ folder, output }: Work, exit: Exit): Promise<void> {
    const { run, lease } = this.held;
    const { said, ignored } = readResultFile(folder.resultFile);
    if (ignored.length > 0) this.around.say(`${run}: ignored in its result file: ${ignored.join(', ')}`);
    const finish = finishOf(lease.token, { exit, stop: this.stop, said, lastErrors: output.lastErrors() });
    output.note(`ended: ${finish.outcome}`);
    output.close();
    const finished = await this.around.reports.send(run, finish);
    folder.remove();
    if (finished) this.around.say(conclusion(run, finish.outcome, finish.exitCode, finished));
  }

  /** The worker's own trouble, such as a full disk: told as what it is, because the next attempt would meet it as well. */
  protected async failToRun(error: unknown): Promise<void> {
    this.work?.group.kill();
    const why = `the worker could not run it: ${error instanceof Error ? error.message : String(error)}`;
    this.around.say(`${this.held.run}: ${why}`);
    const finish: Finish = {
      lease: this.held.lease.token,
      outcome: 'failed',
      error: why,
      errorCode: 'worker_failed',
      errorFamily: 'config',
    };
    await this.around.reports.send(this.held.run, finish);
    this.work?.folder.remove();
  }

  /** The first reason to stop is the one that is reported. */
  protected end(stop: Stop, killAfterMs: number): void {
    if (this.work && this.stop?.why !== stop.why) this.around.say(`${this.held.run}: ${stop.why}; ending its command`);
    this.stop ??= stop;
    this.work?.group.terminate(killAfterMs);
  }

  private leave(why: string): void {
    this.leaseOver = why;
    this.stop ??= { kind: 'handed_back', why: `the lease is lost: ${why}` };
    if (!this.work) return;
    this.around.say(`${this.held.run}: the lease is lost (${why}); its command is killed`);
    this.work.group.kill();
  }

  /** Without a word in time the command's own watch ends it: the safe side, when the disk is full. */
  private allowUntil(endAt: number): void {
    try {
      this.work?.folder.allowUntil(endAt);
    } catch (error) {
      this.around.say(
        `${this.held.run}: its lease could not be written down: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
}

const timedOut = (ms: number): Stop => ({ kind: 'timed_out', why: `took longer than ${sayDuration(ms)}` });
