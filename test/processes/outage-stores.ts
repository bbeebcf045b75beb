import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/embedded-postgres.js';
import { postmaster, within } from '../../src/embedded-postgres/postmaster.js';
import { EventStoreDbEventStore } from '../../src/event-store/eventstoredb.js';
import { beginning } from '../../src/events/event.js';
import type { LedgerEvent } from '../../src/events/ledger-event.js';
import { ProtocolServer } from '../event-store/esdb/protocol-server.js';
import { freshDatabase } from '../postgres.js';
import { readLog, type Log } from './log-checks.js';

/** A store of a test's own, which it can have go away and come back, and the Postgres that goes with it. */
export interface OutageStore {
  /** of read models, leases and idempotency keys */
  readonly databaseUrl: string;
  /** of a server on it */
  readonly settings: Readonly<Record<string, string>>;
  /** each time in another way, if there are several */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
  readLog(): Promise<Log>;
  end(): Promise<void>;
}

/** `outages`: how many there are in a short run. */
export const outageStores: readonly [name: string, start: () => Promise<OutageStore>, outages: number][] = [
  ['Postgres', postgresAlone, 2],
  ['EventStoreDB', eventStoreDb, 1],
];

/** Log and read models in one Postgres, which is killed, or crashes. */
export async function postgresAlone(): Promise<OutageStore> {
  const home = mkdtempSync(join(tmpdir(), 'run-ledger-outage-'));
  chmodSync(home, 0o755);
  let postgres: EmbeddedPostgres = await startEmbeddedPostgres({ home });
  const { url: databaseUrl, dataDir } = postgres;
  let outages = 0;
  return {
    databaseUrl,
    settings: { DATABASE_URL: databaseUrl, LEDGER_HOME: home },
    goAway: async () => void process.kill(postgres.pid, outages++ % 2 === 0 ? 'SIGKILL' : 'SIGQUIT'),
    comeBack: async () => void (postgres = await startEmbeddedPostgres({ home })),
    readLog: () => readLog(databaseUrl),
    end: async () => {
      const left = postmaster(dataDir);
      if (left) process.kill(left.pid, 'SIGQUIT');
      await within(10_000, () => (postmaster(dataDir) ? undefined : true));
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** The log in an EventStoreDB, which is gone, or stands still; its Postgres is there all the time. */
async function eventStoreDb(): Promise<OutageStore> {
  const database = await freshDatabase();
  const server = await ProtocolServer.start();
  let outages = 0;
  return {
    databaseUrl: database.url,
    settings: { DATABASE_URL: database.url, EVENT_STORE_URL: server.url },
    goAway: async () => (outages++ % 2 === 0 ? server.stop() : server.freeze()),
    comeBack: async () => (outages % 2 === 1 ? server.restart() : server.thaw()),
    readLog: () => readFrom(server.url),
    end: async () => {
      await server.end();
      await database.drop();
    },
  };
}

async function readFrom(url: string): Promise<Log> {
  const store = new EventStoreDbEventStore({ url });
  try {
    return await store.readAll<LedgerEvent>({ after: beginning, limit: 1_000_000 });
  } finally {
    await store.close();
  }
}
