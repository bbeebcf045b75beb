import type pg from 'pg';
import { SealedRanges } from './audit/sealed-ranges.js';
import { ConfigError } from './config.js';
import type { EventStore } from './event-store/event-store.js';
import { PostgresLog } from './event-store/postgres-log.js';
import { PostgresEventStore } from './event-store/postgres.js';
import type { StoredLog } from './event-store/stored-log.js';
import type { Log } from './log.js';
import { withoutPassword } from './open-log.js';

/** What keeps the events of a ledger. */
export interface OpenedStore {
  readonly store: EventStore;
  /** the same log, as it is written */
  readonly storedLog: StoredLog;
  /** what is sealed of it */
  readonly ranges: SealedRanges;
  /** where it is, as it may be shown; undefined: in the ledger's own database */
  readonly elsewhere: string | undefined;
  close(): Promise<void>;
}

/** What a process has of its own, for a store to work with. */
export interface Around {
  /** the ledger's own */
  readonly databaseUrl: string;
  readonly db: pg.Pool;
  /** the ledger's time */
  readonly now: () => Date;
  readonly log: Log;
}

export type OpenStore = (around: Around) => OpenedStore;

/** By EVENT_STORE_URL. Refuses an address that cannot be used before anything is started. */
export const storeAt = async (url: string | undefined): Promise<OpenStore> =>
  url === undefined ? ownDatabase : eventStoreDbAt(url);

export const ownDatabase: OpenStore = ({ databaseUrl, db, log }) => {
  const [store, storedLog] = [new PostgresEventStore({ url: databaseUrl, log }), new PostgresLog(db)];
  return { store, storedLog, ranges: new SealedRanges(db, storedLog), elsewhere: undefined, close: () => store.close() };
};

/** Loaded when it is asked for: its client takes a third of a second. Its marks are in the ledger's own database. */
async function eventStoreDbAt(url: string): Promise<OpenStore> {
  const [{ EventStoreDbLog }, { EventStoreDbEventStore }] = await Promise.all([
    import('./event-store/eventstoredb-log.js'),
    import('./event-store/eventstoredb.js'),
  ]);
  try {
    await new EventStoreDbLog({ url }).close();
  } catch (error) {
    throw new ConfigError(`EVENT_STORE_URL cannot be used: ${error instanceof Error ? error.message : String(error)}`);
  }
  return ({ db, now, log }) => {
    const storedLog = new EventStoreDbLog({ url });
    const ranges = new SealedRanges(db, storedLog);
    const store = new EventStoreDbEventStore({ url, now, marks: ranges, log });
    const close = async () => void (await Promise.all([store.close(), storedLog.close()]));
    return { store, storedLog, ranges, elsewhere: withoutPassword(url), close };
  };
}
