import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { get, post, put } from './ask.js';
import { endAll, exitOf, serveLedger, spawnLedger, type LedgerServer } from './ledger-server.js';
import { heldRun, type Held } from './runs.js';
import { until } from './until.js';

jest.setTimeout(120_000);

const policy = { retry: { delaysMs: [600_000], jitterRatio: 0 } };

describe('workers that are lost', () => {
  let database: TestDatabase;
  let server: LedgerServer;
  let home: string;

  beforeAll(async () => {
    database = await freshDatabase();
    home = mkdtempSync(join(tmpdir(), 'run-ledger-lost-'));
    server = await serveLedger({ DATABASE_URL: database.url });
  });
  afterAll(async () => {
    await endAll();
    await database.drop();
    rmSync(home, { recursive: true, force: true });
  });

  it('have their run reported as lost when they are killed, and done again once', async () => {
    await put(server.url, 'agents/coder', { policy });
    await post(server.url, 'wakeups', { agent: 'coder' });
    await killWorkerOf('heartbeat~coder.1');
    await expireLease('heartbeat~coder');
    await until('the first loss', async () => (await run('heartbeat~coder.1')).status === 'failed');
    expect(await run('heartbeat~coder.1')).toMatchObject({ errorCode: 'process_lost', errorFamily: 'process_lost' });
    expect(await run('heartbeat~coder.2')).toMatchObject({
      status: 'queued',
      cause: 'process_lost',
      attempt: 0,
      chain: 'heartbeat~coder.1',
    });
    await killWorkerOf('heartbeat~coder.2');
    await expireLease('heartbeat~coder');
    await until('the second loss', async () => (await run('heartbeat~coder.2')).status === 'failed');
    expect((await get(server.url, 'runs/heartbeat~coder.3')).status).toBe(404);
  });

  it('that never began their run cost it nothing, and their token is worth nothing any more', async () => {
    await put(server.url, 'agents/idle', { policy });
    const held = await heldRun(server.url, 'idle', { leaseMs: 5_000 });
    await until('the start that is taken back', async () => (await run(held.run)).status === 'cancelled', 20_000);
    const { items } = (await get(server.url, 'tasks/heartbeat~idle/events')).body;
    const ends = items.filter(({ type }: { type: string }) => type === 'RunCancelled' || type === 'RunFailed');
    expect(ends).toMatchObject([{ type: 'RunCancelled', data: { code: 'start_lost', intent: 'requeue' } }]);
    expect(await run('heartbeat~idle.2')).toMatchObject({ status: 'queued', cause: 'requeued', attempt: 0 });
    await expectStale(held);
    const next = await heldRun(server.url, 'idle');
    await expectStale({ run: next.run, lease: held.lease });
    expect((await post(server.url, `runs/${next.run}/beat`, { lease: next.lease })).status).toBe(200);
    expect((await post(server.url, `runs/${next.run}/finish`, { lease: next.lease, outcome: 'succeeded' })).status).toBe(200);
  });

  const run = async (id: string) => (await get(server.url, `runs/${id}`)).body;

  /** A real worker with a real command, ended by SIGKILL once that command is known to run. */
  async function killWorkerOf(id: string): Promise<void> {
    const env = { LEDGER_URL: server.url, LEDGER_COMPANY: 'acme', LEDGER_HOME: join(home, randomUUID()) };
    const { child } = await spawnLedger(['worker', '--agent', 'coder', '--', 'sleep', '120'], env);
    const { pid } = await until('a process that is recorded', async () => {
      const found = await run(id);
      return found?.pid && found;
    });
    child.kill('SIGKILL');
    await exitOf(child);
    process.kill(-pid, 'SIGKILL');
  }

  /** The lease of a worker is 30 s, which a test does not wait for; the reaper does not look before it could have been beaten for as long. */
  async function expireLease(task: string): Promise<void> {
    await database.pool.query(`update lane_leases set lease_ms = 5000, expires_at = ledger_now() where task = $1`, [task]);
  }

  async function expectStale({ run: id, lease }: Held): Promise<void> {
    const reported = { pid: 1, host: 'here', startedAt: '2026-04-20T12:00:00Z' };
    const reports = { beat: {}, process: reported, finish: { outcome: 'succeeded' } };
    for (const [report, fields] of Object.entries(reports)) {
      const { status, body } = await post(server.url, `runs/${id}/${report}`, { lease, ...fields });
      expect([report, status, body.code]).toEqual([report, 409, 'stale_lease']);
    }
  }
});
