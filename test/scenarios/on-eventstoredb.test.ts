import { checkProof } from '../../src/audit/proof.js';
import { readProof } from '../../src/audit/read-proof.js';
import type { Write } from '../../src/event-store/event-store.js';
import { nameUuid, taskStream } from '../../src/events/event.js';
import { operationsStream } from '../../src/events/operations.js';
import { testedServers, type TestedServer } from '../event-store/esdb/servers.js';
import { Reader } from '../http/reader.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { until } from '../processes/until.js';
import { startServer, type Answer, type Body, type TestServer } from '../server.js';

const roles = ['api', 'projector', 'policies', 'promoter', 'reaper', 'scheduler'] as const;

/** The main path of the product over HTTP, one step after another, while an EventStoreDB keeps the events. */
describe.each(testedServers)('a ledger whose events are kept in %s', (_, open) => {
  /** A log that is not new has the streams of others. */
  const company = `c${Date.now().toString(36)}`;
  let esdb: TestedServer;
  let database: TestDatabase;
  let server: TestServer;
  let reader: Reader;
  let hasOtherRebuilds: boolean;
  const said: string[] = [];

  beforeAll(async () => {
    esdb = await open();
    database = await freshDatabase();
    await start();
    hasOtherRebuilds = (await server.ledger.store.readStream(operationsStream, { limit: 1 })).length > 0;
  });
  afterAll(async () => {
    reader.cut();
    await server.stop();
    await database.drop();
    await esdb.end();
  });

  async function start(): Promise<void> {
    const say = (sentence: string) => void said.push(sentence);
    const log = { info: say, warn: say, error: say };
    server = await startServer({ roles, clock: 'manual', database, eventStoreUrl: esdb.url, log });
  }

  const api = (method: string, path: string, body?: object, headers?: Record<string, string>): Promise<Answer> =>
    server.api(method, path.startsWith('/') ? path : `/v1/companies/${company}/${path}`, body, headers);
  const head = () => server.ledger.store.head();
  const shown = async (path: string): Promise<Body> =>
    (await api('GET', path, undefined, { 'ledger-min-position': await head() })).body;
  const done = async (method: string, path: string, body: object = {}): Promise<Body> => {
    const answer = await api(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const items = ({ items: found }: Body): Body[] => found as unknown as Body[];
  const claim = (requestId: string) =>
    until('a run is given', async () => {
      const given = (await done('POST', 'agents/coder/claims', { workerId: 'w', requestId })).runs as unknown as Body[];
      return given.length > 0 && given;
    });
  const eventsOf = async (types: string) => items((await api('GET', `events?types=${types}&limit=1000`)).body);
  const typed = (position: string) => position.replace(/^0+/, '');

  /** As many tasks like one that was opened, without a request for each. */
  async function copies(task: string, count: number): Promise<void> {
    const { store } = server.ledger;
    const [opened] = await store.readStream(taskStream(company, task));
    const { type, schema, data, metadata } = opened!;
    const writes = Array.from({ length: count }, (_, n): Write => ({
      stream: taskStream(company, `${task}-${n}`),
      expectedRevision: 'no-stream',
      events: [{ id: nameUuid(company, task, n), type, schema, data: { ...data, task: `${task}-${n}` } }],
      metadata,
    }));
    for (const { outcome } of await store.append(writes)) expect(outcome).toBe('appended');
  }

  it('runs a task that fails, parks its retry, promotes it when it is due, and succeeds', async () => {
    reader = await Reader.open(`${server.url}/v1/companies/${company}/stream?task=ACME-1`);
    await done('PUT', 'agents/coder', { policy: { retry: { delaysMs: [60_000], jitterRatio: 0 } } });
    await done('PUT', 'tasks/ACME-1', { title: 'Fix the login', assignee: 'coder' });
    const [first] = await claim('r-1');
    expect(await claim('r-1')).toEqual([first]);
    await done('POST', 'runs/ACME-1.1/finish', {
      lease: first!.lease!.token,
      outcome: 'failed',
      error: '429',
      errorFamily: 'transient_upstream',
    });
    expect((await shown('runs/ACME-1.2')).status).toBe('scheduled_retry');
    const { now } = (await api('GET', '/v1/clock')).body;
    await done('PUT', '/v1/clock', { now: new Date(Date.parse(now!) + 61_000).toISOString() });
    await until('the retry is promoted', async () => (await shown('runs/ACME-1.2')).status === 'queued');
    const [second] = await claim('r-2');
    await done('POST', 'runs/ACME-1.2/finish', { lease: second!.lease!.token, outcome: 'succeeded' });
    expect((await shown('runs/ACME-1.2')).status).toBe('succeeded');
    expect(await eventsOf('RetryPromoted')).toHaveLength(1);
  });

  it('tells of it as it happens, each event once, also to who comes back with an id that was typed', async () => {
    const all = items((await api('GET', 'tasks/ACME-1/events?limit=100')).body).map(({ position }) => position);
    await reader.has('all events of the task', ({ events }) => events.length === all.length);
    expect(reader.events.map(({ id }) => id)).toEqual(all);
    expect(all.every((position) => /^\d{20}$/.test(position!))).toBe(true);
    const again = await Reader.open(`${server.url}/v1/companies/${company}/stream?task=ACME-1&lastEventId=${typed(all[2]!)}`);
    await again.has('the rest', ({ events }) => events.length === all.length - 3);
    expect(again.events.map(({ id }) => id)).toEqual(all.slice(3));
    again.cut();
  });

  it('shows how it stood at a time and at a position, and tells its story', async () => {
    const [started] = await eventsOf('RunStarted');
    const asOf = async (query: string) => (await api('GET', `runs/ACME-1.1?${query}`)).body.status;
    expect(await asOf(`asOfPosition=${typed(started!.position!)}`)).toBe('running');
    expect(await asOf(`asOfPosition=${started!.position}`)).toBe('running');
    expect(await asOf(`asOfPosition=${BigInt(started!.position!) - 1n}`)).toBe('queued');
    const [promoted] = await eventsOf('RetryPromoted');
    const before = new Date(Date.parse(promoted!.recordedAt!) - 1).toISOString();
    expect((await api('GET', `runs/ACME-1.2?asOf=${before}`)).body.status).toBe('scheduled_retry');
    // The time stands still, so it is also that of the success.
    expect((await api('GET', `runs/ACME-1.2?asOf=${promoted!.recordedAt}`)).body.status).toBe('succeeded');
    const story = (await api('GET', 'tasks/ACME-1/replay')).body;
    expect(items(story).map(({ type }) => type)).toContain('RetryPromoted');
    expect(story.state).toMatchObject({ runs: { 'ACME-1.2': { status: 'succeeded' } } });
  });

  it('counts lags in events, and seals ranges of the log by count', async () => {
    await done('PUT', 'tasks/B-0', { title: 'B' });
    await copies('B-0', 1_030);
    const followed = items(await shown('/v1/projections'));
    expect(followed.every(({ lag }) => Number(lag) <= 1_030)).toBe(true);
    await until('all have caught up', async () => items(await shown('/v1/projections')).every(({ lag }) => Number(lag) === 0));
    await until('a range is sealed', async () => (await server.ledger.ranges.last()) !== undefined);
    const verified = (await api('GET', '/v1/audit/verify')).body;
    expect(verified).toMatchObject({ ok: true, from: 0 });
    const { first } = (await server.ledger.ranges.get(0))!;
    const proof = await api('GET', `/v1/audit/proof/${typed(first)}`);
    expect(checkProof(readProof(JSON.stringify(proof.body)))).toContain('range 0');
    expect((await api('GET', `/v1/audit/proof/${BigInt(first) + 1n}`)).status).toBe(409);
  });

  it('proves its rows, and builds them anew beside themselves', async () => {
    // A log that is not new has what was built beside the rows of another database.
    if (hasOtherRebuilds) return;
    const phaseOf = async (id: string) => (await api('GET', `/v1/rebuilds/${id}`)).body.phase;
    const begun = async (path: string) => (await done('POST', `/v1/projections/${path}`)).rebuild!.id!;
    const proven = await begun('run_status/verify');
    await until('the rows are proven', async () => (await phaseOf(proven)) === 'verified');
    const built = await begun('tasks/rebuilds');
    await until('the rows are built anew', async () => (await phaseOf(built)) === 'ready');
    expect(await done('POST', `/v1/rebuilds/${built}/cut-over`)).toMatchObject({ live: built });
    expect((await shown('tasks/B-0-7')).title).toBe('B');
  });

  it('answers 503 while the store is away, with few words, and catches up when it is back', async () => {
    const key = { 'idempotency-key': 'k-away' };
    said.length = 0;
    await esdb.proxy.refuse();
    const late = await api('PUT', 'tasks/ACME-2', { title: 'Late' }, key);
    expect([late.status, late.body.retryable]).toEqual([503, true]);
    expect((await api('GET', 'tasks/ACME-1')).status).toBe(200);
    await esdb.proxy.accept();
    await until('it is done', async () => (await api('PUT', 'tasks/ACME-2', { title: 'Late' }, key)).status === 200);
    expect((await shown('tasks/ACME-2')).title).toBe('Late');
    expect(items((await api('GET', 'tasks/ACME-2/events')).body)).toHaveLength(1);
    expect(said.length).toBeLessThan(20);
  });

  it('halts a read model whose last event is not in the log, and says which one it expected', async () => {
    await server.stop();
    const lost = '00000000-0000-4000-8000-000000000000';
    await database.pool.query(`update checkpoints set event_id = $1 where read_model like 'agents_v1%'`, [lost]);
    await start();
    const agents = async () => items((await api('GET', '/v1/projections')).body).find(({ name }) => name === 'agents');
    const halted = await until('it halts', async () => (await agents())?.halted);
    expect(halted).toMatch(new RegExp(`has read event ${lost} .* restored from an older backup, or is another log`));
  });
});
