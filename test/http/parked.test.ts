import { projectionsOfTheLedger } from '../../src/projections/all.js';
import type { ParkedEvent } from '../../src/projections/projector/parked.js';
import { foldLog } from '../../src/projections/projector/fold.js';
import { anyProjection, type Fact } from '../../src/projections/projection.js';
import type { LedgerEvent } from '../../src/events/ledger-event.js';
import { tasks, type TaskRow } from '../../src/projections/tasks.js';
import { until } from '../processes/until.js';
import { startServer, type TestServer } from '../server.js';

/** A fold that fails at the task's move to a status, as long as it is not mended. */
const failsAt = new Set<string>();
const failing = anyProjection({
  ...tasks,
  on: {
    ...tasks.on,
    TaskStatusChanged: (event: Fact<'TaskStatusChanged'>) => {
      if (failsAt.has(`${event.subject} ${event.data.to}`)) throw new TypeError(`cannot fold ${event.data.to}`);
      return tasks.on.TaskStatusChanged!(event);
    },
  },
});

let server: TestServer;
const api: TestServer['api'] = (...request) => server.api(...request);
const operator = { 'x-actor': 'user:olga' };

beforeAll(async () => {
  const projections = projectionsOfTheLedger.map((each) => (each.name === tasks.name ? failing : each));
  server = await startServer({ projections });
});
afterAll(() => server.stop());

const parked = async () =>
  (await api('GET', '/v1/projections/tasks/parked')).body.items as unknown as (ParkedEvent & { data: { to: string } })[];
const parkedAt = async (): Promise<string[]> => (await parked()).map(({ stream, data }) => `${stream} ${data.to}`);

/** Opens a task whose moves to `failing` cannot be folded, and moves it through `statuses`. */
async function movedTask(task: string, statuses: readonly string[], failing: readonly string[]): Promise<void> {
  for (const status of failing) failsAt.add(`${task} ${status}`);
  await api('PUT', `tasks/${task}`, { title: task });
  for (const status of statuses) await api('POST', `tasks/${task}/status`, { status });
  const stream = `task-acme.${task}`;
  await until('a parked stream', async () => (await parkedAt()).includes(`${stream} ${failing[0]}`));
  await until('the tail of the log', async () => (await tasksAt()) === (await server.ledger.store.head()));
}

const tasksAt = async () => (await api('GET', '/v1/projections/tasks')).body.readModels[0]!.position;
const retry = (task: string, body: object = {}, headers: Record<string, string> = operator) =>
  api('POST', `/v1/projections/tasks/parked/${encodeURIComponent(`task-acme.${task}`)}/retry`, body, headers);
const skip = (task: string, body: object, headers: Record<string, string> = operator) =>
  api('POST', `/v1/projections/tasks/parked/task-acme.${task}/skip`, body, headers);
const operations = async () =>
  (await server.ledger.store.readStream('operations')).map(({ type, data, metadata: { actor } }) => ({
    type,
    data,
    by: actor.id,
  }));

/** What the log folds to without the events that `drop` names. */
async function rowWithout(task: string, drop: (event: Fact<'TaskStatusChanged'>) => boolean): Promise<TaskRow | undefined> {
  const log = await server.ledger.store.readStream<LedgerEvent>(`task-acme.${task}`);
  return foldLog(
    tasks,
    log.filter((event) => event.type !== 'TaskStatusChanged' || !drop(event as Fact<'TaskStatusChanged'>)),
  )[0];
}

async function rowOf(task: string): Promise<TaskRow | undefined> {
  const { rows } = await server.database.pool.query<TaskRow>('select * from tasks_v1.tasks where task = $1', [task]);
  return rows[0];
}

describe('a stream that a read model cannot fold', () => {
  it('is listed with the event and the error', async () => {
    await movedTask('LIST-1', ['todo', 'in_progress'], ['in_progress']);
    const { status, body } = await api('GET', '/v1/projections/tasks/parked');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      readModel: 'tasks_v1',
      items: [
        {
          stream: 'task-acme.LIST-1',
          type: 'TaskStatusChanged',
          data: { to: 'in_progress' },
          error: 'TypeError: cannot fold in_progress',
          position: expect.stringMatching(/^\d{16}$/),
        },
      ],
    });
  });

  it('is listed alone, or as one of so many', async () => {
    await movedTask('LIST-2', ['todo', 'in_progress'], ['in_progress']);
    await movedTask('LIST-3', ['todo', 'in_progress'], ['in_progress']);
    const alone = await api('GET', '/v1/projections/tasks/parked?stream=task-acme.LIST-3');
    expect(alone.body).toMatchObject({ total: 1, items: [{ stream: 'task-acme.LIST-3' }] });
    const { body } = await api('GET', '/v1/projections/tasks/parked?limit=1');
    expect(body.items).toHaveLength(1);
    expect(body.total).toBeGreaterThan(1);
  });

  it('stays parked when it is retried and still cannot be folded, and nothing is recorded', async () => {
    await movedTask('STILL-1', ['todo', 'in_progress'], ['in_progress']);
    const before = await operations();
    expect(await retry('STILL-1')).toMatchObject({
      status: 409,
      body: { code: 'stream_unfoldable', detail: expect.stringContaining('cannot fold in_progress') },
    });
    expect(await parkedAt()).toContain('task-acme.STILL-1 in_progress');
    expect(await operations()).toEqual(before);
  });

  it('is folded when it is retried with a mended fold, which is recorded with who did it and why', async () => {
    await movedTask('MEND-1', ['todo', 'in_progress', 'in_review'], ['in_progress']);
    failsAt.delete('MEND-1 in_progress');
    const answer = await retry('MEND-1', { reason: 'mended' });
    expect(answer).toMatchObject({ status: 200, body: { readModel: 'tasks_v1', stream: 'task-acme.MEND-1', events: 2 } });
    expect(answer.body).not.toHaveProperty('parked');
    expect(await rowOf('MEND-1')).toEqual(await rowWithout('MEND-1', () => false));
    expect((await operations()).at(-1)).toMatchObject({
      type: 'ParkedStreamRetried',
      data: { readModel: 'tasks_v1', stream: 'task-acme.MEND-1', events: 2, reason: 'mended' },
      by: 'olga',
    });
    expect(await retry('MEND-1')).toMatchObject({ status: 404, body: { code: 'parked_stream_not_found' } });
    await api('POST', 'tasks/MEND-1/status', { status: 'done' });
    await until('the tail of the log', async () => (await rowOf('MEND-1'))?.status === 'done');
  });

  it('goes on without the event that is skipped, for good', async () => {
    await movedTask('SKIP-1', ['todo', 'blocked', 'in_progress'], ['blocked']);
    const answer = await skip('SKIP-1', { reason: 'written by a bug' });
    expect(answer).toMatchObject({
      status: 200,
      body: { stream: 'task-acme.SKIP-1', skipped: expect.stringMatching(/^\d{16}$/) },
    });
    expect(await rowOf('SKIP-1')).toEqual(await rowWithout('SKIP-1', ({ data }) => data.to === 'blocked'));
    expect((await operations()).at(-1)).toMatchObject({
      type: 'ParkedEventSkipped',
      data: { stream: 'task-acme.SKIP-1', reason: 'written by a bug', error: 'TypeError: cannot fold blocked' },
      by: 'olga',
    });
    const { rows } = await server.database.pool.query(
      `select position, reason from skipped_events where stream = 'task-acme.SKIP-1'`,
    );
    expect(rows).toEqual([{ position: answer.body.skipped, reason: 'written by a bug' }]);
  });

  it('is parked anew at the next event that cannot be folded, and that is not skipped by a second skip of the first', async () => {
    await movedTask('TWICE-1', ['todo', 'blocked', 'in_review', 'in_progress'], ['blocked', 'in_progress']);
    const first = (await parked()).find(({ stream }) => stream === 'task-acme.TWICE-1');
    const eventId = first?.eventId;
    const body = { reason: 'both are wrong', eventId };
    const skipped = await skip('TWICE-1', body, { ...operator, 'idempotency-key': 'twice' });
    expect(skipped).toMatchObject({ status: 200, body: { parked: { error: 'TypeError: cannot fold in_progress' } } });
    expect(await rowOf('TWICE-1')).toMatchObject({ status: 'in_review' });
    expect(await skip('TWICE-1', body)).toMatchObject({ status: 409, body: { code: 'parked_elsewhere' } });
    const again = await skip('TWICE-1', body, { ...operator, 'idempotency-key': 'twice' });
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(again.body).toEqual(skipped.body);
    expect(await skip('TWICE-1', { reason: 'and this one' })).toMatchObject({ status: 200 });
    expect(await rowOf('TWICE-1')).toEqual(
      await rowWithout('TWICE-1', ({ data }) => ['blocked', 'in_progress'].includes(data.to)),
    );
  });

  it('is folded beside others that are retried at the same moment', async () => {
    const names = ['SIDE-1', 'SIDE-2', 'SIDE-3'];
    for (const task of names) await movedTask(task, ['todo', 'in_progress'], ['in_progress']);
    for (const task of names) failsAt.delete(`${task} in_progress`);
    const answers = await Promise.all(names.map((task) => retry(task)));
    expect(answers.map(({ status, body }) => [status, body.events])).toEqual(names.map(() => [200, 1]));
    for (const task of names) expect(await rowOf(task)).toMatchObject({ status: 'in_progress' });
  });

  it('is folded when what was cut off between its fact and its rows is sent again', async () => {
    await movedTask('CUT-1', ['todo', 'blocked', 'in_progress'], ['blocked']);
    const key = { ...operator, 'idempotency-key': 'cut off' };
    const { pool } = server.database;
    // Raised at the commit, when the fact is there already.
    await pool.query(`create function cut() returns trigger language plpgsql as $$ begin raise 'cut off'; end $$`);
    await pool.query(
      'create constraint trigger cut after insert on skipped_events deferrable initially deferred for each row execute function cut()',
    );
    expect((await skip('CUT-1', { reason: 'wrong' }, key)).status).toBe(500);
    await pool.query('drop trigger cut on skipped_events');
    expect(await parkedAt()).toContain('task-acme.CUT-1 blocked');
    expect(await skip('CUT-1', { reason: 'wrong' }, key)).toMatchObject({ status: 200 });
    expect(await rowOf('CUT-1')).toEqual(await rowWithout('CUT-1', ({ data }) => data.to === 'blocked'));
    const skips = (await operations()).filter(({ data }) => (data as { stream?: string }).stream === 'task-acme.CUT-1');
    expect(skips).toHaveLength(1);
  });
});

describe('what is built anew', () => {
  const ended = (id: string) =>
    until(`the end of ${id}`, async () => {
      const { body } = await api('GET', `/v1/rebuilds/${id}`);
      return 'endedAt' in body && body;
    });

  it('fails at an event that cannot be folded, with its place, and leaves what is asked as it is', async () => {
    await movedTask('FAST-1', ['todo', 'in_progress'], ['in_progress']);
    const { body } = await api('POST', '/v1/projections/tasks/verify', { reason: 'to see it fail' });
    expect(await ended(body.rebuild.id)).toMatchObject({
      phase: 'failed',
      error: expect.stringMatching(/cannot fold TaskStatusChanged at position \d{16} \(task-acme\.\S+ revision \d+\): TypeError/),
    });
    const position = await server.ledger.store.head();
    const answer = await until('an answer', async () => {
      const asked = await api('PUT', '/v1/projections/tasks/as-of/broken', { asOfPosition: position });
      return asked.status !== 202 && asked;
    });
    expect(answer).toMatchObject({
      status: 409,
      body: { code: 'stream_unfoldable', detail: expect.stringContaining('TypeError') },
    });
  });

  it('leaves out what was skipped, and so agrees with what is asked', async () => {
    failsAt.clear();
    for (const { stream } of await parked())
      expect(await api('POST', `/v1/projections/tasks/parked/${stream}/retry`, {})).toMatchObject({ status: 200 });
    const { rowCount } = await server.database.pool.query('select from skipped_events');
    expect(rowCount).toBeGreaterThan(0);
    const { body } = await api('POST', '/v1/projections/tasks/verify');
    expect(await ended(body.rebuild.id)).toMatchObject({ phase: 'verified', comparison: { agrees: true } });
  });
});

it.each<[string, number, string, RegExp, Parameters<TestServer['api']>]>([
  [
    'a projection that is not there, with the nearest one',
    404,
    'projection_not_found',
    /no projection run_statsu, but run_status; all that there are: activity, .*wakeup_requests/,
    ['GET', '/v1/projections/run_statsu/parked'],
  ],
  [
    'a read model that is not there',
    404,
    'projection_not_found',
    /tasks has no read model tasks_v9; there are tasks_v1/,
    ['GET', '/v1/projections/tasks/parked?readModel=tasks_v9'],
  ],
  [
    'a stream that is not parked',
    404,
    'parked_stream_not_found',
    /tasks_v1 has no parked stream task-acme.X/,
    ['POST', '/v1/projections/tasks/parked/task-acme.X/retry', {}],
  ],
  ['what is no stream', 400, 'malformed', /stream is "X"/, ['POST', '/v1/projections/tasks/parked/X/skip', { reason: 'x' }]],
  [
    'a skip without a reason',
    400,
    'malformed',
    /reason is missing/,
    ['POST', '/v1/projections/tasks/parked/task-acme.X/skip', {}],
  ],
])('refuses %s', async (_, status, code, detail, request) =>
  expect(await api(...request)).toMatchObject({ status, body: { code, detail: expect.stringMatching(detail) } }),
);
