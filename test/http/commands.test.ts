import { startServer, type TestServer } from '../server.js';

let server: TestServer;
const api: TestServer['api'] = (...request) => server.api(...request);

beforeAll(async () => {
  server = await startServer();
  await api('PUT', 'agents/coder', { name: 'Coder' });
});
afterAll(() => server.stop());

/** A task of its own for a test, assigned to coder: its first run is queued. */
async function queuedRun(task: string): Promise<string> {
  await api('PUT', `tasks/${task}`, { title: task, assignee: 'coder' });
  return `${task}.1`;
}

async function startedRun(agent: string, task: string): Promise<{ run: string; lease: string }> {
  await api('PUT', `agents/${agent}`, {});
  await api('PUT', `tasks/${task}`, { title: task, assignee: agent });
  const { body } = await api('POST', `agents/${agent}/claims`, { workerId: 'w', requestId: task });
  return { run: body.runs[0].run.id, lease: body.runs[0].lease.token };
}

describe('the answer to a command', () => {
  it('is the thing, with its revision and the position to read from', async () => {
    const { status, headers, body } = await api('PUT', 'agents/tester', { name: 'Tester', adapter: 'process' });
    expect(status).toBe(200);
    expect(body).toMatchObject({ id: 'tester', company: 'acme', name: 'Tester', status: 'active', revision: 0 });
    expect(headers.get('etag')).toBe('"0"');
    expect(headers.get('ledger-position')).toMatch(/^\d{16}$/);
  });

  it('names the company', async () => {
    const { body } = await api('PUT', '/v1/companies/acme', { name: 'Acme Inc.' });
    expect(body).toMatchObject({ id: 'acme', name: 'Acme Inc.' });
  });

  it('is 202 for a wakeup, with what became of it', async () => {
    const { status, body } = await api('POST', 'wakeups', { agent: 'coder', reason: 'asked' });
    expect(status).toBe(202);
    expect(body).toMatchObject({ wakeup: { status: 'queued', run: 'heartbeat~coder.1' }, run: { status: 'queued' } });
  });

  it('says what an assignment did', async () => {
    await queuedRun('ASSIGN-1');
    const { body } = await api('POST', 'tasks/ASSIGN-1/assign', { agent: null });
    expect(body).toMatchObject({ task: { assignee: null }, cancelledRuns: ['ASSIGN-1.1'], wakeups: [] });
  });

  it('is 201 for a retry that is scheduled, 200 for one that is not any more', async () => {
    await api('PUT', 'agents/once', { policy: { retry: { delaysMs: [60_000] } } });
    const { run, lease } = await failing('once', 'RETRY-1');
    await api('POST', `runs/${run}/finish`, { lease, outcome: 'failed', errorCode: 'bug', error: 'TypeError' });
    const scheduled = await api('POST', `runs/${run}/schedule-retry`);
    expect(scheduled).toMatchObject({
      status: 201,
      body: { outcome: 'scheduled', attempt: 1, maxAttempts: 1, run: { id: 'RETRY-1.3' } },
    });
    expect(await api('POST', 'runs/RETRY-1.3/retry-now')).toMatchObject({ status: 200, body: { outcome: 'promoted' } });
    const { body } = await api('POST', 'agents/once/claims', { workerId: 'w', requestId: 'second' });
    await api('POST', 'runs/RETRY-1.3/finish', { lease: body.runs[0].lease.token, outcome: 'failed', errorCode: 'bug' });
    expect(await api('POST', 'runs/RETRY-1.3/schedule-retry')).toMatchObject({
      status: 200,
      body: { outcome: 'retry_exhausted', attempt: 2, maxAttempts: 1 },
    });
  });

  async function failing(agent: string, task: string) {
    await api('PUT', `tasks/${task}`, { title: task, assignee: agent });
    const { body } = await api('POST', `agents/${agent}/claims`, { workerId: 'w', requestId: task });
    return { run: body.runs[0].run.id, lease: body.runs[0].lease.token };
  }
});

describe('a refusal', () => {
  it('is a problem with a code, a sentence, and whether to try again', async () => {
    const { status, headers, body } = await api('POST', 'wakeups', { agent: 'nobody' });
    expect(status).toBe(404);
    expect(headers.get('content-type')).toContain('application/problem+json');
    expect(body).toEqual({
      type: '/docs#agent_not_found',
      title: 'Agent not found',
      status: 404,
      detail: expect.stringMatching(/^there is no agent nobody; .*first$/),
      code: 'agent_not_found',
      instance: '/v1/companies/acme/wakeups',
      retryable: false,
    });
  });

  it('names the wakeup that records it', async () => {
    await api('PUT', 'agents/resting', {});
    await api('POST', 'agents/resting/pause', { reason: 'holiday' });
    const { status, body } = await api('POST', 'wakeups', { agent: 'resting' });
    expect({ status, code: body.code }).toEqual({ status: 409, code: 'agent_not_invokable' });
    const { body: wakeup } = await api('GET', `wakeups/${body.wakeup}`, undefined, {
      'ledger-min-position': await server.ledger.store.head(),
    });
    expect(wakeup).toMatchObject({ status: 'skipped', code: 'agent_not_invokable' });
  });

  it('is 409 for a lease that is not the current one, beats included', async () => {
    const { run } = await startedRun('leaseholder', 'LEASE-1');
    for (const [route, more] of [
      ['finish', { outcome: 'succeeded' }],
      ['beat', {}],
      ['process', { pid: 1, host: 'h', startedAt: '2026-04-20T12:00:00Z' }],
    ] as const)
      expect(await api('POST', `runs/${run}/${route}`, { lease: 'another', ...more })).toMatchObject({
        status: 409,
        body: { code: 'stale_lease' },
      });
  });

  it('names unknown runs and tasks', async () => {
    expect(await api('POST', 'runs/NONE-1.1/cancel', { reason: 'x' })).toMatchObject({
      status: 404,
      body: { code: 'run_not_found' },
    });
    expect(await api('POST', 'tasks/NONE-1/status', { status: 'done' })).toMatchObject({
      status: 404,
      body: { code: 'task_not_found' },
    });
    expect(await api('GET', 'tasks/NONE-1/events')).toMatchObject({ status: 404, body: { code: 'task_not_found' } });
  });
});

describe('a finish', () => {
  it('is answered the same when it is reported again, although its lease has ended', async () => {
    const { run, lease } = await startedRun('finisher', 'FIN-1');
    expect(await api('POST', `runs/${run}/beat`, { lease, outputSeq: 3, outputAt: '2026-04-20T12:00:00Z' })).toMatchObject({
      status: 200,
      body: { leaseMs: 30_000 },
    });
    const { rows } = await server.database.pool.query(
      `select output_seq as seq, output_at as at from lane_leases where task = 'FIN-1'`,
    );
    expect(rows).toEqual([{ seq: 3, at: '2026-04-20T12:00:00.000Z' }]);
    const report = {
      lease,
      outcome: 'failed',
      error: '429 rate limited',
      errorCode: 'rate_limited',
      errorFamily: 'transient_upstream',
    };
    const first = await api('POST', `runs/${run}/finish`, report);
    expect(first.body).toMatchObject({ run: { status: 'failed' }, next: { kind: 'retry_scheduled', attempt: 1 } });
    const again = await api('POST', `runs/${run}/finish`, report);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(again.body).toEqual(first.body);
  });

  it('after a cancel is told of it by the beat, and changes nothing', async () => {
    const { run, lease } = await startedRun('cancelled', 'CAN-1');
    await api('POST', `runs/${run}/cancel`, { reason: 'not wanted' });
    expect((await api('POST', `runs/${run}/beat`, { lease })).body).toMatchObject({ cancelRequested: true });
    expect(await api('POST', `runs/${run}/finish`, { lease, outcome: 'succeeded' })).toMatchObject({
      status: 200,
      body: { run: { status: 'cancelled' } },
    });
  });
});

describe('If-Match', () => {
  it('makes a command conditional on the revision that was read', async () => {
    await api('PUT', 'agents/matched', { name: 'a' });
    expect(await api('PUT', 'agents/matched', { name: 'b' }, { 'if-match': '"0"' })).toMatchObject({
      status: 200,
      body: { revision: 1 },
    });
    expect(await api('PUT', 'agents/matched', { name: 'c' }, { 'if-match': '"0"' })).toMatchObject({
      status: 412,
      body: { code: 'revision_mismatch' },
    });
  });

  it('goes with the ETag of a run, whatever else has happened on its lane', async () => {
    const run = await queuedRun('MATCH-1');
    const command = await api('POST', 'wakeups', { agent: 'coder', task: 'MATCH-1' });
    const position = command.headers.get('ledger-position')!;
    const read = await api('GET', `runs/${run}`, undefined, { 'ledger-min-position': position });
    const cancelled = await api('POST', `runs/${run}/cancel`, { reason: 'x' }, { 'if-match': read.headers.get('etag')! });
    expect(cancelled.status).toBe(200);
  });
});

describe('who acts', () => {
  const metadata = async (path: string) => (await api('GET', path)).body.items[0].metadata;

  it('is the local user, unless X-Actor says who', async () => {
    await api('PUT', 'tasks/ACT-1', { title: 'x' });
    expect(await metadata('tasks/ACT-1/events')).toMatchObject({ actor: { type: 'user', id: 'local' } });
    await api('PUT', 'tasks/ACT-2', { title: 'x' }, { 'x-actor': 'agent:coder' });
    expect(await metadata('tasks/ACT-2/events')).toMatchObject({ actor: { type: 'agent', id: 'coder' } });
  });

  it('brings its trace, if that is one', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await api('PUT', 'tasks/TRACE-1', { title: 'x' }, { traceparent });
    expect(await metadata('tasks/TRACE-1/events')).toMatchObject({ traceparent });
    await api('PUT', 'tasks/TRACE-2', { title: 'x' }, { traceparent: 'garbage' });
    expect(await metadata('tasks/TRACE-2/events')).not.toHaveProperty('traceparent');
  });
});
