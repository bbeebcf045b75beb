import type { RetryPolicy } from '../../events/agent.js';
import type { Recorded, RunId } from '../../events/event.js';
import type { LaneEvent } from '../../events/lane.js';
import { maxAttempts } from '../../commands/retry-policy.js';
import { attemptIn, endedBy, redecide, type Failure } from './redecide.js';

/** How a chain had ended by the end of the period, as far as it is recorded. */
export const chainEnds = ['succeeded', 'failed', 'cancelled', 'open'] as const;
export type ChainEnd = (typeof chainEnds)[number];
export type ByEnd = Readonly<Record<ChainEnd, number>>;

export interface ChainReport {
  /** runs that failed in the period, and the chains that they belong to */
  readonly failures: number;
  readonly chains: number;
  /** nothing about them would be otherwise */
  readonly unchanged: number;
  /** the same attempts, at other times */
  readonly moved: number;
  /** would have been tried again where they were left at that; what would have come of it nobody knows */
  readonly saved: number;
  /** would have been left at that where they were tried again */
  readonly givenUp: number;
  /** how those had ended: a saved one that succeeded was tried again by a person, a given up one by an attempt that it would not get */
  readonly recordedEnds: { readonly saved: ByEnd; readonly givenUp: ByEnd };
  /** more attempts: one for each that is saved, and all that the policy would allow if each of them failed */
  readonly extraAttempts: { readonly atLeast: number; readonly atMost: number };
  readonly fewerAttempts: number;
  /** of attempts that are made either way: by how much they would be due later (earlier, if negative), in ms */
  readonly addedWaitingMs: Spread;
  /** of the first extra attempt of each chain: how long it would wait, in ms */
  readonly extraWaitingMs: Spread;
  /** retries that somebody asked for: they stay as they are, and are in no count */
  readonly byHand: number;
}

export interface Spread {
  readonly count: number;
  readonly sum: number;
  readonly p50: number;
  readonly p95: number;
}

interface Chain {
  fate: 'unchanged' | 'moved' | 'saved' | 'givenUp';
  end: ChainEnd;
}

/**
 * Compares what was decided on failures with what another policy decides. Each failure is looked at as it was recorded: when attempts
 * move, what failed at noon is still taken to fail at noon. It keeps a few hundred bytes for each chain that failed.
 */
export class FailingChains {
  private failures = 0;
  private extra = { atLeast: 0, atMost: 0 };
  private fewer = 0;
  private byHand = 0;
  private readonly added: number[] = [];
  private readonly waiting: number[] = [];
  private readonly chains = new Map<string, Chain>();
  /** runs that are open, of chains that failed before */
  private readonly open = new Map<string, Chain>();

  constructor(private readonly policy: RetryPolicy) {}

  failed(failure: Failure): void {
    this.failures++;
    const run = endedBy(failure);
    const chain = this.chainOf(failure.event.stream, run.chain);
    this.ended(failure.event, 'failed');
    chain.end = 'failed';
    const recorded = attemptIn(failure.followed, run.runId);
    // Of a chain that is left at that, the attempts that follow are not made.
    const decided = chain.fate === 'givenUp' ? undefined : attemptIn(redecide(failure, this.policy), run.runId);
    if (recorded && decided) return this.moved(chain, Date.parse(decided.dueAt) - Date.parse(recorded.dueAt));
    if (recorded) {
      chain.fate = 'givenUp';
      this.fewer++;
    }
    if (!decided) return;
    if (chain.fate !== 'givenUp') chain.fate = 'saved';
    this.extra.atLeast++;
    this.extra.atMost += Math.max(1, maxAttempts(this.policy) - run.attempt);
    this.waiting.push(Date.parse(decided.dueAt) - Date.parse(failure.event.data.finishedAt));
  }

  /** Of any event of a lane: how chains go on. `isOwn`: it was decided together with a failure. */
  follow(event: Recorded<LaneEvent>, isOwn: boolean): void {
    switch (event.type) {
      case 'RetryScheduled':
        if (!isOwn) this.byHand++;
        return this.opened(event, event.data);
      case 'RunQueued':
        return this.opened(event, event.data);
      case 'RunSucceeded':
        return this.ended(event, 'succeeded');
      case 'RunCancelled':
      case 'RetrySuperseded':
        return this.ended(event, 'cancelled');
      default:
        return;
    }
  }

  report(): ChainReport {
    const all = [...this.chains.values()];
    const count = (fate: Chain['fate']) => all.filter((chain) => chain.fate === fate).length;
    return {
      failures: this.failures,
      chains: all.length,
      unchanged: count('unchanged'),
      moved: count('moved'),
      saved: count('saved'),
      givenUp: count('givenUp'),
      recordedEnds: { saved: endsOf(all, 'saved'), givenUp: endsOf(all, 'givenUp') },
      extraAttempts: this.extra,
      fewerAttempts: this.fewer,
      addedWaitingMs: spread(this.added),
      extraWaitingMs: spread(this.waiting),
      byHand: this.byHand,
    };
  }

  private moved(chain: Chain, ms: number): void {
    this.added.push(ms);
    if (ms !== 0 && chain.fate === 'unchanged') chain.fate = 'moved';
  }

  private chainOf(stream: string, id: RunId): Chain {
    const key = keyOf(stream, id);
    const chain = this.chains.get(key) ?? { fate: 'unchanged', end: 'open' };
    this.chains.set(key, chain);
    return chain;
  }

  private opened({ stream }: Recorded, { runId, chain: id }: { readonly runId: RunId; readonly chain: RunId }): void {
    const chain = this.chains.get(keyOf(stream, id));
    if (!chain) return;
    chain.end = 'open';
    this.open.set(keyOf(stream, runId), chain);
  }

  private ended({ stream, data }: Recorded<{ type: string; data: { readonly runId: RunId } }>, end: ChainEnd): void {
    const key = keyOf(stream, data.runId);
    const chain = this.open.get(key);
    if (!chain) return;
    chain.end = end;
    this.open.delete(key);
  }
}

const keyOf = (stream: string, run: RunId): string => `${stream} ${run}`;

function endsOf(chains: readonly Chain[], fate: Chain['fate']): ByEnd {
  const ends = { succeeded: 0, failed: 0, cancelled: 0, open: 0 };
  for (const chain of chains) if (chain.fate === fate) ends[chain.end]++;
  return ends;
}

/** Percentiles by nearest rank; 0 of nothing. */
function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { count: sorted.length, sum: sorted.reduce((sum, ms) => sum + ms, 0), p50: rank(0.5), p95: rank(0.95) };
}
