import fc from 'fast-check';
import type { LedgerEvent } from '../../src/events/ledger-event.js';
import { MemoryEventStore } from '../../src/event-store/memory.js';
import { ActivityQueries } from '../../src/projections/activity-queries.js';
import { AgentsQueries } from '../../src/projections/agent-queries.js';
import { DashboardQueries } from '../../src/projections/dashboard-queries.js';
import { DueRetriesQueries, dueRetries } from '../../src/projections/due-retries.js';
import { foldLog } from '../../src/projections/projector/fold.js';
import type { Page, PageRequest } from '../../src/projections/paging.js';
import { ReadyRunsQueries, readyRuns } from '../../src/projections/ready-runs.js';
import { RunStatusQueries } from '../../src/projections/run-queries.js';
import { DueRoutinesQueries } from '../../src/projections/routines/due-routines.js';
import { FiresQueries } from '../../src/projections/routines/fire-queries.js';
import { fireOutcomes, routineFires } from '../../src/projections/routines/routine-fires.js';
import { RoutinesQueries } from '../../src/projections/routines/routine-queries.js';
import { routines } from '../../src/projections/routines/routines.js';
import { runStatus } from '../../src/projections/run-status.js';
import { TasksQueries } from '../../src/projections/task-queries.js';
import { WakeupRequestsQueries } from '../../src/projections/wakeup-queries.js';
import { Bells } from '../../src/workers/bells.js';
import { PostgresLeases } from '../../src/workers/leases.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { heldIn } from '../folded-holds.js';
import { projectionsOfTheLedger } from '../../src/projections/all.js';
import { History, seeded } from './history.js';
import { ReadSide } from './read-side.js';

let database: TestDatabase;
let side: ReadSide;
const store = new MemoryEventStore();
let log: Awaited<ReturnType<typeof store.readAll<LedgerEvent>>>;

beforeAll(async () => {
  database = await freshDatabase();
  side = new ReadSide(database.url, store, projectionsOfTheLedger);
  await side.start();
  for (const write of new History(seeded(24), { agents: 3, tasks: 24 }).steps(4_000)) await store.append([write]);
  await side.caughtUp();
  log = await store.readAll<LedgerEvent>({ after: '', limit: 1_000_000 });
});
afterAll(async () => {
  await side.stop();
  await database.drop();
});

const runsOf = (company: string) => foldLog(runStatus, log).filter((run) => run.company === company);
const newestFirst = (a: { queued_at: string; run_id: string }, b: { queued_at: string; run_id: string }) =>
  a.queued_at === b.queued_at ? (a.run_id < b.run_id ? 1 : -1) : a.queued_at < b.queued_at ? 1 : -1;

async function wholeList<T>(list: (page: PageRequest) => Promise<Page<T>>, limit: number): Promise<T[]> {
  const items: T[] = [];
  for (let cursor: string | undefined, page = 0; page === 0 || cursor; page++) {
    const answer = await list({ limit, cursor });
    expect(answer.items.length).toBeLessThanOrEqual(limit);
    items.push(...answer.items);
    cursor = answer.next;
  }
  return items;
}

describe('the list of runs', () => {
  it('has every run once, newest first, however it is paged and filtered', async () => {
    const runs = new RunStatusQueries(side.readModels);
    const some = <T>(...values: T[]) =>
      fc.option(fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 3 }), { nil: undefined });
    const filters = fc.record({
      status: some('failed' as const, 'timed_out' as const, 'succeeded' as const, 'scheduled_retry' as const),
      agent: some('agent-0', 'agent-1'),
      task: some('T-0', 'T-2', 'T-3'),
      errorCode: some('upstream_overloaded', 'timeout'),
      q: fc.constantFrom(undefined, 'OVERloaded', 'no such text'),
    });
    const seed = Date.now() % 2 ** 31;
    console.log(`seed ${seed}`);
    await fc.assert(
      fc.asyncProperty(filters, fc.integer({ min: 3, max: 200 }), async (filter, limit) => {
        const expected = runsOf('acme')
          .filter((run) => filter.status?.some((status) => status === run.status) ?? true)
          .filter((run) => filter.agent?.includes(run.agent) ?? true)
          .filter((run) => filter.task?.includes(run.task) ?? true)
          .filter((run) => filter.errorCode?.includes(run.error_code ?? '') ?? true)
          .filter((run) => filter.q === undefined || run.error?.toLowerCase().includes(filter.q.toLowerCase()))
          .toSorted(newestFirst);
        const listed = await wholeList((page) => runs.list('acme', filter, page), limit);
        expect(listed.map(({ id }) => id)).toEqual(expected.map(({ run_id }) => run_id));
      }),
      { numRuns: 40, seed },
    );
  });

  it('has the runs of a chain', async () => {
    const { chain } = runsOf('acme').find((run) => run.attempt > 0)!;
    const { items } = await new RunStatusQueries(side.readModels).list('acme', { chain: [chain] }, {});
    expect(items.map(({ id }) => id).sort()).toEqual(
      runsOf('acme')
        .filter((run) => run.chain === chain)
        .map(({ run_id }) => run_id)
        .sort(),
    );
  });

  it('has 50 items unless another limit can be read', async () => {
    const runs = new RunStatusQueries(side.readModels);
    const size = async (limit: string) => (await runs.list('acme', {}, { limit })).items.length;
    expect([await size('many'), await size(''), await size('7.9'), await size('0'), await size('-3')]).toEqual([50, 50, 7, 1, 1]);
  });

  it.each([
    ['rubbish', 'rubbish'],
    ['one of another list', Buffer.from('["wakeups","2026-04-20T12:00:00.000Z","x"]').toString('base64url')],
    ['one without a time', Buffer.from('["runs","yesterday-ish","x"]').toString('base64url')],
    ['one with a NUL', Buffer.from('["runs","2026-04-20T12:00:00.000Z","\\u0000"]').toString('base64url')],
  ])('refuses a cursor that it never gave: %s', async (_, cursor) => {
    const answer = new RunStatusQueries(side.readModels).list('acme', {}, { cursor });
    await expect(answer).rejects.toThrow(/^the cursor ".+" is not one of this list/);
  });

  it('says what a run waits for, and at which revision its task is', async () => {
    const runs = await wholeList((page) => new RunStatusQueries(side.readModels).list('acme', {}, page), 500);
    const held = heldIn(log);
    const running = new Map(runs.filter(({ status }) => status === 'running').map(({ task, id }) => [task, id]));
    for (const run of runs) {
      const waits = run.status === 'queued' || run.status === 'scheduled_retry';
      expect(run.held).toBe(waits && (held.lane(run) || held.agent(run)) ? true : undefined);
      expect(run.behind).toBe(run.status === 'queued' ? running.get(run.task) : undefined);
      expect(run.revision).toBe(log.findLast(({ company, subject }) => company === 'acme' && subject === run.task)?.revision);
    }
  });

  it('answers undefined for a run that is not there', async () => {
    expect(await new RunStatusQueries(side.readModels).get('acme', 'T-0.99999')).toBeUndefined();
  });
});

describe('the other lists', () => {
  it('have every row once', async () => {
    const { readModels } = side;
    const wakeups = await wholeList((page) => new WakeupRequestsQueries(readModels).list('acme', {}, page), 97);
    const tasks = await wholeList((page) => new TasksQueries(readModels).list('acme', {}, page), 2);
    const agents = await wholeList((page) => new AgentsQueries(readModels).list('acme', page), 1);
    const lines = await wholeList((page) => new ActivityQueries(readModels).list('acme', {}, page), 101);
    const ofAcme = (type: string) => log.filter((event) => event.company === 'acme' && event.type === type).length;
    expect(new Set(wakeups.map(({ id }) => id)).size).toBe(ofAcme('WakeupRequested'));
    expect(wakeups).toHaveLength(ofAcme('WakeupRequested'));
    expect(tasks).toHaveLength(ofAcme('TaskOpened'));
    expect(agents).toHaveLength(ofAcme('AgentRegistered'));
    expect(lines.map(({ position }) => position)).toEqual(
      log
        .filter(({ company, type }) => company === 'acme' && type !== 'ProcessRecorded')
        .map(({ position }) => position)
        .toReversed(),
    );
  });

  it('show the run of the demand that a demand has joined', async () => {
    const wakeups = await wholeList(
      (page) => new WakeupRequestsQueries(side.readModels).list('acme', { status: ['coalesced'] }, page),
      200,
    );
    const queries = new WakeupRequestsQueries(side.readModels);
    for (const { coalescedInto, run } of wakeups.slice(0, 20)) expect(run).toBe((await queries.get('acme', coalescedInto!))?.run);
    expect(wakeups.length).toBeGreaterThan(0);
  });

  it('bound the feed to 100 lines unless asked for up to 500', async () => {
    const feed = new ActivityQueries(side.readModels);
    expect((await feed.list('acme', {}, {})).items).toHaveLength(100);
    expect((await feed.list('acme', {}, { limit: 10_000 })).items).toHaveLength(500);
  });
});

describe('the lists of routines and their fires', () => {
  const ofAcme = <Row extends { company: string }>(rows: Row[]): Row[] => rows.filter(({ company }) => company === 'acme');

  it('have every routine once, of an agent and of a status', async () => {
    const queries = new RoutinesQueries(side.readModels);
    const rows = ofAcme(foldLog(routines, log));
    const listed = await wholeList((page) => queries.list('acme', {}, page), 1);
    expect(listed.map(({ id }) => id)).toEqual(rows.map(({ routine }) => routine).toReversed());
    const filtered = rows.filter(({ status, agent }) => status !== 'archived' && agent === 'agent-1');
    const some = await queries.list('acme', { agent: ['agent-1'], status: ['active', 'paused'] }, {});
    expect(some.items.map(({ id }) => id).sort()).toEqual(filtered.map(({ routine }) => routine).sort());
    expect(await queries.get('acme', rows[0]!.routine)).toEqual(listed.at(-1));
    expect(await queries.get('acme', 'R-99')).toBeUndefined();
  });

  it('have every fire of a routine once, newest first, however it is paged and filtered', async () => {
    const queries = new FiresQueries(side.readModels);
    for (const { routine } of ofAcme(foldLog(routines, log)))
      for (const filter of [{}, ...fireOutcomes.map((outcome) => ({ outcome: [outcome] })), { trigger: ['daily'] }]) {
        const expected = ofAcme(foldLog(routineFires, log))
          .filter((row) => row.routine === routine)
          .filter((row) => !('outcome' in filter) || filter.outcome.includes(row.outcome))
          .filter((row) => !('trigger' in filter) || row.trigger === 'daily')
          .toSorted((a, b) => b.n - a.n);
        const listed = await wholeList((page) => queries.list('acme', routine, page, filter), 7);
        expect(listed.map(({ id }) => id)).toEqual(expected.map(({ fire }) => fire));
      }
  });

  it('show how the task ended that a fire has joined', async () => {
    const queries = new FiresQueries(side.readModels);
    const fires = foldLog(routineFires, log);
    const joined = ofAcme(fires).filter(({ outcome }) => outcome === 'coalesced');
    for (const { routine, fire, coalesced_into: into } of joined) {
      const lead = fires.find((one) => one.company === 'acme' && one.fire === into);
      expect((await queries.get('acme', routine, fire))!.concluded).toEqual(lead?.concluded ?? undefined);
    }
    expect(joined.length).toBeGreaterThan(0);
  });

  it.each(['rubbish', Buffer.from('["fires","many"]').toString('base64url')])('refuse the cursor %s', async (cursor) => {
    const answer = new FiresQueries(side.readModels).list('acme', 'R-0', { cursor });
    await expect(answer).rejects.toThrow(/^the cursor ".+" is not one of this list/);
  });
});

describe('what loops start from', () => {
  it('is a routine whose time has come, by that time, whether or not it is paused', async () => {
    const queries = new DueRoutinesQueries(side.readModels, side.progress);
    const due = foldLog(routines, log)
      .flatMap(({ company, routine, next_due_at: dueAt }) => (dueAt === null ? [] : [{ company, routine, dueAt }]))
      .toSorted((a, b) => (`${a.dueAt} ${a.company} ${a.routine}` < `${b.dueAt} ${b.company} ${b.routine}` ? -1 : 1));
    expect(due.length).toBeGreaterThan(1);
    expect(await queries.due('2027-01-01T00:00:00.000Z', 100)).toEqual(due);
    expect(await queries.due('2027-01-01T00:00:00.000Z', 1)).toEqual(due.slice(0, 1));
    expect(await queries.due(due[0]!.dueAt, 100)).toEqual(due.filter(({ dueAt }) => dueAt === due[0]!.dueAt));
    expect(await queries.due('2026-01-01T00:00:00.000Z', 100)).toEqual([]);
    expect(await queries.nextDue()).toBe(due[0]!.dueAt);
  });

  it('is due by time, page by page', async () => {
    const queries = new DueRetriesQueries(side.readModels, side.progress);
    const all = await queries.due('2027-01-01T00:00:00.000Z', 100, {});
    const [first] = await queries.due('2027-01-01T00:00:00.000Z', 1, {});
    const rest = await queries.due('2027-01-01T00:00:00.000Z', 100, { after: first });
    expect(all).toHaveLength(foldLog(dueRetries, log).length);
    expect([first, ...rest]).toEqual(all);
    expect(await queries.due('2026-01-01T00:00:00.000Z', 100, {})).toEqual([]);
  });

  it('is next due without what is held', async () => {
    const held = heldIn(log);
    const times = foldLog(dueRetries, log).flatMap(({ company, task, parked }) =>
      parked.filter(({ agent }) => !held.lane({ company, task }) && !held.agent({ company, agent })).map(({ dueAt }) => dueAt),
    );
    expect(times.length).toBeGreaterThan(0);
    expect(await new DueRetriesQueries(side.readModels, side.progress).nextDue()).toBe(times.sort()[0]);
  });

  it('is queued, in the order of claims', async () => {
    const candidates = await new ReadyRunsQueries(side.readModels, side.progress).candidates('acme', 'agent-0', 100);
    const held = heldIn(log);
    const rows = foldLog(readyRuns, log).filter(({ company, agent }) => company === 'acme' && agent === 'agent-0');
    expect(rows.filter((row) => !held.lane(row))).not.toHaveLength(0);
    const inOrder = rows
      .filter((row) => !held.lane(row))
      .toSorted((a, b) => a.rank - b.rank || a.priority - b.priority || (a.ready_at < b.ready_at ? -1 : 1));
    expect(candidates.map(({ runId }) => runId)).toEqual(inOrder.map(({ run_id }) => run_id));
  });

  it('is lost where it runs, and no lease says anything of its lane', async () => {
    const unheld = async () => (await new RunStatusQueries(side.readModels).unheldRuns(1_000)).map(({ runId }) => runId);
    const running = foldLog(runStatus, log).filter(({ status }) => status === 'running');
    expect((await unheld()).toSorted()).toEqual(running.map(({ run_id }) => run_id).toSorted());
    const { company, task, run_id: runId, agent } = running[0]!;
    const leases = new PostgresLeases(database.pool, database.pool, new Bells());
    const request = { company, agent, workerId: 'laptop', requestId: 'r', leaseMs: 30_000 };
    const [lease] = await leases.take(request, [{ task, runId }], 1, 1);
    expect(await unheld()).not.toContain(runId);
    expect(await unheld()).toHaveLength(running.length - 1);
    await leases.release(company, task, lease!.token);
  });
});

describe('the dashboard', () => {
  it('shows 14 UTC days, empty ones too, and what is open of any day', async () => {
    const shown = await new DashboardQueries(side.readModels).get('acme', new Date('2026-04-23T23:59:59.999Z'));
    const runs = runsOf('acme');
    expect(shown.runActivity.map(({ date }) => date)).toEqual(
      Array.from({ length: 14 }, (_, day) => `2026-04-${String(day + 10)}`),
    );
    for (const { date, succeeded, failed, total } of shown.runActivity) {
      const ofDay = runs.filter(({ queued_at }) => queued_at.startsWith(date));
      const count = (...statuses: string[]) => ofDay.filter(({ status }) => statuses.includes(status)).length;
      expect([date, succeeded, failed, total]).toEqual([date, count('succeeded'), count('failed', 'timed_out'), ofDay.length]);
    }
    const open = (status: string) => runs.filter((run) => run.status === status).length;
    expect(shown.runs).toEqual({ queued: open('queued'), running: open('running'), parked: open('scheduled_retry') });
    expect(shown.agents.active + shown.agents.paused).toBe(2);
  });

  it('is empty for a company that nobody has heard of', async () => {
    const shown = await new DashboardQueries(side.readModels).get('initech', new Date('2026-04-23T00:00:00.000Z'));
    expect(shown).toMatchObject({ runs: { queued: 0, running: 0, parked: 0 }, tasks: { open: 0 }, nextDue: undefined });
    expect(shown.runActivity).toHaveLength(14);
  });
});
