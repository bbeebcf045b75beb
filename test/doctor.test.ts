import { hostname } from 'node:os';
import { examine, type Check } from '../src/doctor.js';
import { until } from './projections/until.js';
import { startServer, type TestServer } from './server.js';

describe('the doctor', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.stop());

  const checks = (skewMs = 0) =>
    examine({ db: server.database.pool, store: server.ledger.store, log: server.ledger.storedLog, skewMs });
  const named = (all: readonly Check[], name: string) => all.find((check) => check.name === name);

  /** Changes the database, looks at it, and puts it back. */
  async function after(change: string, back: string): Promise<Check[]> {
    await server.database.pool.query(change);
    return checks().finally(() => server.database.pool.query(back));
  }

  it('finds nothing wrong with a server that has just begun, but for what the test run leaves out', async () => {
    const wrong = (await checks()).filter(({ ok }) => !ok).map(({ name }) => name);
    expect(wrong).toEqual(['postgres fsync', 'postgres full_page_writes', 'processes']);
  });

  it('names a migration that this version does not know', async () => {
    const found = await after(
      `update schema_migrations set name = replace(name, '0004', '0004_of_old') where name like '0004%'`,
      `update schema_migrations set name = replace(name, '0004_of_old', '0004')`,
    );
    expect(named(found, 'schema')).toMatchObject({ ok: false, sentence: expect.stringContaining('0004_of_old') });
  });

  it('names a migration that this version has and the database has not', async () => {
    await server.database.pool.query(`alter table schema_migrations rename to set_aside`);
    await server.database.pool.query(`create table schema_migrations as select * from set_aside where name not like '0004%'`);
    const found = await checks();
    await server.database.pool.query('drop table schema_migrations');
    await server.database.pool.query('alter table set_aside rename to schema_migrations');
    expect(named(found, 'schema')).toMatchObject({ ok: false, sentence: expect.stringMatching(/has not run 0004_\w+\.sql$/) });
  });

  it('names a read model that this version does not know', async () => {
    const found = await after(
      `update projection_versions set read_model = 'run_status_v99' where projection = 'run_status'`,
      `update projection_versions set read_model = 'run_status_v1' where projection = 'run_status'`,
    );
    expect(named(found, 'versions of read models')).toEqual({
      name: 'versions of read models',
      ok: false,
      sentence: 'run_status_v99 is asked, and this version of the ledger does not know it',
      remedy: expect.any(String),
    });
  });

  it('names a read model that halted, a stream that is parked and a trigger that is off', async () => {
    const found = await after(
      `update checkpoints set halted = 'the log is another' where read_model = 'dashboard_v1';
       insert into parked_streams values ('tasks_v1', 'task-acme.A', '1', 0, 'e', 'no such column');
       alter table events disable trigger events_are_immutable`,
      `update checkpoints set halted = null;
       delete from parked_streams;
       alter table events enable always trigger events_are_immutable`,
    );
    expect(named(found, 'read model dashboard_v1')?.sentence).toContain('the log is another');
    expect(named(found, 'parked streams')).toMatchObject({
      sentence: '1 parked; the first: task-acme.A in tasks_v1: no such column',
      remedy: expect.stringMatching(/ledger projections parked tasks --retry task-acme\.A$/),
    });
    expect(named(found, 'immutable events')?.ok).toBe(false);
  });

  it('names the processes that live with their roles, and the roles that nobody has', async () => {
    const living = `process ${process.pid} on ${hostname()}: api, projector; nobody has the role policies, promoter, reaper, scheduler`;
    expect(named(await checks(), 'processes')).toEqual({
      name: 'processes',
      ok: false,
      sentence: living,
      remedy: 'start a server with LEDGER_ROLES=policies,promoter,reaper,scheduler',
    });
    const gone = await after(
      `insert into processes (holder, host, pid, roles, seen_at)
       values (gen_random_uuid(), 'other', 1, '{policies,promoter,reaper,scheduler}', clock_timestamp() - interval '16 s')`,
      `delete from processes where host = 'other'`,
    );
    expect(named(gone, 'processes')?.sentence).toBe(living);
    const whole = await after(
      `insert into processes (holder, host, pid, roles) values (gen_random_uuid(), 'other', 1, '{policies,promoter,reaper,scheduler}')`,
      `delete from processes where host = 'other'`,
    );
    expect(named(whole, 'processes')).toMatchObject({
      ok: true,
      sentence: expect.stringContaining('process 1 on other: policies'),
    });
  });

  it.each([
    ['50 s', true, /^none$/, /^none$/],
    [
      '61 s',
      false,
      /^1 for more than a minute; the first: nightly@1 of acme, fired at 2/,
      /^1 for more than a minute; the first: nightly of acme, due at 2/,
    ],
  ])('looks at fires under way, and at routines whose time came %s ago', async (ago, ok, fires, routines) => {
    const found = await after(
      `insert into routine_fires_v1.routine_fires (company, routine, fire, n, source, fired_at, outcome)
       values ('acme', 'nightly', 'nightly@1', 1, 'manual', ledger_now() - interval '${ago}', 'pending'),
              ('acme', 'nightly', 'nightly@0', 0, 'manual', ledger_now() - interval '9 min', 'created');
       ${routineDue(`ledger_now() - interval '${ago}'`)}`,
      `delete from routine_fires_v1.routine_fires; delete from routines_v1.routines`,
    );
    expect(named(found, 'fires under way')).toMatchObject({ ok, sentence: expect.stringMatching(fires) });
    expect(named(found, 'routines overdue')).toMatchObject({ ok, sentence: expect.stringMatching(routines) });
  });

  it('says who seals the log', async () => {
    await until('an owner', async () => !named(await checks(), 'sealed log')?.sentence.endsWith('by nobody'));
    expect(named(await checks(), 'sealed log')).toEqual({
      name: 'sealed log',
      ok: true,
      sentence: expect.stringMatching(new RegExp(`^sealed up to 0 of .*, by process ${process.pid} on `)),
    });
  });

  it('says by how much a clock is off', async () =>
    expect(named(await checks(-1_500), 'clock')).toMatchObject({
      ok: false,
      sentence: expect.stringContaining('1500 ms ahead'),
    }));

  it('says whose clock is off, of all that live', async () => {
    const found = await after(
      `insert into processes (holder, host, pid, roles, skew_ms)
       values (gen_random_uuid(), 'other', ${process.pid}, '{reaper}', -300000), (gen_random_uuid(), 'third', 1, '{reaper}', 900)`,
      `delete from processes where host in ('other', 'third')`,
    );
    expect(named(found, 'clock')).toMatchObject({
      ok: false,
      sentence: `this process's clock is 0 ms behind the database's, which counts; that of process ${process.pid} on other is 300000 ms ahead of it`,
      remedy: 'let the machine set its clock by NTP',
    });
    expect(named(await checks(), 'clock')?.ok).toBe(true);
  });
});

const routineDue = (at: string): string =>
  `insert into routines_v1.routines
   select (jsonb_populate_record(null::routines_v1.routines, jsonb_build_object(
     'company', 'acme', 'routine', 'nightly', 'status', 'active', 'since', ledger_now(), 'title', 'Test it', 'priority', 'medium',
     'concurrency', 'always_enqueue', 'catch_up', 'skip_missed', 'variables', '[]'::jsonb, 'fingerprint_ignore', '[]'::jsonb,
     'spread_sec', 0, 'triggers', '[]'::jsonb, 'defined_at', ledger_now(), 'changed_at', ledger_now(), 'fires', 0,
     'outcomes', '{}'::jsonb, 'next_due_at', ${at}, 'revision', 0))).*`;
