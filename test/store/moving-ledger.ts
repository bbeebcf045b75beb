import type pg from 'pg';
import { adopt, type Adopted, type Adoption } from '../../src/adoption.js';
import { createPool } from '../../src/database.js';
import { beginning, nameUuid, type Recorded } from '../../src/events/event.js';
import type { LedgerEvent } from '../../src/events/ledger-event.js';
import { operationsStream } from '../../src/events/operations.js';
import { copyLog } from '../../src/event-store/copy/copy-log.js';
import { projectionsOfTheLedger } from '../../src/projections/all.js';
import { foldLog } from '../../src/projections/projector/fold.js';
import { person } from '../facts.js';
import { History, seeded } from '../projections/history.js';
import { ReadSide } from '../projections/read-side.js';
import { denseLog, spreadLog, type MovableLog } from './spread-log.js';

const metadata = { actor: person, correlationId: 'c', causationId: 'c', commandId: 'c' };

/** A ledger whose read models are in the database of the log `old`, and that may be moved to `young`, which has other positions. */
export class MovingLedger {
  readonly db: pg.Pool;
  private readonly history: History;

  private constructor(
    readonly old: Awaited<ReturnType<typeof denseLog>>,
    readonly young: MovableLog,
    readonly seed: number,
  ) {
    this.db = createPool(old.database.url, 'admin', 6);
    this.history = new History(seeded(seed));
  }

  static async begin(seed = 4711, opened: () => Promise<MovableLog> = spreadLog): Promise<MovingLedger> {
    const [old, young] = await Promise.all([denseLog(), opened()]);
    const ledger = new MovingLedger(old, young, seed);
    await ledger.db.query('insert into followed_log (id) values ($1)', [await old.log.id()]);
    return ledger;
  }

  /** Goes on, folded by projectors that follow this log, to its end. */
  async worksOn(log: MovableLog, steps: number): Promise<void> {
    await this.happens(log, steps);
    const side = new ReadSide(this.old.database.url, log.store, projectionsOfTheLedger);
    await side.start();
    await side.caughtUp();
    await side.stop();
  }

  async happens({ store }: MovableLog, steps: number): Promise<void> {
    for (const write of this.history.steps(steps)) {
      const [result] = await store.append([write]);
      if (result?.outcome !== 'appended') throw new Error(`seed ${this.seed}: ${write.stream}: ${JSON.stringify(result)}`);
    }
  }

  /** A fact of an operator, so that rebuilds have rows. */
  async rebuilds({ store }: MovableLog, n: number): Promise<void> {
    const rebuild = `run_status_v7_g${n}`;
    const at = { position: 'elsewhere', events: 1, rows: 1, filledAt: '2026-04-20T12:00:00.000Z' };
    const started = {
      rebuild,
      projection: 'run_status',
      version: 7,
      generation: n,
      beside: 'run_status_v1',
      purpose: 'verify',
      eventsPerSecond: null,
      reason: 'to see',
      startedBy: person,
      startedAt: '2026-04-20T12:00:00.000Z',
    };
    const events = [
      { type: 'RebuildStarted', data: started },
      { type: 'RebuildFilled', data: { rebuild, ...at } },
      { type: 'RebuildFailed', data: { rebuild, error: 'no', failedAt: at.filledAt } },
    ].map((event, i) => ({ ...event, id: nameUuid('operator', this.seed, n, i), schema: 1 }));
    await store.append([{ stream: operationsStream, expectedRevision: 'any', events, metadata }]);
  }

  copy(from: MovableLog, to: MovableLog) {
    return copyLog({ source: from.log, target: to.log });
  }

  async closes(log: MovableLog): Promise<void> {
    await log.log.seal();
  }

  adopts(from: MovableLog, to: MovableLog, more: Partial<Adoption> = {}): Promise<Adopted> {
    const { db } = this;
    const { signal } = new AbortController();
    const projections = projectionsOfTheLedger;
    return adopt({ db, from, to, projections, actor: person, signal, moved: () => {}, ...more });
  }

  /** What moves are to change altogether or not at all. */
  async state(): Promise<object[][]> {
    const schemas = `select nspname from pg_namespace where nspname ~ '_v\\d' order by 1`;
    const asked = 'select projection, read_model from projection_versions order by 1';
    const checkpoints = 'select read_model, position, event_id, filling from checkpoints order by 1';
    const queries = [schemas, asked, checkpoints, 'select id from followed_log', 'select from log_moves'];
    return Promise.all(queries.map((query) => this.all(query)));
  }

  async nth({ store }: MovableLog, n: number): Promise<Recorded> {
    return (await store.readAll({ after: beginning, limit: n })).at(-1)!;
  }

  async all(query: string): Promise<object[]> {
    return (await this.db.query<object>(query)).rows;
  }

  /** Whatever is asked is what the log folds to. */
  async expectRowsOf({ store }: MovableLog): Promise<void> {
    const log = await store.readAll<LedgerEvent>({ after: beginning, limit: 1_000_000 });
    for (const projection of projectionsOfTheLedger) {
      const { rows: asked } = await this.db.query<{ readModel: string }>(
        'select read_model as "readModel" from projection_versions where projection = $1',
        [projection.name],
      );
      const { rows } = await this.db.query<object>(`select * from ${asked[0]!.readModel}.${projection.name}`);
      const byKey = (all: readonly object[]) =>
        new Map(all.map((row) => [projection.key.map((column) => String(Reflect.get(row, column))).join(' '), row]));
      expect(byKey(rows)).toEqual(byKey(foldLog(projection, log)));
    }
  }

  async end(): Promise<void> {
    await this.db.end();
    await Promise.all([this.old.end(), this.young.end()]);
  }
}
