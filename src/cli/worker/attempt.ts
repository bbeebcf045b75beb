import { hostname } from 'node:os';
import { join } from 'node:path';
import { commandEnvironment } from '../../config.js';
import type { RunView } from '../../commands/run-view.js';
import type { Client } from '../client.js';
import { sayDuration } from '../../projections/say-duration.js';
import { insist } from '../insist.js';
import { finishOf, notBegun, type Stop } from './finish.js';
import { LeaseKeeper, type Lease } from './lease-keeper.js';
import { ProcessGroup } from './process-group.js';
import type { Reports } from './reports.js';
import { readResultFile } from './result-file.js';
import { contextOf, RunFolder, type RunContextFile } from './run-folder.js';
import { RunOutput } from './run-output.js';
import { conclusion, reasonOf } from './sentences.js';
import type { WorkerSettings } from './settings.js';

/** A claimed run, and when the claim was sent on `performance.now()`. */
export interface Claimed {
  readonly run: RunView;
  readonly lease: Lease;
  readonly sentAt: number;
  /** what a read must have reached to show the run's start */
  readonly position: string | undefined;
}

export interface Surroundings {
  readonly settings: WorkerSettings;
  readonly client: Client;
  readonly reports: Reports;
  readonly say: (line: string) => void;
}

/** How long a command has between SIGTERM and SIGKILL. */
const politeMs = 20_000;
const handBackMs = 2_000;
/** The longest that a timer of Node can wait. */
const longestTimer = 2 ** 31 - 1;

/** One run from its claim to its report: the command, under a lease that is kept, and never beyond it. */
export class Attempt {
  private readonly lease: LeaseKeeper;
  private stop: Stop | undefined;
  private leaseOver: string | undefined;
  private group: ProcessGroup | undefined;
  private output: RunOutput | undefined;

  constructor(
    private readonly claimed: Claimed,
    private readonly around: Surroundings,
  ) {
    this.lease = new LeaseKeeper(around.client, claimed.run.id, claimed.lease, claimed.sentAt, {
      cancelRequested: () => this.end({ kind: 'cancelled', why: 'a cancellation was asked for' }, politeMs),
      ending: () => this.end({ kind: 'handed_back', why: 'the lease could not be renewed' }, politeMs),
      over: (why) => this.leave(why),
      output: () => this.output?.progress() ?? {},
    });
  }

  async run(): Promise<void> {
    const { run, lease } = this.claimed;
    try {
      const begun = this.stop === undefined && (await this.lease.begin());
      const context = begun ? await contextOf(this.around.client, run, this.claimed.position) : undefined;
      if (context && this.mayStart()) return await this.execute(context);
    } catch (error) {
      return await this.failToRun(error);
    } finally {
      this.lease.stop();
    }
    if (this.leaseOver) return this.around.say(`${run.id}: not started, the lease is lost: ${this.leaseOver}`);
    const why = this.stop?.why ?? 'the worker did not start it';
    await this.around.reports.send(run.id, notBegun(lease.token, why));
    this.around.say(`handed back ${run.id}: ${why}`);
  }

  /** The worker is ending: the run is another's to do. */
  handBack(): void {
    this.end({ kind: 'handed_back', why: 'its worker was stopped' }, handBackMs);
  }

  /** Its command runs; otherwise only words are exchanged with the ledger. */
  get isRunning(): boolean {
    return this.group !== undefined;
  }

  private mayStart(): boolean {
    return this.stop === undefined && this.leaseOver === undefined;
  }

  private async execute(context: RunContextFile): Promise<void> {
    const { settings, say } = this.around;
    const { run } = context;
    const folder = new RunFolder(join(settings.home, 'runs', `${settings.company}~${run.id}`), context);
    const output = new RunOutput(join(settings.home, 'logs', settings.company, `${run.id}.log`), (line) =>
      say(`${run.id} | ${line}`),
    );
    this.output = output;
    const { stdout: onStdout, stderr: onStderr } = output;
    const group = new ProcessGroup(settings.command, { env: this.environment(context, folder), onStdout, onStderr });
    this.group = group;
    this.announce(context, group, output);
    const overdue = setTimeout(
      () => this.end(timedOut(settings.timeoutMs), politeMs),
      Math.min(settings.timeoutMs, longestTimer),
    );
    const exit = await group.exited;
    this.group = undefined;
    clearTimeout(overdue);
    this.lease.stop();
    const { said, ignored } = readResultFile(folder.resultFile);
    if (ignored.length > 0) say(`${run.id}: ignored in its result file: ${ignored.join(', ')}`);
    const finish = finishOf(this.claimed.lease.token, { exit, stop: this.stop, said, lastErrors: output.lastErrors() });
    output.note(`ended: ${finish.outcome}`);
    output.close();
    folder.remove();
    const finished = await this.around.reports.send(run.id, finish);
    if (finished) say(conclusion(run.id, finish.outcome, finish.exitCode, finished));
  }

  /** The worker's own trouble, such as a full disk: told as what it is, because the next attempt would meet it as well. */
  private async failToRun(error: unknown): Promise<void> {
    this.group?.kill();
    const why = `the worker could not run it: ${error instanceof Error ? error.message : String(error)}`;
    this.around.say(`${this.claimed.run.id}: ${why}`);
    const finish = {
      lease: this.claimed.lease.token,
      outcome: 'failed',
      error: why,
      errorCode: 'worker_failed',
      errorFamily: 'config',
    } as const;
    await this.around.reports.send(this.claimed.run.id, finish);
  }

  private environment(
    { run, wakeups }: RunContextFile,
    { contextFile, resultFile }: RunFolder,
  ): Record<string, string | undefined> {
    const { url, company, agent } = this.around.settings;
    return {
      ...commandEnvironment(),
      LEDGER_URL: url,
      LEDGER_COMPANY: company,
      LEDGER_AGENT: agent,
      LEDGER_TASK: run.task,
      LEDGER_RUN: run.id,
      LEDGER_LEASE: this.claimed.lease.token,
      LEDGER_ATTEMPT: String(run.attempt),
      LEDGER_REASON: reasonOf({ run, wakeups }),
      LEDGER_FALLBACK_MODE: run.fallbackMode ?? '',
      LEDGER_CONTEXT_FILE: contextFile,
      LEDGER_RESULT_FILE: resultFile,
    };
  }

  private announce(context: RunContextFile, { pid }: ProcessGroup, output: RunOutput): void {
    const { run } = context;
    const line = `started ${run.id} (attempt ${run.attempt}, ${reasonOf(context)})`;
    output.note(`${new Date().toISOString()} ${line}`);
    this.around.say(line);
    if (pid === undefined) return;
    const body = { lease: this.claimed.lease.token, pid, pgid: pid, host: hostname(), startedAt: new Date().toISOString() };
    const post = () => this.around.client.post(['runs', run.id, 'process'], body, { key: null });
    insist(post, { forMs: this.claimed.lease.leaseMs }).catch((error: unknown) =>
      this.around.say(`${run.id}: its process could not be recorded: ${error instanceof Error ? error.message : String(error)}`),
    );
  }

  /** The first reason to stop is the one that is reported. */
  private end(stop: Stop, killAfterMs: number): void {
    if (this.group && this.stop?.why !== stop.why) this.around.say(`${this.claimed.run.id}: ${stop.why}; ending its command`);
    this.stop ??= stop;
    this.group?.terminate(killAfterMs);
  }

  private leave(why: string): void {
    this.leaseOver = why;
    this.stop ??= { kind: 'handed_back', why: `the lease is lost: ${why}` };
    if (!this.group) return;
    this.around.say(`${this.claimed.run.id}: the lease is lost (${why}); its command is killed`);
    this.group.kill();
  }
}

const timedOut = (ms: number): Stop => ({ kind: 'timed_out', why: `took longer than ${sayDuration(ms)}` });
