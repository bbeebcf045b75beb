import { readFileSync } from 'node:fs';
import type pg from 'pg';
import { inTransaction } from '../../database.js';
import { readModelOf, type AnyProjection } from '../projection.js';

const folder = new URL('../../../migrations/read-models/', import.meta.url);

/**
 * Makes sure that something can be asked of each projection: where no version of it is, the newest of those given gets its schema, its
 * table and its checkpoint, and is live. Any other version comes by a rebuild and a cut-over. Several processes may do this at the same time.
 */
export async function install(db: pg.Pool, projections: readonly AnyProjection[]): Promise<void> {
  const asked = await askedOf(db);
  for (const projection of newestOf(projections))
    if (!asked.has(projection.name)) await inTransaction(db, (client) => create(client, projection));
}

/** The statements that make the table of a version and its indexes. */
export const ddlOf = ({ name, version, ddl }: Pick<AnyProjection, 'name' | 'version' | 'ddl'>): string =>
  ddl ?? readFileSync(new URL(`${name}.v${version}.sql`, folder), 'utf8');

/** Of each projection the highest version, in the order in which they are listed. */
function newestOf(projections: readonly AnyProjection[]): AnyProjection[] {
  const newest = new Map<string, AnyProjection>();
  for (const projection of projections)
    if (projection.version > (newest.get(projection.name)?.version ?? 0)) newest.set(projection.name, projection);
  return [...newest.values()];
}

async function askedOf(db: pg.Pool | pg.PoolClient): Promise<Set<string>> {
  const { rows } = await db.query<{ projection: string }>('select projection from projection_versions');
  return new Set(rows.map(({ projection }) => projection));
}

/** Whoever waited for the lock finds the work done. */
async function create(client: pg.PoolClient, projection: AnyProjection): Promise<void> {
  await client.query(`select pg_advisory_xact_lock(hashtext('run-ledger read models'))`);
  const { name, version } = projection;
  if ((await askedOf(client)).has(name)) return;
  const readModel = readModelOf(projection);
  await client.query(`create schema ${readModel}`);
  await client.query(`set local search_path to ${readModel}`);
  await client.query(ddlOf(projection));
  await client.query('reset search_path');
  await client.query('insert into checkpoints (read_model, projection, version) values ($1, $2, $3)', [readModel, name, version]);
  await client.query('insert into projection_versions (projection, version, read_model) values ($1, $2, $3)', [
    name,
    version,
    readModel,
  ]);
}
