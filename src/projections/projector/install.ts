import { readdirSync, readFileSync } from 'node:fs';
import type pg from 'pg';
import { inTransaction } from '../../database.js';
import { readModelOf, type Projection } from '../projection.js';

const folder = new URL('../../../migrations/read-models/', import.meta.url);

/**
 * Makes sure that the read model of this version is there: its schema, its table, its checkpoint. The first version of a projection is
 * live at once; a later one waits for its cut-over. Several processes may do this at the same time.
 */
export async function install<Row extends object>(db: pg.Pool, projection: Projection<Row>): Promise<string> {
  const readModel = readModelOf(projection);
  if (!(await isThere(db, readModel))) await inTransaction(db, (client) => create(client, projection, readModel));
  return readModel;
}

/** The names of all read models that have their tables in this version of the ledger: `run_status_v1`. */
export const installableReadModels = (): string[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .map((file) => file.slice(0, -'.sql'.length).replace('.v', '_v'));

async function isThere(db: pg.Pool | pg.PoolClient, readModel: string): Promise<boolean> {
  const { rowCount } = await db.query('select from checkpoints where read_model = $1', [readModel]);
  return rowCount === 1;
}

/** Whoever waited for the lock finds the work done. */
async function create<Row extends object>(client: pg.PoolClient, projection: Projection<Row>, readModel: string): Promise<void> {
  await client.query(`select pg_advisory_xact_lock(hashtext('run-ledger read models'))`);
  if (await isThere(client, readModel)) return;
  const { name, version } = projection;
  await client.query(`create schema ${readModel}`);
  await client.query(`set local search_path to ${readModel}`);
  await client.query(readFileSync(new URL(`${name}.v${version}.sql`, folder), 'utf8'));
  await client.query('reset search_path');
  await client.query('insert into checkpoints (read_model, projection, version) values ($1, $2, $3)', [readModel, name, version]);
  await client.query(
    `insert into projection_versions (projection, version, read_model)
     values ($1, $2, $3)
     on conflict (projection) do nothing`,
    [name, version, readModel],
  );
}
