import { heartbeatsBell } from '../../src/workers/bells.js';
import { until } from '../processes/until.js';
import { startServer, type Body, type TestServer } from '../server.js';

const start = Date.parse('2126-04-20T12:00:00.000Z');
const minute = 60_000;

describe('the heartbeat timer', () => {
  let server: TestServer;
  let now: number;
  let rests: number;

  beforeEach(async () => {
    server = await startServer({ roles: ['api', 'projector', 'scheduler'], clock: 'manual' });
    now = start;
    rests = 0;
    const { bells } = server.ledger;
    const wait = bells.wait.bind(bells);
    bells.wait = (key, ...more) => {
      if (key === heartbeatsBell) rests++;
      return wait(key, ...more);
    };
    await setClock(0);
  });
  afterEach(() => server.stop());

  it('wakes an agent on its own lane an interval after it was registered, and after each of its runs', async () => {
    await agent('coder', 600);
    await setClock(10 * minute - 1);
    await rested();
    expect(await ticks('coder')).toEqual([]);
    await setClock(1);
    expect(await tick('coder', 1)).toMatchObject({
      source: 'timer',
      trigger: 'system',
      reason: 'heartbeat_timer',
      requestedBy: 'system:scheduler',
      requestedAt: iso(start + 10 * minute),
      run: 'heartbeat~coder.1',
    });
    await setClock(5 * minute);
    await run('coder');
    await setClock(10 * minute - 1);
    await rested();
    expect(await ticks('coder')).toHaveLength(1);
    await setClock(1);
    expect(await tick('coder', 2)).toMatchObject({ requestedAt: iso(start + 25 * minute), run: 'heartbeat~coder.2' });
  });

  it('[B 1.2] writes nothing during a run that is longer than its interval', async () => {
    await agent('coder', 30);
    await setClock(30_000);
    await tick('coder', 1);
    const lease = await claim('coder');
    const before = await head();
    for (let n = 0; n < 20; n++) {
      await setClock(30_000);
      await rested();
    }
    await post('wakeups', { agent: 'coder', source: 'timer', trigger: 'system', reason: 'heartbeat_timer' });
    expect(await head()).toBe(before);
    await finish(lease);
    await setClock(30_000);
    await tick('coder', 2);
  });

  it('leaves a parked retry of its own lane alone', async () => {
    await agent('coder', 30);
    await setClock(30_000);
    await tick('coder', 1);
    await finish(await claim('coder'), { outcome: 'failed', error: '429 rate limited' });
    await setClock(31_000);
    await rested();
    expect(await ticks('coder')).toHaveLength(1);
  });

  it('has one tick wait as long as the company is held, the agent is paused, or it works elsewhere', async () => {
    await agent('coder', 60);
    await post('hold', { reason: 'freeze' });
    for (let n = 0; n < 5; n++) await setClock(minute).then(rested);
    expect(await ticks('coder')).toMatchObject([{ status: 'queued', held: true }]);
    await post('release');
    await run('coder');
    await post('agents/coder/pause', { reason: 'too noisy' });
    for (let n = 0; n < 5; n++) await setClock(minute).then(rested);
    expect(await ticks('coder')).toHaveLength(1);
    await post('agents/coder/resume');
    await tick('coder', 2);
  });

  it('does not stop for a lane that is closed, nor fill the log with its refusals', async () => {
    await agent('coder', 20);
    await setClock(20_000);
    await tick('coder', 1);
    await run('coder');
    await post('tasks/heartbeat~coder/status', { status: 'done' });
    for (let n = 0; n < 9; n++) await setClock(20_000).then(rested);
    const refused = (await ticks('coder')).filter(({ status }) => status === 'skipped');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThanOrEqual(3);
    await post('tasks/heartbeat~coder/status', { status: 'todo' });
    await run('coder');
    await setClock(20_000);
    await until('a tick that is taken', async () => (await ticks('coder'))[0]?.['status'] === 'queued');
  });

  it('wakes each of many agents once, whoever else watches over them', async () => {
    const other = await startServer({ roles: ['projector', 'scheduler', 'api'], clock: 'manual', database: server.database });
    const names = Array.from({ length: 60 }, (_, n) => `agent-${n}`);
    await Promise.all(names.map((name) => agent(name, 60)));
    await setClock(minute);
    await until('all ticks', async () => (await queuedRuns()) === names.length);
    await rested();
    expect(await queuedRuns()).toBe(names.length);
    const { rows } = await server.database.pool.query<{ count: number }>(
      `select count(*) as count from events where type = 'WakeupRequested'`,
    );
    expect(rows[0]?.count).toBe(names.length);
    await other.stop();
  });

  const iso = (ms: number) => new Date(ms).toISOString();

  async function setClock(ms: number): Promise<void> {
    now += ms;
    await ok(server.api('PUT', '/v1/clock', { now: iso(now) }));
  }

  const agent = (name: string, intervalSec: number) =>
    ok(server.api('PUT', `agents/${name}`, { policy: { heartbeat: { enabled: true, intervalSec } } }));
  const post = (path: string, body: object = {}) => ok(server.api('POST', path, body));

  async function ok(answer: ReturnType<TestServer['api']>): Promise<Body> {
    const { status, body } = await answer;
    if (status >= 300) throw new Error(`${status}: ${JSON.stringify(body)}`);
    return body;
  }

  const ticks = async (name: string) =>
    (await ok(server.api('GET', `wakeups?agent=${name}&reason=heartbeat_timer`)))['items'] as unknown as Body[];

  const tick = (name: string, n: number) =>
    until(`tick ${n} of ${name}`, async () => {
      const found = await ticks(name);
      return found.length === n && found[0];
    });

  async function claim(name: string) {
    const body = { workerId: 'laptop', requestId: `claim-${now}` };
    const { runs } = await ok(server.api('POST', `agents/${name}/claims?wait=5`, body));
    return runs![0]!;
  }

  const finish = (held: Body, ending: object = { outcome: 'succeeded' }) =>
    post(`runs/${held['run']!['id']}/finish`, { lease: held['lease']!['token'], ...ending });

  const run = async (name: string) => finish(await claim(name));

  const head = async () => (await ok(server.api('GET', '/v1/projections')))['head'];

  const queuedRuns = async () => {
    const { rows } = await server.database.pool.query<{ count: number }>(
      'select count(*) as count from due_heartbeats_v1.due_heartbeats where own_runs > 0',
    );
    return rows[0]?.count;
  };

  /** The timer has looked at the time as it is now, and found nothing more to do: the second of these looks began after this call. */
  async function rested(): Promise<void> {
    for (let n = 0; n < 2; n++) {
      const before = rests;
      await until('a timer at rest', () => {
        server.ledger.bells.ring(heartbeatsBell);
        return rests > before;
      });
    }
  }
});
