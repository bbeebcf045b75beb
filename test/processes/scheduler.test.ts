import type { Recorded } from '../../src/events/event.js';
import type { RoutineEvent } from '../../src/events/routine.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { put } from './ask.js';
import { endAll, serveLedger, type LedgerServer } from './ledger-server.js';
import { caughtUp, faultsOf, readLog, unfaithful, type Log } from './log-checks.js';
import { until } from './until.js';

jest.setTimeout(120_000);

const minute = 60_000;
const begin = Date.parse('2126-04-20T12:00:30.000Z');
const routines = Array.from({ length: 40 }, (_, n) => `report-${n}`);

describe('the schedulers of two servers', () => {
  let database: TestDatabase;
  let env: Record<string, string>;
  let first: LedgerServer;
  let second: LedgerServer;

  beforeEach(async () => {
    database = await freshDatabase();
    env = { DATABASE_URL: database.url, LEDGER_CLOCK: 'manual' };
    [first, second] = await Promise.all([serveLedger(env), serveLedger(env)]);
  });
  afterEach(async () => {
    await endAll();
    await database.drop();
  });

  it('fire each slot once, though they are killed while they fire, and while nobody is there', async () => {
    await setClock(first, 0);
    await put(first.url, 'agents/writer', {});
    await Promise.all(routines.map((routine) => define(second, routine)));
    await setClock(first, 1);
    await until('the first slots', async () => (await fired(1)) === routines.length);

    await setClock(first, 2);
    await until('some of the second slots', async () => (await fired(2)) > 0);
    await first.end('SIGKILL');
    await until('all of the second slots', async () => (await fired(2)) === routines.length);

    await setClock(second, 3);
    await until('some of the third slots', async () => (await fired(3)) > 0);
    await second.end('SIGKILL');
    [first, second] = await Promise.all([serveLedger(env), serveLedger(env)]);
    await until('all of the third slots', async () => (await fired(3)) === routines.length);

    await Promise.all([first, second].map((server) => server.end('SIGKILL')));
    first = await serveLedger({ ...env, LEDGER_ROLES: 'api' });
    await setClock(first, 6);
    second = await serveLedger(env);
    await until('all slots up to the sixth', async () => (await fired(6)) === routines.length);

    const log = await settled();
    for (const routine of routines) expect([routine, slotsOf(log, routine)]).toEqual([routine, [1, 2, 3, 4, 5, 6].map(slot)]);
    expect(faultsOf(log, 4)).toEqual([]);
    await caughtUp(second.url);
    expect(await unfaithful(database.pool, log)).toEqual([]);
  });

  const slot = (n: number): string => new Date(begin - 30_000 + n * minute).toISOString();

  const setClock = async (server: LedgerServer, minutes: number) =>
    expect((await put(server.url, '/v1/clock', { now: new Date(begin + minutes * minute).toISOString() })).status).toBe(200);

  async function define(server: LedgerServer, routine: string): Promise<void> {
    const triggers = [{ id: 'tick', kind: 'schedule', cron: '* * * * *' }];
    const definition = { title: routine, agent: 'writer', catchUp: 'enqueue_missed_with_cap', triggers };
    expect((await put(server.url, `routines/${routine}`, definition)).status).toBeLessThan(300);
  }

  async function fired(n: number): Promise<number> {
    const { rows } = await database.pool.query<{ count: number }>(
      `select count(*) as count from events where type = 'RoutineFired' and data ->> 'slot' = $1`,
      [slot(n)],
    );
    return rows[0]!.count;
  }

  /** The log, once each fire has its outcome. */
  function settled(): Promise<Log> {
    return until('an outcome of each fire', async () => {
      const log = await readLog(database.url);
      const outcomes = log.filter(({ type }) => ['FireCreated', 'FireCoalesced', 'FireSkipped', 'FireFailed'].includes(type));
      const fires = log.filter(({ type }) => type === 'RoutineFired');
      expect(outcomes.length).toBeLessThanOrEqual(fires.length);
      return outcomes.length === fires.length && log;
    });
  }
});

const slotsOf = (log: Log, routine: string): (string | null)[] =>
  (log.filter(({ stream }) => stream === `routine-acme.${routine}`) as Recorded<RoutineEvent>[]).flatMap(({ type, data }) =>
    type === 'RoutineFired' ? [data.slot] : [],
  );
