import { randomUUID } from 'node:crypto';
import { shouldBeRunning, unexplained } from '../../src/projections/why/should-be-running.js';
import { startServer, type Body, type TestServer } from '../server.js';

/** Work of three kinds that stands still for no reason, as the ledger by itself would never leave it. */
describe('work that should be running', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer({ roles: ['api', 'projector'], clock: 'manual' });
    for (const agent of ['asking', 'parking', 'passing']) {
      await send('PUT', `agents/${agent}`, { policy: { retry: { delaysMs: [1_000] } } });
      await send('PUT', `tasks/${agent}-1`, { title: agent, assignee: agent });
    }
    await work('parking', { outcome: 'failed', error: '429', errorFamily: 'quota' });
    await work('passing', { outcome: 'succeeded' });
    await advance(60_000);
    await caughtUp();
    await query(`update wakeup_requests_v1.wakeup_requests set status = 'deferred' where agent = 'passing'`);
    await query(`insert into workers values ('acme', 'asking', 'w', ledger_now(), ledger_now())`);
    // Its beats come from the future, so that however long this takes it is alive.
    await query(
      `insert into processes (holder, host, pid, roles, started_at, seen_at)
       values (gen_random_uuid(), 'other', 1, '{promoter}', clock_timestamp() - interval '1 min', clock_timestamp() + interval '1 h')`,
    );
  });
  afterAll(() => server.stop());

  const found = async () => (await unexplained(server.ledger)).map(({ id }) => id);

  it('is counted over the whole ledger, with an example', async () => {
    expect(await shouldBeRunning(server.ledger)).toEqual({ count: 3, first: { company: 'acme', id: 'asking-1.1' } });
  });

  it('is none when the company is held, whatever else there is, but for the demand that waits for nothing', async () => {
    await send('POST', '/v1/companies/acme/hold');
    await caughtUp();
    expect(await found()).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/)]);
    await send('POST', '/v1/companies/acme/release');
    await query(`update wakeup_requests_v1.wakeup_requests set status = 'completed' where agent = 'passing'`);
    await caughtUp();
  });

  it.each<[string, () => Promise<unknown>, () => Promise<unknown>, string]>([
    ['whose agent is paused', () => send('POST', 'agents/asking/pause'), () => send('POST', 'agents/asking/resume'), 'asking'],
    ['whose task is held', () => send('POST', 'tasks/asking-1/hold'), () => send('POST', 'tasks/asking-1/release'), 'asking'],
    ['whose retry is held', () => send('POST', 'tasks/parking-1/hold'), () => send('POST', 'tasks/parking-1/release'), 'parking'],
    [
      'that nobody promotes',
      () => query(`update processes set seen_at = clock_timestamp() - interval '1 min' where host = 'other'`),
      () => query(`update processes set seen_at = clock_timestamp() + interval '1 h' where host = 'other'`),
      'parking',
    ],
    [
      'whose promoter was killed a moment before it was due',
      () => query(`update processes set seen_at = clock_timestamp() - interval '12 s' where host = 'other'`),
      () => query(`update processes set seen_at = clock_timestamp() + interval '1 h' where host = 'other'`),
      'parking',
    ],
    [
      'whose promoter has just begun',
      () => query(`update processes set started_at = clock_timestamp() where host = 'other'`),
      () => query(`update processes set started_at = clock_timestamp() - interval '1 min' where host = 'other'`),
      'parking',
    ],
    [
      'that no worker has asked for lately',
      () => query(`update workers set asked_at = asked_at - interval '31 s'`),
      () => query(`update workers set asked_at = ledger_now()`),
      'asking',
    ],
    [
      'on a lane that somebody has',
      () =>
        query(
          `insert into lane_leases values ('acme', 'asking-1', 'asking-1.0', 'asking', 'w', 'r', 't', 30000, ledger_now() + interval '30 s')`,
        ),
      () => query(`delete from lane_leases where task = 'asking-1'`),
      'asking',
    ],
  ])('is none of what is explained: work %s', async (_, explain, undo, agent) => {
    await explain();
    await caughtUp();
    expect(await found()).toEqual(['asking-1.1', 'parking-1.2'].filter((id) => !id.startsWith(agent)));
    await undo();
    await advance(15_000);
    await query(`update workers set asked_at = ledger_now()`);
    await caughtUp();
    expect(await found()).toHaveLength(2);
  });

  it('is a fire that nobody goes with, though the policy that would is there', async () => {
    await send('PUT', 'routines/nightly', { title: 'Test it', agent: 'passing', triggers: [] });
    for (const _ of [1, 2]) await send('POST', 'routines/nightly/fire');
    await caughtUp();
    await query(`update routine_fires_v1.routine_fires set fired_at = ledger_now() - interval '11 s'`);
    await query(`update routine_fires_v1.routine_fires set outcome = 'pending' where n = 1`);
    const fires = async () => (await found()).filter((id) => id.includes('@'));
    await query(`insert into policy_checkpoints (policy, term, position) values ('routines', 1, lpad('1', 16, '0'))`);
    const policies = (roles: string) => query(`update processes set roles = '{promoter, ${roles}}' where host = 'other'`);
    const park = `insert into parked_reactions (policy, stream, position, event_stream, event_revision, command_id, error)
       values ('routines', 'task-acme.nightly~1', '', 'routine-acme.nightly', 1, gen_random_uuid(), 'no such thing')`;
    expect(await fires()).toEqual([]);
    await policies('policies');
    expect(await fires()).toEqual(['nightly@1']);
    await query(`update processes set started_at = clock_timestamp() where host = 'other'`);
    expect(await fires()).toEqual([]);
    await query(`update processes set started_at = clock_timestamp() - interval '1 min' where host = 'other'`);
    await query(park);
    expect(await fires()).toEqual([]);
    await query('delete from parked_reactions');
    await query(`update policy_checkpoints set position = ''`);
    expect(await fires()).toEqual([]);
    await query(`update policy_checkpoints set position = lpad('1', 16, '0')`);
    expect(await fires()).toEqual(['nightly@1']);
    const far = { readModels: server.ledger.readModels, store: { head: async () => '1'.padStart(16, '2'), count: farApart } };
    expect((await unexplained(far)).filter(({ id }) => id.includes('@'))).toEqual([]);
  });

  /** A log in which the policy has 1,001 events before it. */
  const farApart = async ({ upTo }: { upTo: string }) => (upTo === '1'.padStart(16, '0') ? 1 : 1_002);

  async function send(method: string, path: string, body: object = {}): Promise<Body> {
    const answer = await server.api(method, path, body, { 'x-actor': 'user:alice' });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  async function work(agent: string, ending: object): Promise<void> {
    const { runs } = await send('POST', `agents/${agent}/claims`, { workerId: 'gone', requestId: randomUUID() });
    const { run, lease } = runs![0]!;
    await send('POST', `runs/${run!.id}/finish`, { lease: lease!.token, ...ending });
  }

  async function advance(ms: number): Promise<void> {
    const { body } = await server.api('GET', '/v1/clock');
    await send('PUT', '/v1/clock', { now: new Date(Date.parse(body.now!) + ms).toISOString() });
  }

  const query = (text: string) => server.database.pool.query(text);

  async function caughtUp(): Promise<void> {
    const { store, progress } = server.ledger;
    await progress.reached(
      ['ready_runs', 'due_retries', 'holds', 'agents', 'run_status', 'wakeup_requests', 'routine_fires'],
      await store.head(),
    );
  }
});
