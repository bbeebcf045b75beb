import type { Clock } from '../commands/ledger.js';
import { OutcomeUnknown } from '../commands/decider.js';
import { StoreUnavailable, type EventStore } from '../event-store/event-store.js';
import type { Position } from '../events/event.js';
import type { Log } from '../log.js';
import { backOff } from '../pause.js';
import type { Bells } from './bells.js';
import type { Loop } from './loop.js';

/** Something that is to be done from a time on. */
export interface Due {
  readonly dueAt: string;
}

/** A read model of what is due. */
export interface DueList<D extends Due> {
  /** Waits until it shows the event at this position. Throws ProjectionBehind. */
  caughtUp(position: Position): Promise<void>;
  /** The longest due first. */
  due(now: string, limit: number): Promise<readonly D[]>;
  nextDue(): Promise<string | undefined>;
}

export interface DueWork<D extends Due> {
  readonly name: string;
  /** rung when something may be due earlier */
  readonly bell: string;
  readonly list: DueList<D>;
  /** tells one from the others, and what a warning calls it */
  readonly nameOf: (due: D) => string;
  /** `before`: how often it was done, and is due at this very time all the same. */
  readonly carryOut: (due: D, before: number) => Promise<unknown>;
}

export interface DuePorts {
  readonly store: Pick<EventStore, 'head'>;
  readonly clock: Clock;
  readonly bells: Bells;
  readonly log: Pick<Log, 'warn'>;
}

/** The longest that a loop relies on its bell: another process may have heard of something, and this one not yet. */
const longestWaitMs = 5_000;
/** How much is taken in hand before the list is asked again, and how much of it at a time: other work comes in between. */
const batch = 200;
const atATime = 8;
const waits = { firstMs: 500, mostMs: 60_000 };

/** Was tried, and is not to be tried again before `until`, by the process's own count of ms. */
interface Tried {
  readonly dueAt: string;
  readonly until: number;
  readonly failures: number;
  readonly done: number;
}

/**
 * Does what is due, the longest due first, and sleeps until the next. The list is asked only when it knows all that was done before:
 * what it still has as due at that time has failed, or has come to nothing. That is tried again with growing pauses, and does not hold up
 * the rest.
 */
export class DueLoop<D extends Due> implements Loop {
  readonly name: string;
  private tried = new Map<string, Tried>();

  constructor(
    private readonly work: DueWork<D>,
    private readonly ports: DuePorts,
  ) {
    this.name = work.name;
  }

  async turn(signal: AbortSignal): Promise<void> {
    const { list } = this.work;
    await list.caughtUp(await this.ports.store.head());
    const ms = this.untilDue(await list.nextDue());
    if (ms > 0) return this.wait(ms, signal);
    const listed = await list.due(this.ports.clock.now().toISOString(), batch + this.tried.size);
    this.forgetOthers(listed);
    const ready = listed.filter((due) => this.isReady(due)).slice(0, batch);
    await this.doAll(ready, signal);
    if (ready.length === 0) await this.wait(waits.firstMs, signal);
  }

  private untilDue(next: string | undefined): number {
    return next === undefined ? longestWaitMs : Date.parse(next) - this.ports.clock.now().getTime();
  }

  private wait(ms: number, signal: AbortSignal): Promise<void> {
    return this.ports.bells.wait(this.work.bell, Math.min(ms, longestWaitMs), signal);
  }

  /** What is not listed any more, or is due at another time, is over. */
  private forgetOthers(listed: readonly D[]): void {
    const kept = listed.flatMap((due) => {
      const tried = this.triedOf(due);
      return tried ? [[this.work.nameOf(due), tried] as const] : [];
    });
    this.tried = new Map(kept);
  }

  private triedOf(due: D): Tried | undefined {
    const tried = this.tried.get(this.work.nameOf(due));
    return tried?.dueAt === due.dueAt ? tried : undefined;
  }

  private isReady(due: D): boolean {
    return (this.triedOf(due)?.until ?? 0) <= performance.now();
  }

  private async doAll(all: readonly D[], signal: AbortSignal): Promise<void> {
    const left = all.values();
    const lane = async () => {
      for (const due of left) if (!signal.aborted) await this.doOne(due);
    };
    const lanes = await Promise.allSettled(Array.from({ length: atATime }, lane));
    for (const ended of lanes) if (ended.status === 'rejected') throw ended.reason;
  }

  private async doOne(due: D): Promise<void> {
    const { failures, done } = this.triedOf(due) ?? { failures: 0, done: 0 };
    try {
      await this.work.carryOut(due, done);
      this.remember(due, { failures: 0, done: done + 1 });
    } catch (error) {
      // Without the store, none of the others can be done either.
      if (error instanceof StoreUnavailable || error instanceof OutcomeUnknown) throw error;
      if (failures === 0) this.ports.log.warn(`${this.name} tries again later: ${this.work.nameOf(due)}: ${messageOf(error)}`);
      this.remember(due, { failures: failures + 1, done });
    }
  }

  private remember(due: D, tries: Pick<Tried, 'failures' | 'done'>): void {
    const until = performance.now() + backOff(tries.failures + tries.done, waits);
    this.tried.set(this.work.nameOf(due), { dueAt: due.dueAt, until, ...tries });
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
