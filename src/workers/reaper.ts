import { OutcomeUnknown } from '../commands/decider.js';
import type { Dispatch } from '../commands/dispatch.js';
import { reportRunLost } from '../commands/run.js';
import { StoreUnavailable } from '../event-store/event-store.js';
import { nameUuid } from '../events/event.js';
import type { Log } from '../log.js';
import { pause } from '../pause.js';
import type { RunStatusQueries, UnheldRun } from '../projections/run-queries.js';
import type { PostgresLeases } from './leases.js';
import type { Loop } from './loop.js';

const everyMs = 1_000;
const batch = 100;
const standstillMs = 5_000;
const jumpMs = 2_000;
/** Runs without any lease are rare, and a list of all that run is read for them. */
const unheldEvery = 10;

export interface ReaperPorts {
  readonly dispatch: Pick<Dispatch, 'send'>;
  readonly leases: Pick<PostgresLeases, 'revoke' | 'forget' | 'now'>;
  readonly runs: Pick<RunStatusQueries, 'unheldRuns'>;
  /** time is set by hand, and jumps on purpose */
  readonly isByHand: boolean;
  readonly log: Pick<Log, 'warn'>;
}

/**
 * Finds the runs of workers that are not heard of any more. A lease is revoked before its loss is reported, and removed after, so that
 * no successor starts beside a worker that may still report. After a start, a standstill, an outage of the database, and a jump of its clock, nobody is lost until
 * a beat could have come for one whole lease. A run that cannot be reported does not hold up the others; it is tried again.
 */
export class Reaper implements Loop {
  readonly name = 'reaper';
  /** in the leases' time; unknown until the next turn */
  private since: Date | undefined;
  private turns = 0;
  private last: { readonly now: Date; readonly monotonic: number } | undefined;

  constructor(private readonly ports: ReaperPorts) {}

  reset(): void {
    this.since = undefined;
  }

  async turn(signal: AbortSignal): Promise<void> {
    const now = await this.ports.leases.now();
    const since = this.countsFrom(now);
    const revoked = await this.ports.leases.revoke({ since, now }, batch);
    const failures = await this.reportAll(revoked, (lost) => this.ports.leases.forget(lost));
    if (this.looksForUnheld(now.getTime() - since.getTime()))
      failures.push(...(await this.reportAll(await this.ports.runs.unheldRuns(batch))));
    if (failures.length > 0)
      this.ports.log.warn(`lost runs that could not be reported: ${failures.length}; first ${failures[0]}`);
    if (revoked.length < batch) await pause(everyMs, signal);
  }

  /** Anew after a standstill, in which no beats were taken, and after a jump of the database's clock, which no worker knows of. */
  private countsFrom(now: Date): Date {
    const monotonic = performance.now();
    const { last } = this;
    const passed = last ? monotonic - last.monotonic : 0;
    const jump = last && !this.ports.isByHand ? Math.abs(now.getTime() - last.now.getTime() - passed) : 0;
    if (!this.since || passed > standstillMs || jump > jumpMs) this.since = now;
    this.last = { now, monotonic };
    return this.since;
  }

  private looksForUnheld(certainMs: number): boolean {
    return certainMs > 30_000 && this.turns++ % unheldEvery === 0;
  }

  /** Answers a sentence for each that failed. */
  private async reportAll<Lost extends UnheldRun>(lost: readonly Lost[], done?: (run: Lost) => Promise<void>): Promise<string[]> {
    const failures: string[] = [];
    for (const run of lost) {
      const failure = await this.report(run);
      if (failure === undefined) await done?.(run);
      else failures.push(failure);
    }
    return failures;
  }

  private async report({ company, runId: run, beaten }: UnheldRun): Promise<string | undefined> {
    const commandId = nameUuid('lost', company, run);
    const context = { commandId, actor: { type: 'system', id: 'reaper' } } as const;
    try {
      await this.ports.dispatch.send(reportRunLost, { company, run, beaten }, context);
      return undefined;
    } catch (error) {
      // Without the store, none of the others can be reported either.
      if (error instanceof StoreUnavailable || error instanceof OutcomeUnknown) throw error;
      return `${run} of ${company}: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
}
