import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/embedded-postgres.js';
import { postmaster, within } from '../../src/embedded-postgres/postmaster.js';
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

export const outageStores: readonly [name: string, start: () => Promise<OutageStore>][] = [['Postgres', postgresAlone]];

/** Log and read models in one Postgres, which is killed, or crashes. */
async function postgresAlone(): Promise<OutageStore> {
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
