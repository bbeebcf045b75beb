import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { createPool } from '../../src/database.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/embedded-postgres.js';
import { postmaster, within } from '../../src/embedded-postgres/postmaster.js';
import { get, post } from '../processes/ask.js';
import { freePort } from '../processes/free-port.js';
import { endAll, serveLedger, type LedgerServer } from '../processes/ledger-server.js';
import { caughtUp, faultsOf, lostCommands, readLog, unfaithful } from '../processes/log-checks.js';
import { until } from '../processes/until.js';
import { seeded } from '../projections/history.js';
import { agents, alwaysWrites, Operators } from './operators.js';
import { journalOf, Workers } from './workers.js';

/** `npm run test:chaos` kills a hundred times. */
const kills = Number(process.env.CHAOS_KILLS ?? 6);
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
/** Every so many kills, everything comes to rest, and nothing may be left. */
const restEvery = 20;

jest.setTimeout(60_000 + kills * 30_000);

describe(`a ledger whose processes are killed ${kills} times (SEED=${seed})`, () => {
  const draw = seeded(seed);
  const figures = { kills: 0, servers: 0, workers: 0, postgres: 0, rests: 0 };
  let home: string;
  let port: string;
  let postgres: EmbeddedPostgres;
  let pool: pg.Pool;
  let server: LedgerServer;
  let workers: Workers;

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'run-ledger-chaos-'));
    chmodSync(home, 0o755);
    writeFileSync(join(home, 'journal'), '');
    port = String(await freePort());
    postgres = await startEmbeddedPostgres({ home });
    pool = createPool(postgres.url, 'admin');
    server = await serve();
    workers = new Workers(server.url, home);
  });
  afterAll(async () => {
    await workers.stopAll('SIGKILL');
    await endAll();
    await pool.end();
    const left = postmaster(postgres.dataDir);
    if (left) process.kill(left.pid, 'SIGQUIT');
    await within(10_000, () => (postmaster(postgres.dataDir) ? undefined : true));
    rmSync(home, { recursive: true, force: true });
  });

  it('loses nothing that it acknowledged, does nothing twice, and leaves nobody waiting', async () => {
    const operators = new Operators(() => server.url, draw);
    await operators.register();
    await workers.startAll();
    operators.start(4);
    for (let kill = 1; kill <= kills; kill += 1) {
      await atARandomMoment(operators);
      await killSomething();
      await expectSound(operators);
      if (kill % restEvery === 0 || kill === kills) {
        await operators.stop();
        await expectRest(operators);
        if (kill < kills) operators.start(4);
      }
    }
    await expectVerified();
    const { executions } = journalOf(home);
    console.log(
      `seed ${seed}: ${JSON.stringify({ ...figures, acknowledged: operators.acknowledged.length, repeats: operators.repeats, executions, events: (await readLog(postgres.url)).length })}`,
    );
  });

  async function killSomething(): Promise<void> {
    figures.kills += 1;
    // A worker and Postgres take their turns; the server is killed most often.
    const turn = figures.kills % 6;
    if (turn === 2 || turn === 5) return killWorker();
    if (turn === 0) return killPostgres();
    figures.servers += 1;
    await server.end('SIGKILL');
    server = await serve();
  }

  /** Its commands live on; half the time it comes back within their lease, and takes them up again. */
  async function killWorker(): Promise<void> {
    figures.workers += 1;
    const agent = agents[draw(agents.length)]!;
    await workers.kill(agent);
    await workers.start(agent);
  }

  async function killPostgres(): Promise<void> {
    figures.postgres += 1;
    process.kill(postgres.pid, 'SIGKILL');
    await until('a Postgres that is gone', () => postmaster(postgres.dataDir) === undefined);
    postgres = await startEmbeddedPostgres({ home });
    await until('a ready server', async () => (await get(server.url, '/readyz').catch(() => undefined))?.status === 200);
  }

  async function atARandomMoment({ acknowledged }: Operators): Promise<void> {
    const enough = acknowledged.length + 10 + draw(60);
    await until('some acknowledged commands', () => acknowledged.length >= enough, 60_000);
  }

  async function expectSound({ acknowledged, unexpected }: Operators): Promise<void> {
    const known = acknowledged.filter(alwaysWrites);
    const log = await readLog(postgres.url);
    expect(unexpected).toEqual([]);
    expect(await lostCommands(postgres.url, known, log)).toEqual([]);
    expect(faultsOf(log, 2)).toEqual([]);
    expect(journalOf(home).faults).toEqual([]);
  }

  /** Nothing is open any more, everything is accounted for, and every read model is what the log says. */
  async function expectRest(operators: Operators): Promise<void> {
    figures.rests += 1;
    await until('a ledger at rest', async () => (await open()) === 0, 90_000);
    await caughtUp(server.url, 20_000);
    await expectSound(operators);
    await until(
      'read models that equal a fold of the log',
      async () => (await unfaithful(pool, await readLog(postgres.url))).length === 0,
    );
    const { checks } = (await get(server.url, '/v1/doctor')).body;
    expect(checks.filter(({ ok, name }: { ok: boolean; name: string }) => !ok && !name.startsWith('postgres'))).toEqual([]);
  }

  /** As an operator would have it verified: each one built anew beside the live one, by the server, and compared row by row. */
  async function expectVerified(): Promise<void> {
    const { items } = (await get(server.url, '/v1/projections')).body;
    for (const { name } of items) {
      const started = await post(server.url, `/v1/projections/${name}/verify`, { reason: 'after all this' });
      expect(started).toMatchObject({ status: 202 });
      const look = async () => (await get(server.url, `/v1/rebuilds/${started.body.rebuild.id}`)).body;
      await until(`the comparison of ${name}`, async () => (await look()).comparedAt !== undefined, 30_000);
      expect((await look()).comparison).toMatchObject({ agrees: true });
    }
  }

  async function open(): Promise<number> {
    const runs = await get(server.url, 'runs?status=queued&status=running&status=scheduled_retry');
    const wakeups = await get(server.url, 'wakeups?status=queued&status=deferred&status=claimed');
    return runs.body.items.length + wakeups.body.items.length;
  }

  const serve = () => serveLedger({ DATABASE_URL: postgres.url, LEDGER_HOME: home, PORT: port });
});
