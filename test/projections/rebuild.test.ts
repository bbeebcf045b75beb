import { cutOver, dropReadModel, rollBack } from '../../src/commands/operations/cut-over.js';
import { Rejected } from '../../src/commands/decider.js';
import { nameCompany } from '../../src/commands/company.js';
import { abandonRebuild, pauseRebuild, resumeRebuild } from '../../src/commands/operations/rebuild.js';
import type { LedgerEvent } from '../../src/events/ledger-event.js';
import { projectionsOfTheLedger } from '../../src/projections/all.js';
import type { AnyProjection } from '../../src/projections/projection.js';
import { foldLog } from '../../src/projections/projector/fold.js';
import { copyOf, freshDatabase, type TestDatabase } from '../postgres.js';
import { startServer, type TestServer } from '../server.js';
import { countedIds, History, seeded } from './history.js';
import { Operator } from './operator.js';
import { allVersions, first, withAColumn } from './run-counts.js';
import { until } from './until.js';

jest.setTimeout(60_000);

const counts = 'run_counts';
const v1 = 'run_counts_v1';
/** So slow that a test can do something meanwhile. */
const slowly = { eventsPerSecond: 20 };

let former: TestDatabase;
let database: TestDatabase;
let history: History;
let server: TestServer;
let operator: Operator;

const serverThatKnows = (...versions: readonly AnyProjection[]): Promise<TestServer> =>
  startServer({ database, projections: [...projectionsOfTheLedger, ...versions] });

const newHistory = () => new History(seeded(1), undefined, countedIds());
const stepsBefore = 300;

/** The server of before has made what it knew. */
beforeAll(async () => {
  database = former = await freshDatabase();
  server = await serverThatKnows(first);
  await new Operator(server.ledger).happens(newHistory(), stepsBefore);
  await server.stop();
});
afterAll(() => former.drop());

/** The one of today knows more. */
beforeEach(async () => {
  database = await copyOf(former);
  history = newHistory();
  history.steps(stepsBefore);
  server = await serverThatKnows(...allVersions);
  operator = new Operator(server.ledger);
});
afterEach(async () => {
  await server.stop();
  await database.drop();
});

describe('a rebuild', () => {
  it('is compared, cut over to, rolled back and cut over to again, while the log grows', async () => {
    const stopGrowing = grow();
    const rebuild = await operator.rebuild(counts, 2);
    const ready = await operator.sees(rebuild, 'ready');
    expect(ready).toMatchObject({
      id: 'run_counts_v2',
      beside: v1,
      startedBy: { type: 'user', id: 'alice' },
      reason: 'to try it',
      comparison: { agrees: true, onlyRebuiltColumns: ['failed'], changed: { rows: 0 } },
    });
    expect(ready.comparison!.liveRows).toBe(ready.comparison!.rebuiltRows);
    await operator.says(cutOver, { rebuild });
    await operator.seesAsked(counts, rebuild);
    await operator.says(rollBack, { projection: counts });
    await operator.seesAsked(counts, v1);
    await operator.says(cutOver, { rebuild });
    await operator.seesAsked(counts, rebuild);
    await stopGrowing();
    await expectRowsOfTheLog(rebuild, withAColumn);
    await expectRowsOfTheLog(v1, first);
  });

  it('drops the former read model when an operator says so, and never what is asked', async () => {
    const rebuild = await operator.rebuild(counts, 2);
    await operator.sees(rebuild, 'ready');
    await operator.says(cutOver, { rebuild });
    await operator.seesAsked(counts, rebuild);
    await expect(operator.says(dropReadModel, { projection: counts, readModel: rebuild })).rejects.toThrow(
      'is the one that is asked',
    );
    await operator.says(dropReadModel, { projection: counts, readModel: v1 });
    await operator.seesGone(v1);
    await operator.happens(history, 10);
    await expectRowsOfTheLog(rebuild, withAColumn);
    await operator.sees(rebuild, 'live');
  });

  it('drops what is read for long when that is over, and keeps nothing else waiting', async () => {
    await operator.sees(await operator.rebuild(counts, 2), 'ready');
    await operator.says(cutOver, { rebuild: 'run_counts_v2' });
    await operator.seesAsked(counts, 'run_counts_v2');
    const other = await operator.rebuild('dashboard', 1);
    await operator.sees(other, 'ready');
    const reader = await database.pool.connect();
    await reader.query(`begin; select count(*) from ${v1}.run_counts`);
    await operator.says(dropReadModel, { projection: counts, readModel: v1 });
    await until('it was tried to drop it', () => wasOwned(`rebuild ${v1}`));
    await operator.says(cutOver, { rebuild: other });
    await operator.seesAsked('dashboard', other);
    await operator.says(dropReadModel, { projection: 'dashboard', readModel: 'dashboard_v1' });
    await operator.seesGone('dashboard_v1');
    expect(await operator.isThere(v1)).toBe(true);
    await reader.query('commit');
    reader.release();
    await operator.seesGone(v1);
  });

  it('may differ in the columns that are meant to', async () => {
    const rebuild = await operator.rebuild(counts, 3);
    const { comparison } = await operator.sees(rebuild, 'ready');
    expect(comparison).toMatchObject({ agrees: true, columns: [{ column: 'runs', meant: true }] });
  });

  it('is not cut over to when it differs otherwise, and goes when it is given up', async () => {
    const rebuild = await operator.rebuild(counts, 4);
    const { comparison } = await operator.sees(rebuild, 'different');
    expect(comparison!.changed.rows).toBeGreaterThan(0);
    expect(comparison!.changed.samples[0]).toMatchObject({ columns: [{ column: 'runs' }] });
    await expect(operator.says(cutOver, { rebuild })).rejects.toThrow(/rows of run_counts_v4 differ from run_counts_v1/);
    await operator.says(abandonRebuild, { rebuild });
    await operator.seesGone(rebuild);
    expect(await operator.asked(counts)).toBe(v1);
    expect(await operator.sees(rebuild, 'abandoned')).toMatchObject({ endedAt: expect.any(String) });
  });

  it('fails at an event that cannot be folded, names it, and leaves the live read model alone', async () => {
    const rebuild = await operator.rebuild(counts, 5);
    const { error } = await operator.sees(rebuild, 'failed');
    expect(error).toMatch(/RunFailed at position \d+ \(task-\S+ revision \d+\): Error: no such thing/);
    await operator.seesGone(rebuild);
    await expectRowsOfTheLog(v1, first);
    expect(await operator.asked(counts)).toBe(v1);
    expect(await operator.rebuild(counts, 5)).toBe('run_counts_v5_g2');
  });

  it('fails as well at one that comes after it was filled', async () => {
    const rebuild = await operator.rebuild(counts, 6, slowly);
    await until('it is at work', async () => (await operator.rebuilds.get(rebuild))?.progress !== undefined);
    await operator.says(nameCompany, { company: 'acme', name: 'Acme' });
    await operator.says(resumeRebuild, { rebuild, eventsPerSecond: null });
    const { error } = await operator.sees(rebuild, 'failed');
    expect(error).toMatch(/company-acme from revision \d+ \(position \d+\) on: Error: no such thing/);
    await operator.seesGone(rebuild);
    await expectRowsOfTheLog(v1, first);
  });

  it('says what it has to do before it has done any of it', async () => {
    const rebuild = await operator.rebuild(counts, 2, { eventsPerSecond: 1 });
    await until('it is known', async () => ((await operator.rebuilds.get(rebuild))?.progress?.total ?? 0) > 0);
    expect((await operator.rebuilds.get(rebuild))?.progress).toMatchObject({ done: 0, etaSeconds: null });
  });

  it('waits while it is paused, and goes on where it was', async () => {
    const rebuild = await operator.rebuild(counts, 2, slowly);
    await until('it is at work', () => operator.isThere(rebuild));
    await operator.says(pauseRebuild, { rebuild, reason: 'it is noon' });
    await until('nobody works on it', async () => !(await isOwned(`rebuild ${rebuild}`)));
    expect(await operator.sees(rebuild, 'filling')).toMatchObject({ paused: true, eventsPerSecond: 20 });
    await operator.says(resumeRebuild, { rebuild, eventsPerSecond: null });
    expect(await operator.sees(rebuild, 'ready')).toMatchObject({ paused: false, eventsPerSecond: null });
  });

  it.each(['paused', 'at work'])('is dropped when it is given up while it is %s', async (how) => {
    const rebuild = await operator.rebuild(counts, 2, slowly);
    await until('it is at work', () => operator.isThere(rebuild));
    if (how === 'paused') await operator.says(pauseRebuild, { rebuild });
    await operator.says(abandonRebuild, { rebuild });
    await operator.seesGone(rebuild);
    expect(await leftovers(rebuild)).toEqual({ fill_parts: 0, rebuild_progress: 0, owners: 0 });
  });

  it('belongs to the operator who came first, and the other one is told so', async () => {
    const other = await serverThatKnows(...allVersions);
    const operators = [operator, new Operator(other.ledger, 'bob')];
    const outcomes = await Promise.allSettled(operators.map((each) => each.rebuild(counts, 2, slowly)));
    const [won, lost] = outcomes[0].status === 'fulfilled' ? ['alice', outcomes[1]] : ['bob', outcomes[0]];
    if (lost?.status !== 'rejected' || !(lost.reason instanceof Rejected)) throw new Error(JSON.stringify(outcomes));
    expect(lost.reason.code).toBe('rebuild_under_way');
    expect(lost.reason.message).toContain(`${won} started run_counts_v2 at `);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await other.stop();
  });

  it('waits for room on the disk, says so, and goes on when there is some', async () => {
    await giveRoom(false);
    const rebuild = await operator.rebuild(counts, 7);
    await until('it says what it waits for', async () =>
      /^Postgres has no room left .* make room on its disk/.test((await operator.rebuilds.get(rebuild))?.progress?.trouble ?? ''),
    );
    await giveRoom(true);
    const ready = await operator.sees(rebuild, 'ready');
    expect(ready.comparison).toMatchObject({ agrees: true });
    await operator.says(abandonRebuild, { rebuild });
    await operator.seesGone(rebuild);
  });
});

describe('a verification', () => {
  it('proves the live rows while the log grows, and leaves nothing behind', async () => {
    const stopGrowing = grow();
    const verification = await operator.rebuild(counts, 1, { purpose: 'verify' });
    expect(verification).toBe('run_counts_v1_g2');
    expect(await operator.sees(verification, 'verified')).toMatchObject({ comparison: { agrees: true } });
    await operator.seesGone(verification);
    await stopGrowing();
    expect(await operator.asked(counts)).toBe(v1);
  });

  it('proves every read model of the ledger, with some of them waiting for others', async () => {
    const verifications: string[] = [];
    for (const { name, version } of projectionsOfTheLedger)
      verifications.push(await operator.rebuild(name, version, { purpose: 'verify' }));
    for (const verification of verifications)
      expect(await operator.sees(verification, 'verified', 'different')).toMatchObject({ phase: 'verified' });
  });

  it('says how the live rows are wrong', async () => {
    await caughtUp(v1);
    const { rows } = await database.pool.query<{ company: string; task: string; runs: number }>(
      `update ${v1}.run_counts
       set runs = runs + 1
       where (company, task) in (select company, task from ${v1}.run_counts limit 1)
       returning *`,
    );
    const { company, task, runs } = rows[0]!;
    const verification = await operator.rebuild(counts, 1, { purpose: 'verify' });
    const { comparison } = await operator.sees(verification, 'different');
    expect(comparison).toMatchObject({
      agrees: false,
      changed: {
        rows: 1,
        samples: [{ key: [company, task], columns: [{ column: 'runs', live: String(runs), rebuilt: String(runs - 1) }] }],
      },
    });
    await operator.seesGone(verification);
  });
});

describe('a read model that is wrong', () => {
  it('is repaired by the same version built anew, when an operator accepts the differences', async () => {
    await caughtUp(v1);
    await database.pool.query(`delete from ${v1}.run_counts`);
    const rebuild = await operator.rebuild(counts, 1);
    expect(await operator.sees(rebuild, 'different')).toMatchObject({ id: 'run_counts_v1_g2', generation: 2 });
    await expect(operator.says(cutOver, { rebuild })).rejects.toThrow('repair what is asked by accepting them');
    await operator.says(cutOver, { rebuild, acceptDifferences: true });
    await operator.seesAsked(counts, rebuild);
    await operator.happens(history, 20);
    await expectRowsOfTheLog(rebuild, first);
  });

  it('is repaired as well when it does not go on, because it has read another log', async () => {
    await caughtUp(v1);
    await database.pool.query('update checkpoints set event_id = $2 where read_model = $1', [v1, 'another']);
    await operator.happens(history, 20);
    await until('it is halted', async () => (await haltOf(v1)) !== null);
    const rebuild = await operator.rebuild(counts, 1);
    await operator.sees(rebuild, 'different');
    await operator.says(cutOver, { rebuild, acceptDifferences: true });
    await operator.seesAsked(counts, rebuild);
    await expectRowsOfTheLog(rebuild, first);
  });
});

describe('a server that is newer than the live version', () => {
  it('goes on asking the live one, and says who has to do what, at every step', async () => {
    expect(await server.ledger.readModels.nameOf(counts)).toBe(v1);
    expect(await notes()).toEqual([
      'run_counts: version 7 is in this server, version 1 is asked: run `ledger projections rebuild run_counts`',
    ]);
    await giveRoom(true);
    const rebuild = await operator.rebuild(counts, 7, slowly);
    await until('it has begun', async () => (await notes())[0]?.startsWith('run_counts: run_counts_v7 is being filled') ?? false);
    await operator.says(pauseRebuild, { rebuild });
    await until('it is paused', async () => (await notes())[0] === 'run_counts: run_counts_v7 is paused');
    await operator.says(resumeRebuild, { rebuild, eventsPerSecond: null });
    await operator.sees(rebuild, 'ready');
    expect(await notes()).toEqual([
      'run_counts: run_counts_v7 agrees with run_counts_v1 and is ready: cut over to it, or abandon it',
    ]);
    await operator.says(cutOver, { rebuild });
    await operator.seesAsked(counts, rebuild);
    await operator.sees(rebuild, 'live');
    expect(await notes()).toEqual([
      'run_counts: run_counts_v1 is followed and not asked: drop it when nobody will roll back to it',
    ]);
  });
});

describe('a server that is older than the live version', () => {
  it('does not work on a newer one, and says that nobody does', async () => {
    const rebuild = await operator.rebuild(counts, 2, slowly);
    await until('it is at work', async () => (await operator.rebuilds.get(rebuild))?.progress !== undefined);
    await server.stop();
    server = await serverThatKnows(first);
    operator = new Operator(server.ledger);
    const { progress } = await operator.sees(rebuild, 'filling');
    expect(progress).not.toHaveProperty('trouble');
    await database.pool.query(`update rebuild_progress set moved_at = moved_at - interval '10 s'`);
    expect((await operator.sees(rebuild, 'filling')).progress?.trouble).toMatch(
      /^no server works on it: .* role projector runs that knows version 2/,
    );
  });

  it('says so as well when nobody has begun', async () => {
    await server.stop();
    server = await serverThatKnows(first);
    operator = new Operator(server.ledger);
    const rebuild = await operator.rebuild(counts, 2);
    expect(await operator.sees(rebuild, 'filling')).not.toHaveProperty('progress');
    await database.pool.query(`update rebuilds_v1.rebuilds set started_at = started_at - interval '10 s'`);
    expect(await operator.sees(rebuild, 'filling')).toMatchObject({
      progress: { done: 0, etaSeconds: null, trouble: expect.stringMatching(/^no server works on it/) },
    });
  });

  it('goes on asking and following its own, and installs nothing', async () => {
    const rebuild = await operator.rebuild(counts, 2);
    await operator.sees(rebuild, 'ready');
    await operator.says(cutOver, { rebuild });
    await operator.seesAsked(counts, rebuild);
    await server.stop();
    server = await serverThatKnows(first);
    operator = new Operator(server.ledger);
    expect(await server.ledger.readModels.nameOf(counts)).toBe(v1);
    expect(await server.ledger.readModels.versionOf(counts)).toBe(1);
    await operator.happens(history, 20);
    await expectRowsOfTheLog(v1, first);
    expect(await operator.asked(counts)).toBe(rebuild);
    expect(await notes()).toContainEqual(
      'run_counts: version 2 is asked (run_counts_v2), and this server does not know it: it asks a former version',
    );
  });
});

describe('a server that knows no version that is there', () => {
  it('says so to whoever asks, who may be answered by another one', async () => {
    await server.stop();
    const other = projectionsOfTheLedger.map((each) => (each.name === 'rebuilds' ? { ...each, version: 2 } : each));
    server = await startServer({ database, projections: other });
    for (const path of ['/v1/rebuilds', '/readyz'])
      expect(await server.api('GET', path)).toMatchObject({
        status: 503,
        body: { code: 'read_model_unknown', detail: expect.stringMatching(/cannot ask rebuilds_v1, and no other read model of/) },
      });
  });
});

async function notes(): Promise<readonly string[]> {
  const { status, body } = await server.api('GET', '/readyz');
  expect(status).toBe(200);
  return body.notes as unknown as string[];
}

/** Appends until it is told to stop. */
function grow(): () => Promise<void> {
  let isOver = false;
  const growing = (async () => {
    while (!isOver) await operator.happens(history, 1);
  })();
  return () => {
    isOver = true;
    return growing;
  };
}

async function caughtUp(readModel: string): Promise<void> {
  const head = await server.ledger.store.head();
  await until(`${readModel} is at ${head}`, async () => {
    const { rows } = await database.pool.query<{ position: string }>('select position from checkpoints where read_model = $1', [
      readModel,
    ]);
    return rows[0]?.position === head;
  });
}

async function expectRowsOfTheLog(readModel: string, projection: AnyProjection): Promise<void> {
  await caughtUp(readModel);
  const log = await server.ledger.store.readAll<LedgerEvent>({ after: '', limit: 100_000 });
  const folded = foldLog(projection, log);
  expect(await operator.rows(readModel, counts)).toEqual(folded.toSorted(byTask));
}

const byTask = (a: Record<string, unknown>, b: Record<string, unknown>): number =>
  `${String(a.company)} ${String(a.task)}` < `${String(b.company)} ${String(b.task)}` ? -1 : 1;

async function haltOf(readModel: string): Promise<string | null> {
  const { rows } = await database.pool.query<{ halted: string | null }>('select halted from checkpoints where read_model = $1', [
    readModel,
  ]);
  return rows[0]!.halted;
}

async function isOwned(name: string): Promise<boolean> {
  const { rowCount } = await database.pool.query('select from owners where name = $1 and expires_at > clock_timestamp()', [name]);
  return rowCount !== 0;
}

async function wasOwned(name: string): Promise<boolean> {
  const { rowCount } = await database.pool.query('select from owners where name = $1', [name]);
  return rowCount !== 0;
}

async function leftovers(readModel: string): Promise<object> {
  const { rows } = await database.pool.query<object>(
    `select
       (select count(*) from fill_parts where read_model like $1 || '%') as fill_parts,
       (select count(*) from rebuild_progress where read_model = $1) as rebuild_progress,
       (select count(*) from owners where name like '% ' || $1) as owners`,
    [readModel],
  );
  return rows[0]!;
}

/** The error that Postgres has for a full disk: https://www.postgresql.org/docs/current/errcodes-appendix.html */
async function giveRoom(isThere: boolean): Promise<void> {
  await database.pool.query(`
    create or replace function public.room() returns boolean language plpgsql as $$
    begin
      if not ${isThere} then
        raise exception 'could not extend file' using errcode = 'disk_full';
      end if;
      return true;
    end $$`);
}
