import type pg from 'pg';
import { createPool, isOutage } from './database.js';
import { startEmbeddedPostgres } from './embedded-postgres.js';
import { outOfReach } from './event-store/postgres-errors.js';
import { PostgresLog } from './event-store/postgres-log.js';
import { PostgresEventStore } from './event-store/postgres.js';
import type { EventStore } from './event-store/event-store.js';
import type { StoredLog } from './event-store/stored-log.js';
import { migrate, pendingMigrations } from './migrator.js';

/** A log by its address, whatever keeps it. */
export interface OpenLog {
  readonly engine: 'Postgres' | 'EventStoreDB';
  /** its address without a password */
  readonly where: string;
  readonly log: StoredLog;
  /** the same log, as the ledger reads it */
  readonly store: EventStore;
  close(): Promise<void>;
}

export interface LogPlace {
  /** `postgres://…`, `esdb://…`, `esdb+discover://…`, or `embedded` for the Postgres under `home` */
  readonly url: string;
  readonly home: string;
  /** a database that has no tables of the ledger yet, or those of an older version, gets today's; otherwise it is refused */
  readonly prepare: boolean;
}

export const isLogUrl = (url: string): boolean => url === 'embedded' || /^(postgres(ql)?|esdb(\+discover)?):\/\//.test(url);

export async function openLog({ url, home, prepare }: LogPlace): Promise<OpenLog> {
  if (url.startsWith('esdb')) return openEventStoreDb(url);
  if (url !== 'embedded') return openPostgresLog(url, prepare);
  const postgres = await startEmbeddedPostgres({ home });
  try {
    const log = await openPostgresLog(postgres.url, prepare);
    const close = () => log.close().finally(() => postgres.stop());
    return { ...log, where: embeddedUnder(home), close };
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}

export const embeddedUnder = (home: string): string => `the embedded Postgres under ${home}`;

/** As it may be shown. */
export const withoutPassword = (url: string): string => url.replace(/\/\/[^/?@]*@/, '//');

/** Loaded when it is asked for: its client takes a third of a second. */
async function openEventStoreDb(url: string): Promise<OpenLog> {
  const [{ EventStoreDbLog }, { EventStoreDbEventStore }] = await Promise.all([
    import('./event-store/eventstoredb-log.js'),
    import('./event-store/eventstoredb.js'),
  ]);
  const [log, store] = [new EventStoreDbLog({ url }), new EventStoreDbEventStore({ url })];
  const close = async () => void (await Promise.all([store.close(), log.close()]));
  return { engine: 'EventStoreDB', where: withoutPassword(url), log, store, close };
}

async function openPostgresLog(url: string, prepare: boolean): Promise<OpenLog> {
  const where = withoutPassword(url);
  const pool = createPool(url, 'admin', 4);
  try {
    if (prepare) await migrate(pool);
    else await refusePending(pool, where);
  } catch (error) {
    await pool.end();
    throw isOutage(error) ? outOfReach(error) : error;
  }
  const store = new PostgresEventStore({ url });
  const close = async () => void (await Promise.all([store.close(), pool.end()]));
  return { engine: 'Postgres', where, log: new PostgresLog(pool), store, close };
}

/** Throws the sentence of what to do first. */
export async function refusePending(pool: pg.Pool, where: string): Promise<void> {
  const [first] = await pendingMigrations(pool);
  if (first) throw new Error(`${where} lacks migration ${first}: run ledger migrate, or start this version's server on it`);
}
