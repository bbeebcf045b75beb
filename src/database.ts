import type { Socket } from 'node:net';
import pg from 'pg';

/**
 * Connections by what they are for, so that one kind of work cannot starve another.
 * append: the event store's writes, one at a time and one to spare · read: the event store's reads, and in a second pool every query of
 * the doors · projector: the transactions of projectors · loop: reaper, claims · beat: signs of life and removals of leases ·
 * listen: one long-lived LISTEN · admin: migrations and operators' commands.
 * A server with all roles opens at most 45, and 6 more while it rebuilds.
 */
export type PoolName = 'append' | 'read' | 'projector' | 'loop' | 'beat' | 'listen' | 'admin';

const poolSizes: Record<PoolName, number> = { append: 2, read: 12, projector: 10, loop: 4, beat: 4, listen: 1, admin: 2 };

/** What a crash of Postgres may take back: a beat comes again, a removal is made up for by time. */
const mayBeLost: readonly PoolName[] = ['beat'];

/** How a session of the ledger is called in `pg_stat_activity`. */
export const applicationName = (pool: string): string => `run-ledger ${pool}`;

/**
 * Parsed values: `bigint` is a number (positions and counts stay far below 2^53), `timestamptz` an ISO string in UTC with
 * milliseconds, as in events; `date` and `numeric` stay text; `json` is parsed. A lost connection never ends the process: the query in
 * flight fails, the next one gets a new connection.
 */
export function createPool(url: string, name: PoolName, max: number = poolSizes[name]): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: applicationName(name),
    max,
    ...(mayBeLost.includes(name) && { options: '-c synchronous_commit=off' }),
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    types: ledgerTypes,
  });
  // Without these listeners an idle connection that breaks would end the process.
  pool.on('error', () => {});
  pool.on('connect', (client) => {
    client.on('error', () => {});
    if (!mayBeSilent.includes(name)) giveUpWhenSilent(client);
  });
  return pool;
}

/** Migrations take their time, and who listens waits for ever. */
const mayBeSilent: readonly PoolName[] = ['admin', 'listen'];
const silenceMs = 15_000;

/**
 * A connection whose other end has vanished without a word would keep its query waiting until TCP gives up, which can take hours. One
 * that says nothing for 15 s while a query is on its way is broken off; the query fails, and its sender tries again on a new one.
 */
function giveUpWhenSilent(client: pg.PoolClient): void {
  // pg has these, and does not describe them in its types.
  const asked = client as pg.PoolClient & { readonly connection: { readonly stream: Socket }; readonly readyForQuery: boolean };
  const { stream } = asked.connection;
  stream.setTimeout(silenceMs, () => {
    if (!asked.readyForQuery) stream.destroy(new Error('connection terminated: Postgres said nothing for 15 s'));
  });
}

/** All of it counts when the work has resolved, and nothing when it was rejected. */
export async function inTransaction<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const done = await work(client);
    await client.query('commit');
    return done;
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  } finally {
    client.release();
  }
}

/** For a hot path: `pool.query({ text, values, types: rawText })` hands every column over as Postgres wrote it. */
export const rawText: pg.CustomTypesConfig = { getTypeParser: () => (value: string) => value };

const parsers: Record<number, (value: string) => unknown> = {
  [pg.types.builtins.INT8]: Number,
  [pg.types.builtins.TIMESTAMPTZ]: isoTime,
  [pg.types.builtins.DATE]: (value) => value,
};

const ledgerTypes: pg.CustomTypesConfig = {
  getTypeParser: (id, format) => (format === 'binary' ? undefined : parsers[id]) ?? pg.types.getTypeParser(id, format),
};

function isoTime(value: string): string {
  const time: Date = pg.types.getTypeParser(pg.types.builtins.TIMESTAMPTZ, 'text')(value);
  return time.toISOString();
}

/**
 * True for what the connection or the server is to blame for, and not the statement: the same may go well a little later.
 * SQLSTATE classes, and what pg and sockets say of a connection that is not there:
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export function isOutage(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return error.code === readOnly || outageClasses.includes(error.code?.slice(0, 2) ?? '');
  if (!(error instanceof Error)) return false;
  return ('code' in error && lostSocket.test(String(error.code))) || lostConnection.test(error.message);
}

/** Connection exception, transaction rollback, insufficient resources, operator intervention, system error. */
const outageClasses = ['08', '40', '53', '57', '58'];
/** After a failover, the old address may lead to a standby. */
const readOnly = '25006';
const lostSocket = /^(ECONN|EPIPE|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTFOUND|EAI_AGAIN)/;
const lostConnection =
  /connection terminated|timeout exceeded when trying to connect|query read timeout|client has encountered a connection error/i;
