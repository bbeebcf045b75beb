import type pg from 'pg';
import { createPool } from '../../src/database.js';
import { policiesOfTheLedger } from '../../src/policies/all.js';
import { projectionsOfTheLedger } from '../../src/projections/all.js';
import { seeded } from '../projections/history.js';
import { ask, get, post, put, type Ask } from './ask.js';
import { endAll, serveLedger, type LedgerServer } from './ledger-server.js';
import { Load } from './load.js';
import { caughtUp, faultsOf, lostCommands, unfaithful } from './log-checks.js';
import { outageStores, type OutageStore } from './outage-stores.js';
import { failedRun } from './runs.js';
import { until } from './until.js';

/** `npm run test:processes` has three of thirty seconds. */
const awayMs = Number(process.env.OUTAGE_MS ?? 4_000);

jest.setTimeout(120_000 + 3 * (awayMs + 60_000));

/** The term of an owner is 14 s: who is well below that has not waited for what it had itself. */
const belowOwnTermMs = 10_000;
/** Whatever follows the log says once that it does not go on, and once that it does; and forty for all else. */
const mostSentences = 2 * (projectionsOfTheLedger.length + policiesOfTheLedger.length) + 40;

describe.each(outageStores)('a server whose store goes away under load: %s', (_, startStore, usual) => {
  const outages = Number(process.env.OUTAGES ?? usual);
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
  let store: OutageStore;
  let server: LedgerServer;
  let pool: pg.Pool;
  let load: Load;

  beforeAll(async () => {
    store = await startStore();
    server = await serveLedger(store.settings);
    pool = createPool(store.databaseUrl, 'admin');
  });
  afterEach(() => load.stop());
  afterAll(async () => {
    await endAll();
    await pool.end();
    await store.end();
  });

  it(`loses nothing by ${outages} outages of ${awayMs} ms, and goes on by itself (SEED=${seed})`, async () => {
    load = new Load(() => server.url, seeded(seed), 'outage');
    load.start(6);
    for (let outage = 1; outage <= outages; outage += 1) await goThroughOutage(outage);
    await load.stop();
    await expectSound();
    expect(server.isRunning).toBe(true);
    console.log(`${outages} outages, ${load.acknowledged.length} commands acknowledged, ${JSON.stringify([...load.repeats])}`);
  });

  async function goThroughOutage(n: number): Promise<void> {
    await put(server.url, `agents/due-${n}`, { policy: { retry: { delaysMs: [3_000, 600_000], jitterRatio: 0 } } });
    await put(server.url, `agents/lost-${n}`, { policy: { retry: { delaysMs: [600_000], jitterRatio: 0 } } });
    await goOn();
    const lost = await startedRun(`lost-${n}`);
    const failed = await failedRun(server.url, `due-${n}`);
    const before = server.log.length;

    await store.goAway();
    const problems = await problemsWhileAway();
    expect(Object.keys(problems).filter((code) => !expectedProblems.includes(code))).toEqual([]);
    await store.comeBack();
    await until('a ready server', async () => (await get(server.url, '/readyz')).status === 200, belowOwnTermMs);
    await until('the retry that was due meanwhile', async () => (await status(failed.next.run)) === 'queued');
    await until('the loss that the reaper reports', async () => (await status(lost)) === 'cancelled', 20_000);
    await goOn();
    expect(server.log.slice(before).length).toBeLessThan(mostSentences);
  }

  async function goOn(): Promise<void> {
    const enough = load.acknowledged.length + 20;
    await until('commands that go on', () => load.acknowledged.length > enough);
  }

  async function expectSound(): Promise<void> {
    await caughtUp(server.url);
    const log = await store.readLog();
    expect(load.unexpected).toEqual([]);
    expect(await lostCommands(store.databaseUrl, load.acknowledged, log)).toEqual([]);
    expect(faultsOf(log, 3)).toEqual([]);
    await until(
      'read models that equal a fold of the log',
      async () => (await unfaithful(pool, await store.readLog())).length === 0,
    );
  }

  /** Reads and commands of every kind, again and again: what could not be answered, by code. What needs no more than is there, is. */
  async function problemsWhileAway(): Promise<Record<string, number>> {
    const problems: Record<string, number> = {};
    const until = performance.now() + awayMs;
    const requests: (Ask & { readonly writes?: true })[] = [
      { method: 'GET', path: 'runs' },
      { method: 'GET', path: 'dashboard' },
      { method: 'GET', path: '/readyz' },
      { method: 'GET', path: '/v1/doctor' },
      { method: 'POST', path: 'retries/promote-due', body: {} },
      { method: 'POST', path: 'runs/none.1/beat', body: { lease: 'none' } },
      { method: 'PUT', path: 'tasks/away', body: { title: 'Away' }, writes: true },
    ];
    const each = async (request: (typeof requests)[number]) => {
      while (performance.now() < until) {
        const { status, body, text } = await ask(server.url, request);
        const code = status === 503 && body.retryable === true ? String(body.code) : `${status} ${text}`;
        if (status < 500 && !request.writes) continue;
        problems[code] = (problems[code] ?? 0) + 1;
      }
    };
    await Promise.all(requests.map(each));
    return problems;
  }

  /** A run that nobody beats. */
  async function startedRun(agent: string): Promise<string> {
    await post(server.url, 'wakeups', { agent });
    const claim = { workerId: 'silent', requestId: agent, leaseMs: 5_000 };
    const { body } = await post(server.url, `agents/${agent}/claims?wait=5`, claim);
    return body.runs[0].run.id;
  }

  const status = async (run: string): Promise<string> => (await get(server.url, `runs/${run}`)).body.status;
});

const expectedProblems = ['store_unavailable', 'outcome_unknown', 'projection_behind'];
