import { safeguards, type Safeguard } from '../../src/audit/safeguards.js';
import { PostgresLog } from '../../src/event-store/postgres-log.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { filledLog, seal } from './log.js';

let database: TestDatabase;
beforeEach(async () => (database = await freshDatabase()));
afterEach(() => database.drop());

async function inForce(): Promise<Safeguard[]> {
  const log = new PostgresLog(database.pool);
  return safeguards(database.pool, { log, events: Number(await log.head()) });
}

const named = async (name: string): Promise<Safeguard | undefined> =>
  (await inForce()).find((safeguard) => safeguard.name === name);

it('are all in force in a new ledger', async () =>
  expect(await inForce()).toEqual([
    { name: 'immutable events', ok: true, sentence: 'events cannot be changed' },
    { name: 'immutable seals', ok: true, sentence: 'audit_ranges cannot be changed' },
    { name: 'sealed log', ok: true, sentence: 'sealed up to 0 of 0, by nobody' },
  ]));

it.each([
  ['immutable events', 'events', '0001_events.sql'],
  ['immutable seals', 'audit_ranges', '0009_audit.sql'],
])('say of %s that its trigger is off, or gone', async (name, table, migration) => {
  const trigger = `${table}_are_immutable`;
  await database.pool.query(`alter table ${table} enable replica trigger ${trigger}`);
  expect(await named(name)).toEqual({
    name,
    ok: false,
    sentence: `the trigger that refuses changes of ${table} is switched off`,
    remedy: `alter table ${table} enable always trigger ${trigger}, then ledger audit verify`,
  });
  await database.pool.query(`drop trigger ${trigger} on ${table}`);
  expect(await named(name)).toMatchObject({
    ok: false,
    sentence: `the trigger that refuses changes of ${table} is missing`,
    remedy: expect.stringContaining(`create it again as ${migration} does`),
  });
});

it('say by how much the seals are behind the log when that is more than a few ranges', async () => {
  await filledLog(database.url, 5_120);
  expect(await named('sealed log')).toMatchObject({ ok: true, sentence: 'sealed up to 0 of 5120, by nobody' });
  await filledLog(database.url, 40, 5_120);
  expect(await named('sealed log')).toMatchObject({
    ok: false,
    sentence: 'sealed up to 0 of 5160, 5160 events behind, by nobody',
    remedy: expect.stringContaining('role projector'),
  });
  await seal(database.pool);
  expect(await named('sealed log')).toMatchObject({ ok: true, sentence: 'sealed up to 5120 of 5160, by nobody' });
});
