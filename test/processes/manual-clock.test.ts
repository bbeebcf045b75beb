import { freshDatabase, type TestDatabase } from '../postgres.js';
import { get, post, put } from './ask.js';
import { endAll, exitOf, serveLedger, spawnLedger, type LedgerServer } from './ledger-server.js';
import { claimed, heldRun, tooMany, type Held } from './runs.js';
import { until } from './until.js';

jest.setTimeout(60_000);

const minute = 60_000;
const delays = [2 * minute, 10 * minute, 30 * minute, 120 * minute];

describe('a ledger whose time is set by hand', () => {
  let database: TestDatabase;
  let first: LedgerServer;
  let second: LedgerServer;
  let env: Record<string, string>;

  beforeEach(async () => {
    database = await freshDatabase();
    env = { DATABASE_URL: database.url, LEDGER_CLOCK: 'manual' };
    [first, second] = await Promise.all([serveLedger(env), serveLedger(env)]);
  });
  afterEach(async () => {
    await endAll();
    await database.drop();
  });

  it('waits 2 min, 10 min, 30 min and 2 h to the millisecond, and then gives up', async () => {
    let now = await setClock(first, Date.parse((await clock(first)).now) + 1_000);
    await put(first.url, 'agents/coder', {});
    await put(first.url, 'tasks/ACME-1', { title: 'Translate', assignee: 'coder', status: 'todo' });
    let held = await claimed(first.url, 'coder');
    for (const [i, delay] of delays.entries()) {
      const { next } = await fail(i % 2 === 0 ? first : second, held);
      expect(next).toMatchObject({ kind: 'retry_scheduled', dueAt: iso(now + delay), attempt: i + 1, maxAttempts: 4 });
      await setClock(second, now + delay - 1);
      expect((await post(first.url, 'retries/promote-due')).body).toMatchObject({ promoted: 0, held: 0 });
      expect((await get(first.url, `runs/${next.run}`)).body).toMatchObject({
        status: 'scheduled_retry',
        scheduledRetryAt: iso(now + delay),
      });
      now = await setClock(second, now + delay);
      await until('the promotion', async () => (await get(first.url, `runs/${next.run}`)).body.status === 'queued');
      held = await claimed(first.url, 'coder');
      expect(held.run).toBe(next.run);
    }
    expect((await fail(first, held)).next).toMatchObject({ kind: 'retry_exhausted', attempt: 5, maxAttempts: 4 });
    const asked = await post(first.url, `runs/${held.run}/schedule-retry`);
    expect([asked.status, asked.body]).toMatchObject([200, { outcome: 'retry_exhausted', attempt: 5, maxAttempts: 4 }]);
    expect(
      (await get(first.url, 'tasks/ACME-1/events?limit=500')).body.items.map(({ type }: { type: string }) => type),
    ).toContain('RetryExhausted');
  });

  it.each([
    [0, 90_000],
    [1, 150_000],
  ])('draws %d for chance and then waits %d ms', async (random, delay) => {
    const now = Date.parse((await clock(first)).now);
    await put(first.url, '/v1/clock', { random });
    await until('the other server to follow', async () => (await clock(second)).random === random);
    await put(second.url, 'agents/coder', {});
    const { next } = await fail(second, await heldRun(second.url, 'coder'));
    expect(next.dueAt).toBe(iso(now + delay));
  });

  it('believes a provider no longer than a day', async () => {
    const now = Date.parse((await clock(first)).now);
    await put(first.url, 'agents/coder', {});
    const { next } = await fail(first, await heldRun(first.url, 'coder'), { retryAfter: String(25 * 3_600) });
    expect(next.dueAt).toBe(iso(now + 24 * 60 * minute));
    const { items } = (await get(first.url, 'tasks/heartbeat~coder/events')).body;
    const scheduled = items.find(({ type }: { type: string }) => type === 'RetryScheduled');
    expect(scheduled.data).toMatchObject({ notBefore: iso(now + 25 * 60 * minute), notBeforeCapped: next.dueAt });
  });

  it('has one clock for all servers, through a restart, and never goes back', async () => {
    const now = await setClock(first, Date.parse((await clock(first)).now) + 40 * 24 * 60 * minute);
    const back = await put(second.url, '/v1/clock', { now: iso(now - 1) });
    expect([back.status, back.body.code]).toEqual([409, 'clock_goes_back']);
    await first.end('SIGKILL');
    first = await serveLedger(env);
    expect(await clock(first)).toEqual({ now: iso(now), random: 0.5 });
    await put(first.url, 'agents/coder', {});
    const { rows } = await database.pool.query<{ at: string }>(
      'select recorded_at as at from events order by position desc limit 1',
    );
    expect(rows[0]?.at).toBe(iso(now));
  });

  it('is no longer one for a server that follows the real time, which says so and ends', async () => {
    const { child, log } = await spawnLedger(['serve'], { DATABASE_URL: database.url, PORT: '0' });
    expect((await exitOf(child)).code).not.toBe(0);
    expect(log.join('\n')).toContain(
      'the time of this database is set by hand: start with LEDGER_CLOCK=manual, or use another database',
    );
  });

  /** Answers the time that both servers then have, in ms. */
  async function setClock(server: LedgerServer, ms: number): Promise<number> {
    expect((await put(server.url, '/v1/clock', { now: iso(ms) })).body).toMatchObject({ now: iso(ms) });
    for (const { url } of [first, second])
      await until('a clock that follows', async () => (await get(url, '/v1/clock')).body.now === iso(ms));
    return ms;
  }

  const clock = async ({ url }: LedgerServer): Promise<{ now: string; random: number }> => (await get(url, '/v1/clock')).body;
});

it('offers no clock to set where it follows the real time', async () => {
  const database = await freshDatabase();
  const server = await serveLedger({ DATABASE_URL: database.url });
  expect((await get(server.url, '/v1/clock')).status).toBe(404);
  expect((await put(server.url, '/v1/clock', { now: '2126-01-01T00:00:00Z' })).status).toBe(404);
  await endAll();
  await database.drop();
});

const iso = (ms: number): string => new Date(ms).toISOString();

const fail = async ({ url }: LedgerServer, { run, lease }: Held, more: object = {}) =>
  (await post(url, `runs/${run}/finish`, { lease, ...tooMany, ...more })).body;
