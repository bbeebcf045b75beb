import { beginning, type Position, type Recorded } from '../../events/event.js';
import type { LedgerEvent } from '../../events/ledger-event.js';
import type { EventStore } from '../../event-store/event-store.js';
import { backOff, pause } from '../../pause.js';

export type Page = readonly Recorded<LedgerEvent>[];

/** `events` are all that the log has after the position that they are kept under, up to `last`. */
interface Kept {
  readonly last: Position;
  readonly events: Page;
}

const pageSize = 5_000;
const keptEvents = 8 * pageSize;
const waits = { firstMs: 100, mostMs: 2_000 };

/**
 * The log in pages for all projectors of a process: a page is read and parsed once, however many of them come by. It is kept until the
 * last of them has passed; for those that lag behind, no more than 40,000 events are kept.
 */
export class LogPages {
  /** by the position that they come after, oldest first */
  private readonly kept = new Map<Position, Kept>();
  private readonly reading = new Map<Position, Promise<void>>();
  private readonly followers = new Map<object, Position>();
  /** where the subscription is: up to here, events are there to be read */
  private tail: Position | undefined;
  private readonly waiting = new Set<() => void>();

  constructor(private readonly store: EventStore) {}

  /** Follows the log until `signal` ends; goes on by itself after errors. */
  async follow(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        this.tail = await this.store.head();
        this.wake();
        for await (const events of this.store.subscribe<LedgerEvent>({ after: this.tail, signal, limit: pageSize })) {
          this.keep(this.tail, events);
          this.tail = events.at(-1)?.position ?? this.tail;
          this.wake();
          failures = 0;
        }
      } catch {
        // Whoever needs a page meets the same error when it reads one, and says so.
      }
      await pause(backOff(failures, waits), signal);
    }
  }

  /** Events after a position, in order, at least one and at most `limit`; none when `signal` ended before there was one. */
  async after(follower: object, position: Position, limit: number, signal: AbortSignal): Promise<Page> {
    this.followers.set(follower, position);
    this.forgetPassed();
    while (!signal.aborted) {
      const found = this.find(position, limit);
      if (found.length === pageSize) this.readAhead(found.at(-1)!.position);
      if (found.length > 0) return found;
      if (this.tail !== undefined && position >= this.tail) await this.growth(signal);
      else if (!(await this.read(position))) await pause(100, signal);
    }
    return [];
  }

  leave(follower: object): void {
    this.followers.delete(follower);
    this.forgetPassed();
  }

  private find(position: Position, limit: number): Page {
    const exact = this.kept.get(position);
    if (exact && exact.events.length >= limit) return exact.events.slice(0, limit);
    const found = exact ? [...exact.events] : this.middle(position);
    for (let next = this.nextAfter(found); next && found.length < limit; next = this.nextAfter(found)) found.push(...next.events);
    return found.slice(0, limit);
  }

  /** The rest of a page that was taken in parts. */
  private middle(position: Position): Recorded<LedgerEvent>[] {
    for (const [after, { last, events }] of this.kept)
      if (after < position && position < last) return events.filter((event) => event.position > position);
    return [];
  }

  private nextAfter(found: Page): Kept | undefined {
    const last = found.at(-1);
    return last && this.kept.get(last.position);
  }

  /** False when the log has nothing there. */
  private async read(position: Position): Promise<boolean> {
    await this.readOnce(position);
    return this.kept.has(position);
  }

  /** While a page is folded and written, the next one is on its way. */
  private readAhead(position: Position): void {
    if (this.tail !== undefined && position < this.tail) this.readOnce(position).catch(() => {});
  }

  private async readOnce(position: Position): Promise<void> {
    if (this.kept.has(position)) return;
    const reading = this.reading.get(position) ?? this.readPage(position).finally(() => this.reading.delete(position));
    this.reading.set(position, reading);
    return reading;
  }

  private async readPage(position: Position): Promise<void> {
    this.keep(position, await this.store.readAll<LedgerEvent>({ after: position, limit: pageSize }));
  }

  private keep(after: Position, events: Page): void {
    const last = events.at(-1)?.position;
    if (last === undefined || (this.kept.get(after)?.last ?? beginning) > last) return;
    this.kept.set(after, { last, events });
  }

  private forgetPassed(): void {
    const slowest = [...this.followers.values()].reduce(
      (least, position) => (position < least ? position : least),
      this.tail ?? beginning,
    );
    let count = 0;
    for (const [after, { last, events }] of this.kept) {
      if (last <= slowest) this.kept.delete(after);
      else count += events.length;
    }
    for (const [after, { events }] of this.kept) {
      if (count <= keptEvents) return;
      this.kept.delete(after);
      count -= events.length;
    }
  }

  private growth(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const resume = () => {
        signal.removeEventListener('abort', resume);
        this.waiting.delete(resume);
        resolve();
      };
      this.waiting.add(resume);
      signal.addEventListener('abort', resume);
    });
  }

  private wake(): void {
    for (const resume of this.waiting) resume();
  }
}
