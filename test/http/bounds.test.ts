import { agentStream, nameUuid, taskStream, type NewEvent, type StreamId } from '../../src/events/event.js';
import type { LedgerEvent } from '../../src/events/ledger-event.js';
import type { Write } from '../../src/event-store/event-store.js';
import { createPool } from '../../src/database.js';
import { AgentsQueries } from '../../src/projections/agent-queries.js';
import { projectionsOfTheLedger } from '../../src/projections/all.js';
import { DashboardQueries } from '../../src/projections/dashboard-queries.js';
import { ReadModels } from '../../src/projections/read-models.js';
import { metadata } from '../event-store/contract.js';
import { fact, failed, opened, parked, policy, queued, requested, started, succeeded, timedOut, wakeup } from '../facts.js';
import { startServer, type Body, type TestServer } from '../server.js';

let server: TestServer;
let head: string;

beforeAll(async () => {
  server = await startServer({ clock: 'manual' });
  await server.api('PUT', '/v1/clock', { now: '2030-01-15T23:59:59.999Z' });
  await many();
  await fortnight();
  await caughtUp();
  await server.database.pool.query('analyze');
}, 120_000);
afterAll(() => server.stop());

async function caughtUp(): Promise<void> {
  const { store, progress } = server.ledger;
  head = await store.head();
  await progress.reached(
    projectionsOfTheLedger.map(({ name }) => name),
    head,
    100_000,
  );
}

const get = async (path: string): Promise<Body> => {
  const { status, body } = await server.api('GET', path, undefined, { 'ledger-min-position': head });
  expect({ path, status }).toEqual({ path, status: 200 });
  return body;
};
const items = (body: Body): Body[] => Object.values(body.items!);
const sizeOf = async (path: string): Promise<number> => items(await get(path)).length;

const history = (stream: StreamId, facts: readonly LedgerEvent[]): Write<LedgerEvent> => {
  const events = facts.map((event, n): NewEvent<LedgerEvent> => ({ ...event, id: nameUuid(stream, n), schema: 1 }));
  return { stream, expectedRevision: 'no-stream', events, metadata };
};

async function happen(...writes: readonly Write<LedgerEvent>[]): Promise<void> {
  const results = await server.ledger.store.append(writes);
  expect(new Set(results.map(({ outcome }) => outcome))).toEqual(new Set(['appended']));
}

const registered = (agent: string): LedgerEvent => ({
  type: 'AgentRegistered',
  data: { agent, name: agent, adapter: 'process', manager: null, policy, registeredAt: '2030-01-01T00:00:00.000Z' },
});

/** acme: 300 agents, of which one is paused and one was terminated, and 1,100 tasks of the first of them with a run that waits. */
async function many(): Promise<void> {
  const agents = Array.from({ length: 300 }, (_, n) => {
    const agent = `agent-${n}`;
    const because = { agent, reason: 'because' };
    const then: Record<number, LedgerEvent> = {
      1: { type: 'AgentPaused', data: { ...because, interrupt: true, pausedAt: '2030-01-01T00:00:00.000Z' } },
      2: { type: 'AgentTerminated', data: { ...because, terminatedAt: '2030-01-01T00:00:00.000Z' } },
    };
    return history(agentStream('acme', agent), [registered(agent), ...(then[n] ? [then[n]] : [])]);
  });
  await happen(...agents);
  const waiting = Array.from({ length: 1_100 }, (_, n) => {
    const task = `B-${n}`;
    const first = { runId: `${task}.1`, chain: `${task}.1`, agent: 'agent-0' };
    const demand = requested(n, { agent: 'agent-0' });
    return history(taskStream('acme', task), [
      opened({ task, assignee: 'agent-0', parent: n > 0 && n < 4 ? 'B-0' : null }),
      demand,
      queued(n, { ...first, wakeupIds: [wakeup(n)], queuedAt: `2030-01-15T${String(n % 24).padStart(2, '0')}:00:00.000Z` }),
    ]);
  });
  await happen(...waiting);
}

/** globex: a task with a run on each of four days, and the retry of one of them. */
async function fortnight(): Promise<void> {
  const on = (task: string, day: string) => ({
    runId: `${task}.1`,
    wakeupIds: [wakeup(Number(day))],
    queuedAt: `2030-01-${day}T23:59:59.999Z`,
  });
  const ran = (task: string, day: string) => [
    opened({ task }),
    requested(Number(day)),
    queued(1, { ...on(task, day), chain: `${task}.1` }),
    started(1, on(task, day)),
  ];
  const of = (task: string, ...facts: readonly LedgerEvent[]) => happen(history(taskStream('globex', task), facts));
  await of('A', ...ran('A', '01'), failed(1, on('A', '01')));
  await of('B', ...ran('B', '02'), fact('RunTimedOut', { ...timedOut(1).data, ...on('B', '02') }));
  const retry = parked(2, { ...on('C', '08'), wakeupIds: [wakeup(20)], runId: 'C.2', retryOf: 'C.1', chain: 'C.1' });
  await of('C', ...ran('C', '08'), failed(1, on('C', '08')), requested(20), retry);
  await of('D', ...ran('D', '15'), fact('RunSucceeded', { ...succeeded(1).data, ...on('D', '15') }));
}

describe('a list', () => {
  it.each([
    ['activity', 100],
    ['activity?limit=0', 1],
    ['activity?limit=-7', 1],
    ['activity?limit=9999', 500],
    ['activity?limit=x', 100],
    ['activity?limit=', 100],
    ['activity?limit=7.9', 7],
  ])('case 81: the feed bounds its pages: GET %s has %i lines', async (path, size) => {
    expect(await sizeOf(path)).toBe(size);
  });

  it.each([
    ['runs?limit=abc', 50],
    ['runs?limit=5000', 1_000],
    ['runs', 50],
    ['wakeups?limit=abc', 50],
    ['wakeups?limit=5000', 1_000],
    ['tasks?limit=NaN', 50],
    ['tasks?limit=1e9', 1_000],
    ['agents?limit=Infinity', 50],
    ['agents?limit=5000', 300],
  ])('case 83: takes the default for what is no number, and 1,000 at most: GET %s has %i items', async (path, size) => {
    expect(await sizeOf(path)).toBe(size);
  });

  it.each(['', 'agent=agent-0&', 'task=B-7&task=B-8&', 'agent=agent-1&agent=agent-2&', 'actor=ada&run=B-7.1&run=B-8.1&'])(
    'of activity goes on where its page ended, and has every line once: %s',
    async (filter) => {
      const whole = await pages(`activity?limit=500&`);
      const fields = new URLSearchParams(filter);
      const fits = (line: Body) =>
        [...new Set(fields.keys())].every((name) => {
          const value = name === 'actor' ? line.actor!.id : line[name];
          return fields.getAll(name).includes(String(value));
        });
      const found = await pages(`activity?limit=499&${filter}`);
      expect(found.map(({ position }) => position)).toEqual(whole.filter(fits).map(({ position }) => position));
      expect(found.length).toBeGreaterThan(1);
    },
  );
});

async function pages(path: string): Promise<Body[]> {
  const found: Body[] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined;) {
    const body = await get(`${path}${cursor && `cursor=${cursor}`}`);
    found.push(...items(body));
    cursor = body.next;
  }
  return found;
}

describe('the dashboard', () => {
  it('case 82: has 14 UTC days with those on which nothing was queued; late is failed, parked is other', async () => {
    const { runActivity } = await get('/v1/companies/globex/dashboard');
    const none = { succeeded: 0, failed: 0, other: 0, total: 0 };
    const day = (n: number) => `2030-01-${String(n).padStart(2, '0')}`;
    const expected = Array.from({ length: 14 }, (_, n) => ({ date: day(n + 2), ...none }));
    expected[0] = { date: day(2), ...none, failed: 1, total: 1 };
    expected[6] = { date: day(8), ...none, failed: 1, other: 1, total: 2 };
    expected[13] = { date: day(15), ...none, succeeded: 1, total: 1 };
    expect(runActivity).toEqual(expected);
  });

  it('says how many there are of everything', async () => {
    expect(await get('dashboard')).toMatchObject({
      agents: { active: 298, paused: 1, terminated: 1 },
      tasks: { open: 1_100, inProgress: 0, blocked: 0, done: 0 },
      runs: { queued: 1_100, running: 0, parked: 0 },
    });
  });

  it('is there for a company of which nothing is known, as companies come into being by use', async () => {
    expect(await get('/v1/companies/initech/dashboard')).toMatchObject({
      agents: { active: 0, paused: 0, terminated: 0 },
      tasks: { open: 0 },
      runs: { queued: 0, running: 0, parked: 0 },
    });
    expect(await get('/v1/companies/initech/activity')).toEqual({ items: [] });
  });
});

describe('whoever looks', () => {
  it('has no rows counted for the dashboard', async () => {
    expect(
      await rowsRead((readModels) => new DashboardQueries(readModels).get('acme', new Date('2030-01-15T12:00:00Z'))),
    ).toBeLessThan(20);
  });

  it('has no run looked at for agents of which nothing is held, or all', async () => {
    const agents = (readModels: ReadModels) => new AgentsQueries(readModels).list('acme', { limit: 20 });
    expect(await rowsRead(agents)).toBeLessThan(100);
    await server.api('POST', '/v1/companies/acme/hold', { reason: 'holidays' });
    await caughtUp();
    expect(items(await get('agents'))[0]!.counts).toMatchObject({ queued: 1_100, held: 1_100 });
    expect(await rowsRead(agents)).toBeLessThan(100);
    await server.api('POST', '/v1/companies/acme/release', {});
  });

  it('has the runs of held tasks counted, and no others', async () => {
    await server.api('POST', 'tasks/B-0/hold', { subtree: true });
    await caughtUp();
    expect(items(await get('agents'))[0]!.counts).toMatchObject({ queued: 1_100, held: 4 });
    expect(await rowsRead((readModels) => new AgentsQueries(readModels).list('acme', { limit: 20 }))).toBeLessThan(150);
  });
});

/** Of all read models, by everything that is asked meanwhile: one connection, one transaction. */
async function rowsRead(ask: (readModels: ReadModels) => Promise<unknown>): Promise<number> {
  const pool = createPool(server.database.url, 'read', 1);
  await pool.query('begin');
  await ask(new ReadModels(pool, projectionsOfTheLedger));
  const { rows } = await pool.query<{ read: number }>(`
    select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::int as read
    from pg_stat_xact_user_tables
    where schemaname <> 'public'`);
  await pool.end();
  return rows[0]!.read;
}
