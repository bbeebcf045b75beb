import { Sealer } from '../../src/audit/sealer.js';
import { Verifier } from '../../src/audit/verifier.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { auditOf, filledLog, keyPair, seal } from './log.js';

let database: TestDatabase;
beforeEach(async () => (database = await freshDatabase()));
afterEach(() => database.drop());

const verify = () => {
  const { events, ranges } = auditOf(database.pool);
  return new Verifier(events, ranges).verify();
};

it('seals nothing of a log that is shorter than a range', async () => {
  expect(await verify()).toMatchObject({ ok: true, sealed: 0, head: '', tail: { events: 0 } });
  await filledLog(database.url, 1_023);
  await seal(database.pool);
  expect(await verify()).toMatchObject({ ok: true, sealed: 0, tail: { after: '', events: 1_023 } });
});

it('seals a range with its last event, and goes on where it was when it is started again', async () => {
  await filledLog(database.url, 1_500);
  const sealer = await seal(database.pool);
  expect(await verify()).toMatchObject({ sealed: 1, tail: { events: 476 } });
  await filledLog(database.url, 600, 1_520);
  expect(await sealer.advance()).toBe(true);
  const { ranges } = auditOf(database.pool);
  const [, second] = await ranges.from(0, 2);
  await database.pool.query('alter table audit_ranges disable trigger all');
  await database.pool.query('delete from audit_ranges where range = 1');
  await seal(database.pool);
  expect((await ranges.last())?.chain).toBe(second?.chain);
  expect(await verify()).toMatchObject({ ok: true, sealed: 2, tail: { events: 52 } });
});

it('comes to the same with two sealers at once, one of them with a key', async () => {
  await filledLog(database.url, 5_200);
  const { privateKey } = keyPair();
  const sealers = [undefined, privateKey].map((key) => new Sealer({ ...auditOf(database.pool), key }));
  await Promise.all(sealers.map((sealer) => seal(database.pool, undefined, sealer)));
  const { ok, sealed, signers } = await verify();
  expect({ ok, sealed }).toEqual({ ok: true, sealed: 5 });
  expect(signers.reduce((sum, { ranges }) => sum + ranges, 0)).toBe(5);
});

it('does not seal a hole', async () => {
  await filledLog(database.url, 2_048);
  await database.pool.query('alter table events disable trigger all');
  await database.pool.query('delete from events where position = 1500');
  await expect(seal(database.pool)).rejects.toThrow(
    'the log has position 1501 where 1500 should be, so range 1 is not sealed: run ledger audit verify',
  );
  expect(await verify()).toMatchObject({ ok: false, sealed: 1, firstBad: { range: 1, code: 'events_missing' } });
});

it('goes on from its own chain, and not from one that was put in its place', async () => {
  await filledLog(database.url, 1_024);
  const sealer = await seal(database.pool);
  await database.pool.query('alter table audit_ranges disable trigger all');
  await database.pool.query(`update audit_ranges set chain = sha256('forged')`);
  await database.pool.query('alter table events disable trigger all');
  await database.pool.query(
    `insert into events
     select position + 1024, stream || '-more', revision, gen_random_uuid(), type, schema, data, metadata, recorded_at
     from events`,
  );
  await seal(database.pool, undefined, sealer);
  const { events, ranges } = auditOf(database.pool);
  expect((await new Verifier(events, ranges).verify({ from: 1 })).firstBad).toMatchObject({ range: 1, code: 'row_changed' });
});

it('refuses to go on where a range was sealed as other events', async () => {
  await filledLog(database.url, 1_000);
  const [one, two] = [
    new Sealer({ ...auditOf(database.pool), key: undefined }),
    new Sealer({ ...auditOf(database.pool), key: undefined }),
  ];
  await one.advance();
  await database.pool.query('alter table events disable trigger all');
  await database.pool.query(`update events set data = '{}' where position = 3`);
  await two.advance();
  await filledLog(database.url, 40, 1_000);
  await one.advance();
  await expect(two.advance()).rejects.toThrow(
    'range 0 was sealed meanwhile, and not as these events are: run ledger audit verify',
  );
});
