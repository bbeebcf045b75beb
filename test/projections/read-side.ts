import type pg from 'pg';
import { createPool } from '../../src/database.js';
import { beginning } from '../../src/events/event.js';
import type { LedgerEvent } from '../../src/events/ledger-event.js';
import type { EventStore } from '../../src/event-store/event-store.js';
import { foldLog } from '../../src/projections/projector/fold.js';
import { LogPages } from '../../src/projections/projector/log-pages.js';
import { Owners } from '../../src/projections/projector/owner.js';
import { Progress } from '../../src/projections/projector/progress.js';
import { readModelOf, type AnyProjection } from '../../src/projections/projection.js';
import { Projectors } from '../../src/projections/projector/projectors.js';
import { ReadModels } from '../../src/projections/read-models.js';

/** The projectors of one process, as far as the database can tell. */
export class ReadSide {
  readonly said: string[] = [];
  readonly progress: Progress;
  readonly readModels: ReadModels;
  private readonly db: pg.Pool;
  private readonly projectors: Projectors;
  private readonly pages: LogPages;
  private readonly stopping = new AbortController();
  private following: Promise<void> | undefined;

  constructor(
    url: string,
    private readonly store: EventStore,
    private readonly projections: readonly AnyProjection[],
  ) {
    this.db = createPool(url, 'projector');
    this.readModels = new ReadModels(this.db, projections);
    this.progress = new Progress(this.db, this.readModels);
    const { db, progress, said } = this;
    const say = (sentence: string) => void said.push(sentence);
    const log = { info: say, warn: say, error: say };
    this.pages = new LogPages(store);
    const world = { db, store, progress, log, pages: this.pages, owners: new Owners(db) };
    this.projectors = new Projectors(projections, world);
  }

  start(): Promise<void> {
    this.following = this.pages.follow(this.stopping.signal);
    return this.projectors.start();
  }

  async caughtUp(ms = 10_000): Promise<void> {
    const names = this.projections.map(({ name }) => name);
    await this.progress.reached(names, await this.store.head(), ms);
  }

  /** All rows of each read model are what the whole log folds to. */
  async expectRowsOfTheLog(): Promise<void> {
    const log = await this.store.readAll<LedgerEvent>({ after: beginning, limit: 1_000_000 });
    for (const projection of this.projections) {
      const folded = foldLog(projection, log);
      expect(byKey(projection, await this.rows(projection))).toEqual(byKey(projection, folded));
    }
  }

  async rows(projection: AnyProjection): Promise<Record<string, unknown>[]> {
    const { rows } = await this.db.query<Record<string, unknown>>(`select * from ${readModelOf(projection)}.${projection.name}`);
    return rows;
  }

  async stop(): Promise<void> {
    await this.projectors.stop();
    this.stopping.abort();
    await this.following;
    await this.db.end();
  }
}

const byKey = ({ name, key }: AnyProjection, rows: readonly Record<string, unknown>[]) =>
  new Map(rows.map((row) => [[name, ...key.map((column) => String(row[column]))].join(' '), row]));
