import type { Actor, Event, Position, StreamId } from './event.js';

/** What operators do with the ledger itself is told in one stream: it belongs to no company. */
export const operationsStream: StreamId = 'operations';

/** The name of a read model's schema, `run_status_v3_g2`; a rebuild is called by that of what it builds. */
export type ReadModelName = string;
/** The same version may be built anew beside itself, as another generation: `run_status_v3`, then `run_status_v3_g2`. */
export const readModelName = (projection: string, version: number, generation = 1): ReadModelName =>
  generation === 1 ? `${projection}_v${version}` : `${projection}_v${version}_g${generation}`;

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
    /** whoever asks for another one meanwhile is told */
    startedBy: Actor;
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
export type ReadModelCutOver = Event<'ReadModelCutOver', ChangeOfLive & { cutOverAt: string }>;
export type ReadModelRolledBack = Event<'ReadModelRolledBack', ChangeOfLive & { rolledBackAt: string }>;
export interface ChangeOfLive {
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

/** What a policy could not carry out is given up; what waits behind it is tried next. */
export type ParkedReactionDropped = Event<
  'ParkedReactionDropped',
  {
    policy: string;
    /** names it */
    reaction: string;
    /** that it is to */
    stream: StreamId;
    /** of the event that is reacted to */
    position: Position;
    /** null where the policy itself failed at the event */
    command: string | null;
    error: string;
    reason: string;
    droppedAt: string;
  }
>;

/** Read models as they were at a position, in a schema of that name. */
export type AsOfBuilt = Event<
  'AsOfBuilt',
  { schema: string; projections: readonly string[]; position: Position; reason: string; builtAt: string }
>;
export type AsOfDropped = Event<'AsOfDropped', { schema: string; reason: string; droppedAt: string }>;

/** The log of that id is closed for writes: what was told before this, and what was under way, is all that it has. */
export type StoreSealed = Event<'StoreSealed', SealedLog>;
/** It is open again. */
export type StoreUnsealed = Event<'StoreUnsealed', { log: string; reason: string; unsealedAt: string }>;
export interface SealedLog {
  readonly log: string;
  readonly reason: string;
  /** whoever finds it closed is told */
  readonly sealedBy: Actor;
  readonly sealedAt: string;
}

/**
 * This log is a copy that goes on where the log `from` ends; the first fact that only `to` has. Proven alike: so many events, and the
 * digest of them all (`digestOfLog`).
 */
export type StoreMoved = Event<
  'StoreMoved',
  {
    from: string;
    to: string;
    events: number;
    digest: string;
    /** by the name of each read model that was followed, what was built anew from this log and stands in its place */
    readModels: Readonly<Record<ReadModelName, Successor>>;
    reason: string;
    movedAt: string;
  }
>;
export interface Successor {
  readonly projection: string;
  readonly readModel: ReadModelName;
}

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
  | ParkedReactionDropped
  | AsOfBuilt
  | AsOfDropped
  | StoreSealed
  | StoreUnsealed
  | StoreMoved;

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

/** What of operators' doings the next decision needs. It knows of no read model that no rebuild had to do with. */
export interface Operations {
  /** by projection, which one is asked; without a word of it, the one that was installed first */
  readonly live: Readonly<Record<string, ReadModelName>>;
  /** those that are to be there */
  readonly readModels: Readonly<Record<ReadModelName, KnownReadModel>>;
  /** by name without a generation, the last generation that there was: no name is used twice */
  readonly generations: Readonly<Record<ReadModelName, number>>;
  /** by the schema's name; null of one that was dropped */
  readonly asOf: Readonly<Record<string, AsOfSchema | null>>;
  /** which log is closed for writes; in a copy it is the one that was copied */
  readonly sealed: SealedLog | null;
  /** the log that goes on here, if it has been moved */
  readonly movedTo: string | null;
}

/** Read models as they were at a position. */
export interface AsOfSchema {
  readonly position: Position;
  readonly projections: readonly string[];
}

export interface KnownReadModel {
  readonly name: ReadModelName;
  readonly projection: string;
  /** none of one that was there before all rebuilds */
  readonly rebuild: Rebuild | null;
  /** the one that was asked before it was, and that a roll-back leads to */
  readonly before: ReadModelName | null;
}

/** `ready`, `different`: compared. `over`: it was cut over to at least once. */
export type RebuildStatus = 'filling' | 'filled' | 'ready' | 'different' | 'over';

export interface Rebuild {
  readonly version: number;
  readonly generation: number;
  readonly beside: ReadModelName;
  readonly purpose: RebuildPurpose;
  readonly status: RebuildStatus;
  readonly paused: boolean;
  readonly eventsPerSecond: number | null;
  /** rows that differ and are not meant to */
  readonly differences: number;
  readonly startedBy: Actor;
  readonly startedAt: string;
}

/** The rebuild of a projection that is neither cut over to nor at its end. */
export const underWay = ({ readModels }: Operations, projection: string): KnownReadModel | undefined =>
  Object.values(readModels).find((known) => known.projection === projection && isUnderWay(known));

export const isUnderWay = ({ rebuild }: KnownReadModel): boolean => rebuild !== null && rebuild.status !== 'over';

/** It was there, or was to be, and is to be no more. */
export function isGone({ readModels, generations }: Operations, readModel: ReadModelName): boolean {
  const { base, generation } = parted(readModel);
  return !readModels[readModel] && generation <= (generations[base] ?? 0);
}

/** Of the next read model of a version, which may be asked already without that a rebuild has been told of. */
export function nextGeneration(
  { generations }: Pick<Operations, 'generations'>,
  base: ReadModelName,
  live: ReadModelName,
): number {
  return (used(generations, live)[base] ?? 0) + 1;
}

/** Of whatever generation. */
export const isOfVersion = (readModel: ReadModelName, base: ReadModelName): boolean => parted(readModel).base === base;

/** With one more that there is, or was. */
export function used(generations: Operations['generations'], readModel: ReadModelName): Operations['generations'] {
  const { base, generation } = parted(readModel);
  return { ...generations, [base]: Math.max(generation, generations[base] ?? 0) };
}

export const generationOf = (readModel: ReadModelName): number => parted(readModel).generation;

function parted(readModel: ReadModelName): { base: ReadModelName; generation: number } {
  const [, base = readModel, generation = '1'] = /^(.*_v\d+)_g(\d+)$/.exec(readModel) ?? [];
  return { base, generation: Number(generation) };
}
