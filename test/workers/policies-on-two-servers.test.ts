import { hostname } from 'node:os';
import { examine } from '../../src/doctor.js';
import type { LedgerEvent } from '../../src/events/ledger-event.js';
import { beginning } from '../../src/events/event.js';
import { policiesOfTheLedger } from '../../src/policies/all.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { until } from '../processes/until.js';
import { startServer, type TestServer } from '../server.js';

let database: TestDatabase;
let servers: TestServer[];

beforeEach(async () => {
  [database, servers] = [await freshDatabase(), []];
});
afterEach(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await database.drop();
});

async function start(...roles: ('policies' | 'projector')[]): Promise<TestServer> {
  const server = await startServer({ database, roles: ['api', ...roles] });
  servers.push(server);
  return server;
}

/** The only run of a task that is coder's, running. */
async function running({ api }: TestServer, task: string): Promise<void> {
  await api('PUT', 'agents/coder', { name: 'Coder', policy: { maxConcurrentRuns: 10 } });
  await api('PUT', `tasks/${task}`, { title: task, assignee: 'coder' });
  const { body } = await api('POST', 'agents/coder/claims', { workerId: 'w', requestId: task });
  expect(body).toMatchObject({ runs: [{ run: { id: `${task}.1` } }] });
}

const history = (server: TestServer, task: string) => server.ledger.store.readStream<LedgerEvent>(`task-acme.${task}`);
const cancels = async (server: TestServer, task: string) =>
  (await history(server, task)).filter(({ type }) => type === 'RunCancelled');
const checkpoints = async () =>
  (await database.pool.query<{ policy: string; position: string }>('select policy, position from policy_checkpoints')).rows;

/** All policies have come by all that there is, and it stays at that: what they wrote, they have come by as well. */
const atRest = (server: TestServer) =>
  until('the policies are at rest', async () => {
    const head = await server.ledger.store.head();
    const rows = await checkpoints();
    return rows.length === policiesOfTheLedger.length && rows.every(({ position }) => position === head);
  });

describe('policies', () => {
  it('hand back what a paused agent runs, once, although two servers run them', async () => {
    const [one, other] = [await start('projector', 'policies'), await start('projector', 'policies')];
    await running(one, 'ACME-1');
    const { body } = await other.api('POST', 'agents/coder/pause', { reason: 'too noisy' });
    expect(body.status).toBe('paused');
    await until('the run is handed back', async () => (await cancels(one, 'ACME-1')).length > 0);
    await atRest(one);
    const [cancelled, ...others] = await cancels(one, 'ACME-1');
    expect(others).toEqual([]);
    expect(cancelled).toMatchObject({
      data: { runId: 'ACME-1.1', code: 'agent_paused' },
      metadata: { actor: { type: 'system', id: 'policy-holds' } },
    });
    expect((await one.api('GET', 'runs/ACME-1.2')).body.status).toBe('queued');
    const sent = [one, other].flatMap(({ ledger }) => ledger.policies).map(({ policy, counts }) => [policy.name, counts.sent]);
    expect(sent.filter(([name, count]) => name === 'holds' && count !== 0)).toEqual([['holds', 1]]);
  });

  it('go on in another server when theirs stops', async () => {
    const one = await start('projector', 'policies');
    await running(one, 'ACME-1');
    await atRest(one);
    const other = await start('projector', 'policies');
    servers = [other];
    await one.stop();
    await other.api('POST', 'agents/coder/pause', {});
    await until('the run is handed back', async () => (await cancels(other, 'ACME-1')).length > 0);
  });

  it('wait for a server with their role, and the doctor says how far they are', async () => {
    const server = await start('projector');
    await running(server, 'ACME-1');
    await server.api('POST', 'agents/coder/pause', {});
    const before = await server.ledger.store.readAll({ after: beginning, limit: 100 });
    const look = async () =>
      (await examine({ db: database.pool, store: server.ledger.store, log: server.ledger.storedLog, skewMs: 0 })).find(
        ({ name }) => name === 'policy holds',
      )?.sentence;
    expect(await look()).toBe(`at the beginning of ${before.length}, run by nobody`);
    expect(await cancels(server, 'ACME-1')).toEqual([]);
    await start('policies');
    await until('the run is handed back', async () => (await cancels(server, 'ACME-1')).length > 0);
    await atRest(server);
    const count = (await server.ledger.store.readAll({ after: beginning, limit: 100 })).length;
    expect(await look()).toBe(`at ${count} of ${count}, run by process ${process.pid} on ${hostname()}`);
  });
});
