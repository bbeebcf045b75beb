import type { Appended, Event, Metadata, NewEvent, Position, Recorded, StreamId } from '../events/event.js';

/**
 * What the writer believes about the stream. A number is the revision of its last event.
 * Domain commands use numbers and `no-stream` only: under `any` and `stream-exists` a repeated append
 * is recognised by best effort (its ids among the stream's last events), under the other two always, as the identical write:
 * under an expectation that holds, the same ids are new events.
 */
export type ExpectedRevision = number | 'no-stream' | 'stream-exists' | 'any';

/** All or nothing: either every event of a write is in its stream, one after another, or none is. */
export interface Write<E extends Event = Event> {
  readonly stream: StreamId;
  readonly expectedRevision: ExpectedRevision;
  readonly events: readonly NewEvent<E>[];
  readonly metadata: Metadata;
}

export type WriteResult<E extends Event = Event> =
  /**
   * `replayed`: these very events were there already; `events` are the stored ones in either case, and `position` is that of the last:
   * not every store tells those of the others
   */
  | {
      readonly outcome: 'appended';
      readonly revision: number;
      readonly position: Position;
      readonly replayed: boolean;
      readonly events: readonly Appended<E>[];
    }
  /** `actual` is the revision of the stream's last event */
  | { readonly outcome: 'conflict'; readonly actual: number | 'no-stream' }
  /** the data itself cannot be stored: too large, not representable; a sentence says what and why */
  | { readonly outcome: 'refused'; readonly reason: string };

export interface ReadStream {
  /** first revision, inclusive; default 0, or the last one backwards */
  readonly from?: number;
  /** last revision, inclusive */
  readonly to?: number;
  readonly direction?: 'forwards' | 'backwards';
  readonly limit?: number;
}

export interface ReadAll {
  /** exclusive; `beginning` reads from the first event */
  readonly after: Position;
  /** inclusive; default the head */
  readonly upTo?: Position;
  readonly limit: number;
  readonly types?: readonly string[];
}

export interface ReadByStream {
  /** no events behind this position */
  readonly upTo: Position;
  /** the first stream, inclusive; default the first of all */
  readonly from?: string;
  /** the last stream, exclusive */
  readonly before?: string;
  /** goes on behind this event: the last one of the page before */
  readonly after?: { readonly stream: string; readonly revision: number };
  readonly limit: number;
  readonly types?: readonly string[];
}

/**
 * Where facts are kept. Engines: memory, postgres, eventstoredb. Each passes `test/event-store/contract.ts`.
 *
 * The order of `readAll` is the order of commits, the same for every reader, and nothing appears before
 * what was already read. A missing stream reads as empty. An append that throws has an **unknown outcome**:
 * it is settled by sending the identical write again, never by a new decision.
 */
export abstract class EventStore {
  /** Writes are independent of each other; results come in their order. At most 1 MiB of data per write. */
  abstract append<E extends Event>(writes: readonly Write<E>[]): Promise<WriteResult<E>[]>;
  abstract readStream<E extends Event>(stream: StreamId, options?: ReadStream): Promise<Recorded<E>[]>;
  /** Many whole streams in one round trip; a missing stream is an empty list. */
  abstract readStreams<E extends Event>(streams: readonly StreamId[]): Promise<Map<StreamId, Recorded<E>[]>>;
  abstract readAll<E extends Event>(options: ReadAll): Promise<Recorded<E>[]>;
  /**
   * Stream by stream, in the order of the bytes of their names, each in the order of its revisions: who folds streams apart from each
   * other is done with one before the next begins. A page that has fewer than `limit` events is the last.
   *
   * An engine that keeps no streams in the order of their names sorts what it reads of the whole log; whoever asks for
   * ranges of streams cuts them where `streamBounds` says, and an engine that knows of no bounds is better not asked.
   */
  abstract readByStream<E extends Event>(options: ReadByStream): Promise<Recorded<E>[]>;
  /**
   * Names of streams that cut the log up to a position into about so many ranges of about as many events, in order; fewer when there
   * are few streams. A guess will do. Undefined from an engine that keeps no streams in the order of their names: the log is better read
   * in its own order.
   */
  abstract streamBounds(options: { readonly upTo: Position; readonly ranges: number }): Promise<string[] | undefined>;
  /** How many events there are up to a position. */
  abstract count(options: { readonly upTo: Position }): Promise<number>;
  /** The same of some types only; undefined when the engine would have to read the whole log to know. */
  abstract countOfTypes(options: { readonly upTo: Position; readonly types: readonly string[] }): Promise<number | undefined>;
  /** The position of the last event, `beginning` when there is none. */
  abstract head(): Promise<Position>;
  /** The last position that was recorded at or before `time` (ISO 8601), `beginning` when there is none. */
  abstract positionAt(time: string): Promise<Position>;
  /**
   * Pages of events after a position: first what is there, then what comes, each once and in order, across
   * lost connections. Ends when `signal` is aborted or the store is closed.
   */
  abstract subscribe<E extends Event>(options: {
    after: Position;
    signal: AbortSignal;
    limit?: number;
  }): AsyncIterable<Recorded<E>[]>;
  abstract close(): Promise<void>;
}

/** The store was closed, or the bytes that it needs are out of reach; the outcome of an append is unknown. */
export class StoreUnavailable extends Error {
  override readonly name: string = 'StoreUnavailable';
}

/** The log is closed for writes: of this append nothing was written, and the same may be until the log is opened again. */
export class StoreSealed extends StoreUnavailable {
  override readonly name = 'StoreSealed';
}
