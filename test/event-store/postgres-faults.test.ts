import pg from 'pg';
import { beginning, type StreamId } from '../../src/events/event.js';
import { StoreUnavailable } from '../../src/event-store/event-store.js';
import { PostgresEventStore } from '../../src/event-store/postgres.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { collect, event, events, settle, write } from './contract.js';

const lane: StreamId = 'task-acme.ACME-12';

let database: TestDatabase;
let store: PostgresEventStore;
let said: string[];

beforeEach(async () => {
  database = await freshDatabase();
  said = [];
  const say = (sentence: string) => void said.push(sentence);
  store = new PostgresEventStore({ url: database.url, log: { warn: say, info: say }, timeoutMs: 5_000 });
});
afterEach(async () => {
  await store.close();
  await database.drop();
});

describe('the log in Postgres', () => {
  it.each([
    [`update events set data = '{}'`, 'update'],
    ['delete from events', 'delete'],
    ['truncate events', 'truncate'],
    [`set session_replication_role = replica; delete from events`, 'delete'],
  ])('refuses "%s"', async (statement, operation) => {
    await store.append([write(lane, 'no-stream', events(1))]);
    await expect(database.pool.query(statement)).rejects.toThrow(`events are never changed: ${operation} on events is refused`);
    expect(await store.readStream(lane)).toHaveLength(1);
  });

  it('has positions without holes, also where writes were refused', async () => {
    await store.append([write(lane, 'no-stream', events(2)), write(lane, 'no-stream', events(1)), write(lane, 1, events(3))]);
    const { rows } = await database.pool.query('select position from events order by position');
    expect(rows.map(({ position }) => position)).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('the append functions', () => {
  const appendOne = `select outcome, position from public.append_one('${lane}', -3, $1, '{}')`;
  const anEvent = () => JSON.stringify([event()]);

  it.each(['repeatable read', 'serializable'])('refuse a transaction that is %s', async (isolation) => {
    await withClient(async (client) => {
      await client.query(`begin isolation level ${isolation}`);
      await expect(client.query(appendOne, [anEvent()])).rejects.toThrow(
        `append under "${isolation}" could miss what was just committed`,
      );
    });
  });

  it('commit durably where the session would not, and work under any search path', async () => {
    await withClient(async (client) => {
      await client.query(`set synchronous_commit = off; set search_path = ''`);
      await client.query('begin');
      expect((await client.query(appendOne, [anEvent()])).rows).toEqual([{ outcome: 'appended', position: '1' }]);
      const batch = `select outcome from public.append_events(array['a', 'b'], array[-1, -2], array[1, 1], array['{}', '{}']::jsonb[], $1)`;
      const both = JSON.stringify([1, 2].map((number) => ({ write: number, ...event() })));
      expect((await client.query(batch, [both])).rows).toEqual([{ outcome: 'appended' }, { outcome: 'conflict' }]);
      expect((await client.query('show synchronous_commit')).rows).toEqual([{ synchronous_commit: 'on' }]);
      await client.query('commit');
      expect((await client.query('show synchronous_commit')).rows).toEqual([{ synchronous_commit: 'off' }]);
    });
  });
});

describe('an append', () => {
  it('that Postgres refuses for its data leaves the others of its call alone', async () => {
    await database.pool.query(`alter table events add check (data ->> 'text' is distinct from 'unwanted')`);
    const writes = Array.from({ length: 50 }, (_, i) =>
      write(`task-acme.ACME-${i}`, 'no-stream', [event({ text: i === 33 ? 'unwanted' : 'fine' })]),
    );
    const results = await store.append(writes);
    expect(results.map(({ outcome }) => outcome)).toEqual(writes.map((_, i) => (i === 33 ? 'refused' : 'appended')));
    expect(results[33]).toMatchObject({
      reason: expect.stringMatching(/^task-acme\.ACME-33: Postgres cannot store the write: .* \(23514\)$/),
    });
    expect(await store.readAll({ after: beginning, limit: 100 })).toHaveLength(49);
  });

  it('whose connection is lost has an unknown outcome, and is settled by the identical write', async () => {
    const written = write(lane, 'no-stream', events(2));
    await withLockHeld(async () => {
      const appending = store.append([written]).catch((error: unknown) => error);
      await terminate(await appendThatWaits());
      expect(await appending).toBeInstanceOf(StoreUnavailable);
    });
    expect(await settle(store, written)).toMatchObject({ outcome: 'appended', revision: 1 });
    expect(await store.readStream(lane)).toHaveLength(2);
  });

  it('that hangs is given up in time, and its writes are stored once whatever became of it', async () => {
    const hasty = new PostgresEventStore({ url: database.url, timeoutMs: 100 });
    const written = write(lane, 'no-stream', events(2));
    await withLockHeld(() => expect(hasty.append([written])).rejects.toThrow('Postgres did not answer within 100 ms'));
    expect(await settle(hasty, written)).toMatchObject({ outcome: 'appended', revision: 1 });
    await hasty.close();
    expect(await store.readStream(lane)).toHaveLength(2);
  });

  it('to a server that cannot be reached says so', async () => {
    const nowhere = new PostgresEventStore({ url: 'postgres://ledger@127.0.0.1:1/none' });
    await expect(nowhere.append([write(lane, 'any', events(1))])).rejects.toThrow(/^Postgres is out of reach: .*ECONNREFUSED/);
    await expect(nowhere.head()).rejects.toThrow(StoreUnavailable);
    await nowhere.close();
  });

  it('by a fault of the schema is not taken for an outage', async () => {
    await database.pool.query('drop function append_one');
    await expect(store.append([write(lane, 'any', events(1))])).rejects.toThrow('function public.append_one');
  });
});

describe('a subscription', () => {
  it('hears of what another process appends, from Postgres itself', async () => {
    await withClient(async (client) => {
      const heard = new Promise((done) => client.once('notification', done));
      await client.query('listen run_ledger_events');
      await store.append([write(lane, 'no-stream', events(1))]);
      await heard;
    });
  });

  it('says once that Postgres is lost and once that it is back', async () => {
    const ending = new AbortController();
    const seen = collect(store.subscribe({ after: beginning, signal: ending.signal }), ending, 1);
    await until(async () => (await connections('listen')).length === 1);
    for (let round = 0; round < 3; round += 1) {
      await withAdmin((admin) => admin.query(`alter database ${databaseName()} allow_connections false`));
      await withAdmin((admin) => admin.query(cutOff, [databaseName()]));
      await until(async () => said.length === 2 * round + 1);
      await withAdmin((admin) => admin.query(`alter database ${databaseName()} allow_connections true`));
      await until(async () => said.length === 2 * round + 2);
    }
    await settle(store, write(lane, 'no-stream', events(1)));
    expect(await seen).toHaveLength(1);
    expect(said.slice(0, 2)).toEqual([
      expect.stringMatching(/^Readers of the event store lost Postgres and keep trying: /),
      expect.stringMatching(/^Readers of the event store have Postgres back after \d+ ms$/),
    ]);
  });
});

const cutOff = 'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1';
const databaseName = () => new URL(database.url).pathname.slice(1);

async function withClient(work: (client: pg.Client) => Promise<unknown>, url: string = database.url): Promise<void> {
  const client = new pg.Client(url);
  client.on('error', () => {});
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

/** Outside the database under test. */
function withAdmin(work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const url = new URL(database.url);
  url.pathname = 'postgres';
  return withClient(work, url.href);
}

const withLockHeld = (work: () => Promise<unknown>): Promise<void> =>
  withClient(async (client) => {
    await client.query('begin');
    await client.query('select public.begin_append()');
    await work();
    await client.query('rollback');
  });

/** The process of the session that waits for the appenders' lock. */
async function appendThatWaits(): Promise<number> {
  return until(async () => (await connections('append')).find(({ wait_event: wait }) => wait === 'advisory')?.pid);
}

const terminate = (pid: number) => database.pool.query('select pg_terminate_backend($1)', [pid]);

async function connections(kind: string): Promise<{ pid: number; wait_event: string | null }[]> {
  const { rows } = await database.pool.query(
    `select pid, wait_event
     from pg_stat_activity
     where datname = current_database()
       and application_name = $1`,
    [`run-ledger ${kind}`],
  );
  return rows;
}

async function until<T>(look: () => Promise<T | undefined | false>): Promise<T> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > deadline) throw new Error('what the test waits for did not happen within 20 s');
    await new Promise((done) => setTimeout(done, 5));
  }
}
