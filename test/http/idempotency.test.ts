import { randomUUID } from 'node:crypto';
import { IdempotencyKeys } from '../../src/idempotency-keys.js';
import { longGone } from '../../src/workers/expiry.js';
import { until } from '../processes/until.js';
import { startServer, type TestServer } from '../server.js';

let server: TestServer;
const api: TestServer['api'] = (...request) => server.api(...request);

beforeAll(async () => {
  server = await startServer();
  await api('PUT', 'agents/coder', {});
  await api('PUT', 'agents/other', {});
});
afterAll(() => server.stop());

const head = async () => (await api('GET', '/v1/projections')).body.head;
const events = async () => (await api('GET', 'events?limit=1000')).body.items.length;

it('answers the same request the same, and does it once', async () => {
  const key = { 'idempotency-key': randomUUID() };
  const first = await api('POST', 'wakeups', { agent: 'coder', payload: { issue: 7 } }, key);
  const before = await events();
  const again = await api('POST', 'wakeups', { agent: 'coder', payload: { issue: 7 } }, key);
  expect(again).toMatchObject({ status: first.status, body: first.body });
  expect(again.headers.get('idempotent-replayed')).toBe('true');
  expect(first.headers.get('idempotent-replayed')).toBeNull();
  for (const header of ['etag', 'ledger-position']) expect(again.headers.get(header)).toBe(first.headers.get(header));
  expect(await events()).toBe(before);
});

it('does a request once that is sent many times at once', async () => {
  const key = { 'idempotency-key': randomUUID() };
  const before = await events();
  const answers = await Promise.all(Array.from({ length: 20 }, () => api('PUT', 'tasks/ONCE-1', { title: 'once' }, key)));
  expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
  expect(await events()).toBe(before + 1);
});

it('refuses the key for another body', async () => {
  const key = { 'idempotency-key': randomUUID() };
  await api('PUT', 'tasks/BODY-1', { title: 'a' }, key);
  expect(await api('PUT', 'tasks/BODY-1', { title: 'b' }, key)).toMatchObject({
    status: 422,
    body: { code: 'idempotency_key_reused' },
  });
});

it('takes the same key for another path as another request', async () => {
  const key = { 'idempotency-key': randomUUID() };
  await api('PUT', 'tasks/PATH-1', { title: 'a' }, key);
  expect(await api('PUT', 'tasks/PATH-2', { title: 'a' }, key)).toMatchObject({ status: 200, body: { id: 'PATH-2' } });
  expect(await api('PUT', '/v1/companies/other/tasks/PATH-1', { title: 'a' }, key)).toMatchObject({
    status: 200,
    body: { company: 'other' },
  });
});

it('keeps a refusal, too', async () => {
  const key = { 'idempotency-key': randomUUID() };
  const first = await api('POST', 'tasks/LATE-1/status', { status: 'done' }, key);
  await api('PUT', 'tasks/LATE-1', { title: 'late' });
  const again = await api('POST', 'tasks/LATE-1/status', { status: 'done' }, key);
  expect(again).toMatchObject({ status: 404, body: first.body });
  expect(again.headers.get('content-type')).toContain('application/problem+json');
});

it('leaves the key free when the request was malformed', async () => {
  const key = { 'idempotency-key': randomUUID() };
  expect((await api('PUT', 'tasks/MEND-1', { titel: 'x' }, key)).status).toBe(400);
  expect((await api('PUT', 'tasks/MEND-1', { title: 'x' }, key)).status).toBe(200);
});

it('carries out again, on its first target, what was reserved and never settled', async () => {
  const keys = new IdempotencyKeys(server.database.pool);
  const path = '/v1/companies/acme/wakeups';
  await keys.reserve({ path, key: 'pending', compared: '{"n":1}', target: { agent: 'other' } });
  const { status, body } = await api('POST', 'wakeups', { agent: 'coder', payload: { n: 1 } }, { 'idempotency-key': 'pending' });
  expect(status).toBe(202);
  expect(body.run.agent).toBe('other');
});

it('knows a command whose reservation a crash of Postgres took back before it was written', async () => {
  const { pool } = server.database;
  const key = { 'idempotency-key': randomUUID() };
  const appender = await pool.connect();
  await appender.query('begin; select public.begin_append()');
  const sending = api('PUT', 'tasks/CRASH-1', { title: 'once' }, key);
  const taken = `delete from idempotency_keys where key = '${key['idempotency-key']}'`;
  await until('the reservation', async () => (await pool.query(taken)).rowCount === 1);
  await appender.query('commit');
  appender.release();
  const first = await sending;
  const again = await api('PUT', 'tasks/CRASH-1', { title: 'once' }, key);
  expect([first.status, again.status, again.body]).toEqual([200, 200, first.body]);
  expect(again.headers.get('idempotent-replayed')).toBe('true');
});

it('takes no part of the target from a repeat that the first request had not', async () => {
  const keys = new IdempotencyKeys(server.database.pool);
  const path = '/v1/companies/acme/wakeups';
  await api('PUT', 'tasks/AIM-1', { title: 'aim' });
  await keys.reserve({ path, key: 'aimless', compared: '{"n":1}', target: { agent: 'other' } });
  const repeat = { agent: 'coder', task: 'AIM-1', reason: 'again', payload: { n: 1 } };
  const { status, body } = await api('POST', 'wakeups', repeat, { 'idempotency-key': 'aimless' });
  expect(status).toBe(202);
  const wakeup = await api('GET', `wakeups/${body.wakeup.id}`, undefined, { 'ledger-min-position': await head() });
  expect(wakeup.body).toMatchObject({ task: 'heartbeat~other', payload: { n: 1 } });
  expect(wakeup.body.reason).not.toBe('again');
});

describe('the key of a wakeup', () => {
  it('may be in its body', async () => {
    const wakeup = { agent: 'coder', idempotencyKey: randomUUID() };
    const first = await api('POST', 'wakeups', wakeup);
    expect((await api('POST', 'wakeups', wakeup)).body).toEqual(first.body);
  });

  it('gives the first answer whatever agent and reason a repeat has, and refuses another payload', async () => {
    const key = { 'idempotency-key': randomUUID() };
    const first = await api('POST', 'wakeups', { agent: 'coder', payload: { n: 1 } }, key);
    expect((await api('POST', 'wakeups', { agent: 'other', reason: 'again', payload: { n: 1 } }, key)).body).toEqual(first.body);
    expect((await api('POST', 'wakeups', { agent: 'coder', payload: { n: 2 } }, key)).status).toBe(422);
  });

  it('is one: the header and the body may not differ', async () => {
    const answer = await api('POST', 'wakeups', { agent: 'coder', idempotencyKey: 'a' }, { 'idempotency-key': 'b' });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ field: 'idempotencyKey' }] } });
  });
});

it('forgets keys after 24 hours, some at a time', async () => {
  const keys = new IdempotencyKeys(server.database.pool);
  await keys.reserve({ path: '/old', key: 'a', compared: '' });
  await keys.reserve({ path: '/old', key: 'b', compared: '' });
  await server.database.pool.query(`update idempotency_keys set reserved_at = now() - interval '25 hours' where path = '/old'`);
  expect(await keys.expire(1)).toBe(1);
  expect(await keys.expire(1)).toBe(1);
  expect(await keys.expire(1)).toBe(0);
});

it('forgets workers that were not heard of for a day', async () => {
  const claim = { workerId: 'retired', requestId: 'r' };
  await api('POST', 'agents/coder/claims', claim);
  await api('POST', 'agents/coder/claims', { ...claim, workerId: 'at-work' });
  await server.database.pool.query(`update workers set seen_at = now() - interval '25 hours' where worker_id = 'retired'`);
  expect(await longGone(server.database.pool, 'workers')(10)).toBe(1);
  const { rows } = await server.database.pool.query('select worker_id from workers');
  expect(rows).toEqual([{ worker_id: 'at-work' }]);
});
