import { createPool, rawText } from '../src/database.js';
import { freshDatabase, type TestDatabase } from './postgres.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.drop());

describe('a connection pool', () => {
  it('reads bigint as a number and times as ISO strings in UTC', async () => {
    const { rows } = await database.pool.query(
      `select 9007199254740991::bigint as position, '2026-04-20 14:00:00.5+02'::timestamptz as at, '2026-04-20'::date as day`,
    );
    expect(rows[0]).toEqual({ position: 9007199254740991, at: '2026-04-20T12:00:00.500Z', day: '2026-04-20' });
  });

  it('hands columns over as Postgres wrote them when asked for raw text', async () => {
    const { rows } = await database.pool.query({ text: `select 1::bigint as n, '{"a": 1}'::jsonb as data`, types: rawText });
    expect(rows[0]).toEqual({ n: '1', data: '{"a": 1}' });
  });

  it('goes on with a new connection when the server cuts the old one, idle or held', async () => {
    const pool = createPool(database.url, 'loop', 1);
    const held = await pool.connect();
    const cut = () =>
      database.pool.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'run-ledger loop'`);
    await cut();
    await expect(held.query('select 1')).rejects.toBeInstanceOf(Error);
    held.release(true);
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await cut();
    await pool.query('select 1').catch(() => {});
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await pool.end();
  });
});
