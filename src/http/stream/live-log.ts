import { Injectable } from '@nestjs/common';
import { Turns } from '../../commands/turns.js';
import { Changes } from '../../event-store/changes.js';
import { EventStore, StoreUnavailable } from '../../event-store/event-store.js';
import type { Position } from '../../events/event.js';
import { backOff, pause } from '../../pause.js';
import { Drain } from '../drain.js';
import { readAfter, Told } from './messages.js';

const pageSize = 100;
/** Readers that are no further behind than this need no query of their own. */
const keptEvents = 5_000;
const waits = { firstMs: 100, mostMs: 2_000 };
const awayMs = 500;
/** Until the subscription has begun, nobody announces anything. */
const longestWaitMs = 1_000;

/**
 * The log for all readers of this process: one subscription, whose newest events are kept, feeds those who are near its head. Those
 * who are further behind read pages of their own, one reader after another, so that they take one connection together.
 */
@Injectable()
export class LiveLog {
  private readonly changes = new Changes();
  private readonly turns = new Turns();
  /** everything after `from`, in order, up to `head` */
  private kept: readonly Told[] = [];
  private from: Position | undefined;
  private head: Position | undefined;
  private following: Promise<void> | undefined;

  constructor(
    private readonly store: EventStore,
    private readonly drain: Drain,
  ) {}

  /** What comes after a position, in order: at least one event, and none only when `signal` ended before there was one. */
  async after(position: Position, signal: AbortSignal): Promise<readonly Told[]> {
    this.following ??= this.follow(this.drain.signal);
    while (!signal.aborted) {
      const seen = this.changes.count;
      const found = await this.page(position, signal);
      if (found.length > 0) return found;
      if (!this.isBehind(position)) await this.changes.beyond(seen, longestWaitMs, signal);
    }
    return [];
  }

  private async page(position: Position, signal: AbortSignal): Promise<readonly Told[]> {
    if (this.from !== undefined && position >= this.from) return this.keptAfter(position);
    try {
      const read = async () => (signal.aborted ? [] : this.store.readAll({ after: readAfter(position), limit: pageSize }));
      const events = await this.turns.take('log', read);
      return events.map((event) => new Told(event));
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      // The subscription says so; the stream pauses, and goes on from the same place.
      await pause(awayMs, signal);
      return [];
    }
  }

  private keptAfter(position: Position): readonly Told[] {
    const next = this.kept.findLastIndex(({ event }) => event.position <= position) + 1;
    return this.kept.slice(next, next + pageSize);
  }

  private isBehind(position: Position): boolean {
    return this.head !== undefined && position < this.head;
  }

  /** Goes on by itself after errors, from where it was, until the server ends. */
  private async follow(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        this.head ??= this.from = await this.store.head();
        this.changes.announce();
        for await (const events of this.store.subscribe({ after: this.head, signal })) {
          this.keep(events.map((event) => new Told(event)));
          failures = 0;
        }
      } catch (error) {
        // An outage passes, and readers wait it out. What cannot be read they are to meet by themselves, and to be told.
        if (!(error instanceof StoreUnavailable)) this.forget();
      }
      await pause(backOff(failures, waits), signal);
    }
  }

  private keep(events: readonly Told[]): void {
    const all = [...this.kept, ...events];
    const passed = all.length - keptEvents;
    if (passed > 0) this.from = all[passed - 1]!.event.position;
    this.kept = passed > 0 ? all.slice(passed) : all;
    this.head = all.at(-1)?.event.position ?? this.head;
    this.changes.announce();
  }

  /** Goes on at the head; whoever is not there yet reads pages of its own. */
  private forget(): void {
    this.kept = [];
    this.from = this.head = undefined;
    this.changes.announce();
  }
}
