import { seeded } from '../projections/history.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { get, post, put } from './ask.js';
import { endAll, serveLedger, type LedgerServer } from './ledger-server.js';
import { Load } from './load.js';
import { caughtUp, faultsOf, lostCommands, readLog, unfaithful, type Log } from './log-checks.js';
import { parkRetries } from './parked-retries.js';
import { until } from './until.js';

jest.setTimeout(120_000);

/** The term of an owner is 15 s: who is well below that has not waited for a dead one. */
const belowOwnTermMs = 10_000;

describe('two servers on one database', () => {
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
  let database: TestDatabase;
  let first: LedgerServer;
  let second: LedgerServer;
  let loads: Load[];

  beforeEach(async () => {
    database = await freshDatabase();
    first = await serveLedger({ DATABASE_URL: database.url });
    second = await serveLedger({ DATABASE_URL: database.url });
    loads = [];
  });
  afterEach(async () => {
    await Promise.all(loads.map((load) => load.stop()));
    await endAll();
    await database.drop();
  });

  it(`share the work and double nothing, also when one of them stands still for a while (SEED=${seed})`, async () => {
    loads = [load(() => first.url, 'one'), load(() => second.url, 'two')];
    await goOn(loads, 30);
    second.signal('SIGSTOP');
    await goOn([loads[0]!], 40);
    await until('an owner that did not stand still', async () =>
      (await owners()).every(({ pid }) => pid === first.pid || pid === second.pid),
    );
    second.signal('SIGCONT');
    await goOn(loads, 30);
    await expectSound();
  });

  it(`go on at once when the owner of the read models is killed (SEED=${seed})`, async () => {
    expect(new Set((await owners()).map(({ pid }) => pid))).toEqual(new Set([first.pid]));
    loads = [load(() => second.url, 'two')];
    await goOn(loads, 20);
    const terms = new Map((await owners()).map(({ name, term }) => [name, term]));
    await first.end('SIGKILL');
    await caughtUp(second.url, belowOwnTermMs);
    const after = await owners();
    expect(after.every(({ pid }) => pid === second.pid)).toBe(true);
    expect(after.every(({ name, term }) => term === (terms.get(name) ?? 0) + 1)).toBe(true);
    await goOn(loads, 20);
    first = await serveLedger({ DATABASE_URL: database.url });
    await expectSound();
  });

  it('promote ten thousand due retries once each, while ten callers ask both of them for it', async () => {
    await Promise.all([first, second].map((server) => server.end('SIGTERM')));
    const roles = { DATABASE_URL: database.url, LEDGER_ROLES: 'api,projector', LEDGER_CLOCK: 'manual' };
    [first, second] = [await serveLedger(roles), await serveLedger(roles)];
    await parkRetries(first.url, database.url, 10_000);
    await put(first.url, '/v1/clock', { now: new Date(Date.now() + 3_600_000).toISOString() });
    await until(
      'both to follow the clock',
      async () => (await get(second.url, '/v1/clock')).body.now > new Date(Date.now() + 60_000).toISOString(),
    );
    await caughtUp(first.url, 60_000);

    const callers = Array.from({ length: 10 }, (_, i) => promoteAll([first, second][i % 2]!.url));
    const promoted = (await Promise.all(callers)).flat();
    const log = await readLog(database.url);
    const facts = log.filter(({ type }) => type === 'RetryPromoted');
    expect(promoted.reduce((sum, count) => sum + count, 0)).toBe(10_000);
    expect(facts).toHaveLength(10_000);
    expect(new Set(facts.map(({ stream }) => stream)).size).toBe(10_000);
    expect(faultsOf(log, 4)).toEqual([]);
  });

  function load(url: () => string, name: string): Load {
    const started = new Load(url, seeded(seed), name);
    started.start(4);
    return started;
  }

  async function owners(): Promise<{ name: string; pid: number; term: number }[]> {
    const { rows: found } = await database.pool.query(
      `select name, pid, term from owners where name like 'projector %' and expires_at > clock_timestamp()`,
    );
    return found;
  }

  async function expectSound(): Promise<void> {
    await Promise.all(loads.map((each) => each.stop()));
    await until('retries that have all been promoted', async () => (await get(second.url, 'retries')).body.items.length === 0);
    await caughtUp(second.url);
    const log = await readLog(database.url);
    expect(loads.flatMap(({ unexpected }) => unexpected)).toEqual([]);
    expect(
      await lostCommands(
        database.url,
        loads.flatMap(({ acknowledged }) => acknowledged),
        log,
      ),
    ).toEqual([]);
    expect(faultsOf(log, 3)).toEqual([]);
    expect(promotedTwice(log)).toEqual([]);
    await until(
      'read models that equal a fold of the log',
      async () => (await unfaithful(database.pool, await readLog(database.url))).length === 0,
    );
  }
});

const goOn = (loads: readonly Load[], count: number): Promise<unknown> =>
  Promise.all(
    loads.map(({ acknowledged }) => {
      const enough = acknowledged.length + count;
      return until('some acknowledged commands', () => acknowledged.length >= enough);
    }),
  );

/** Asks until it has been told twice that nothing is left. */
async function promoteAll(url: string): Promise<number[]> {
  const counts: number[] = [];
  while (counts.length < 2 || counts.at(-1)! + counts.at(-2)! > 0) {
    const { status, body } = await post(url, 'retries/promote-due');
    if (status === 200) counts.push(body.promoted);
    else if (body?.retryable !== true) throw new Error(`${status} ${JSON.stringify(body)}`);
  }
  return counts;
}

function promotedTwice(log: Log): string[] {
  const runs = log.flatMap((event) => (event.type === 'RetryPromoted' ? [`${event.company} ${event.data.runId}`] : []));
  return runs.filter((run, i) => runs.indexOf(run) !== i);
}
