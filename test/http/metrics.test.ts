import { until } from '../projections/until.js';
import { OwnPostgres } from '../own-postgres.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { startServer, type TestServer } from '../server.js';
import { parseMetrics } from './metrics.js';
import { Reader } from './reader.js';

async function metricsOf(server: TestServer): Promise<Map<string, number>> {
  const { status, body } = await server.api('GET', '/metrics');
  if (status !== 200) throw new Error(`GET /metrics answers ${status}: ${JSON.stringify(body)}`);
  return parseMetrics(body);
}

/** Answers the first scrape that says so. */
async function becomes(server: TestServer, sample: string, value: number): Promise<Map<string, number>> {
  let metrics = new Map<string, number>();
  await until(`${sample} ${value}`, async () => (metrics = await metricsOf(server)).get(sample) === value, 20_000);
  return metrics;
}

async function send(server: TestServer, method: string, path: string, body?: object): Promise<void> {
  const answer = await server.api(method, path, body, { 'x-actor': 'user:alice' });
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
}

describe('the metrics of a server that does all', () => {
  let server: TestServer;

  beforeAll(async () => (server = await startServer({ roles: ['api', 'projector', 'policies'] })));
  afterAll(() => server.stop());

  it('are in the text format of Prometheus, the same for all who ask at once', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => server.api('GET', '/metrics')));
    expect(answers[0]!.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
    const metrics = parseMetrics(answers[0]!.body);
    expect(metrics.get('ledger_database_scrape_success')).toBe(1);
    expect(metrics.get('ledger_should_be_running')).toBe(0);
    expect(metrics.get('process_resident_memory_bytes')).toBeGreaterThan(1024 ** 2);
    expect(metrics.get('process_start_time_seconds')).toBeLessThan(Date.now() / 1_000);
    expect(metrics.has('nodejs_eventloop_lag_p99_seconds')).toBe(true);
  });

  it('say which roles are taken care of', async () => {
    await server.database.pool.query(
      `insert into processes (holder, host, pid, roles, seen_at)
       values (gen_random_uuid(), 'other', 1, '{api,promoter}', clock_timestamp() + interval '1 h'),
              (gen_random_uuid(), 'gone', 1, '{api,reaper}', clock_timestamp() - interval '16 s')`,
    );
    const metrics = await becomes(server, 'ledger_processes{role="promoter"}', 1);
    const others = ['api', 'projector', 'policies', 'reaper', 'scheduler'];
    expect(others.map((role) => metrics.get(`ledger_processes{role="${role}"}`))).toEqual([2, 1, 1, 0, 0]);
  });

  it('count what the policies send, and how far they are', async () => {
    await send(server, 'PUT', 'agents/coder', {});
    await send(server, 'PUT', 'tasks/FIRST', { title: 'first' });
    await send(server, 'PUT', 'tasks/THEN', { title: 'then', assignee: 'coder', blockedBy: ['FIRST'] });
    await becomes(server, 'ledger_policy_reactions_total{policy="blockers",outcome="sent"}', 1);
    await send(server, 'POST', 'tasks/FIRST/status', { status: 'done' });
    await becomes(server, 'ledger_policy_reactions_total{policy="blockers",outcome="sent"}', 2);
    const metrics = await becomes(server, 'ledger_policy_lag_events{policy="blockers"}', 0);
    expect(metrics.get('ledger_policy_reactions_total{policy="children",outcome="sent"}')).toBe(0);
    expect(metrics.get('ledger_policy_reactions_total{policy="blockers",outcome="refused"}')).toBe(0);
  });

  it('count routines and their fires, and say how long one that is due has waited', async () => {
    const deploy = { id: 'deploy', kind: 'api' };
    const yearly = { id: 'yearly', kind: 'schedule', cron: '0 0 1 1 *' };
    await send(server, 'PUT', 'agents/coder', {});
    await send(server, 'PUT', 'routines/deploys', { title: 'Test it', agent: 'coder', triggers: [deploy, yearly] });
    await send(server, 'PUT', 'routines/idle', { title: 'Test it', triggers: [deploy] });
    for (const trigger of [undefined, 'deploy', undefined]) await send(server, 'POST', 'routines/deploys/fire', { trigger });
    const metrics = await becomes(server, 'ledger_routine_fires{outcome="coalesced"}', 2);
    expect(metrics.get('ledger_routine_fires{outcome="created"}')).toBe(1);
    expect(metrics.get('ledger_routine_fires{outcome="pending"}')).toBe(0);
    expect(metrics.get('ledger_routines{status="active"}')).toBe(1);
    expect(metrics.get('ledger_routines{status="paused"}')).toBe(1);
    expect(metrics.get('ledger_routines{status="archived"}')).toBe(0);
    expect(metrics.get('ledger_routines_overdue_seconds')).toBe(0);
    await server.database.pool.query(
      `update routines_v1.routines set next_due_at = ledger_now() - interval '90 s' where routine = 'deploys'`,
    );
    await until('it waits', async () => (await metricsOf(server)).get('ledger_routines_overdue_seconds')! >= 90, 20_000);
  });

  it('count the clients that follow the log', async () => {
    await becomes(server, 'ledger_live_streams', 0);
    const reader = await Reader.open(`${server.url}/v1/companies/acme/stream`);
    await becomes(server, 'ledger_live_streams', 1);
    reader.cut();
    await becomes(server, 'ledger_live_streams', 0);
  });
});

describe('the metrics of a ledger in trouble', () => {
  let database: TestDatabase;
  let server: TestServer;
  const query = (text: string) => database.pool.query(text);

  /** A run that a worker asks for in vain; then nobody projects any more. */
  beforeAll(async () => {
    database = await freshDatabase();
    const before = await startServer({ roles: ['api', 'projector'], clock: 'manual', database });
    await send(before, 'PUT', 'agents/asking', {});
    await send(before, 'PUT', 'tasks/asking-1', { title: 'wanted', assignee: 'asking' });
    const { store, progress, projections } = before.ledger;
    const all = projections.map(({ name }) => name);
    await until('every read model', async () => progress.reached(all, await store.head()).then(() => true));
    await before.stop();
    server = await startServer({ roles: ['api'], clock: 'manual', database });
    const { body } = await server.api('GET', '/v1/clock');
    await send(server, 'PUT', '/v1/clock', { now: new Date(Date.parse(body.now!) + 60_000).toISOString() });
  });
  afterAll(async () => {
    await server.stop();
    await database.drop();
  });

  it('say how far each read model, each policy and the seals are behind', async () => {
    const before = Number(await server.ledger.store.head());
    await send(server, 'PUT', 'tasks/later-1', { title: 'nobody sees it' });
    await send(server, 'PUT', 'tasks/later-2', { title: 'nor this' });
    const head = Number(await server.ledger.store.head());
    expect(head - before).toBeGreaterThanOrEqual(2);
    const metrics = await becomes(server, 'ledger_events', head);
    for (const { name, version } of server.ledger.projections) {
      const labels = `{projection="${name}",read_model="${name}_v${version}",live="true"}`;
      expect([labels, metrics.get(`ledger_read_model_lag_events${labels}`)]).toEqual([labels, head - before]);
      expect(metrics.get(`ledger_read_model_halted${labels}`)).toBe(0);
    }
    expect(metrics.get('ledger_policy_lag_events{policy="holds"}')).toBe(head);
    expect(metrics.get('ledger_seal_lag_events')).toBe(head);
  });

  it('count what is halted and what is parked, each where it is', async () => {
    await query(
      `update checkpoints set halted = 'the log is another' where read_model = 'dashboard_v1';
       insert into policy_checkpoints (policy, term, halted) values ('children', 1, 'the log is another');
       insert into parked_streams values ('tasks_v1', 'task-acme.A', '1', 0, 'e', 'no such column');
       insert into parked_reactions (policy, stream, position, event_stream, event_revision, command_id, error)
       values ('holds', 'task-acme.A', '1', 'task-acme.A', 0, gen_random_uuid(), 'no such lane'),
              ('holds', 'task-acme.A', '2', 'task-acme.A', 1, gen_random_uuid(), 'no such lane')`,
    );
    const metrics = await becomes(server, 'ledger_policy_parked_reactions{policy="holds"}', 2);
    const of = (name: string) => `{projection="${name}",read_model="${name}_v1",live="true"}`;
    expect(metrics.get(`ledger_read_model_halted${of('dashboard')}`)).toBe(1);
    expect(metrics.get(`ledger_read_model_halted${of('tasks')}`)).toBe(0);
    expect(metrics.get(`ledger_read_model_parked_streams${of('tasks')}`)).toBe(1);
    expect(metrics.get(`ledger_read_model_parked_streams${of('dashboard')}`)).toBe(0);
    expect(metrics.get('ledger_policy_halted{policy="children"}')).toBe(1);
    expect(metrics.get('ledger_policy_halted{policy="holds"}')).toBe(0);
    expect(metrics.get('ledger_policy_parked_reactions{policy="children"}')).toBe(0);
  });

  it('count work that should be running when more than one look has found it', async () => {
    await query(`insert into workers values ('acme', 'asking', 'w', ledger_now(), ledger_now())`);
    await send(server, 'PUT', 'tasks/later-3', { title: 'so that a look can be told from those before' });
    const first = await becomes(server, 'ledger_events', Number(await server.ledger.store.head()));
    expect(first.get('ledger_should_be_running')).toBe(0);
    await becomes(server, 'ledger_should_be_running', 1);
    await query(`delete from workers`);
    await becomes(server, 'ledger_should_be_running', 0);
  });
});

describe('the metrics of a server whose Postgres goes away', () => {
  let postgres: OwnPostgres;
  let server: TestServer;

  beforeAll(async () => {
    postgres = await OwnPostgres.start();
    server = await startServer({ roles: ['api'], database: postgres.database() });
  }, 120_000);
  afterAll(async () => {
    await server.stop();
    await server.database.drop();
    await postgres.end();
  });

  it('are what the process knows of itself, and nothing that is no longer so', async () => {
    expect((await metricsOf(server)).get('ledger_events')).toBe(0);
    postgres.crash();
    const metrics = await becomes(server, 'ledger_database_scrape_success', 0);
    const named = [...metrics.keys()].filter((sample) => sample.startsWith('ledger_'));
    expect(named).toEqual(['ledger_database_scrape_success', 'ledger_live_streams', 'ledger_webhook_refusals_total']);
    expect(metrics.has('process_resident_memory_bytes')).toBe(true);
  });
});
