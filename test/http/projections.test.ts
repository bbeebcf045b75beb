import { until } from '../processes/until.js';
import { startServer, type TestServer } from '../server.js';

let server: TestServer;
const api: TestServer['api'] = (...request) => server.api(...request);
const olga = { 'x-actor': 'user:olga' };

beforeAll(async () => {
  server = await startServer();
  await api('PUT', 'agents/coder', {});
  for (let n = 0; n < 20; n++) await api('PUT', `tasks/DOOR-${n}`, { title: `task ${n}`, assignee: 'coder' });
});
afterAll(() => server.stop());

const post = (path: string, body: object = {}, headers: Record<string, string> = olga) =>
  api('POST', `/v1/${path}`, body, headers);
const rebuild = async (id: string) => (await api('GET', `/v1/rebuilds/${id}`)).body;
const inPhase = (id: string, ...phases: string[]) =>
  until(`${id} ${phases.join(' or ')}`, async () => {
    const found = await rebuild(id);
    return phases.includes(found.phase) && found;
  });
const started = async (path: string, body: object = {}): Promise<string> => {
  const answer = await post(path, body);
  expect(answer).toMatchObject({ status: 202, body: { rebuild: { status: 'filling' } } });
  return answer.body.rebuild.id;
};
const live = async (projection: string) => {
  const { body } = await api('GET', `/v1/projections/${projection}`);
  return (body.readModels as unknown as { live: boolean; readModel: string }[]).find((each) => each.live)?.readModel;
};

describe('the read models of a projection', () => {
  it('are shown with their version, position and since when one is asked', async () => {
    const { status, body } = await api('GET', '/v1/projections/tasks');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      name: 'tasks',
      versions: [1],
      head: expect.stringMatching(/^\d{16}$/),
      readModels: [
        {
          readModel: 'tasks_v1',
          version: 1,
          generation: 1,
          live: true,
          liveSince: expect.stringMatching(/Z$/),
          parkedStreams: 0,
        },
      ],
    });
    expect(body).not.toHaveProperty('rebuild');
  });
});

describe('a rebuild', () => {
  it('is told of while it goes on, and ends with a comparison; it is cut over to, rolled back and dropped', async () => {
    const id = await started('projections/tasks/rebuilds', { reason: 'to be sure' });
    expect(id).toBe('tasks_v1_g2');
    const minimum = { 'ledger-min-position': await server.ledger.store.head() };
    expect((await api('GET', '/v1/projections/tasks', undefined, minimum)).body.rebuild).toMatchObject({ id });
    expect(await inPhase(id, 'ready')).toMatchObject({
      projection: 'tasks',
      beside: 'tasks_v1',
      purpose: 'cut_over',
      reason: 'to be sure',
      startedBy: { type: 'user', id: 'olga' },
      comparison: { agrees: true, liveRows: 20, rebuiltRows: 20 },
    });
    expect((await api('GET', '/v1/rebuilds?projection=tasks')).body.items[0]).toMatchObject({ id });

    expect(await post(`rebuilds/${id}/cut-over`, { reason: 'it agrees' })).toMatchObject({
      status: 200,
      body: { projection: 'tasks', live: id, before: 'tasks_v1' },
    });
    expect(await live('tasks')).toBe(id);
    expect(await post('projections/tasks/drop', { readModel: id })).toMatchObject({
      status: 409,
      body: { code: 'read_model_in_use' },
    });

    expect(await post('projections/tasks/rollback', { reason: 'not yet' })).toMatchObject({
      status: 200,
      body: { live: 'tasks_v1' },
    });
    expect(await live('tasks')).toBe('tasks_v1');
    expect(await post(`rebuilds/${id}/cut-over`)).toMatchObject({ status: 200, body: { live: id } });
    expect(await post('projections/tasks/drop', { readModel: 'tasks_v1', reason: 'replaced' })).toMatchObject({ status: 200 });
    await until('no tasks_v1', async () => (await api('GET', '/v1/projections/tasks')).body.readModels.length === (1 as never));
  });

  it('is refused while another one is under way, with who started that; asked twice with one key, it is one', async () => {
    const key = { ...olga, 'idempotency-key': 'once' };
    const first = await post('projections/comments/rebuilds', {}, key);
    expect(await post('projections/comments/rebuilds', {}, key)).toMatchObject({ status: 202, body: first.body });
    expect(await post('projections/comments/rebuilds', {}, { 'x-actor': 'user:peter' })).toMatchObject({
      status: 409,
      body: { code: 'rebuild_under_way', detail: expect.stringMatching(/olga started comments_v1_g2/) },
    });
    const id = first.body.rebuild.id;
    expect(await post(`rebuilds/${id}/abandon`, { reason: 'enough' })).toMatchObject({ status: 200 });
    expect(await inPhase(id, 'abandoned')).toMatchObject({ endedAt: expect.any(String) });
    expect(await post(`rebuilds/${id}/abandon`)).toMatchObject({ status: 200 });
    expect(await post('projections/comments/rebuilds')).toMatchObject({
      status: 202,
      body: { rebuild: { id: 'comments_v1_g3' } },
    });
  });

  it('is paused, and goes on at another rate', async () => {
    const id = await started('projections/activity/rebuilds', { eventsPerSecond: 1 });
    expect(await post(`rebuilds/${id}/pause`, { reason: 'peak hours' })).toMatchObject({ body: { rebuild: { paused: true } } });
    await until('it is paused', async () => (await rebuild(id)).paused);
    expect(await post(`rebuilds/${id}/resume`, { eventsPerSecond: null })).toMatchObject({
      body: { rebuild: { paused: false, eventsPerSecond: null } },
    });
    await inPhase(id, 'ready');
  });
});

describe('a verification', () => {
  it('finds nothing in a live read model that is as it should be, and leaves nothing behind', async () => {
    const id = await started('projections/agents/verify');
    expect(await inPhase(id, 'verified')).toMatchObject({
      purpose: 'verify',
      comparison: { agrees: true, onlyLive: { rows: 0 } },
    });
    expect(await post(`rebuilds/${id}/cut-over`)).toMatchObject({ status: 404 });
    await until(
      'no second table',
      async () => (await api('GET', '/v1/projections/agents')).body.readModels.length === (1 as never),
    );
  });

  it('says in which columns of which rows a live read model is broken', async () => {
    await server.database.pool.query('update task_counts_v1.task_counts set tasks = tasks + 7');
    const id = await started('projections/task_counts/verify', { reason: 'a suspicion' });
    expect(await inPhase(id, 'different')).toMatchObject({
      comparison: {
        agrees: false,
        changed: { rows: 1, samples: [{ columns: [{ column: 'tasks', live: '27', rebuilt: '20' }] }] },
        columns: [{ column: 'tasks', rows: 1, meant: false }],
      },
    });
  });
});

it.each<[string, number, string, RegExp, Parameters<TestServer['api']>]>([
  [
    'a projection that is not there',
    404,
    'projection_not_found',
    /no projection task, but tasks; all that there are/,
    ['GET', '/v1/projections/task'],
  ],
  [
    'a rebuild of one that is not there',
    404,
    'projection_not_found',
    /no projection dashbord, but dashboard/,
    ['POST', '/v1/projections/dashbord/rebuilds', {}],
  ],
  [
    'a version that is not in the tree',
    400,
    'malformed',
    /version is 9: this server knows 1 of holds/,
    ['POST', '/v1/projections/holds/rebuilds', { version: 9 }],
  ],
  ['an unknown field', 400, 'malformed', /unknown field colour/, ['POST', '/v1/projections/holds/rebuilds', { colour: 'red' }]],
  ['a rebuild that is not there', 404, 'rebuild_not_found', /no rebuild x_v1/, ['GET', '/v1/rebuilds/x_v1']],
  ['to pause it', 404, 'rebuild_not_found', /no rebuild x_v1/, ['POST', '/v1/rebuilds/x_v1/pause', {}]],
  ['to cut over to it', 404, 'rebuild_not_found', /no rebuild x_v1/, ['POST', '/v1/rebuilds/x_v1/cut-over', {}]],
  [
    'a roll-back without a cut-over',
    409,
    'nothing_to_roll_back',
    /nothing that is still followed was asked before/,
    ['POST', '/v1/projections/holds/rollback', {}],
  ],
])('refuses %s', async (_, status, code, detail, request) =>
  expect(await api(...request)).toMatchObject({ status, body: { code, detail: expect.stringMatching(detail) } }),
);
