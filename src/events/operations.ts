import type { Event, Position, StreamId } from './event.js';

/** What operators do with the ledger itself is told in one stream: it belongs to no company. */
export const operationsStream: StreamId = 'operations';

/** The name of a read model's schema, `run_status_v3_g2`; a rebuild is called by that of what it builds. */
export type ReadModelName = string;

/**
 * `cut_over`: to be asked instead of the live one. `verify`: to be compared with the live one, and dropped.
 * `eventsPerSecond`: no faster than this; null: as fast as it can.
 */
export type RebuildStarted = Event<
  'RebuildStarted',
  {
    rebuild: ReadModelName;
    projection: string;
    version: number;
    generation: number;
    /** the live read model that it will be compared with */
    beside: ReadModelName;
    purpose: RebuildPurpose;
    eventsPerSecond: number | null;
    reason: string;
    startedAt: string;
  }
>;
export type RebuildPurpose = 'cut_over' | 'verify';
export type RebuildPaused = Event<'RebuildPaused', { rebuild: ReadModelName; reason: string; pausedAt: string }>;
/** Also: goes on at another rate. */
export type RebuildResumed = Event<
  'RebuildResumed',
  { rebuild: ReadModelName; eventsPerSecond: number | null; reason: string; resumedAt: string }
>;
/** Its rows are those of the log up to `position`; from there on it is followed. `events` were folded for it. */
export type RebuildFilled = Event<
  'RebuildFilled',
  { rebuild: ReadModelName; position: Position; events: number; rows: number; filledAt: string }
>;
export type RebuildCompared = Event<'RebuildCompared', Comparison & { rebuild: ReadModelName; comparedAt: string }>;
/** It cannot go on, and the live read model was not touched. What it has built is dropped. */
export type RebuildFailed = Event<'RebuildFailed', { rebuild: ReadModelName; error: string; failedAt: string }>;
/** Given up by an operator. What it has built is dropped. */
export type RebuildAbandoned = Event<'RebuildAbandoned', { rebuild: ReadModelName; reason: string; abandonedAt: string }>;

/** From now on `to` is asked. The other one is followed on, until it is dropped. */
export type ReadModelCutOver = Event<'ReadModelCutOver', Change & { cutOverAt: string }>;
export type ReadModelRolledBack = Event<'ReadModelRolledBack', Change & { rolledBackAt: string }>;
interface Change {
  projection: string;
  from: ReadModelName;
  to: ReadModelName;
  reason: string;
}
export type ReadModelDropped = Event<
  'ReadModelDropped',
  { projection: string; readModel: ReadModelName; reason: string; droppedAt: string }
>;

/** A stream that a read model could not fold is folded again, from the event on that it was parked at. */
export type ParkedStreamRetried = Event<
  'ParkedStreamRetried',
  { readModel: ReadModelName; stream: StreamId; events: number; reason: string; retriedAt: string }
>;
/** The event that it was parked at is left out, by this version for good; the stream goes on behind it. */
export type ParkedEventSkipped = Event<
  'ParkedEventSkipped',
  {
    readModel: ReadModelName;
    stream: StreamId;
    position: Position;
    eventId: string;
    error: string;
    reason: string;
    skippedAt: string;
  }
>;

/** Read models as they were at a position, in a schema of that name. */
export type AsOfBuilt = Event<
  'AsOfBuilt',
  { schema: string; projections: readonly string[]; position: Position; reason: string; builtAt: string }
>;
export type AsOfDropped = Event<'AsOfDropped', { schema: string; reason: string; droppedAt: string }>;

export type OperationsEvent =
  | RebuildStarted
  | RebuildPaused
  | RebuildResumed
  | RebuildFilled
  | RebuildCompared
  | RebuildFailed
  | RebuildAbandoned
  | ReadModelCutOver
  | ReadModelRolledBack
  | ReadModelDropped
  | ParkedStreamRetried
  | ParkedEventSkipped
  | AsOfBuilt
  | AsOfDropped;

/** Two read models of one projection, row by row at one position. */
export interface Comparison {
  readonly position: Position;
  readonly liveRows: number;
  readonly rebuiltRows: number;
  /** rows whose keys only one of them has */
  readonly onlyLive: Difference;
  readonly onlyRebuilt: Difference;
  /** rows that both have, and that differ in a column that is not meant to */
  readonly changed: Difference;
  /** by column that differs anywhere, and in how many rows; columns of one side only are named, and not compared */
  readonly columns: readonly { readonly column: string; readonly rows: number; readonly meant: boolean }[];
  readonly onlyLiveColumns: readonly string[];
  readonly onlyRebuiltColumns: readonly string[];
  /** nothing differs that is not meant to */
  readonly agrees: boolean;
}

/** `rows` of them, and the first few. */
export interface Difference {
  readonly rows: number;
  readonly samples: readonly DifferenceSample[];
}

/** `columns` of a changed row: each that differs, as text, cut to 200 characters. */
export interface DifferenceSample {
  readonly key: readonly string[];
  readonly columns?: readonly { readonly column: string; readonly live: string | null; readonly rebuilt: string | null }[];
}
