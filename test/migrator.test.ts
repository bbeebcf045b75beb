import { readdirSync } from 'node:fs';
import { createPool } from '../src/database.js';
import { migrate } from '../src/migrator.js';
import { emptyDatabase, type TestDatabase } from './postgres.js';

const files = readdirSync('migrations').filter((name) => name.endsWith('.sql'));

let database: TestDatabase;
beforeEach(async () => {
  database = await emptyDatabase();
});
afterEach(() => database.drop());

describe('migrate', () => {
  it('runs every migration once, in order, and none the second time', async () => {
    expect(await migrate(database.pool)).toEqual(files);
    expect(await migrate(database.pool)).toEqual([]);
  });

  it('runs each once when several processes start at the same time', async () => {
    const pools = Array.from({ length: 5 }, () => createPool(database.url, 'admin'));
    const ran = await Promise.all(pools.map((pool) => migrate(pool)));
    expect(ran.flat().sort()).toEqual(files);
    await Promise.all(pools.map((pool) => pool.end()));
  });

  it('refuses a migration that was edited after it ran', async () => {
    await migrate(database.pool);
    await database.pool.query(`update schema_migrations set checksum = 'of other text' where name = $1`, [files[0]]);
    await expect(migrate(database.pool)).rejects.toThrow(
      `migrations/${files[0]} was edited after this database ran it: restore it`,
    );
  });

  it('refuses a database that is ahead of this code', async () => {
    await migrate(database.pool);
    await database.pool.query(`insert into schema_migrations (name, checksum) values ('9999_later.sql', '')`);
    await expect(migrate(database.pool)).rejects.toThrow(
      'the database has migration 9999_later.sql, which this version does not know',
    );
  });
});
