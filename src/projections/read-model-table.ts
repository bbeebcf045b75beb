import type pg from 'pg';
import type { Recorded } from '../events/event.js';
import type { Checkpoint } from './checkpoint.js';
import type { Projection } from './projection.js';

/** What a batch of events comes to: written with the move of the checkpoint, or not at all. */
export interface Batch<Row> {
  readonly from: Checkpoint;
  readonly to: Checkpoint;
  readonly rows: readonly Row[];
  readonly removed: readonly (readonly string[])[];
}

interface Column {
  readonly name: string;
  readonly type: string;
}

/** The table of one read model, read and written by many rows at a time. */
export class ReadModelTable<Row extends object> {
  private readonly sql: ReturnType<typeof statements>;

  private constructor(
    private readonly db: pg.Pool,
    private readonly projection: Projection<Row>,
    private readonly readModel: string,
    private readonly columns: readonly Column[],
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
  async write({ from, to, rows, removed }: Batch<Row>, term: number): Promise<boolean> {
    const values = [
      ...this.move(from, to, term),
      ...this.columns.map((column) => rows.map((row) => encoded(column, row))),
      ...this.projection.key.map((_, part) => removed.map((key) => key[part])),
    ];
    const { rows: answer } = await this.db.query<{ moved: boolean }>({
      name: `write ${this.readModel}`,
      text: this.sql.write,
      values,
    });
    return answer[0]!.moved;
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

  private move(from: Checkpoint, to: Checkpoint, term: number): unknown[] {
    return [this.readModel, term, from.position, from.eventId, to.position, to.eventId, to.stream, to.revision];
  }
}

/** A list inside a list would be taken for a second dimension, so `jsonb` goes as text. */
function encoded<Row extends object>({ name, type }: Column, row: Row): unknown {
  const value: unknown = row[name as keyof Row];
  return type === 'jsonb' && value !== null ? JSON.stringify(value) : value;
}

/** Only the owner of this term moves it, and only from where it believes it to be. */
const moved = `moved as (
  update checkpoints
  set position = $5, event_id = $6, stream = $7, revision = $8, halted = null, moved_at = clock_timestamp()
  where read_model = $1
    and term = $2
    and position = $3
    and event_id = $4
  returning read_model
)`;
const parametersOfMove = 8;

function statements<Row extends object>({ name, key }: Projection<Row>, readModel: string, columns: readonly Column[]) {
  const table = `${readModel}.${name}`;
  const names = columns.map((column) => column.name);
  const typeOf = (column: string) => columns.find((candidate) => candidate.name === column)?.type ?? 'text';
  const lists = (wanted: readonly string[], before: number) =>
    wanted.map((column, i) => `$${before + i + 1}::${typeOf(column)}[]`).join(', ');
  const payload = names.filter((column) => !key.some((part) => part === column));
  const sameKey = key.map((column) => `stored.${column} = given.${column}`).join(' and ');
  return {
    load: `
      select stored.*
      from unnest(${lists(key, 0)}) as given (${key.join(', ')})
      join ${table} stored on ${sameKey}`,
    loadAll: `
      select *
      from ${table}
      limit $1`,
    // Rows and checkpoint are lost together if the server crashes, so nothing waits for the disk.
    write: `
      with ${moved},
      written as (
        insert into ${table} (${names.join(', ')})
        select given.*
        from unnest(${lists(names, parametersOfMove)}) as given (${names.join(', ')})
        where exists (select from moved)
        on conflict (${key.join(', ')}) do ${payload.length ? `update set ${payload.map((column) => `${column} = excluded.${column}`).join(', ')}` : 'nothing'}
      ),
      removed as (
        delete from ${table} stored
        using unnest(${lists(key, parametersOfMove + names.length)}) as given (${key.join(', ')})
        where ${sameKey}
          and exists (select from moved)
      )
      select exists (select from moved) as moved, set_config('synchronous_commit', 'off', true)`,
    park: `
      with ${moved}
      insert into parked_streams (read_model, stream, position, revision, event_id, error)
      select read_model, $9, $10, $11, $12, $13
      from moved`,
  };
}
