import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join, resolve } from 'node:path';
import pg from 'pg';
import { createPool } from '../../src/database.js';
import { beginning } from '../../src/events/event.js';
import { MemoryEventStore } from '../../src/event-store/memory.js';
import { PostgresEventStore } from '../../src/event-store/postgres.js';
import { activity } from '../../src/projections/activity.js';
import { projectionsOfTheLedger } from '../../src/projections/all.js';
import { dashboard } from '../../src/projections/dashboard.js';
import { anyProjection, create, type Fact } from '../../src/projections/projection.js';
import { Unfoldable } from '../../src/projections/projector/projector-term.js';
import { fill, type Filling } from '../../src/projections/rebuild/fill.js';
import { addIndexes, createTable } from '../../src/projections/rebuild/schema.js';
import { runStatus } from '../../src/projections/run-status.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { compiledLedger } from '../processes/compiled.js';
import { appendAll, byKey, filled, filling, foldedUpTo, multiply, refuse, rowsOf, wholeLog } from './filled.js';
import { History, seeded, type Draw } from './history.js';
import { until } from './until.js';

const runs = anyProjection(runStatus);

let database: TestDatabase;
let store: PostgresEventStore;
let draw: Draw;
const seed = Date.now() % 2 ** 31;
beforeAll(() => console.log(`seed ${seed}`));
beforeEach(async () => {
  draw = seeded(seed);
  database = await freshDatabase();
  store = new PostgresEventStore({ url: database.url });
});
afterEach(async () => {
  await store.close();
  await database.drop();
});

describe('a fill', () => {
  it('writes the rows that the log folds to, up to a position, whatever happened', async () => {
    const memory = new MemoryEventStore();
    for (const [name, store] of Object.entries({ memory, postgres: new PostgresEventStore({ url: database.url }) })) {
      const history = new History(draw, { agents: 4, tasks: 30 });
      for (let n = 0; n < 500; n++) await appendAll(store, history.step());
      const log = await wholeLog(store);
      for (const upTo of [beginning, log[draw(log.length - 1)]!.position, await store.head()])
        for (const projection of projectionsOfTheLedger) {
          const schema = `${projection.name}_${name}_${Number(upTo)}`;
          const came = await filled(database.pool, store, projection, schema, upTo);
          const expected = foldedUpTo(projection, log, upTo);
          expect(byKey(projection, await rowsOf(database.pool, projection, schema))).toEqual(byKey(projection, expected));
          expect(came).toEqual({
            events: log.filter(({ type, position }) => type in projection.on && position <= upTo).length,
            rows: expected.length,
          });
        }
      await store.close();
    }
  });

  it('leaves out events that an operator has skipped', async () => {
    await happen(300);
    const log = await wholeLog(store);
    const skipped = log.filter(({ type }) => type === 'RunSucceeded').slice(0, 2);
    expect(skipped).not.toEqual([]);
    for (const { id, stream, position } of skipped)
      await database.pool.query(`insert into skipped_events values ('run_status', 1, $1, $2, $3, 'it was wrong')`, [
        id,
        stream,
        position,
      ]);
    await filled(database.pool, store, runs, 'skipping', await store.head());
    const rest = log.filter((event) => !skipped.includes(event));
    expect(byKey(runs, await rowsOf(database.pool, runs, 'skipping'))).toEqual(
      byKey(runs, foldedUpTo(runs, rest, await store.head())),
    );
  });

  it('names the event that cannot be folded, and leaves no part of it behind', async () => {
    await happen(100);
    const log = await wholeLog(store);
    for (const wide of [false, true]) {
      const fails = log.filter(({ type }) => type === 'RunStarted').at(-1)!;
      const failing = anyProjection({
        ...(wide ? dashboard : runStatus),
        on: { ...(wide ? dashboard : runStatus).on, RunStarted: refuse(fails.id) },
      });
      await createTable(database.pool, failing, `failing_${wide}`);
      const filled = fill(filling(database.pool, store, failing, { readModel: `failing_${wide}`, upTo: await store.head() }));
      await expect(filled).rejects.toThrow(Unfoldable);
      await expect(filled).rejects.toThrow(
        `cannot fold RunStarted at position ${fails.position} (${fails.stream} revision ${fails.revision}): TypeError: no such place`,
      );
      expect(await rowsOf(database.pool, failing, `failing_${wide}`)).toEqual([]);
    }
  });

  it('names the row that the table does not take', async () => {
    await happen(30);
    const nameless = anyProjection({
      ...activity,
      on: { TaskOpened: ({ company, position }: Fact<'TaskOpened'>) => create([company, position], { company, position }) },
    });
    await createTable(database.pool, nameless, 'nameless');
    const filled = fill(filling(database.pool, store, nameless, { readModel: 'nameless', upTo: await store.head() }));
    await expect(filled).rejects.toThrow(Unfoldable);
    await expect(filled).rejects.toThrow(/null value in column "at" .*Failing row contains \((acme|globex), 0{10}/);
  });

  it('refuses rows that two streams have made of one key', async () => {
    await happen(30);
    const shared = anyProjection({
      ...activity,
      on: {
        TaskOpened: ({ company }: Fact<'TaskOpened'>) => create([company, 'shared'], { ...line, company, position: 'shared' }),
      },
    });
    const made = filled(database.pool, store, shared, 'shared', await store.head());
    await expect(made).rejects.toThrow(Unfoldable);
    await expect(made).rejects.toThrow(/Key \(company, "?position"?\)=\((acme|globex), shared\) is duplicated.*keyedBy/);
  });

  it('ends with the error of a full disk, and goes on when there is room', async () => {
    await happen(60);
    const upTo = await store.head();
    await createTable(database.pool, runs, 'filling_up');
    // A disk cannot be filled here; this is what Postgres says when it cannot extend a file.
    await database.pool.query(`
      create function disk_full() returns trigger language plpgsql as
      $$ begin raise exception 'could not extend file "base/1/2": No space left on device' using errcode = '53100'; end $$;
      create trigger disk_full before insert on filling_up.run_status for each row execute function disk_full();`);
    const start = () => fill(filling(database.pool, store, runs, { readModel: 'filling_up', upTo }));
    await expect(start()).rejects.toMatchObject({ code: '53100' });
    await database.pool.query('drop trigger disk_full on filling_up.run_status');
    await start();
    await expectWhole('filling_up');
  });

  it('holds no transaction open while it is paused', async () => {
    await happen(60);
    await createTable(database.pool, runs, 'paused');
    const admin = createPool(database.url, 'admin');
    const pace = new Pause();
    const made = fill(filling(admin, store, runs, { readModel: 'paused', upTo: await store.head(), pace }));
    await pace.begun;
    expect(await transactionsOf('admin')).toBe(0);
    pace.end();
    await made;
    await admin.end();
    await expectWhole('paused');
  });
});

describe('a fill of many parts', () => {
  beforeEach(async () => {
    await happen(300);
    await multiply(database.pool, Math.ceil(60_000 / Number(await store.head())));
    await database.pool.query('analyze events');
  });

  it('goes on with what is left when it was cut off', async () => {
    const upTo = await store.head();
    await createTable(database.pool, runs, 'cut_off');
    let taken = 0;
    const counted = { take: async (events: number) => void (taken += events) };
    const start = (rest: Partial<Filling>) =>
      fill(filling(database.pool, store, runs, { readModel: 'cut_off', upTo, pace: counted, ...rest }));
    const cutOff = new AbortController();
    const early = start({
      signal: cutOff.signal,
      moved: (done, total) => void (done > 0.8 * total! && cutOff.abort(new Error('cut off'))),
    });
    await expect(early).rejects.toThrow('cut off');
    taken = 0;
    const moves: number[] = [];
    const came = await start({ moved: (done) => void moves.push(done) });
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThan(came.events * 0.8);
    expect(moves.at(-1)).toBe(came.events);
    expect(moves.indexOf(came.events)).toBe(moves.length - 1);
    expect(moves).toEqual(moves.toSorted((a, b) => a - b));
    await expectWhole('cut_off');
    expect(await start({})).toEqual(came);
    await expectWhole('cut_off');
  });

  it('may run twice at once', async () => {
    const upTo = await store.head();
    await createTable(database.pool, runs, 'twice');
    const other = createPool(database.url, 'admin');
    const made = [database.pool, other].map((db) => fill(filling(db, store, runs, { readModel: 'twice', upTo })));
    const [one, two] = await Promise.all(made);
    await other.end();
    expect(one).toEqual(two);
    await expectWhole('twice');
  });

  it('is as if it had not begun the part in whose COPY its process was killed', async () => {
    const upTo = await store.head();
    await createTable(database.pool, runs, 'killed');
    // Every part stops in its middle until the lock is free.
    await database.pool.query(`
      create function wait() returns trigger language plpgsql as
      $$ begin perform pg_advisory_xact_lock_shared(4711); return new; end $$;
      create trigger wait before insert on killed.run_status for each row when (new.run_id like '%.2') execute function wait();`);
    const holder = new pg.Client(database.url);
    await holder.connect();
    await holder.query('select pg_advisory_lock(4711)');
    const modules = join(dirname(await compiledLedger()), '..');
    const child = spawn(process.execPath, [resolve('test/projections/filler.mjs'), modules, database.url, 'killed', upTo]);
    const copying = `select from pg_stat_activity
      where datname = current_database() and wait_event = 'advisory' and query like 'copy killed%'`;
    await until('both parts are being copied', async () => (await database.pool.query(copying)).rowCount === 2, 20_000);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await holder.end();
    await fill(filling(database.pool, store, runs, { readModel: 'killed', upTo }));
    await expectWhole('killed');
  });
});

async function happen(steps: number): Promise<void> {
  const history = new History(draw, { agents: 4, tasks: 30 });
  for (let n = 0; n < steps; n++) await appendAll(store, history.step());
}

async function expectWhole(schema: string): Promise<void> {
  await addIndexes(database.pool, runs, schema);
  const expected = foldedUpTo(runs, await wholeLog(store), await store.head());
  expect(expected.length).toBeGreaterThan(0);
  expect(byKey(runs, await rowsOf(database.pool, runs, schema))).toEqual(byKey(runs, expected));
}

async function transactionsOf(application: string): Promise<number> {
  const { rowCount } = await database.pool.query(
    `select from pg_stat_activity
     where datname = current_database() and application_name = $1 and xact_start is not null`,
    [`run-ledger ${application}`],
  );
  return rowCount!;
}

class Pause {
  private begin = () => {};
  end = () => {};
  readonly begun = new Promise<void>((resolve) => (this.begin = resolve));
  private readonly ended = new Promise<void>((resolve) => (this.end = resolve));

  take(): Promise<void> {
    this.begin();
    return this.ended;
  }
}

const line = {
  at: '2026-04-20T12:00:00.000Z',
  actor_type: 'user',
  actor_id: 'ada',
  action: 'TaskOpened',
  entity_type: 'task',
  entity_id: 'T-1',
  sentence: 'T-1 was opened',
};
