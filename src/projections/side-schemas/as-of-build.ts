import type pg from 'pg';
import type { BuildProgress } from '../../commands/operations/as-of.js';
import { Rejected } from '../../commands/decider.js';
import { inTransaction } from '../../database.js';
import type { Position } from '../../events/event.js';
import type { EventStore } from '../../event-store/event-store.js';
import { readModelOf, type AnyProjection } from '../projection.js';
import { fill } from '../rebuild/fill.js';
import { addIndexes, createTable, dropReadModel } from '../rebuild/schema.js';

export interface BuildWorld {
  /** connections that may be silent for long: `admin` */
  readonly db: pg.Pool;
  /** one of them holds the lock, silently */
  readonly reads: pg.Pool;
  readonly store: EventStore;
}

/** Stands in the comment of every schema that is the ledger's to drop. */
const ledgers = 'run-ledger read models as of ';
const markOf = (position: Position): string => `${ledgers}${position}`;
const stagingOf = (schema: string): string => `${schema}_building`;

/**
 * The building of read models as they were at a position. It goes on in a schema of its own, from where it was cut off if it was, and its
 * tables move into the schema that they are for in one transaction: nobody sees half of them.
 */
export class AsOfBuild {
  progress: BuildProgress;
  isOver = false;
  private startedAt = performance.now();

  constructor(
    private readonly world: BuildWorld,
    readonly schema: string,
    readonly position: Position,
    private readonly projections: readonly AnyProjection[],
  ) {
    this.progress = { projection: projections[0]!.name, done: 0, total: 0, rate: 0, etaSeconds: null };
  }

  has(projection: string): boolean {
    return this.projections.some(({ name }) => name === projection);
  }

  /** `record` is told what is there, just before it can be seen. */
  async run(record: (projections: readonly string[]) => Promise<void>, signal: AbortSignal): Promise<void> {
    try {
      await alone(this.world.reads, this.schema, async () => {
        await this.prepare();
        for (const projection of this.projections) await this.fill(projection, signal);
        await this.publish(record);
      });
    } finally {
      this.isOver = true;
    }
  }

  private async prepare(): Promise<void> {
    const { db } = this.world;
    await refuseName(db, this.schema);
    const [target, staging] = [await found(db, this.schema), await found(db, stagingOf(this.schema))];
    if (target?.mark === null) throw taken(this.schema);
    if (staging?.mark === null) throw taken(stagingOf(this.schema));
    if (staging && staging.mark !== this.whatIsBuilt) await dropReadModel(db, stagingOf(this.schema));
    await inTransaction(db, (client) => createMarked(client, stagingOf(this.schema), this.whatIsBuilt));
  }

  /** What another build has left there, also one of other versions, is of no use to this one. */
  private get whatIsBuilt(): string {
    return `${markOf(this.position)} with ${this.projections.map((each) => readModelOf(each)).join(', ')}`;
  }

  private async fill(projection: AnyProjection, signal: AbortSignal): Promise<void> {
    const { db, store } = this.world;
    const readModel = stagingOf(this.schema);
    this.startedAt = performance.now();
    const moved = (done: number, total: number | undefined) => this.moved(projection.name, done, total);
    if (!(await isTable(db, readModel, projection))) await createTable(db, projection, readModel);
    await fill({ db, store, projection, readModel, upTo: this.position, pace: atOnce, signal, moved });
    await addIndexes(db, projection, readModel);
  }

  private moved(projection: string, done: number, total = 0): void {
    const seconds = (performance.now() - this.startedAt) / 1_000;
    const rate = Math.round(done / Math.max(seconds, 0.001));
    const etaSeconds = rate > 0 ? Math.ceil(Math.max(0, total - done) / rate) : null;
    this.progress = { projection, done, total, rate, etaSeconds };
  }

  private async publish(record: (projections: readonly string[]) => Promise<void>): Promise<void> {
    const { schema, position, projections } = this;
    await inTransaction(this.world.db, async (client) => {
      await createMarked(client, schema, markOf(position));
      await client.query('insert into as_of_schemas (schema_name, position) values ($1, $2) on conflict do nothing', [
        schema,
        position,
      ]);
      for (const { name, version } of projections) {
        await client.query(`alter table ${stagingOf(schema)}.${name} set schema ${schema}`);
        await client.query('insert into as_of_read_models (schema_name, projection, version) values ($1, $2, $3)', [
          schema,
          name,
          version,
        ]);
      }
      await client.query(`drop schema ${stagingOf(schema)}`);
      await client.query(`delete from fill_parts where split_part(read_model, '.', 1) = $1`, [stagingOf(schema)]);
      await record(projections.map(({ name }) => name));
    });
  }
}

/** Drops what is the ledger's of that name, also what a build or a drop that was cut off has left. */
export function dropAsOfSchema({ db, reads }: Pick<BuildWorld, 'db' | 'reads'>, schema: string): Promise<void> {
  return alone(reads, schema, async () => {
    await db.query('delete from as_of_schemas where schema_name = $1', [schema]);
    for (const name of [stagingOf(schema), schema]) {
      if ((await found(db, name))?.mark) await dropReadModel(db, name);
    }
  });
}

const atOnce = { take: () => Promise.resolve() };

/** One at a time in all processes; the lock ends with its connection. */
async function alone(db: pg.Pool, schema: string, work: () => Promise<void>): Promise<void> {
  const client = await db.connect();
  const name = `run-ledger as of ${schema}`;
  let failure: Error | undefined;
  try {
    const { rows } = await client.query<{ got: boolean }>('select pg_try_advisory_lock(hashtext($1)) as got', [name]);
    if (!rows[0]!.got)
      throw new Rejected(
        'as_of_schema_busy',
        `${schema} is being built or dropped by another server: wait for it, then ask again`,
      );
    await work();
    await client.query('select pg_advisory_unlock(hashtext($1))', [name]);
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
    throw error;
  } finally {
    // Its lock goes with it.
    client.release(failure);
  }
}

/** How a schema is marked, null of one that is not the ledger's to drop; undefined of none. */
async function found(db: pg.Pool, schema: string): Promise<{ readonly mark: string | null } | undefined> {
  const { rows } = await db.query<{ comment: string | null }>(
    `select obj_description(to_regnamespace($1), 'pg_namespace') as comment
     where to_regnamespace($1) is not null`,
    [schema],
  );
  const [there] = rows;
  return there && { mark: there.comment?.startsWith(ledgers) ? there.comment : null };
}

async function createMarked(client: pg.PoolClient, schema: string, mark: string): Promise<void> {
  await client.query(`create schema if not exists ${schema}`);
  await client.query(`comment on schema ${schema} is '${mark}'`);
}

async function isTable(db: pg.Pool, schema: string, { name }: AnyProjection): Promise<boolean> {
  const { rows } = await db.query<{ there: boolean }>('select to_regclass($1) is not null as there', [`${schema}.${name}`]);
  return rows[0]!.there;
}

/** Postgres looks for tables without a schema in that of the user first, and makes them there: it is never the ledger's to drop. */
async function refuseName(db: pg.Pool, schema: string): Promise<void> {
  const { rows } = await db.query<{ isWord: boolean; isUser: boolean }>(
    `select
       exists (select from pg_get_keywords() where word = $1 and catcode in ('R', 'T')) as "isWord",
       current_user = $1 as "isUser"`,
    [schema],
  );
  if (rows[0]!.isWord) throw new Rejected('as_of_schema_taken', `${schema} is a word of SQL: take another name`);
  if (rows[0]!.isUser) throw new Rejected('as_of_schema_taken', `${schema} is the database's user: take another name`);
}

const taken = (schema: string): Rejected =>
  new Rejected(
    'as_of_schema_taken',
    `there is a schema ${schema} already, and it is not one of read models as they were: take another name`,
  );
