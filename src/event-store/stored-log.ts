import type { JsonObject, Position } from '../events/event.js';

/** An event as the log keeps it: of the shape that it was written in, not of today's. */
export interface StoredEvent {
  readonly position: Position;
  readonly stream: string;
  readonly revision: number;
  readonly id: string;
  readonly type: string;
  readonly schema: number;
  /** ISO 8601 in UTC, with milliseconds */
  readonly recordedAt: string;
  readonly metadata: JsonObject;
  readonly data: JsonObject;
}

/**
 * A log as it is written, for who proves it, copies it, or closes it. The event store reads yesterday's shapes as today's; here every
 * event is what was written. Engines: postgres, eventstoredb.
 */
export abstract class StoredLog {
  /** A UUID that no other log has: a copy is another log. */
  abstract id(): Promise<string>;
  /** In the order of the log; without `after` from the very first, also from one that stands where no event can be. */
  abstract after(after: Position | undefined, limit: number): Promise<StoredEvent[]>;
  /** The position of the last event, `beginning` when there is none. */
  abstract head(): Promise<Position>;
  /**
   * Adds events of another log behind those that are there, in their order, with ids, shapes, metadata and times as they are; of each
   * stream they are the next. Sent again after a failure, those that are there already are not added once more. Meant for one writer
   * alone: throws when the log has other events in their places.
   */
  abstract take(events: readonly StoredEvent[]): Promise<void>;
  /** When it resolves, nothing is written any more, by any process: what was under way is in the log or never will be. */
  abstract seal(): Promise<void>;
  abstract unseal(): Promise<void>;
  abstract isSealed(): Promise<boolean>;
}
