import type pg from 'pg';
import { rawText } from '../database.js';
import { StoreSealed, StoreUnavailable } from './event-store.js';
import { outOfReach, unavailable } from './postgres-errors.js';

/** A prepared statement: its text never changes, its name is unique in the engine. Every column comes back as text or null. */
export interface Statement<Row> {
  readonly name: string;
  readonly text: string;
  /** only carries the type of a row */
  readonly row?: Row;
}

/**
 * Runs a statement on a connection of the pool. After `timeoutMs` the connection is dropped, so that a hung one holds up nobody;
 * what the server did by then is unknown. Throws StoreUnavailable for everything but an error of the statement itself.
 */
export async function query<Row extends pg.QueryResultRow>(
  pool: pg.Pool,
  statement: Statement<Row>,
  values: readonly unknown[],
  timeoutMs: number,
): Promise<Row[]> {
  const client = await pool.connect().catch((error: unknown) => {
    throw outOfReach(error);
  });
  return runOn(client, { ...statement, values: [...values], types: rawText }, timeoutMs);
}

async function runOn<Row extends pg.QueryResultRow>(
  client: pg.PoolClient,
  config: pg.QueryConfig,
  timeoutMs: number,
): Promise<Row[]> {
  let drop: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, fail) => {
    drop = setTimeout(() => fail(new StoreUnavailable(`Postgres did not answer within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    const { rows } = await Promise.race([client.query<Row>(config), late]);
    client.release();
    return rows;
  } catch (error) {
    const cause = unavailable(error);
    client.release(cause instanceof StoreUnavailable && !(cause instanceof StoreSealed));
    throw cause;
  } finally {
    clearTimeout(drop);
  }
}
