import type pg from 'pg';
import { publicKeyOf, signed } from '../../src/audit/chain.js';
import { Verifier, type Wanted } from '../../src/audit/verifier.js';
import { createPool } from '../../src/database.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { auditOf, filledLog, keyPair, seal } from './log.js';

let database: TestDatabase;
/** one connection, so that a transaction is all of it */
let db: pg.Pool;
const ours = keyPair();
const theirs = keyPair();
const key = publicKeyOf(ours.publicKey);

beforeAll(async () => {
  database = await freshDatabase();
  db = createPool(database.url, 'admin', 1);
  await filledLog(database.url, 4_000);
  await seal(db, ours.privateKey);
});
afterAll(async () => {
  await db.end();
  await database.drop();
});

const verify = (wanted: Wanted = { key }) => {
  const { events, ranges } = auditOf(db);
  return new Verifier(events, ranges).verify(wanted);
};

/** What a superuser can do, looked at, and then undone. */
async function tampered(...statements: readonly string[]) {
  await db.query('begin');
  try {
    await db.query('alter table events disable trigger all');
    await db.query('alter table audit_ranges disable trigger all');
    for (const statement of statements) await db.query(statement);
    return await verify();
  } finally {
    await db.query('rollback');
  }
}

it('finds nothing in a log that is as it was sealed', async () => {
  expect(await verify()).toEqual({
    ok: true,
    from: 0,
    ranges: 3,
    sealed: 3,
    head: '0000000000004000',
    chain: expect.stringMatching(/^[0-9a-f]{64}$/),
    signers: [{ key: expect.stringMatching(/^sha256:[0-9a-f]{64}$/), ranges: 3 }],
    tail: { after: '0000000000003072', events: 928, orMore: false },
  });
});

it.each(['update', 'delete', 'truncate'])('refuses %s of what is sealed', async (verb) => {
  const table =
    verb === 'delete'
      ? 'delete from audit_ranges'
      : verb === 'update'
        ? 'update audit_ranges set range = 9'
        : 'truncate audit_ranges';
  await expect(db.query(table)).rejects.toThrow('sealed ranges are never changed');
});

const shift = (from: number) => [
  `update events set position = -position where position >= ${from}`,
  `update events set position = 1 - position where position < 0`,
];

it.each([
  ['data', `update events set data = data || '{"zulu": 99}' where position = 1500`],
  ['a key of data', `update events set data = data - 'body' where position = 1500`],
  ['an actor', `update events set metadata = jsonb_set(metadata, '{actor,id}', '"eve"') where position = 1500`],
  ['a type', `update events set type = 'TaskHeld' where position = 1500`],
  ['an id', `update events set id = gen_random_uuid() where position = 1500`],
  ['a stream', `update events set stream = 'task-acme.EVE' where position = 1500`],
  ['a revision', `update events set revision = 77 where position = 1500`],
  ['a schema', `update events set schema = 2 where position = 1500`],
  ['a time', `update events set recorded_at = recorded_at - interval '1 hour' where position = 1500`],
  ['a time for no time', `update events set recorded_at = 'infinity' where position = 1500`],
  ['a time for one of no calendar', `update events set recorded_at = '280000-01-01' where position = 1500`],
  [
    'a number for one beyond all numbers',
    `update events set data = jsonb_set(data, '{alpha,ключ,4}', '1e999') where position = 1500`,
  ],
])('finds that %s was changed, and in which range', async (_, statement) => {
  const { ok, firstBad, ranges } = await tampered(statement);
  expect(ok).toBe(false);
  expect(ranges).toBe(1);
  expect(firstBad).toMatchObject({ range: 1, first: '0000000000001025', last: '0000000000002048', code: 'events_changed' });
});

it('finds that two events were swapped, and says where they are out of order', async () => {
  const { firstBad } = await tampered(
    'update events set position = 0 where position = 2100',
    'update events set position = 2100 where position = 2101',
    'update events set position = 2101 where position = 0',
  );
  expect(firstBad).toMatchObject({ range: 2, code: 'events_changed' });
  expect(firstBad?.sentence).toContain('at position 2100, task-acme.T-52');
});

it('finds that an event was removed, and where', async () => {
  const { firstBad } = await tampered('delete from events where position = 1500');
  expect(firstBad).toMatchObject({ range: 1, code: 'events_missing' });
  expect(firstBad?.sentence).toContain('position 1501 stands where 1500 should be');
});

it.each([1_024, 1_025, 3_072])('finds that event %d was removed, at the edge of a range', async (position) => {
  const { firstBad } = await tampered(`delete from events where position = ${position}`);
  expect(firstBad).toMatchObject({ range: Math.ceil(position / 1_024) - 1, code: 'events_missing' });
});

it('finds that an event was removed and the gap closed', async () => {
  const { firstBad } = await tampered(
    'delete from events where position = 1500',
    'update events set position = -position where position > 1500',
    'update events set position = -1 - position where position < 0',
  );
  expect(firstBad).toMatchObject({ range: 1, code: 'events_changed' });
});

it('finds that the end of the log was cut off', async () => {
  const { firstBad } = await tampered('delete from events where position > 3000');
  expect(firstBad).toMatchObject({ range: 2, code: 'events_missing', last: '0000000000003072' });
});

it('finds that an event was put in between', async () => {
  const { firstBad } = await tampered(
    ...shift(1_500),
    `insert into events select 1500, 'task-acme.EVE', 0, gen_random_uuid(), type, schema, data, metadata, recorded_at from events where position = 1499`,
  );
  expect(firstBad).toMatchObject({ range: 1, code: 'events_changed' });
});

it('finds an event that was put in before all others', async () => {
  const { firstBad } = await tampered(
    `insert into events select 0, 'task-acme.EVE', 0, gen_random_uuid(), type, schema, data, metadata, recorded_at from events where position = 1`,
  );
  expect(firstBad).toMatchObject({ range: 0, code: 'events_inserted' });
});

it('finds a hole in what is not sealed yet', async () => {
  const { ok, firstBad } = await tampered('delete from events where position = 3500');
  expect(ok).toBe(false);
  expect(firstBad).toMatchObject({ range: 3, code: 'events_missing' });
  expect(firstBad?.sentence).toContain('3501 stands where 3500 should be');
});

it.each([
  ['root', `update audit_ranges set root = sha256('x') where range = 1`, 'row_changed', 'the root in its row is another'],
  ['chain', `update audit_ranges set chain = sha256('x') where range = 1`, 'row_changed', 'its chain does not follow'],
  [
    'first position',
    `update audit_ranges set first_position = '0000000000001026' where range = 1`,
    'row_changed',
    'which no range is',
  ],
  [
    'last position',
    `update audit_ranges set last_position = '0000000000002047' where range = 1`,
    'row_changed',
    'which no range is',
  ],
  [
    'signature',
    `update audit_ranges set signature = (select signature from audit_ranges where range = 0) where range = 1`,
    'signature_wrong',
    '',
  ],
  [
    'key',
    `update audit_ranges set public_key = decode('${publicKeyOf(theirs.publicKey)}', 'hex') where range = 1`,
    'signature_wrong',
    '',
  ],
  ['number', `update audit_ranges set range = 8 where range = 1`, 'row_missing', ''],
])('finds that the %s of an audit row was changed', async (_, statement, code, words) => {
  const { firstBad } = await tampered(statement);
  expect(firstBad).toMatchObject({ range: 1, code });
  expect(firstBad?.sentence).toContain(words);
});

it('finds that an audit row was removed, and which positions it was about', async () => {
  const { firstBad } = await tampered('delete from audit_ranges where range = 1');
  expect(firstBad).toMatchObject({ range: 1, code: 'row_missing', first: '0000000000001025', last: '0000000000002048' });
});

/** Changes an event, and seals all from its range on again. */
async function forged(resign: 'nobody' | 'another') {
  const { events, ranges } = auditOf(db);
  await db.query('begin');
  try {
    await db.query('alter table events disable trigger all');
    await db.query('alter table audit_ranges disable trigger all');
    await db.query(`update events set data = data || '{"zulu": 99}' where position = 1500`);
    await db.query('delete from audit_ranges where range > 0');
    await seal(db, resign === 'another' ? theirs.privateKey : undefined);
    return { ours: await verify(), any: await new Verifier(events, ranges).verify() };
  } finally {
    await db.query('rollback');
  }
}

it('finds a log that was sealed again without the key, if it is told whose key it is', async () => {
  const { ours: verdict, any } = await forged('nobody');
  expect(verdict.firstBad).toMatchObject({ range: 1, code: 'unsigned' });
  expect(any).toMatchObject({ ok: true, signers: [{ ranges: 1 }, { key: null, ranges: 2 }] });
});

it('finds a log that was sealed again with another key', async () => {
  const { ours: verdict } = await forged('another');
  expect(verdict.firstBad).toMatchObject({ range: 1, code: 'signed_by_another' });
});

it('goes on from a range, and says how far it came', async () => {
  const first = await verify({ limit: 2 });
  expect(first).toMatchObject({ ok: true, from: 0, ranges: 2, next: 2 });
  expect(first).not.toHaveProperty('tail');
  const second = await verify({ from: 2 });
  expect(second).toMatchObject({ ok: true, from: 2, ranges: 1, tail: { events: 928 } });
  expect(second.chain).toBe((await verify()).chain);
  await expect(verify({ from: 4 })).rejects.toThrow('from is 4, and 3 ranges are sealed: give a range from 0 to 3');
});

it('stops when nobody waits for it any more, and says where', async () => {
  const stopped = await verify({ signal: AbortSignal.abort() });
  expect(stopped).toMatchObject({ ok: true, ranges: 0, next: 0 });
  expect(stopped).not.toHaveProperty('tail');
});

it('takes a signature for that of one range only', async () => {
  const [range] = await auditOf(db).ranges.from(1, 1);
  const { signature } = signed(range!, ours.privateKey);
  expect(signature).toBe(range!.signature);
  expect(signed({ ...range!, range: 2 }, ours.privateKey).signature).not.toBe(signature);
});
