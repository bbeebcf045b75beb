import { createPool } from '../../src/database.js';
import { seeded } from '../projections/history.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { endAll, serveLedger, type LedgerServer } from './ledger-server.js';
import { Load } from './load.js';
import { caughtUp, faultsOf, lostCommands, readLog, unfaithful } from './log-checks.js';
import { until } from './until.js';

jest.setTimeout(120_000);

/** The term of an owner is 14 s: who is well below that has not waited for what it had itself. */
const belowOwnTermMs = 10_000;

describe('a server whose connections to Postgres are cut', () => {
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
  let database: TestDatabase;
  let server: LedgerServer;
  let load: Load | undefined;

  beforeAll(async () => {
    database = await freshDatabase();
    server = await serveLedger({ DATABASE_URL: database.url });
  });
  afterAll(async () => {
    await load?.stop();
    await endAll();
    await database.drop();
  });

  it(`loses nothing by storms that cut all of them (SEED=${seed})`, async () => {
    const clients = (load = new Load(() => server.url, seeded(seed), 'storm'));
    const pool = createPool(database.url, 'admin');
    clients.start(6);
    let slowest = 0;
    for (let storm = 0; storm < 15; storm += 1) {
      const enough = clients.acknowledged.length + 8;
      const began = performance.now();
      await until('some acknowledged commands', () => clients.acknowledged.length >= enough);
      slowest = Math.max(slowest, performance.now() - began);
      await pool.query(
        `select pg_terminate_backend(pid)
         from pg_stat_activity
         where pid <> pg_backend_pid()
           and datname = current_database()
           and application_name like 'run-ledger %'`,
      );
    }
    const calm = performance.now();
    await clients.stop();
    await caughtUp(server.url);
    slowest = Math.max(slowest, performance.now() - calm);
    const log = await readLog(database.url);
    expect(slowest).toBeLessThan(belowOwnTermMs);
    expect(clients.unexpected).toEqual([]);
    expect(await lostCommands(database.url, clients.acknowledged, log)).toEqual([]);
    expect(faultsOf(log, 3)).toEqual([]);
    await until(
      'read models that equal a fold of the log',
      async () => (await unfaithful(pool, await readLog(database.url))).length === 0,
    );
    await pool.end();
  });
});
