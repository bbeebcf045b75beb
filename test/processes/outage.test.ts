import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { createPool } from '../../src/database.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/embedded-postgres.js';
import { postmaster, within } from '../../src/embedded-postgres/postmaster.js';
import { policiesOfTheLedger } from '../../src/policies/all.js';
import { projectionsOfTheLedger } from '../../src/projections/all.js';
import { seeded } from '../projections/history.js';
import { ask, get, post, put } from './ask.js';
import { endAll, serveLedger, type LedgerServer } from './ledger-server.js';
import { Load } from './load.js';
import { caughtUp, faultsOf, lostCommands, readLog, unfaithful } from './log-checks.js';
import { failedRun } from './runs.js';
import { until } from './until.js';

jest.setTimeout(120_000);

const awayMs = 10_000;
/** The term of an owner is 15 s: who is well below that has not waited for what it had itself. */
const belowOwnTermMs = 10_000;
/** Whatever follows the log says once that it does not go on, and once that it does; and twenty for all else. */
const mostSentences = 2 * (projectionsOfTheLedger.length + policiesOfTheLedger.length) + 20;

describe('a server whose Postgres goes away under load', () => {
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
  let home: string;
  let postgres: EmbeddedPostgres;
  let server: LedgerServer;
  let pool: pg.Pool;
  let load: Load;

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'run-ledger-outage-'));
    chmodSync(home, 0o755);
    postgres = await startEmbeddedPostgres({ home });
    server = await serveLedger({ DATABASE_URL: postgres.url, LEDGER_HOME: home });
    pool = createPool(postgres.url, 'admin');
  });
  afterEach(() => load.stop());
  afterAll(async () => {
    await endAll();
    await pool.end();
    const left = postmaster(postgres.dataDir);
    if (left) process.kill(left.pid, 'SIGQUIT');
    await within(10_000, () => (postmaster(postgres.dataDir) ? undefined : true));
    rmSync(home, { recursive: true, force: true });
  });

  it.each(['SIGKILL', 'SIGQUIT'] as const)(
    `loses nothing by a %s of ten seconds, and goes on by itself (SEED=${seed})`,
    async (signal) => {
      load = new Load(() => server.url, seeded(seed), signal.toLowerCase());
      load.start(6);
      await put(server.url, `agents/due-${signal}`, { policy: { retry: { delaysMs: [3_000, 600_000], jitterRatio: 0 } } });
      await put(server.url, `agents/lost-${signal}`, { policy: { retry: { delaysMs: [600_000], jitterRatio: 0 } } });
      await until('some commands under way', () => load.acknowledged.length > 20);
      const lost = await startedRun(`lost-${signal}`);
      const failed = await failedRun(server.url, `due-${signal}`);
      const before = server.log.length;

      process.kill(postgres.pid, signal);
      const problems = await problemsWhileAway();
      postgres = await startEmbeddedPostgres({ home });
      await until('a ready server', async () => (await get(server.url, '/readyz')).status === 200, belowOwnTermMs);
      await until('the retry that was due while Postgres was away', async () => (await status(failed.next.run)) === 'queued');
      await until('the loss that the reaper reports', async () => (await status(lost)) === 'cancelled', 20_000);
      const count = load.acknowledged.length;
      await until('commands that go on', () => load.acknowledged.length > count + 20);
      await load.stop();
      await caughtUp(server.url);

      const log = await readLog(postgres.url);
      expect(load.unexpected).toEqual([]);
      expect(Object.keys(problems).filter((code) => !expectedProblems.includes(code))).toEqual([]);
      expect(await lostCommands(postgres.url, load.acknowledged, log)).toEqual([]);
      expect(faultsOf(log, 3)).toEqual([]);
      expect(server.log.slice(before).length).toBeLessThan(mostSentences);
      expect(server.isRunning).toBe(true);
      await until(
        'read models that equal a fold of the log',
        async () => (await unfaithful(pool, await readLog(postgres.url))).length === 0,
      );
    },
  );

  it(`loses nothing by storms that cut every connection (SEED=${seed})`, async () => {
    load = new Load(() => server.url, seeded(seed), 'storm');
    load.start(6);
    let slowest = 0;
    for (let storm = 0; storm < 15; storm += 1) {
      const enough = load.acknowledged.length + 8;
      const began = performance.now();
      await until('some acknowledged commands', () => load.acknowledged.length >= enough);
      slowest = Math.max(slowest, performance.now() - began);
      await pool.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and application_name like 'run-ledger %'`,
      );
    }
    const calm = performance.now();
    await load.stop();
    await caughtUp(server.url);
    slowest = Math.max(slowest, performance.now() - calm);
    const log = await readLog(postgres.url);
    expect(slowest).toBeLessThan(belowOwnTermMs);
    expect(load.unexpected).toEqual([]);
    expect(await lostCommands(postgres.url, load.acknowledged, log)).toEqual([]);
    expect(faultsOf(log, 3)).toEqual([]);
    await until(
      'read models that equal a fold of the log',
      async () => (await unfaithful(pool, await readLog(postgres.url))).length === 0,
    );
  });

  /** Reads and commands of every kind, again and again; what was answered, by code. */
  async function problemsWhileAway(): Promise<Record<string, number>> {
    const problems: Record<string, number> = {};
    const until = performance.now() + awayMs;
    const requests = [
      { method: 'GET', path: 'runs' },
      { method: 'GET', path: 'dashboard' },
      { method: 'GET', path: '/readyz' },
      { method: 'GET', path: '/v1/doctor' },
      { method: 'POST', path: 'retries/promote-due', body: {} },
      { method: 'POST', path: 'runs/none.1/beat', body: { lease: 'none' } },
      { method: 'PUT', path: 'tasks/away', body: { title: 'Away' } },
    ];
    const each = async (request: (typeof requests)[number]) => {
      while (performance.now() < until) {
        const { status, body, text } = await ask(server.url, request);
        const code = status === 503 && body.retryable === true ? String(body.code) : `${status} ${text}`;
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
