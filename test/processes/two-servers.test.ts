import { setTimeout as pause } from 'node:timers/promises';
import { seeded } from '../projections/history.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { get, post, put } from './ask.js';
import { endAll, serveLedger, type LedgerServer } from './ledger-server.js';
import { Load } from './load.js';
import { caughtUp, faultsOf, lostCommands, promotionsIn, readLog, unfaithful } from './log-checks.js';
import { parkRetries } from './parked-retries.js';
import { until } from './until.js';

/** `npm run test:processes` has fifty rounds, and a million promotions. */
const rounds = Number(process.env.SERVER_ROUNDS ?? 3);
const promotions = Number(process.env.SERVER_PROMOTIONS ?? 5_000);
const soundEvery = 10;
const mostReadAtOnce = 20_000;
/** Within the term of an owner, who goes on. */
const mostStandsMs = 2_000;
/** Longer than the term of an owner, of which the other one waits for the end. */
const standstillMs = 30_000;

jest.setTimeout(120_000 + rounds * 40_000 + promotions * 10);

type Mishap = (struck: LedgerServer, other: Load, ms: number) => Promise<unknown>;

const killed: Mishap = (struck) => struck.end('SIGKILL');
const stoodStill: Mishap = async (struck, _, ms) => {
  struck.signal('SIGSTOP');
  await pause(ms);
  struck.signal('SIGCONT');
};
const killedWhereItStood: Mishap = async (struck, _, ms) => {
  struck.signal('SIGSTOP');
  await pause(ms);
  await struck.end('SIGKILL');
};
const restarted: Mishap = (struck) => struck.end('SIGTERM');
const stoodStillForLong: Mishap = async (struck, other) => {
  struck.signal('SIGSTOP');
  await pause(standstillMs);
  await goOn([other], 20);
  struck.signal('SIGCONT');
};

const usual = [killed, stoodStill, killedWhereItStood, restarted];
/** In turn; who stands still for longer than its term finds another owner when it comes back. */
const mishaps = [...usual, ...usual, killed, stoodStillForLong];

describe('two servers on one database', () => {
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
  const draw = seeded(seed);
  let database: TestDatabase;
  let servers: LedgerServer[];
  let loads: Load[] = [];

  beforeEach(async () => {
    database = await freshDatabase();
    servers = await Promise.all([1, 2].map(() => serveLedger({ DATABASE_URL: database.url })));
    loads = [];
  });
  afterEach(async () => {
    await Promise.all(loads.map((load) => load.stop()));
    await endAll();
    await database.drop();
  });

  it(`lose nothing and double nothing while one of them is killed, stands still or is restarted, ${rounds} times (SEED=${seed})`, async () => {
    loads = [load(() => servers[0]!.url, 'one'), load(() => servers[1]!.url, 'two')];
    for (let round = 0; round < rounds; round += 1) {
      const struck = draw(2);
      await goOn(loads, 5 + draw(30));
      await mishaps[round % mishaps.length]!(servers[struck]!, loads[1 - struck]!, draw(mostStandsMs));
      if (!servers[struck]!.isRunning) servers[struck] = await serveLedger({ DATABASE_URL: database.url });
      if (round % soundEvery === soundEvery - 1 || round === rounds - 1) await expectSound(round === rounds - 1);
    }
    const { length } = loads.flatMap(({ acknowledged }) => acknowledged);
    console.log(`${rounds} rounds, ${length} commands acknowledged, ${(await readLog(database.url)).length} events`);
  });

  it(`promote ${promotions} due retries once each, while both promoters and ten callers are at it`, async () => {
    await Promise.all(servers.map((server) => server.end('SIGTERM')));
    const roles = { DATABASE_URL: database.url, LEDGER_ROLES: 'api,projector,promoter', LEDGER_CLOCK: 'manual' };
    servers = [await serveLedger(roles), await serveLedger(roles)];
    const [first, second] = servers.map(({ url }) => url) as [string, string];
    await parkRetries(first, database.url, promotions);
    await caughtUp(first, 60_000 + promotions * 4);
    const began = performance.now();
    await put(first, '/v1/clock', { now: new Date(Date.now() + 3_600_000).toISOString() });
    await until(
      'both to follow the clock',
      async () => (await get(second, '/v1/clock')).body.now > new Date(Date.now() + 60_000).toISOString(),
    );
    const told = await Promise.all(Array.from({ length: 10 }, (_, i) => promoteAll([first, second][i % 2]!)));
    await until('a list that is empty', async () => (await get(first, 'retries')).body.items.length === 0, 60_000 + promotions);
    const seconds = (performance.now() - began) / 1_000;
    expect(await promotionsIn(database.url)).toEqual({ count: promotions, doubled: [] });
    const log = promotions <= mostReadAtOnce ? await readLog(database.url) : [];
    expect(faultsOf(log, 4)).toEqual([]);
    const byCallers = told.flat().reduce((sum, count) => sum + count, 0);
    console.log(`${promotions} promotions in ${seconds.toFixed(1)} s, ${byCallers} of them by callers`);
  });

  function load(url: () => string, name: string): Load {
    const started = new Load(url, seeded(seed), name);
    started.start(4);
    return started;
  }

  /** At the end, when nothing is under way any more, also that nothing is left. */
  async function expectSound(atTheEnd: boolean): Promise<void> {
    const { url } = servers[1]!;
    if (atTheEnd) {
      await Promise.all(loads.map((each) => each.stop()));
      await until('retries that have all been promoted', async () => (await get(url, 'retries')).body.items.length === 0);
      await caughtUp(url, 20_000);
    }
    // The log is read after it: what is acknowledged meanwhile may not be in it yet.
    const acknowledged = loads.flatMap((each) => each.acknowledged);
    const log = await readLog(database.url);
    expect(loads.flatMap(({ unexpected }) => unexpected)).toEqual([]);
    expect(await lostCommands(database.url, acknowledged, log)).toEqual([]);
    expect(faultsOf(log, 3)).toEqual([]);
    if (!atTheEnd) return;
    expect((await promotionsIn(database.url)).doubled).toEqual([]);
    const { checks } = (await get(url, '/v1/doctor')).body;
    expect(checks.filter(({ ok, name }: { ok: boolean; name: string }) => !ok && !name.startsWith('postgres'))).toEqual([]);
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
