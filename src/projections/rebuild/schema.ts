import type pg from 'pg';
import { Rejected } from '../../commands/decider.js';
import { inTransaction } from '../../database.js';
import { pause } from '../../pause.js';
import type { AnyProjection } from '../projection.js';
import type { Checkpoint } from '../projector/checkpoint.js';
import { ddlOf } from '../projector/install.js';
import { Unfoldable } from '../projector/projector-term.js';

/** `at`: the last event of those whose rows it will have when it is filled. */
export interface NewReadModel {
  /** its name, and its schema's */
  readonly readModel: string;
  readonly generation: number;
  readonly filling: boolean;
  readonly at?: Checkpoint;
}

/** A schema with an empty table that has no indexes yet, and a checkpoint; what is there already stays as it is. */
export async function createReadModel(db: pg.Pool, projection: AnyProjection, made: NewReadModel): Promise<void> {
  const { readModel, generation, filling, at } = made;
  await inTransaction(db, async (client) => {
    const { rowCount } = await client.query(
      `insert into checkpoints (read_model, projection, version, generation, filling, position, event_id, stream, revision)
       values ($1, $2, $3, $4, $5, coalesce($6, ''), coalesce($7, ''), $8, $9)
       on conflict (read_model) do nothing`,
      [readModel, projection.name, projection.version, generation, filling, at?.position, at?.eventId, at?.stream, at?.revision],
    );
    if (rowCount === 1) await makeTable(client, projection, readModel);
  });
}

/** The table alone, for rows that nothing follows; a schema may have the tables of several projections. */
export const createTable = (db: pg.Pool, projection: AnyProjection, schema: string): Promise<void> =>
  inTransaction(db, (client) => makeTable(client, projection, schema));

/**
 * Completes a table that is filled, and tells the planner of its rows. What is there already is not made again, so that it may be cut off
 * and repeated. `db`: connections that may be silent for long (`admin`), as an index over many rows takes its time.
 * @throws Unfoldable when two rows have one key
 */
export async function addIndexes(db: pg.Pool, projection: AnyProjection, readModel: string): Promise<void> {
  const table = `${readModel}.${projection.name}`;
  await addMissing(db, readModel, {
    name: `${projection.name}_pkey`,
    statement: `alter table ${table} add constraint ${projection.name}_pkey primary key (${projection.key.join(', ')})`,
  });
  for (const index of statementsOf(projection).indexes) await addMissing(db, readModel, index);
  await db.query(`vacuum (analyze) ${table}`);
}

const lockMs = 50;
const triesToDrop = 100;

/**
 * Drops a schema with all that is known of it; none is fine. Readers never queue behind it: it waits for those who read only for moments,
 * again and again, and gives up after some ten seconds.
 * @throws Rejected as_of_schema_busy
 */
export async function dropReadModel(db: pg.Pool, readModel: string): Promise<void> {
  for (let tries = 1; !(await dropUnlessRead(db, readModel)); tries++) {
    if (tries === triesToDrop)
      throw new Rejected(
        'as_of_schema_busy',
        `${readModel} is not dropped: a query has been reading it for long; try again when it is over`,
      );
    await pause(lockMs);
  }
}

/** The same, without waiting: false when it is being read just now, and all of it is still there. */
export async function dropUnlessRead(db: pg.Pool, readModel: string): Promise<boolean> {
  try {
    await inTransaction(db, (client) => drop(client, readModel));
    return true;
  } catch (error) {
    if (isLocked(error)) return false;
    throw error;
  }
}

async function drop(client: pg.PoolClient, readModel: string): Promise<void> {
  await client.query(`set local lock_timeout = ${lockMs}`);
  await client.query(`drop schema if exists ${readModel} cascade`);
  for (const table of ['checkpoints', 'parked_streams', 'rebuild_progress'])
    await client.query(`delete from ${table} where read_model = $1`, [readModel]);
  await client.query(`delete from fill_parts where split_part(read_model, '.', 1) = $1`, [readModel]);
}

const isLocked = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === '55P03';

/** Rows are copied faster into a table without any index; the key's comes back with the others. */
async function makeTable(client: pg.PoolClient, projection: AnyProjection, schema: string): Promise<void> {
  const table = `${schema}.${projection.name}`;
  await client.query(`create schema if not exists ${schema}`);
  await client.query(`set local search_path to ${schema}`);
  for (const statement of statementsOf(projection).table) await client.query(statement);
  await client.query(`alter table ${table} drop constraint ${projection.name}_pkey`);
}

interface Index {
  readonly name: string;
  readonly statement: string;
}

async function addMissing(db: pg.Pool, schema: string, { name, statement }: Index): Promise<void> {
  await inTransaction(db, async (client) => {
    const { rows } = await client.query<{ there: boolean }>('select to_regclass($1) is not null as there', [`${schema}.${name}`]);
    if (rows[0]!.there) return;
    await client.query(`set local search_path to ${schema}, public`);
    await client.query(`set local maintenance_work_mem = '128MB'`);
    await client.query(statement).catch(refuseSameKeys);
  });
}

function refuseSameKeys(error: unknown): never {
  if (!(error instanceof Error && 'detail' in error && 'code' in error && error.code === '23505')) throw error;
  throw new Unfoldable(
    `two streams have made a row of their own for one key, although the projection says that each row is fed by one stream: ` +
      `${String(error.detail)} Say \`keyedBy: 'wider'\` in it, or put what tells the streams apart into its key.`,
    { cause: error },
  );
}

/** The statements of its file: first what the table needs, later its indexes. */
function statementsOf(projection: AnyProjection): { table: string[]; indexes: Index[] } {
  const statements = ddlOf(projection)
    .replaceAll(/--.*$/gm, '')
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
  const indexes = statements.flatMap((statement) => {
    const name = /^create (?:unique )?index (\w+) /.exec(statement)?.[1];
    return name === undefined ? [] : { name, statement };
  });
  return { table: statements.filter((each) => indexes.every(({ statement }) => statement !== each)), indexes };
}
