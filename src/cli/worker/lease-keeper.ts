import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '../client.js';
import { mayPass } from '../insist.js';

export interface Lease {
  readonly token: string;
  readonly leaseMs: number;
}

/** What the work under a lease has to do about it. */
export interface LeaseWatch {
  /** it ends at this time of `performance.now()`, if it is not renewed before */
  lasts(until: number): void;
  /** somebody wants the run to end */
  cancelRequested(): void;
  /** it could not be renewed, and its end is near: stop in good order */
  ending(): void;
  /** somebody else may hold the lane from now on: nothing may go on; `refused`: the ledger itself said so */
  over(why: string, refused: boolean): void;
  /** how much the run has said so far, and when it last said something */
  output(): { outputSeq?: number; outputAt?: string };
}

/**
 * Renews a lease until it is stopped. Counts on the monotonic clock, from the moment a claim or a beat was sent: the server's
 * own count can only be later.
 */
export class LeaseKeeper {
  private readonly stopped = new AbortController();
  private times: LeaseTimes;
  private timers: NodeJS.Timeout[] = [];

  constructor(
    private readonly client: Client,
    private readonly run: string,
    private readonly lease: Lease,
    sentAt: number,
    private readonly watch: LeaseWatch,
  ) {
    this.times = leaseTimes(sentAt, lease.leaseMs);
  }

  /**
   * A claim that waited long for its answer is renewed before anything starts under it, and a lease of a former worker in any case.
   * False: the lease is lost, or not needed any more.
   */
  async begin({ renew = false } = {}): Promise<boolean> {
    let fresh = !renew && performance.now() < this.times.beatAt;
    if (renew) this.times = { ...this.times, beatAt: performance.now() };
    while (!fresh && !this.stopped.signal.aborted) {
      fresh = await this.beat();
      if (!fresh && performance.now() >= this.times.endAt) this.lose('it could not be renewed before its end');
      if (!fresh) await this.untilNextBeat();
    }
    if (this.stopped.signal.aborted) return false;
    this.arm();
    void this.keep();
    return true;
  }

  stop(): void {
    this.stopped.abort();
    this.timers.forEach(clearTimeout);
  }

  private async keep(): Promise<void> {
    while (!this.stopped.signal.aborted) {
      await this.untilNextBeat();
      if (!this.stopped.signal.aborted) await this.beat();
    }
  }

  private async untilNextBeat(): Promise<void> {
    const { signal } = this.stopped;
    await pause(Math.max(0, this.times.beatAt - performance.now()), undefined, { signal }).catch(() => {});
  }

  private async beat(): Promise<boolean> {
    const sentAt = performance.now();
    const { signal } = this.stopped;
    const body = { lease: this.lease.token, ...this.watch.output() };
    try {
      const options = { key: null, timeoutMs: Math.ceil(this.lease.leaseMs / 6), signal };
      const { body: answer } = await this.client.post<{ leaseMs: number; cancelRequested?: boolean }>(
        ['runs', this.run, 'beat'],
        body,
        options,
      );
      this.times = leaseTimes(sentAt, answer.leaseMs);
      this.arm();
      if (answer.cancelRequested) this.watch.cancelRequested();
      return true;
    } catch (error) {
      this.times = { ...this.times, beatAt: performance.now() + this.lease.leaseMs / 30 };
      if (!signal.aborted && !mayPass(error)) this.lose(error instanceof Error ? error.message : String(error), true);
      return false;
    }
  }

  private arm(): void {
    this.timers.forEach(clearTimeout);
    if (this.stopped.signal.aborted) return;
    const { endingAt, endAt } = this.times;
    this.watch.lasts(endAt);
    this.timers = [
      setTimeout(() => this.watch.ending(), endingAt - performance.now()),
      setTimeout(() => this.lose('it could not be renewed'), endAt - performance.now()),
    ];
  }

  private lose(why: string, refused = false): void {
    this.stop();
    this.watch.over(why, refused);
  }
}

export interface LeaseTimes {
  readonly beatAt: number;
  readonly endingAt: number;
  readonly endAt: number;
}

/** Beats each third; the end announces itself 20 s before, or half a lease where that is less. All in ms of `performance.now()`. */
export const leaseTimes = (sentAt: number, leaseMs: number): LeaseTimes => ({
  beatAt: sentAt + leaseMs / 3,
  endingAt: sentAt + leaseMs - Math.min(20_000, leaseMs / 2),
  endAt: sentAt + leaseMs,
});
