import { randomUUID } from 'node:crypto';
import { AnotherLog, followLog } from '../src/followed-log.js';
import { ProtocolServer } from './event-store/esdb/protocol-server.js';
import { freshDatabase, type TestDatabase } from './postgres.js';
import { startServer } from './server.js';

let database: TestDatabase;
beforeEach(async () => {
  database = await freshDatabase();
});
afterEach(() => database.drop());

const [one, other, holder] = [randomUUID(), randomUUID(), randomUUID()];
const follow = (id: string, elsewhere: string | undefined = 'esdb://one:2113') =>
  followLog({ db: database.pool, id, elsewhere, holder });
const followed = async () => (await database.pool.query<{ id: string }>('select id from followed_log')).rows.map(({ id }) => id);
const query = (text: string, values: unknown[] = []) => database.pool.query(text, values);
const fold = () =>
  query(`insert into checkpoints (read_model, projection, version, position) values ('r_v1', 'r', 1, '00000000000000000042')`);

describe('the log that a database belongs to', () => {
  it('is the first that a process works on', async () => {
    await follow(one);
    await fold();
    await follow(one);
    expect(await followed()).toEqual([one]);
  });

  it('is the same for processes that begin at once, whichever is first', async () => {
    await query(`insert into processes (holder, host, pid, roles) values ($1, 'h', 1, '{api}'), ($2, 'h', 2, '{api}')`, [
      one,
      other,
    ]);
    const begin = (id: string) => followLog({ db: database.pool, id, elsewhere: undefined, holder: id });
    const ends = await Promise.allSettled([one, other, one, other, one, other].map(begin));
    const [first] = await followed();
    const all = [one, other, one, other, one, other];
    expect(ends.map(({ status }) => status)).toEqual(all.map((id) => (id === first ? 'fulfilled' : 'rejected')));
  });

  it('is another as long as nothing was folded, and nobody works there', async () => {
    await follow(one);
    await query(`insert into checkpoints (read_model, projection, version) values ('r_v1', 'r', 1)`);
    await follow(other);
    expect(await followed()).toEqual([other]);
    await query(`insert into processes (holder, host, pid, roles) values ($1, 'h', 1, '{api}')`, [randomUUID()]);
    await expect(follow(one)).rejects.toThrow(AnotherLog);
    await query(`update processes set seen_at = clock_timestamp() - interval '16 s'`);
    await follow(one);
    await query(`insert into policy_checkpoints (policy, term, position) values ('holds', 1, '00000000000000000042')`);
    await expect(follow(other)).rejects.toThrow(AnotherLog);
    expect(await followed()).toEqual([one]);
  });

  it('is named to who comes with another, with what to do', async () => {
    await follow(one);
    await fold();
    await expect(follow(other)).rejects.toThrow(
      `the read models of this database belong to log ${one}, which is in another store; EVENT_STORE_URL is esdb://one:2113, which has the log ` +
        `${other}: set EVENT_STORE_URL to the store that has it, or move the ledger with ledger store copy and ledger store adopt`,
    );
    await query('insert into event_log (id) values ($1)', [one]);
    await expect(follow(other)).rejects.toThrow(`log ${one}, which is in this Postgres; EVENT_STORE_URL is esdb://one:2113`);
    await expect(follow(other)).rejects.toThrow('leave EVENT_STORE_URL out, or move');
  });
});

it('keeps a server from starting with another store than its database belongs to', async () => {
  const esdb = await ProtocolServer.start();
  const server = await startServer({ database });
  await server.api('PUT', 'agents/coder', {});
  await server.ledger.progress.reached(['agents'], await server.ledger.store.head());
  await server.stop();
  await expect(startServer({ database, eventStoreUrl: esdb.url })).rejects.toThrow('leave EVENT_STORE_URL out');
  await (await startServer({ database })).stop();
  await esdb.end();
});

it('tells the doctor which store is in use, and whose the read models are', async () => {
  const esdb = await ProtocolServer.start();
  const server = await startServer({ database, eventStoreUrl: esdb.url.replace('//', '//ada:secret@') });
  const looked = async () => (await server.api('GET', '/v1/doctor')).body.checks as unknown as { name: string; ok: boolean }[];
  const store = async () => (await looked()).find(({ name }) => name === 'event store');
  const id = await server.ledger.storedLog.id();
  const at = `log ${id} in the EventStoreDB at ${esdb.url}`;
  expect(await store()).toEqual({
    name: 'event store',
    ok: true,
    sentence: `${at}, open for writes; read models and checkpoints belong to it`,
  });
  expect(JSON.stringify(await looked())).not.toContain('secret');
  await server.stop();
  await esdb.end();
});
