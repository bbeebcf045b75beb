import type pg from 'pg';
import { inTransaction } from '../../database.js';
import type { Position, Recorded } from '../../events/event.js';
import type { LedgerEvent } from '../../events/ledger-event.js';
import type { Checkpoint } from './checkpoint.js';
import type { Projection } from '../projection.js';
import { statements, type Column } from './read-model-sql.js';

/** What a batch of events comes to: written with the move of the checkpoint, or not at all. */
export interface Batch<Row> {
  readonly from: Checkpoint;
  readonly to: Checkpoint;
  readonly rows: readonly Row[];
  readonly removed: readonly (readonly string[])[];
}

/** An event that a fold, or Postgres, refuses. */
export interface Stuck {
  readonly event: Recorded<LedgerEvent>;
  readonly error: string;
}

export interface Skip {
  readonly eventId: string;
  readonly position: Position;
  readonly reason: string;
}

export interface AfterUnpark {
  /** it is parked again, from here on */
  readonly stuck?: Stuck;
  readonly skip?: Skip;
  readonly record: () => Promise<void>;
}

/** The table of one read model, read and written by many rows at a time. */
export class ReadModelTable<Row extends object> {
  private readonly sql: ReturnType<typeof statements>;

  private constructor(
    private readonly db: pg.Pool,
    private readonly projection: Projection<Row>,
    private readonly readModel: string,
    readonly columns: readonly Column[],
  ) {
    this.sql = statements(projection, readModel, columns);
  }

  static async open<Row extends object>(
    db: pg.Pool,
    projection: Projection<Row>,
    readModel: string,
  ): Promise<ReadModelTable<Row>> {
    const { rows } = await db.query<Column>(
      `select attname as name, format_type(atttypid, atttypmod) as type
       from pg_attribute
       where attrelid = to_regclass($1)
         and attnum > 0
         and not attisdropped
       order by attnum`,
      [`${readModel}.${projection.name}`],
    );
    return new ReadModelTable(db, projection, readModel, rows);
  }

  /** with its schema's */
  get name(): string {
    return `${this.readModel}.${this.projection.name}`;
  }

  async load(keys: readonly (readonly string[])[]): Promise<Row[]> {
    const values = this.projection.key.map((_, part) => keys.map((key) => key[part]));
    const { rows } = await this.db.query<Row>({ name: `load ${this.readModel}`, text: this.sql.load, values });
    return rows;
  }

  /** The whole table, as long as it has no more than `limit` rows. */
  async loadAll(limit: number): Promise<Row[]> {
    const { rows } = await this.db.query<Row>(this.sql.loadAll, [limit]);
    return rows;
  }

  /** False when the checkpoint was elsewhere, or another term's: nothing was written. */
  async write(batch: Batch<Row>, term: number): Promise<boolean> {
    const values = this.values(batch, term);
    const { rows: answer } = await this.db.query<{ moved: boolean }>({
      name: `write ${this.readModel}`,
      text: this.sql.write,
      values,
    });
    return answer[0]!.moved;
  }

  /**
   * Writes the rows of a stream that was parked until now; the checkpoint stays where it is. All of it counts when `record` has resolved,
   * and nothing when it is rejected.
   */
  unpark(batch: Omit<Batch<Row>, 'to'>, stream: string, term: number, after: AfterUnpark): Promise<boolean> {
    return inTransaction(this.db, async (client) => {
      const values = [...this.values({ ...batch, to: batch.from }, term), stream];
      const { rows: answer } = await client.query<{ moved: boolean }>(this.sql.unpark, values);
      if (!answer[0]!.moved) return false;
      if (after.stuck) await this.parkAnew(client, after.stuck);
      if (after.skip) await this.skip(client, stream, after.skip);
      await after.record();
      return true;
    });
  }

  /** Passes over an event and whatever comes after it in its stream. */
  async park(event: Recorded, error: string, from: Checkpoint, to: Checkpoint, term: number): Promise<boolean> {
    const values = [...this.move(from, to, term), event.stream, event.position, event.revision, event.id, error];
    const { rowCount } = await this.db.query(this.sql.park, values);
    return rowCount === 1;
  }

  async parkedStreams(): Promise<Set<string>> {
    const { rows } = await this.db.query<{ stream: string }>('select stream from parked_streams where read_model = $1', [
      this.readModel,
    ]);
    return new Set(rows.map(({ stream }) => stream));
  }

  async skippedEvents(): Promise<Set<string>> {
    const { name, version } = this.projection;
    const { rows } = await this.db.query<{ id: string }>(
      'select event_id as id from skipped_events where projection = $1 and version = $2',
      [name, version],
    );
    return new Set(rows.map(({ id }) => id));
  }

  private async parkAnew(client: pg.PoolClient, { event, error }: Stuck): Promise<void> {
    await client.query(
      `insert into parked_streams (read_model, stream, position, revision, event_id, error)
       values ($1, $2, $3, $4, $5, $6)`,
      [this.readModel, event.stream, event.position, event.revision, event.id, error],
    );
  }

  private async skip(client: pg.PoolClient, stream: string, { eventId, position, reason }: Skip): Promise<void> {
    const { name, version } = this.projection;
    await client.query(
      `insert into skipped_events (projection, version, event_id, stream, position, reason)
       values ($1, $2, $3, $4, $5, $6)
       on conflict do nothing`,
      [name, version, eventId, stream, position, reason],
    );
  }

  private values({ from, to, rows, removed }: Batch<Row>, term: number): unknown[] {
    return [
      ...this.move(from, to, term),
      ...this.columns.map((column) => rows.map((row) => encoded(column, row))),
      ...this.projection.key.map((_, part) => removed.map((key) => key[part])),
    ];
  }

  private move(from: Checkpoint, to: Checkpoint, term: number): unknown[] {
    return [this.readModel, term, from.position, from.eventId, to.position, to.eventId, to.stream, to.revision];
  }
}

/** A list inside a list would be taken for a second dimension, so `jsonb` goes as text. */
function encoded<Row extends object>({ name, type }: Column, row: Row): unknown {
  const value: unknown = row[name as keyof Row];
  return type === 'jsonb' && value !== null ? JSON.stringify(value) : value;
}
