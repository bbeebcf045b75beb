import { hostname } from 'node:os';
import { join } from 'node:path';
import { commandEnvironment } from '../../config.js';
import type { RunView } from '../../commands/run-view.js';
import { sayDuration } from '../../projections/say-duration.js';
import type { Client } from '../client.js';
import { insist } from '../insist.js';
import { finishOf, notBegun, type Stop } from './finish.js';
import { guardClock } from './guard.js';
import { LeaseKeeper, type Lease } from './lease-keeper.js';
import type { LeftRun } from './left-runs.js';
import { own } from './owners.js';
import { ProcessGroup } from './process-group.js';
import { processOf, type Entry } from './process-table.js';
import type { Reports } from './reports.js';
import { contextOf, type RunContextFile } from './run-context.js';
import { RunFolder, type RunRecord } from './run-folder.js';
import { RunningCommand, type Listeners } from './running-command.js';
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

/** One run to its report: the command, under a lease that is kept, and never beyond it. */
export class Attempt {
  private readonly keeper: LeaseKeeper;
  private leaseEnd = 0;
  private leaseOver: { readonly why: string; readonly refused: boolean } | undefined;
  private stop: Stop | undefined;
  private command: RunningCommand | undefined;
  private files: { readonly folder: RunFolder; readonly record: RunRecord } | undefined;

  constructor(
    private readonly run: string,
    private readonly lease: Lease,
    /** of the claim or beat that the lease counts from */
    sentAt: number,
    private readonly around: Surroundings,
  ) {
    this.keeper = new LeaseKeeper(around.client, run, lease, sentAt, {
      lasts: (until) => this.lasts(until),
      cancelRequested: () => this.end({ kind: 'cancelled', why: 'a cancellation was asked for' }, politeMs),
      ending: () => this.end({ kind: 'handed_back', why: 'the lease could not be renewed' }, politeMs),
      over: (why, refused) => this.leave(why, refused),
      output: () => this.command?.progress() ?? {},
    });
  }

  /** From its claim on. */
  async begin({ run, position }: Claimed): Promise<void> {
    try {
      const begun = this.stop === undefined && (await this.keeper.begin());
      const context = begun ? await contextOf(this.around.client, run, position) : undefined;
      if (context && this.mayStart()) return await this.execute(context);
    } catch (error) {
      return await this.failToRun(error);
    } finally {
      this.keeper.stop();
    }
    if (this.leaseOver) return this.say(`not started, the lease is lost: ${this.leaseOver.why}`);
    const why = this.stop?.why ?? 'the worker did not start it';
    await this.around.reports.send(this.run, notBegun(this.lease.token, why));
    this.around.say(`handed back ${this.run}: ${why}`);
  }

  /** From where a worker that is dead has left it, with a command that lives. */
  async takeUp({ folder, record }: LeftRun, leader: Entry): Promise<void> {
    try {
      this.files = { folder, record };
      this.stop = record.stop;
      this.command = new RunningCommand(folder, this.listeners(), () => ProcessGroup.takeUp(leader, folder));
      if (record.stop) this.command.group.terminate(politeMs);
      void this.renewOnBehalf(leader, record);
      await this.seeToItsEnd(this.command, record);
    } catch (error) {
      await this.failToRun(error);
    } finally {
      this.keeper.stop();
    }
  }

  /** The worker is ending: the run is another's to do. */
  handBack(): void {
    this.end({ kind: 'handed_back', why: 'its worker was stopped' }, handBackMs);
  }

  /** Its command runs; otherwise only words are exchanged with the ledger. */
  get isRunning(): boolean {
    return this.command !== undefined;
  }

  private mayStart(): boolean {
    return this.stop === undefined && this.leaseOver === undefined;
  }

  private async execute(context: RunContextFile): Promise<void> {
    const { home, command } = this.around.settings;
    const record = this.newRecord();
    const folder = RunFolder.create(join(home, 'runs'), record, context, own);
    this.files = { folder, record };
    this.lasts(this.leaseEnd);
    const environment = this.environment(context, folder);
    const start = () => ProcessGroup.start(command, environment, folder);
    this.command = new RunningCommand(folder, this.listeners(), start);
    const { group } = this.command;
    const leader = group.pid === undefined ? undefined : processOf(group.pid);
    this.files = { folder, record: { ...record, process: leader } };
    folder.keep(this.files.record);
    const line = `started ${this.run} (attempt ${context.run.attempt}, ${reasonOf(context)})`;
    this.command.note(`${record.startedAt} ${line}`);
    this.around.say(line);
    if (leader) void this.recordProcess(leader, record);
    await this.seeToItsEnd(this.command, record);
  }

  private newRecord(): RunRecord {
    const { url, company, agent, command, workerId } = this.around.settings;
    const { run, lease } = this;
    const now = { startedAt: new Date().toISOString(), clock: guardClock() };
    return { url, company, agent, run, lease, workerId, file: command[0] ?? '', host: hostname(), ...now };
  }

  private listeners(): Listeners {
    return listenersOf(this.run, this.around);
  }

  private async seeToItsEnd(command: RunningCommand, { clock }: RunRecord): Promise<void> {
    const { timeoutMs } = this.around.settings;
    const left = timeoutMs - (guardClock() - clock) * 10;
    const overdue = setTimeout(() => this.end(timedOut(timeoutMs), politeMs), Math.min(left, longestTimer));
    const ending = await command.ended();
    this.command = undefined;
    clearTimeout(overdue);
    this.keeper.stop();
    if (this.files?.folder.wasOver) this.stop ??= { kind: 'handed_back', why: 'the lease could not be renewed' };
    const finish = finishOf(this.lease.token, { ...ending, stop: this.stop });
    command.note(`ended: ${finish.outcome}`);
    command.close();
    if (ending.ignored.length > 0) this.say(`ignored in its result file: ${ending.ignored.join(', ')}`);
    // Who was told that the lease is another's would be told so once more.
    const finished = this.leaseOver?.refused ? undefined : await this.around.reports.send(this.run, finish);
    this.files?.folder.remove();
    if (finished) this.around.say(conclusion(this.run, finish.outcome, finish.exitCode, finished));
  }

  /** The worker's own trouble, such as a full disk: told as what it is, because the next attempt would meet it as well. */
  private async failToRun(error: unknown): Promise<void> {
    this.command?.abandon();
    this.command = undefined;
    const why = `the worker could not run it: ${sentenceOf(error)}`;
    this.say(why);
    const finish = {
      lease: this.lease.token,
      outcome: 'failed',
      error: why,
      errorCode: 'worker_failed',
      errorFamily: 'config',
    } as const;
    await this.around.reports.send(this.run, finish);
    this.files?.folder.remove();
  }

  private environment({ run, wakeups }: RunContextFile, folder: RunFolder): Record<string, string | undefined> {
    const { url, company, agent } = this.around.settings;
    return {
      ...commandEnvironment(),
      LEDGER_URL: url,
      LEDGER_COMPANY: company,
      LEDGER_AGENT: agent,
      LEDGER_TASK: run.task,
      LEDGER_RUN: run.id,
      LEDGER_LEASE: this.lease.token,
      LEDGER_ATTEMPT: String(run.attempt),
      LEDGER_REASON: reasonOf({ run, wakeups }),
      LEDGER_FALLBACK_MODE: run.fallbackMode ?? '',
      LEDGER_CONTEXT_FILE: folder.contextFile,
      LEDGER_RESULT_FILE: folder.resultFile,
    };
  }

  private async renewOnBehalf(leader: Entry, record: RunRecord): Promise<void> {
    if (!(await this.keeper.begin({ renew: true }))) return;
    this.say(`goes on under process ${leader.pid}, which a worker left that is gone; taken up again`);
    await this.recordProcess(leader, record);
    await this.tell('detached', {});
    await this.tell('reattached', {});
  }

  private recordProcess({ pid, group }: Entry, { host, startedAt }: RunRecord): Promise<void> {
    return this.tell('process', { pid, pgid: group, host, startedAt });
  }

  /** What the ledger does not take of these does not stop the run. */
  private async tell(what: 'process' | 'detached' | 'reattached', body: object): Promise<void> {
    const { client } = this.around;
    const post = () => client.post(['runs', this.run, what], { lease: this.lease.token, ...body }, { key: null });
    await insist(post, { forMs: this.lease.leaseMs }).catch((error: unknown) =>
      this.say(`the ledger does not take it as ${what}: ${sentenceOf(error)}`),
    );
  }

  private lasts(until: number): void {
    this.leaseEnd = until;
    try {
      this.files?.folder.keepLease(until - performance.now());
    } catch (error) {
      this.say(`its lease could not be noted, and its command will be ended with the one before: ${sentenceOf(error)}`);
    }
  }

  /** The first reason to stop is the one that is reported, by whatever worker sees the end. */
  private end(stop: Stop, killAfterMs: number): void {
    if (this.command && this.stop?.why !== stop.why) this.say(`${stop.why}; ending its command`);
    if (!this.stop && this.command) this.keepStop(stop);
    this.stop ??= stop;
    this.command?.group.terminate(killAfterMs);
  }

  private keepStop(stop: Stop): void {
    try {
      this.files?.folder.keep({ ...this.files.record, stop });
    } catch {
      // A full disk: this worker knows the reason, and tells it if it lives.
    }
  }

  private leave(why: string, refused: boolean): void {
    this.leaseOver = { why, refused };
    this.stop ??= { kind: 'handed_back', why: `the lease is lost: ${why}` };
    if (!this.command) return;
    this.say(`the lease is lost (${why}); its command is killed`);
    this.command.group.kill();
  }

  private say(sentence: string): void {
    this.around.say(`${this.run}: ${sentence}`);
  }
}

export function listenersOf(run: string, { settings: { home, company }, say }: Surroundings): Listeners {
  return { logFile: join(home, 'logs', company, `${run}.log`), terminal: (line) => say(`${run} | ${line}`) };
}

const timedOut = (ms: number): Stop => ({ kind: 'timed_out', why: `took longer than ${sayDuration(ms)}` });

const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
