import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { CommandContext } from './commands/decider.js';
import { serverConfig, type ServerConfig } from './config.js';
import { createPool } from './database.js';
import { startEmbeddedPostgres } from './embedded-postgres.js';
import { LedgerProcess } from './ledger-process.js';
import { createLog } from './log.js';
import { storeAt } from './open-store.js';
import { embeddedUnder, refusePending, withoutPassword, type OpenLog } from './open-log.js';

/** Who types commands that work on the stores directly; there is no server that could know more. */
export const byOperator = (): CommandContext => ({ commandId: randomUUID(), actor: { type: 'user', id: 'local' } });

/** Works on the ledger that the environment names without serving it: no loops, no read models, no port. */
export async function withLedger<T>(work: (ledger: LedgerProcess, config: ServerConfig) => Promise<T>): Promise<T> {
  const config = serverConfig();
  const openStore = await storeAt(config.eventStoreUrl);
  return withDatabase(config, async (url, where) => {
    const ledger = new LedgerProcess(url, { ...config, openStore, roles: [] }, createLog('error'));
    try {
      await refusePending(ledger.reads, where);
      return await work(ledger, config);
    } finally {
      await ledger.stop();
    }
  });
}

/** Works on the database that the environment names, whatever keeps the log. */
export function withReadModels<T>(work: (db: pg.Pool) => Promise<T>): Promise<T> {
  return withDatabase(serverConfig(), async (url, where) => {
    const db = createPool(url, 'admin', 6);
    try {
      await refusePending(db, where);
      return await work(db);
    } finally {
      await db.end();
    }
  });
}

/** `where`: its address as it may be shown. */
async function withDatabase<T>(
  { databaseUrl, home }: ServerConfig,
  work: (url: string, where: string) => Promise<T>,
): Promise<T> {
  if (databaseUrl) return work(databaseUrl, withoutPassword(databaseUrl));
  const postgres = await startEmbeddedPostgres({ home });
  return work(postgres.url, embeddedUnder(home)).finally(() => postgres.stop());
}

/** Where the log is that the environment names. */
export function storeInUse({ eventStoreUrl, databaseUrl, home }: ServerConfig): { engine: OpenLog['engine']; where: string } {
  if (eventStoreUrl) return { engine: 'EventStoreDB', where: withoutPassword(eventStoreUrl) };
  return { engine: 'Postgres', where: databaseUrl ? withoutPassword(databaseUrl) : embeddedUnder(home) };
}
