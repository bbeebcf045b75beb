import { startServer, type TestServer } from '../server.js';

const servers: TestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

async function serving(options: Parameters<typeof startServer>[0] = {}): Promise<TestServer> {
  const server = await startServer(options);
  servers.push(server);
  await server.api('PUT', 'agents/coder', {});
  return server;
}

const claim = (server: TestServer, requestId: string, wait = 20, signal?: AbortSignal) =>
  fetch(`${server.url}/v1/companies/acme/agents/coder/claims?wait=${wait}`, {
    method: 'POST',
    body: JSON.stringify({ workerId: 'w', requestId }),
    headers: { 'content-type': 'application/json' },
    signal,
  });

/** Until the server holds the connection of a request that it does not answer yet. */
async function arrived(server: TestServer): Promise<void> {
  for (const deadline = Date.now() + 5_000; Date.now() < deadline;) {
    const { rows } = await server.database.pool.query(`select from workers where worker_id = 'w'`);
    if (rows.length > 0) return;
    await new Promise((resume) => setTimeout(resume, 10));
  }
  throw new Error('the claim did not arrive within 5 s');
}

describe('a claim that waits', () => {
  it('is answered as soon as there is a run', async () => {
    const server = await serving();
    const waiting = claim(server, 'r1');
    await arrived(server);
    const asked = Date.now();
    await server.api('POST', 'wakeups', { agent: 'coder' });
    const { runs } = (await (await waiting).json()) as { runs: object[] };
    expect(runs).toMatchObject([{ run: { id: 'heartbeat~coder.1', status: 'running' }, lease: { leaseMs: 30_000 } }]);
    expect(Date.now() - asked).toBeLessThan(2_000);
  });

  it('is answered with nothing when its time is over', async () => {
    const server = await serving();
    expect(await (await claim(server, 'r1', 0)).json()).toEqual({ runs: [] });
  });

  it('gets a slot that another process has freed', async () => {
    const server = await serving();
    const other = await startServer({ database: server.database, roles: ['api'] });
    servers.unshift(other);
    await server.api('PUT', 'agents/coder', { policy: { maxConcurrentRuns: 1 } });
    for (const task of ['SLOT-1', 'SLOT-2']) await server.api('PUT', `tasks/${task}`, { title: task, assignee: 'coder' });
    const { runs } = (await (await claim(server, 'r1')).json()) as { runs: { lease: { token: string } }[] };
    const looked = jest.spyOn(other.ledger.readyRuns, 'candidates');
    const waiting = claim(other, 'r2');
    while (looked.mock.results.length === 0) await new Promise((resume) => setTimeout(resume, 10));
    await looked.mock.results[0]!.value;
    const asked = Date.now();
    await server.api('POST', 'runs/SLOT-1.1/finish', { lease: runs[0]!.lease.token, outcome: 'succeeded' });
    expect(await (await waiting).json()).toMatchObject({ runs: [{ run: { id: 'SLOT-2.1' } }] });
    expect(Date.now() - asked).toBeLessThan(5_000);
  });

  it('lies still beside another one while its agent is paused and has work', async () => {
    const server = await serving();
    await server.api('POST', 'wakeups', { agent: 'coder' });
    await server.api('POST', 'agents/coder/pause', { reason: 'holiday' });
    const looks = jest.spyOn(server.ledger.leases, 'granted');
    const answers = await Promise.all([claim(server, 'r1', 1), claim(server, 'r2', 1)]);
    for (const answer of answers) expect(await answer.json()).toEqual({ runs: [] });
    // When they come, when their time is over, and for what rings meanwhile; not again and again.
    expect(looks.mock.calls.length).toBeLessThan(10);
  });

  it('gets the same leases when it is sent again', async () => {
    const server = await serving();
    await server.api('POST', 'wakeups', { agent: 'coder' });
    const first = await (await claim(server, 'r1')).json();
    expect(await (await claim(server, 'r1')).json()).toEqual(first);
  });

  it('gives nothing to a client that has gone', async () => {
    const server = await serving();
    const gone = new AbortController();
    const waiting = claim(server, 'r1', 20, gone.signal);
    await arrived(server);
    gone.abort();
    await expect(waiting).rejects.toThrow();
    await server.api('POST', 'wakeups', { agent: 'coder' });
    const { runs } = (await (await claim(server, 'r2')).json()) as { runs: object[] };
    expect(runs).toHaveLength(1);
  });
});

it('answers who waits, and nobody after, when it ends', async () => {
  const server = await serving();
  const waiting = claim(server, 'r1');
  await arrived(server);
  const began = Date.now();
  await server.close();
  expect(await (await waiting).json()).toEqual({ runs: [] });
  expect(Date.now() - began).toBeLessThan(5_000);
  await expect(server.api('GET', '/healthz')).rejects.toThrow();
});

it('turns away who asks too often, and says when to come back', async () => {
  const server = await serving({ rate: { perSecond: 1, burst: 5 } });
  const answers = await Promise.all(Array.from({ length: 10 }, () => server.api('GET', '/healthz')));
  const refused = answers.find(({ status }) => status === 429)!;
  expect(refused.body).toMatchObject({ code: 'rate_limited', retryable: true });
  expect(refused.headers.get('retry-after')).toBe('1');
  expect(answers.some(({ status }) => status === 200)).toBe(true);
});

it('says how it is: alive, ready, and how far its read models are', async () => {
  const server = await serving();
  expect((await server.api('GET', '/healthz')).body).toEqual({ status: 'ok' });
  expect((await server.api('GET', '/readyz')).body).toMatchObject({ status: 'ready', head: await server.ledger.store.head() });
  const { body } = await server.api('GET', '/v1/projections');
  expect(Object.values(body.items).map(({ name }) => name)).toEqual(
    expect.arrayContaining(['run_status', 'due_retries', 'activity']),
  );
  expect((await server.api('GET', '/v1/doctor')).body.checks[0]).toMatchObject({
    name: expect.any(String),
    ok: expect.any(Boolean),
  });
});

it('lists page by page, each thing once', async () => {
  const server = await serving();
  for (const n of [1, 2, 3, 4, 5]) await server.api('PUT', `tasks/PAGE-${n}`, { title: `page ${n}`, assignee: 'coder' });
  const position = await server.ledger.store.head();
  for (const list of ['tasks', 'runs', 'wakeups', 'activity', 'events', 'tasks/PAGE-1/events']) {
    const whole = await server.api('GET', `${list}?limit=500`, undefined, { 'ledger-min-position': position });
    const found: unknown[] = [];
    for (let cursor: string | undefined = ''; cursor !== undefined;) {
      const { body } = await server.api('GET', `${list}?limit=2${cursor && `&cursor=${cursor}`}`);
      found.push(...Object.values(body.items));
      cursor = body.next;
    }
    expect({ list, found }).toEqual({ list, found: Object.values(whole.body.items) });
    expect(found.length).toBeGreaterThan(2);
  }
});

it('filters the ledger by type, stream and position', async () => {
  const server = await serving();
  await server.api('PUT', 'tasks/LOG-1', { title: 'log', assignee: 'coder' });
  const items = async (query: string) => Object.values((await server.api('GET', `events?${query}`)).body.items);
  expect((await items('types=RunQueued&types=TaskOpened')).map(({ type }) => type)).toEqual(['TaskOpened', 'RunQueued']);
  expect((await items('stream=task-acme.LOG-1')).map(({ stream }) => stream)).toEqual(
    Array.from({ length: 3 }, () => 'task-acme.LOG-1'),
  );
  const all = await items('');
  expect(await items(`after=${all[0]!.position}`)).toEqual(all.slice(1));
  expect(await items('after=1')).toEqual(all.slice(1));
  expect((await server.api('GET', '/v1/events')).body.items).toEqual(all);
});

it('shows of a run what happened to it and to its demands', async () => {
  const server = await serving();
  await server.api('PUT', 'tasks/STORY-1', { title: 'story', assignee: 'coder' });
  await claim(server, 'r1');
  const headers = { 'ledger-min-position': await server.ledger.store.head() };
  const { body } = await server.api('GET', 'runs/STORY-1.1/events', undefined, headers);
  expect(Object.values(body.items).map(({ type }) => type)).toEqual(['WakeupRequested', 'RunQueued', 'RunStarted']);
});
