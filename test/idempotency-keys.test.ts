import { IdempotencyKeys } from '../src/idempotency-keys.js';
import { migrate } from '../src/migrator.js';
import { OwnPostgres } from './own-postgres.js';

/** What was appended to a log in another store is there after a crash of Postgres: a repeat must find the key that it came under. */
it('keeps a key that was reserved for a log elsewhere when Postgres crashes at once', async () => {
  const postgres = await OwnPostgres.start();
  try {
    const keyed = { path: '/v1/companies/acme/wakeups', key: 'k-1', compared: '{}' };
    const database = postgres.database();
    await migrate(database.pool);
    const before = new IdempotencyKeys(database.pool, { isElsewhere: true });
    // The secret is there, and its connection; nothing else that could bring it to the disk is under way.
    await before.reserve({ ...keyed, key: 'k-0' });
    const { commandId } = await before.reserve(keyed);
    postgres.crash();
    await database.drop();
    await postgres.startAgain();
    const again = postgres.database();
    expect(await new IdempotencyKeys(again.pool, { isElsewhere: true }).reserve(keyed)).toMatchObject({
      commandId,
      sameBody: true,
    });
    await again.drop();
  } finally {
    await postgres.end();
  }
}, 60_000);
