import type pg from 'pg';
import type { Recorded, StreamId } from '../../events/event.js';
import type { LedgerEvent } from '../../events/ledger-event.js';
import type { EventStore } from '../../event-store/event-store.js';
import { Halted, checkpointAt, refuseAnotherLog, takeCheckpoint, type Checkpoint } from './checkpoint.js';
import { applyChanges, changesOf, keyOf, type Rows } from './fold.js';
import type { Page } from './log-pages.js';
import type { Change, Projection } from '../projection.js';
import { ReadModelTable, type AfterUnpark, type Skip, type Stuck } from './read-model-table.js';
import { RowCache } from './row-cache.js';

/** Another owner has moved the checkpoint, or may: what this one knows is worth nothing any more. */
export class TermOver extends Error {
  override readonly name = 'TermOver';
}

/** The fold or the data of an event does not work, and will not by being tried again. */
export class Unfoldable extends Error {
  override readonly name = 'Unfoldable';
}

export interface Unparking {
  readonly stream: StreamId;
  /** that it is parked from on */
  readonly revision: number;
  /** the event is left out for good, by this version of the projection */
  readonly skip?: Skip;
  readonly record: (done: Unparked) => Promise<void>;
}

export interface Unparked {
  /** that were folded */
  readonly events: number;
  /** where it is parked, when it still is */
  readonly stuck: Stuck | undefined;
}

const cachedRows = 20_000;
const cachedRowsOfSparse = 100_000;
const wholeTable = 20_000;

/**
 * One owner's work on one read model: it knows where the checkpoint is and what the rows are, because nobody else may write.
 * After any error but Unfoldable it is to be thrown away.
 */
export class ProjectorTerm<Row extends object> {
  private readonly cache: RowCache<Row>;

  private constructor(
    private readonly store: EventStore,
    private readonly projection: Projection<Row>,
    private readonly table: ReadModelTable<Row>,
    private readonly term: number,
    private at: Checkpoint,
    private readonly parked: Set<string>,
    /** ids of events that an operator has left out */
    private readonly skipped: Set<string>,
  ) {
    this.cache = new RowCache(projection.sparse ? cachedRowsOfSparse : cachedRows);
  }

  /** Throws Halted when the log is not the one that was folded. */
  static async begin<Row extends object>(
    db: pg.Pool,
    store: EventStore,
    projection: Projection<Row>,
    readModel: string,
    term: number,
  ): Promise<ProjectorTerm<Row>> {
    const checkpoint = await takeCheckpoint(db, readModel, term);
    if (!checkpoint) throw new TermOver(`${readModel}: a later owner has the checkpoint`);
    await refuseAnotherLog(store, readModel, checkpoint);
    const table = await ReadModelTable.open(db, projection, readModel);
    const [parked, skipped] = [await table.parkedStreams(), await table.skippedEvents()];
    const begun = new ProjectorTerm(store, projection, table, term, checkpoint, parked, skipped);
    await begun.warmUp();
    return begun;
  }

  get position(): string {
    return this.at.position;
  }

  /** Folds the events after the checkpoint, writes each row once and moves the checkpoint: all of it, or nothing. */
  async advance(events: Page): Promise<void> {
    const folded = await this.foldPage(events);
    const to = checkpointAt(events.at(-1)!);
    const batch = { from: this.at, to, ...this.differences(folded) };
    if (!(await this.table.write(batch, this.term).catch(unfoldableData))) throw this.over();
    this.at = to;
    for (const [id, row] of folded.after) this.cache.set(id, row);
  }

  /** Leaves an event, and the rest of its stream, aside. */
  async park(event: Recorded<LedgerEvent>, cause: Unfoldable): Promise<void> {
    if (this.projection.keyedBy === 'wider')
      throw new Halted(
        `${this.projection.name} cannot fold ${event.type} at position ${event.position} (${event.stream} revision ${event.revision}), ` +
          `and its rows gather many streams, so it does not go on without it: ${cause.message}`,
      );
    const to = checkpointAt(event);
    if (!(await this.table.park(event, cause.message, this.at, to, this.term))) throw this.over();
    this.at = to;
    this.parked.add(event.stream);
  }

  /**
   * Folds what was left aside of a stream, as far as the checkpoint is and as it can be folded. An event that cannot be is where the stream
   * is parked from now on; the one that it was parked at already leaves everything as it is. What came of it is written when `record` has
   * been told of it, and not at all if that fails.
   */
  async unpark({ stream, revision, skip, record }: Unparking): Promise<Unparked> {
    if (skip) this.skipped.add(skip.eventId);
    this.parked.delete(stream);
    const rest = await this.store.readStream<LedgerEvent>(stream, { from: revision });
    const events = rest.filter(({ position }) => position <= this.at.position);
    const stuck = await this.firstUnfoldable(stream, events);
    const folded = stuck ? events.slice(0, events.indexOf(stuck.event)) : events;
    const done = { events: folded.length, stuck };
    if (stuck?.event.revision !== revision) await this.refold(stream, folded, { stuck, skip, record: () => record(done) });
    return done;
  }

  /** What is remembered of rows may be what makes an event unfoldable. */
  forgetRows(): void {
    this.cache.clear();
  }

  private async warmUp(): Promise<void> {
    if (!this.projection.sparse) return;
    const rows = await this.table.loadAll(wholeTable + 1);
    if (rows.length <= wholeTable) this.cache.holdAll(rows, this.projection.key);
  }

  /** Found by halves: Postgres, too, may be what refuses it, and says so of all rows together. */
  private async firstUnfoldable(stream: StreamId, events: Page): Promise<Stuck | undefined> {
    let cause = await this.refusalOf(stream, events);
    if (!cause) return undefined;
    let [foldable, unfoldable] = [0, events.length];
    while (unfoldable - foldable > 1) {
      const middle = Math.floor((foldable + unfoldable) / 2);
      const refusal = await this.refusalOf(stream, events.slice(0, middle));
      if (refusal) [cause, unfoldable] = [refusal, middle];
      else foldable = middle;
    }
    return { event: events[foldable]!, error: cause.message };
  }

  private async refusalOf(stream: StreamId, events: Page): Promise<Unfoldable | undefined> {
    const tried = new Error('only tried');
    try {
      await this.refold(stream, events, { record: () => Promise.reject(tried) });
    } catch (error) {
      if (error instanceof Unfoldable) return error;
      if (error !== tried) throw error;
    }
    return undefined;
  }

  private async refold(stream: StreamId, events: Page, after: AfterUnpark): Promise<void> {
    const batch = { from: this.at, to: this.at, ...this.differences(await this.foldPage(events)) };
    if (!(await this.table.unpark(batch, stream, this.term, after).catch(unfoldableData))) throw this.over();
  }

  private async foldPage(events: Page): Promise<Folded<Row>> {
    const changes = this.collect(events);
    await this.load(changes);
    return this.fold(changes);
  }

  private collect(events: Page): (readonly Change<Row>[])[] {
    const collected: (readonly Change<Row>[])[] = [];
    for (const event of events) {
      if (this.parked.size > 0 && this.parked.has(event.stream)) continue;
      if (this.skipped.size > 0 && this.skipped.has(event.id)) continue;
      const changes = unfoldableIfThrown(() => changesOf(this.projection, event));
      if (changes.length > 0) collected.push(changes);
    }
    return collected;
  }

  private async load(collected: readonly (readonly Change<Row>[])[]): Promise<void> {
    const missing = new Map<string, readonly string[]>();
    const created = new Set<string>();
    for (const changes of collected)
      for (const { key, creates } of changes) {
        const id = keyOf(key);
        if (creates) created.add(id);
        else if (!created.has(id) && !missing.has(id) && !this.cache.has(id)) missing.set(id, key);
      }
    if (missing.size === 0) return;
    const rows = await this.table.load([...missing.values()]);
    for (const id of missing.keys()) this.cache.set(id, undefined);
    for (const row of rows) this.cache.set(this.idOf(row), row);
  }

  private fold(collected: readonly (readonly Change<Row>[])[]): Folded<Row> {
    const folded: Folded<Row> = { before: new Map(), after: new Map() };
    for (const changes of collected) {
      for (const { key } of changes) this.take(keyOf(key), folded);
      unfoldableIfThrown(() => applyChanges(folded.after, changes));
    }
    return folded;
  }

  private take(id: string, { before, after }: Folded<Row>): void {
    if (before.has(id)) return;
    const row = this.cache.get(id);
    before.set(id, row);
    after.set(id, row);
  }

  private differences({ before, after }: Folded<Row>): { rows: Row[]; removed: string[][] } {
    const changed = [...after].filter(([id, row]) => row !== before.get(id));
    const rows = changed.flatMap(([, row]) => row ?? []);
    const removed = changed.filter(([, row]) => row === undefined).map(([id]) => id.split('\n'));
    return { rows, removed };
  }

  private idOf(row: Row): string {
    return keyOf(this.projection.key.map((column) => row[column]));
  }

  private over(): TermOver {
    return new TermOver(
      `${this.projection.name}: the checkpoint is not at "${this.at.position}" any more, or is a later owner's`,
    );
  }
}

/** Rows by key as they were, and as they are after a batch. */
interface Folded<Row> {
  readonly before: Rows<Row>;
  readonly after: Rows<Row>;
}

function unfoldableIfThrown<T>(fold: () => T): T {
  try {
    return fold();
  } catch (cause) {
    throw new Unfoldable(cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause), { cause });
  }
}

/** Data exceptions, violated constraints and exceeded limits will not go away; everything else may. */
function unfoldableData(cause: unknown): never {
  if (cause instanceof Error && 'code' in cause && /^(22|23|54)/.test(String(cause.code)))
    throw new Unfoldable(`${String(cause.code)}: ${cause.message}`, { cause });
  throw cause;
}
