import type { Recorded } from '../../src/events/event.js';
import type { LedgerEvent } from '../../src/events/ledger-event.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { get, post, put } from './ask.js';
import { elsewhere } from './elsewhere.js';
import { endAll, serveLedger, type LedgerServer } from './ledger-server.js';
import { caughtUp, faultsOf, readLog, unfaithful } from './log-checks.js';
import { failedRun, heldRun } from './runs.js';
import { until } from './until.js';

jest.setTimeout(120_000);

const minute = 60_000;
/** Each of which a process has alone, on a machine whose clock is so many ms ahead. */
const skews = {
  api: -5 * minute,
  projector: 5 * minute,
  policies: -5 * minute,
  promoter: 5 * minute,
  reaper: 5 * minute,
  scheduler: 5 * minute,
};
type Role = keyof typeof skews;
const roles = Object.keys(skews) as Role[];
const takeOverMs = 15_000;

describe('processes that have one role each, on machines with wrong clocks', () => {
  let database: TestDatabase;
  let servers: Record<Role, LedgerServer>;
  let url: string;

  beforeAll(async () => {
    database = await freshDatabase();
    const env = (role: Role) => ({ DATABASE_URL: database.url, LEDGER_ROLES: role, ...elsewhere(`${role}-host`, skews[role]) });
    const serve = async (role: Role) => [role, await serveLedger(env(role))] as const;
    servers = Object.fromEntries(await Promise.all(roles.map(serve))) as typeof servers;
    ({ url } = servers.api);
  });
  afterAll(async () => {
    await endAll();
    await database.drop();
  });

  it('do together what one process does, and everything when it is due', async () => {
    await put(url, 'agents/coder', { policy: { retry: { delaysMs: [2_000], jitterRatio: 0 } } });
    await put(url, 'agents/timed', { policy: { heartbeat: { enabled: true, intervalSec: 3 } } });
    for (const agent of ['silent', 'blocked']) await put(url, `agents/${agent}`, {});
    await put(url, 'routines/nightly', {
      title: 'Look after it',
      agent: 'coder',
      triggers: [{ id: 'tick', kind: 'schedule', cron: '* * * * *' }],
    });
    const failed = await failedRun(url, 'coder');
    await put(url, 'tasks/LOST', { title: 'Lost' });
    const lost = await heldRun(url, 'silent', { task: 'LOST', leaseMs: 5_000 });
    await put(url, 'tasks/FIRST', { title: 'First' });
    await put(url, 'tasks/THEN', { title: 'Then', assignee: 'blocked', status: 'todo', blockedBy: ['FIRST'] });
    await post(url, 'tasks/FIRST/status', { status: 'done' });

    const status = async (run: string) => (await get(url, `runs/${run}`)).body.status;
    await until('the promoted retry', async () => (await status(failed.next.run)) === 'queued');
    await until('the loss that the reaper reports', async () => (await status(lost.run)) === 'cancelled', 40_000);
    await until('the task that goes on', async () => (await get(url, 'runs?agent=blocked')).body.items.length === 1);
    await until('the heartbeat', async () => (await get(url, 'runs?agent=timed')).body.items.length === 1);

    const log = await readLog(database.url);
    const passed = (from: string, to: string) => at(log, to) - at(log, from);
    expectDue(passed('RetryScheduled', 'RetryPromoted'), 2_000);
    expectDue(passed('RunStarted of LOST', 'RunCancelled of LOST'), 5_000);
    expectDue(passed('AgentRegistered of timed', 'WakeupRequested of timed'), 3_000);
    expect(firedEarly(log)).toEqual([]);
  });

  it('are named by doctor, with what they own, how far that is, and whose clock is wrong', async () => {
    await until('a word of each about its clock', async () => /(; .*){5}/.test((await check('clock')).sentence), 20_000);
    const { ok, sentence } = await check('clock');
    expect(ok).toBe(false);
    const others = roles.filter((role) => role !== 'api');
    for (const role of others) expect(sentence).toMatch(saysSkewOf(role, servers[role]));
    const { sentence: living } = await check('processes');
    for (const role of roles) expect(living).toContain(`process ${servers[role].pid} on ${role}-host: ${role}`);
    expect((await check('read model run_status')).sentence).toContain(
      `run by process ${servers.projector.pid} on projector-host`,
    );
    expect((await check('policy blockers')).sentence).toContain(`run by process ${servers.policies.pid} on policies-host`);
  });

  it('hand over within 15 s when killed or stopped elsewhere, and do nothing for their old term; within 1 s when they end well', async () => {
    const standby = await serveLedger({ DATABASE_URL: database.url, LEDGER_ROLES: 'projector,policies' });
    const began = performance.now();
    const ended = servers.projector.end('SIGKILL');
    servers.policies.signal('SIGSTOP');
    await ended;
    await put(url, 'tasks/MEANWHILE', { title: 'Meanwhile', assignee: 'blocked', status: 'todo', blockedBy: ['LATER'] });
    await until('another owner of everything', async () => (await owners()).every(({ pid }) => pid === standby.pid), 20_000);
    expect(performance.now() - began).toBeLessThan(takeOverMs);

    await caughtUp(url);
    const terms = await checkpoints();
    servers.policies.signal('SIGCONT');
    await put(url, 'tasks/LATER', { title: 'Later', status: 'done' });
    await caughtUp(url);
    await until('a former owner that has looked', async () => servers.policies.isRunning && (await seenLately(servers.policies)));
    expect(await checkpoints()).toEqual(terms);
    expect((await owners()).every(({ pid }) => pid === standby.pid)).toBe(true);

    const ends = await standby.end('SIGTERM');
    const after = performance.now();
    expect(ends.code).toBe(0);
    await until(
      'the former owner again',
      async () => (await owners('policy')).every(({ pid }) => pid === servers.policies.pid),
      5_000,
    );
    expect(performance.now() - after).toBeLessThan(1_000);

    servers.projector = await serveLedger({ DATABASE_URL: database.url, LEDGER_ROLES: 'projector' });
    await caughtUp(url);
    const log = await readLog(database.url);
    expect(faultsOf(log, 4)).toEqual([]);
    expect(await unfaithful(database.pool, log)).toEqual([]);
  });

  const check = async (name: string) => {
    const { checks } = (await get(url, '/v1/doctor')).body;
    return checks.find((each: { name: string }) => each.name.startsWith(name));
  };

  async function owners(kind = ''): Promise<{ name: string; pid: number }[]> {
    const { rows } = await database.pool.query('select name, pid from owners where name like $1', [`${kind || '%'}%`]);
    return rows.filter(({ name }) => /^(projector|policy) /.test(name));
  }

  /** Who may move them. */
  async function checkpoints(): Promise<object[]> {
    const { rows } = await database.pool.query(
      'select read_model as name, term from checkpoints union all select policy, term from policy_checkpoints order by name',
    );
    return rows;
  }

  async function seenLately({ pid }: LedgerServer): Promise<boolean> {
    const { rows } = await database.pool.query(
      `select seen_at > clock_timestamp() - interval '1 s' as lately from processes where pid = $1`,
      [pid],
    );
    return rows[0].lately;
  }
});

/** When the store has recorded the first event of a type, or of a type of a subject. */
function at(log: readonly Recorded<LedgerEvent>[], what: string): number {
  const [type, subject] = what.split(' of ');
  const found = log.find(
    (event) => event.type === type && (!subject || JSON.stringify([event.stream, event.data]).includes(subject)),
  );
  return Date.parse(found?.recordedAt ?? '');
}

/** Not before, and not minutes after; how soon is a matter of how busy the machine is. */
function expectDue(passedMs: number, dueMs: number): void {
  expect(passedMs).toBeGreaterThanOrEqual(dueMs - 250);
  expect(passedMs).toBeLessThan(dueMs + 20_000);
}

const firedEarly = (log: readonly Recorded<LedgerEvent>[]): string[] =>
  log.flatMap(({ type, data, recordedAt }) =>
    type === 'RoutineFired' && data.slot !== null && data.slot > recordedAt ? [`${data.slot} was fired at ${recordedAt}`] : [],
  );

/** Five minutes, give or take a second. */
function saysSkewOf(role: Role, { pid }: LedgerServer): RegExp {
  const direction = skews[role] > 0 ? 'ahead of' : 'behind';
  return new RegExp(`process ${pid} on ${role}-host is (299|300)\\d{3} ms ${direction}`);
}
