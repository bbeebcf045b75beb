import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { claimRuns } from '../../commands/claim-runs.js';
import { Client, type AnswerOf } from '../client.js';
import { insist } from '../insist.js';
import { plain } from '../table.js';
import { sayTime } from '../times.js';
import { Attempt, type Claimed, type Surroundings } from './attempt.js';
import { reportDead } from './dead-run.js';
import { takeLeftRuns, type LeftRun } from './left-runs.js';
import { Reports } from './reports.js';
import type { WorkerSettings } from './settings.js';

/** How long a claim waits for a run, in seconds. */
const waitSec = 20;
/** How long the last reports are tried when the worker ends. */
const lastWordsMs = 5_000;

/** Claims runs of one agent and runs the operator's command for each, until it is stopped. */
export class Worker {
  private readonly client: Client;
  private readonly reports: Reports;
  private readonly stopping = new AbortController();
  private readonly silenced = new AbortController();
  private readonly attempts = new Map<Attempt, Promise<void>>();
  private serverAway = false;

  constructor(
    private readonly settings: WorkerSettings,
    private readonly print: (line: string) => void = console.log,
  ) {
    const { url, company, token, agent, home } = settings;
    this.client = new Client({ url, company, token, actor: `agent:${agent}` });
    this.reports = new Reports(this.client, join(home, 'unreported'), this.say, this.silenced.signal);
  }

  /** Resolves when the worker was stopped and all that it ran has ended. Throws what no patience helps against. */
  async run(): Promise<void> {
    const { agent, company, url, max } = this.settings;
    this.say(`claiming runs of ${agent} in ${company} at ${url}, ${max} at a time; Ctrl-C ends`);
    const removeSignals = this.onSignals();
    const leftOver = Promise.all([
      ...takeLeftRuns(this.settings).map((left) => this.answerFor(left)),
      this.reports.sendLeftOver(),
    ]);
    try {
      await this.claimOn();
    } finally {
      this.stop();
      await this.attemptsEnd();
      this.silence(lastWordsMs);
      await leftOver;
      removeSignals();
    }
  }

  /** No new claims. What runs may go on for the grace, and is handed back then; asked again, at once. */
  stop(): void {
    if (this.stopping.signal.aborted) return this.handBackAll();
    this.stopping.abort();
    setTimeout(() => this.handBackAll(), this.running() > 0 ? this.settings.graceMs : 0).unref();
  }

  private readonly say = (line: string): void => this.print(`${sayTime(new Date().toISOString())} ${plain(line)}`);

  private onSignals(): () => void {
    const onSignal = (signal: NodeJS.Signals) => {
      const running = this.running();
      this.say(`${signal}: no new claims${running > 0 ? `; ${running} running, once more to hand back now` : ''}`);
      this.stop();
    };
    const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
    for (const signal of signals) process.on(signal, onSignal);
    return () => signals.forEach((signal) => process.off(signal, onSignal));
  }

  private async claimOn(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const free = this.settings.max - this.attempts.size;
      if (free > 0) (await this.claim(free)).forEach((claimed) => this.begin(claimed));
      else await Promise.race(this.attempts.values());
    }
  }

  private async claim(max: number): Promise<Claimed[]> {
    const requestId = randomUUID();
    const sentAt = performance.now();
    const { signal } = this.stopping;
    try {
      const claims = await insist(() => this.requestClaims(requestId, max, sentAt, { waitSec, signal }), {
        signal,
        onFailure: this.missServer,
      });
      this.findServer();
      if (claims.length === 0) await this.dontSpin(sentAt);
      return claims;
    } catch (error) {
      if (!signal.aborted) throw error;
      return this.lastClaims(requestId, max, sentAt);
    }
  }

  /** What a claim was given while it was called off is known by asking once more; it is handed back, not left to its lease. */
  private async lastClaims(requestId: string, max: number, sentAt: number): Promise<Claimed[]> {
    if (this.serverAway) return [];
    try {
      return await this.requestClaims(requestId, max, sentAt, { waitSec: 0, signal: AbortSignal.timeout(lastWordsMs) });
    } catch {
      return [];
    }
  }

  private async requestClaims(
    requestId: string,
    max: number,
    sentAt: number,
    how: { waitSec: number; signal: AbortSignal },
  ): Promise<Claimed[]> {
    const { agent, workerId, leaseMs } = this.settings;
    const options = { key: null, query: { wait: how.waitSec }, timeoutMs: (how.waitSec + 15) * 1_000, signal: how.signal };
    const { body, position } = await this.client.post<AnswerOf<typeof claimRuns>>(
      ['agents', agent, 'claims'],
      { workerId, requestId, max, leaseMs },
      options,
    );
    return body.runs.map(({ run, lease }) => ({ run, lease, sentAt, position }));
  }

  private begin(claimed: Claimed): void {
    const attempt = new Attempt(claimed.run.id, claimed.lease, claimed.sentAt, this.surroundings());
    if (this.stopping.signal.aborted) attempt.handBack();
    this.follow(attempt, claimed.run.id, attempt.begin(claimed));
  }

  /** A run of a worker that is dead: what lives of it goes on and takes a place among those that run, what is dead is reported. */
  private async answerFor(left: LeftRun): Promise<void> {
    const { folder, leader, record } = left;
    const { run, lease } = record;
    if (this.reports.holds(run)) return folder.remove();
    if (!leader) return reportDead(left, this.surroundings()).catch((error: unknown) => this.sayOf(run, error));
    const sentAt = performance.now() + folder.leaseLeft() - lease.leaseMs;
    const attempt = new Attempt(run, lease, sentAt, this.surroundings());
    this.follow(attempt, run, attempt.takeUp(left, leader));
  }

  private follow(attempt: Attempt, run: string, work: Promise<void>): void {
    const ended = work.catch((error: unknown) => this.sayOf(run, error)).finally(() => this.attempts.delete(attempt));
    this.attempts.set(attempt, ended);
  }

  private sayOf(run: string, error: unknown): void {
    this.say(`${run}: ${error instanceof Error ? error.message : String(error)}`);
  }

  private surroundings(): Surroundings {
    const { settings, client, reports, say } = this;
    return { settings, client, reports, say };
  }

  /** A claim that is answered at once, and with nothing, is not repeated at once. */
  private async dontSpin(sentAt: number): Promise<void> {
    const rest = 1_000 - (performance.now() - sentAt);
    if (rest > 0) await pause(rest, undefined, { signal: this.stopping.signal }).catch(() => {});
  }

  private running(): number {
    return [...this.attempts.keys()].filter(({ isRunning }) => isRunning).length;
  }

  private handBackAll(): void {
    for (const attempt of this.attempts.keys()) attempt.handBack();
    this.silence(lastWordsMs);
  }

  /** The server may be away for long: reports that it does not answer stay in the state folder. */
  private silence(afterMs: number): void {
    setTimeout(() => this.silenced.abort(), afterMs).unref();
  }

  private async attemptsEnd(): Promise<void> {
    while (this.attempts.size > 0) await Promise.all(this.attempts.values());
  }

  private readonly missServer = (error: Error): void => {
    if (!this.serverAway) this.say(`${error.message} …`);
    this.serverAway = true;
  };

  private findServer(): void {
    if (this.serverAway) this.say('the ledger answers again');
    this.serverAway = false;
  }
}
