import type pg from 'pg';
import type { Position } from '../../events/event.js';
import type { AnyProjection } from '../projection.js';
import { ReadModelTable } from '../projector/read-model-table.js';
import { Fold, mostRows, type Row, type Share } from './fold-events.js';
import { foldInShares } from './fold-log.js';
import { foldStreams } from './fold-streams.js';
import { LogOfPart, type LogToFill, type Pace } from './log-of-part.js';
import { PartRows } from './part-rows.js';
import { boundsOf, knownParts, partsOf, type Part } from './parts.js';

export interface Filling {
  /** At least two connections, which may be silent for long (`admin`). */
  readonly db: pg.Pool;
  readonly store: LogToFill;
  readonly projection: AnyProjection;
  /** the schema that the projection's table is in, made by `createReadModel` or `createTable` */
  readonly readModel: string;
  /** the last event that is folded; the same one when a fill goes on that was cut off */
  readonly upTo: Position;
  readonly pace: Pace;
  /** Ends the fill early, by its reason; what is not written yet is folded again the next time. */
  readonly signal: AbortSignal;
  /** Told at once, and after every page: events that are folded, of those that are to be (undefined when the store cannot say). */
  readonly moved: (done: number, total: number | undefined) => void;
}

const partsAtOnce = 2;

/**
 * Fills a table with what the log up to a position folds to, and has no checkpoint: whoever calls it knows what to do with the rows.
 * It goes by parts, each in one transaction, durable when it is committed; a fill that was cut off, or a second one beside it, does what
 * is left. Answers what all of them came to. Holds a bounded number of rows in memory.
 *
 * A crash of Postgres takes back at most parts that are not done: a mark and its rows are in one transaction, whose commit waits for the
 * disk.
 *
 * @throws Unfoldable with the event (type, position, stream, revision) or the row that cannot be; any error of the database or the store.
 */
export async function fill(filling: Filling): Promise<{ events: number; rows: number }> {
  const { db, store, projection, readModel, upTo } = filling;
  const table = await ReadModelTable.open(db, projection, readModel);
  const events = {
    all: await store.count({ upTo }),
    folded: await store.countOfTypes({ upTo, types: Object.keys(projection.on) }),
  };
  const bounds = projection.keyedBy === 'wider' || areRare(events) ? undefined : await boundsOf(store, upTo, events.all);
  const parts = await partsOf(db, table.name, bounds ?? []);
  const progress = new FillProgress(filling.moved, sum(parts, 'events'), events.folded);
  progress.add(0);
  const world = { table, progress, inOrder: bounds === undefined && parts.length === 1, skipped: await table.skippedEvents() };
  const open = parts.filter(({ events }) => events === null);
  await sideBySide(open, filling.signal, (part, signal) => fillPart({ ...filling, signal }, part, world));
  progress.end();
  const done = await knownParts(db, table.name);
  return { events: sum(done, 'events'), rows: sum(done, 'rows') };
}

/** To be found in the order of the log at the least cost, and few enough that their rows can be held until its end. */
const areRare = ({ all, folded }: { all: number; folded?: number }): boolean =>
  folded !== undefined && folded <= mostRows && folded * 20 < all;

interface FillWorld {
  readonly table: ReadModelTable<Row>;
  readonly inOrder: boolean;
  readonly skipped: ReadonlySet<string>;
  readonly progress: FillProgress;
}

async function fillPart(filling: Filling, part: Part, { table, inOrder, skipped, progress }: FillWorld): Promise<void> {
  const { db, projection } = filling;
  const log = new LogOfPart(filling, part, progress);
  const fold = (share: Share) => new Fold(projection, skipped, share);
  await PartRows.write(db, table, part, (rows) =>
    inOrder
      ? foldInShares({ pages: () => log.inOrder(), fold, rows })
      : foldStreams({ pages: (behind) => log.byStream(behind), pagesOf: (stream) => log.ofStream(stream), fold, rows }),
  );
}

/** A few at a time; the first error ends all of them, and is thrown when they have ended. */
async function sideBySide<T>(
  things: readonly T[],
  signal: AbortSignal,
  work: (thing: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failing = new AbortController();
  const until = AbortSignal.any([signal, failing.signal]);
  const left = things.values();
  const lane = async () => {
    for (const thing of left) await work(thing, until);
  };
  const lanes = Array.from({ length: partsAtOnce }, () => lane().catch((error: unknown) => failing.abort(error)));
  await Promise.all(lanes);
  until.throwIfAborted();
}

class FillProgress {
  constructor(
    private readonly moved: Filling['moved'],
    private done: number,
    private readonly total: number | undefined,
  ) {}

  /** What is read again does not count, and the last one only at the end: nobody knows how often a long stream will be read. */
  add(events: number): void {
    this.done = Math.min(this.done + events, Math.max(0, (this.total ?? Infinity) - 1));
    this.moved(this.done, this.total);
  }

  end(): void {
    this.moved(this.total ?? this.done, this.total);
  }
}

const sum = (parts: readonly Part[], of: 'events' | 'rows'): number => parts.reduce((so, part) => so + (part[of] ?? 0), 0);
