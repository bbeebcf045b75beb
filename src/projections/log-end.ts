import type { Position } from '../events/event.js';
import type { EventStore } from '../event-store/event-store.js';

type Counted = Pick<EventStore, 'head' | 'count'>;

/**
 * Where the log ended a moment ago. How far somebody is behind it is counted in events, by the store: positions may have gaps. Who is there
 * already costs nothing, and each place is counted once.
 */
export class LogEnd {
  private readonly counts = new Map<Position, Promise<number>>();

  private constructor(
    private readonly store: Counted,
    readonly head: Position,
  ) {}

  static async of(store: Counted): Promise<LogEnd> {
    return new LogEnd(store, await store.head());
  }

  /** All that there are. */
  events(): Promise<number> {
    return this.count(this.head);
  }

  /** Events after a position; what has come since the end was looked for is none of them. */
  async behind(position: Position): Promise<number> {
    return position >= this.head ? 0 : (await this.events()) - (await this.count(position));
  }

  private count(upTo: Position): Promise<number> {
    const counted = this.counts.get(upTo) ?? this.store.count({ upTo });
    this.counts.set(upTo, counted);
    return counted;
  }
}
