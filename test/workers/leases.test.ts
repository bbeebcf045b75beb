import type { ReadyRun } from '../../src/commands/claim-runs.js';
import { Bells } from '../../src/workers/bells.js';
import { PostgresLeases } from '../../src/workers/leases.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';

let database: TestDatabase;
let leases: PostgresLeases;
beforeEach(async () => {
  database = await freshDatabase();
  leases = new PostgresLeases(database.pool, database.pool, new Bells());
});
afterEach(() => database.drop());

const runsOf = (prefix: string, count: number): ReadyRun[] =>
  Array.from({ length: count }, (_, n) => ({ task: `${prefix}-${n}`, runId: `${prefix}-${n}.1` }));

const claim = (agent: string, requestId: string, candidates: ReadyRun[], { max = 1, slots = 5, by = leases } = {}) =>
  by.take({ company: 'acme', agent, workerId: 'laptop', requestId, leaseMs: 30_000 }, candidates, max, slots);

it('gives claims that come together their leases in one transaction', async () => {
  const agents = ['fixer', 'reviewer', 'writer'];
  const claims = await Promise.all(agents.map((agent) => claim(agent, 'r', runsOf(agent, 2), { max: 2 })));
  expect(claims.map((given) => given.map(({ runId }) => runId))).toEqual(agents.map((agent) => [`${agent}-0.1`, `${agent}-1.1`]));
  const { rows } = await database.pool.query('select distinct xmin::text from lane_leases');
  expect(rows).toHaveLength(1);
});

it('gives claims of one agent that come together no more than its slots, and each lane once', async () => {
  const together = Array.from({ length: 4 }, (_, n) => claim('fixer', `r${n}`, runsOf('ACME', 8), { max: 2, slots: 5 }));
  const given = (await Promise.all(together)).flat();
  expect(given).toHaveLength(5);
  expect(new Set(given.map(({ task }) => task)).size).toBe(5);
});

it('gives no lane twice when two processes claim for the same agents, and neither waits for ever', async () => {
  const other = new PostgresLeases(database.pool, database.pool, new Bells());
  const agents = ['a', 'b', 'c', 'd'];
  const own = agents.map((agent) => claim(agent, 'r1', runsOf(agent, 3), { max: 3, slots: 3 }));
  const others = agents.toReversed().map((agent) => claim(agent, 'r2', runsOf(agent, 3), { max: 3, slots: 3, by: other }));
  const given = (await Promise.all([...own, ...others])).flat();
  expect(given).toHaveLength(12);
  expect(new Set(given.map(({ task }) => task)).size).toBe(12);
});

it('takes back what has expired, but not by a word that was on its way for longer than a standstill', async () => {
  await claim('fixer', 'r', runsOf('ACME', 1));
  await database.pool.query(`update lane_leases set expires_at = ledger_now() - interval '1 s'`);
  const asked = async (ago: number) => {
    const now = await leases.now();
    return { since: new Date(now.getTime() - 3_600_000), now: new Date(now.getTime() - ago) };
  };
  expect(await leases.revoke(await asked(6_000), 10)).toEqual([]);
  expect(await leases.revoke(await asked(0), 10)).toMatchObject([{ runId: 'ACME-0.1' }]);
});
