import type { AsOfBuilt, AsOfDropped } from '../../src/events/operations.js';
import { ActivityQueries } from '../../src/projections/activity-queries.js';
import { AgentsQueries } from '../../src/projections/agent-queries.js';
import { DashboardQueries } from '../../src/projections/dashboard-queries.js';
import type { ReadModels } from '../../src/projections/read-models.js';
import { FiresQueries } from '../../src/projections/routines/fire-queries.js';
import { RoutinesQueries } from '../../src/projections/routines/routine-queries.js';
import { RunStatusQueries } from '../../src/projections/run-queries.js';
import { TasksQueries } from '../../src/projections/task-queries.js';
import { WakeupRequestsQueries } from '../../src/projections/wakeup-queries.js';
import { projectionsOfTheLedger } from '../../src/projections/all.js';
import { History, seeded } from '../projections/history.js';
import { until } from '../processes/until.js';
import { startServer, type TestServer } from '../server.js';

let server: TestServer;
const api: TestServer['api'] = (...request) => server.api(...request);
const olga = { 'x-actor': 'user:olga' };

beforeAll(async () => {
  server = await startServer();
  await api('PUT', 'agents/coder', {});
  await api('PUT', 'tasks/OLD-1', { title: 'the old one', assignee: 'coder' });
  await api('PUT', 'routines/nightly', { title: 'Look at it', agent: 'coder', triggers: [] });
  await api('POST', 'routines/nightly/fire');
});
afterAll(() => server.stop());

const side = (projection: string, schema: string) => `/v1/projections/${projection}/as-of/${schema}`;

/** Asks until it is built, as whoever waits for it does. */
async function built(projection: string, schema: string, body: object): Promise<void> {
  await until(`${schema} with ${projection}`, async () => {
    const answer = await api('PUT', side(projection, schema), body, olga);
    expect([200, 202]).toContain(answer.status);
    return answer.status === 200;
  });
}

const caughtUp = async () =>
  server.ledger.progress.reached(
    projectionsOfTheLedger.map(({ name }) => name),
    await server.ledger.store.head(),
    10_000,
  );
const told = async (schema: string) =>
  (await server.ledger.store.readStream<AsOfBuilt | AsOfDropped>('operations'))
    .filter(({ data }) => data.schema === schema)
    .map(({ type, data, metadata: { actor } }) => ({ type, data, by: actor.id }));
const listed = async () =>
  ((await api('GET', '/v1/as-of')).body.items as unknown as { schema: string }[]).map(({ schema }) => schema);

/** What every page that can be asked of a schema says of both companies; who worked when is no fact. */
async function pagesOf(readModels: ReadModels): Promise<object[]> {
  const noon = new Date('2026-04-22T12:00:00.000Z');
  const pages = await Promise.all(
    ['acme', 'globex'].flatMap((company): Promise<object>[] => [
      new DashboardQueries(readModels).get(company, noon),
      new ActivityQueries(readModels).list(company, {}, { limit: 500 }),
      new RunStatusQueries(readModels).list(company, {}, { limit: 1_000 }),
      new RunStatusQueries(readModels).list(company, { status: ['queued', 'failed'], agent: ['agent-0'] }, {}),
      new WakeupRequestsQueries(readModels).list(company, {}, { limit: 1_000 }),
      new TasksQueries(readModels).list(company, {}, { limit: 1_000 }),
      new AgentsQueries(readModels).list(company, {}),
      new RoutinesQueries(readModels).list(company, {}, {}),
      new FiresQueries(readModels).list(company, 'R-0', { limit: 1_000 }),
    ]),
  );
  // What is absent is not said in an answer.
  return JSON.parse(JSON.stringify(pages)) as object[];
}

describe('a schema of read models as they were', () => {
  it('is asked over HTTP by the same pages, is listed with its place and size, and dropped', async () => {
    const position = await server.ledger.store.head();
    await caughtUp();
    const ofTasks = [
      'dashboard',
      'activity',
      'tasks',
      'tasks/OLD-1',
      'runs',
      'runs/OLD-1.1',
      'wakeups',
      'agents',
      'agents/coder',
    ];
    const ofRoutines = ['routines', 'routines/nightly', 'routines/nightly/fires', 'routines/nightly/fires/nightly@1'];
    const pages = [...ofTasks, ...ofRoutines];
    const before = await Promise.all(pages.map(async (page) => (await api('GET', page)).body));
    await api('PUT', 'tasks/NEW-1', { title: 'the new one', assignee: 'coder' });
    await api('POST', 'agents/coder/pause', { reason: 'later' });
    await api('POST', 'routines/nightly/fire');
    for (const projection of ['dashboard', 'activity', 'tasks', 'run_status', 'wakeup_requests', 'agents', 'routine_fires'])
      await built(projection, 'audit', { asOfPosition: position, reason: 'asked by the auditors' });
    for (const [n, page] of pages.entries()) {
      const { status, body, headers } = await api('GET', `${page}?in=audit`);
      expect({ page, status, body }).toEqual({ page, status: 200, body: before[n] });
      expect(headers.get('ledger-position')).toBe(position);
    }
    expect((await api('GET', '/v1/as-of')).body.items).toEqual([
      {
        schema: 'audit',
        position,
        builtAt: expect.stringMatching(/Z$/),
        projections: expect.arrayContaining([{ name: 'holds', version: 1 }]),
        bytes: expect.any(Number),
      },
    ]);
    expect((await told('audit'))[0]).toMatchObject({
      type: 'AsOfBuilt',
      data: {
        schema: 'audit',
        projections: ['dashboard', 'agent_counts', 'task_counts', 'due_retries'],
        position,
        reason: 'asked by the auditors',
      },
      by: 'olga',
    });
    expect((await api('DELETE', `${side('dashboard', 'audit')}?reason=done`, undefined, olga)).status).toBe(200);
    expect((await told('audit')).at(-1)).toMatchObject({
      type: 'AsOfDropped',
      data: { schema: 'audit', reason: 'done' },
      by: 'olga',
    });
    expect(await listed()).not.toContain('audit');
    const { rowCount } = await server.database.pool.query(
      `select from pg_namespace where nspname in ('audit', 'audit_building')`,
    );
    expect(rowCount).toBe(0);
    expect((await api('DELETE', side('dashboard', 'audit'))).status).toBe(200);
    await built('dashboard', 'audit', { asOfPosition: position });
  });

  it('is built once, however often it is asked for, and not as of another position', async () => {
    const time = new Date().toISOString();
    await built('tasks', 'april', { asOf: time });
    const once = await told('april');
    expect((await api('PUT', side('tasks', 'april'), { asOf: time })).status).toBe(200);
    expect(await told('april')).toEqual(once);
    await api('PUT', 'tasks/NEW-1', { title: 'new' });
    const head = await server.ledger.store.head();
    expect(await api('PUT', side('tasks', 'april'), { asOfPosition: head })).toMatchObject({
      status: 409,
      body: { code: 'as_of_schema_taken', detail: expect.stringMatching(/april has tasks as of position \d+, not \d+: drop it/) },
    });
    expect(await api('GET', 'dashboard?in=april')).toMatchObject({
      status: 409,
      body: {
        code: 'as_of_schema_lacks',
        detail: expect.stringMatching(/april has tasks, and not \w+: ledger projections build \w+ --as-of \d+ --into april/),
      },
    });
  });

  it('goes on where its building was cut off, and is not seen before it is there', async () => {
    const position = await server.ledger.store.head();
    const { pool } = server.database;
    // Raised at the commit, when the fact is there already.
    await pool.query(`create function cut() returns trigger language plpgsql as $$ begin raise 'cut off'; end $$`);
    await pool.query(
      'create constraint trigger cut after insert on as_of_schemas deferrable initially deferred for each row execute function cut()',
    );
    const failed = async () => {
      const { status } = await api('PUT', side('dashboard', 'cut_off'), { asOfPosition: position });
      return status === 500;
    };
    await until('a building that was cut off', failed);
    expect(await listed()).not.toContain('cut_off');
    expect((await api('GET', 'dashboard?in=cut_off')).status).toBe(404);
    await pool.query('drop trigger cut on as_of_schemas');
    await built('dashboard', 'cut_off', { asOfPosition: position });
    expect((await api('GET', 'dashboard?in=cut_off')).body).toMatchObject({
      agents: expect.any(Object),
      tasks: { open: expect.any(Number) },
    });
    const schemas = await pool.query(`select nspname from pg_namespace where nspname like 'cut_off%'`);
    expect(schemas.rows).toEqual([{ nspname: 'cut_off' }]);
    expect((await told('cut_off')).map(({ type }) => type)).toEqual(['AsOfBuilt']);
  });

  it('starts anew when what was cut off was as of another position', async () => {
    const { pool } = server.database;
    await pool.query('create schema moved_building');
    await pool.query(`comment on schema moved_building is 'run-ledger read models as of 0000000000000001'`);
    await pool.query('create table moved_building.tasks (leftover text)');
    await built('tasks', 'moved', { asOfPosition: await server.ledger.store.head() });
    expect((await api('GET', 'tasks?in=moved')).body.items).toEqual((await api('GET', 'tasks')).body.items);
  });

  it('is built although the building of another projection, or of another version, was cut off there', async () => {
    const position = await server.ledger.store.head();
    const { pool } = server.database;
    await pool.query('create schema beside_building');
    await pool.query(
      `comment on schema beside_building is 'run-ledger read models as of ${position} with comments_v0, tasks_v0'`,
    );
    await pool.query('create table beside_building.comments (leftover text); create table beside_building.tasks (leftover text)');
    await built('tasks', 'beside', { asOfPosition: position });
    await built('comments', 'beside', { asOfPosition: position });
    expect(await listed()).toContain('beside');
  });

  it('is built beside one other and no more, so that there are connections left to read with', async () => {
    const position = await server.ledger.store.head();
    const holder = await server.database.pool.connect();
    await holder.query('begin; lock table fill_parts in access exclusive mode');
    for (const schema of ['first', 'second'])
      expect((await api('PUT', side('tasks', schema), { asOfPosition: position })).status).toBe(202);
    expect(await api('PUT', side('tasks', 'third'), { asOfPosition: position })).toMatchObject({
      status: 409,
      body: { code: 'as_of_schema_busy', detail: expect.stringMatching(/first and second are being built: wait for one/) },
    });
    await holder.query('commit');
    holder.release();
    for (const schema of ['first', 'second', 'third']) await built('tasks', schema, { asOfPosition: position });
  });

  it.each<[string, number, string, RegExp, (head: string) => Parameters<TestServer['api']>]>([
    ['no time', 400, 'malformed', /asOf and asOfPosition are missing/, () => ['PUT', side('tasks', 'x'), {}]],
    [
      'a time before the first event',
      400,
      'malformed',
      /2001-01-01T00:00:00Z is before the first event/,
      () => ['PUT', side('tasks', 'x'), { asOf: '2001-01-01T00:00:00Z' }],
    ],
    [
      'a position behind the head',
      400,
      'malformed',
      /asOfPosition is 999: the head of the ledger is/,
      () => ['PUT', side('tasks', 'x'), { asOfPosition: '999' }],
    ],
    [
      'a projection that is not there',
      404,
      'projection_not_found',
      /no projection task, but tasks/,
      (head) => ['PUT', side('task', 'x'), { asOfPosition: head }],
    ],
    ...['public', 'information_schema'].map(
      (schema): [string, number, string, RegExp, (head: string) => Parameters<TestServer['api']>] => [
        `the schema ${schema}`,
        409,
        'as_of_schema_taken',
        /there is a schema \w+ already, and it is not one of read models as they were/,
        (head) => ['PUT', side('tasks', schema), { asOfPosition: head }],
      ],
    ),
    ...['pg_audit', 'run_status_v1', 'Audit', 'audit-1', 'x_building', '1st'].map(
      (schema): [string, number, string, RegExp, (head: string) => Parameters<TestServer['api']>] => [
        `the name ${schema}`,
        400,
        'malformed',
        /schema is ".*": give at most 50 small letters, digits and _/,
        (head) => ['PUT', side('tasks', schema), { asOfPosition: head }],
      ],
    ),
    [
      'a word of SQL',
      409,
      'as_of_schema_taken',
      /user is a word of SQL/,
      (head) => ['PUT', side('tasks', 'user'), { asOfPosition: head }],
    ],
    [
      "the name of the database's user",
      409,
      'as_of_schema_taken',
      /is the database's user: take another name/,
      (head) => ['PUT', side('tasks', new URL(server.database.url).username), { asOfPosition: head }],
    ],
    [
      'to drop what is not there',
      404,
      'as_of_schema_not_found',
      /no schema x of read models as they were; there are /,
      () => ['DELETE', side('tasks', 'x')],
    ],
    ['to read what is not there', 404, 'as_of_schema_not_found', /no schema x/, () => ['GET', 'runs?in=x']],
    ['two times at once', 400, 'malformed', /in and asOf are both given/, () => ['GET', 'tasks/OLD-1?in=x&asOfPosition=1']],
  ])('refuses %s', async (_, status, code, detail, request) => {
    const head = await server.ledger.store.head();
    expect(await api(...request(head))).toMatchObject({ status, body: { code, detail: expect.stringMatching(detail) } });
    expect(await server.ledger.store.head()).toBe(head);
  });
});

it('shows at every position of a random history what was shown live when that was the last one', async () => {
  const seed = Date.now() % 2 ** 31;
  console.log(`seed ${seed}`);
  const history = new History(seeded(seed));
  const then: { position: string; pages: object[] }[] = [];
  for (const steps of [40, 150, 200]) {
    for (const write of history.steps(steps)) await server.ledger.store.append([write]);
    await caughtUp();
    then.push({ position: await server.ledger.store.head(), pages: await pagesOf(server.ledger.readModels) });
  }
  for (const [n, { position, pages }] of then.entries()) {
    for (const projection of ['dashboard', 'activity', 'run_status', 'wakeup_requests', 'tasks', 'agents', 'routine_fires'])
      await built(projection, `audit_${n}`, { asOfPosition: position });
    const readModels = await server.ledger.sideSchemas.open(`audit_${n}`);
    expect(readModels.position).toBe(position);
    expect(await pagesOf(readModels)).toEqual(pages);
  }
});
