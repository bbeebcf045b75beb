import { PostgresEventStore } from '../../src/event-store/postgres.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { eventStoreContract } from './contract.js';

const setClock = (database: TestDatabase, time: string) =>
  database.pool.query(
    `insert into manual_clock (now)
     values ($1)
     on conflict (only_row) do update set now = excluded.now`,
    [time],
  );

/** Every connection to this database but the one that asks. */
const loseConnections = (database: TestDatabase) =>
  database.pool.query(
    `select pg_terminate_backend(pid)
     from pg_stat_activity
     where datname = current_database()
       and pid <> pg_backend_pid()`,
  );

describe('the Postgres engine', () => {
  eventStoreContract(async () => {
    const database = await freshDatabase();
    const store = new PostgresEventStore({ url: database.url });
    return {
      store,
      setClock: async (time) => void (await setClock(database, time)),
      loseConnections: async () => void (await loseConnections(database)),
      end: async () => {
        await store.close();
        await database.drop();
      },
    };
  });
});
