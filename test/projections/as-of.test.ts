import { pauseAgent, putAgent, resumeAgent } from '../../src/commands/agent.js';
import { holdCompany, releaseCompany } from '../../src/commands/company.js';
import { Rejected } from '../../src/commands/decider.js';
import { holdTask, releaseTask } from '../../src/commands/hold.js';
import { putTask } from '../../src/commands/task.js';
import { requestWakeup } from '../../src/commands/wakeup.js';
import { toWrite } from '../../src/commands/write.js';
import { nameUuid, taskStream, type Recorded } from '../../src/events/event.js';
import type { LedgerEvent } from '../../src/events/ledger-event.js';
import type { EventStore } from '../../src/event-store/event-store.js';
import { MemoryEventStore } from '../../src/event-store/memory.js';
import { PastQueries } from '../../src/projections/as-of/past-queries.js';
import { CommentsQueries } from '../../src/projections/comment-queries.js';
import { comments } from '../../src/projections/comments.js';
import { holds } from '../../src/projections/holds.js';
import type { Page, PageRequest } from '../../src/projections/paging.js';
import { anyProjection } from '../../src/projections/projection.js';
import { foldLog } from '../../src/projections/projector/fold.js';
import { RunStatusQueries, type RunFilters } from '../../src/projections/run-queries.js';
import { runStatus } from '../../src/projections/run-status.js';
import { TasksQueries } from '../../src/projections/task-queries.js';
import { tasks } from '../../src/projections/tasks.js';
import { WakeupRequestsQueries } from '../../src/projections/wakeup-queries.js';
import { wakeupRequests } from '../../src/projections/wakeup-requests.js';
import { fact, machine } from '../facts.js';
import { heldIn } from '../folded-holds.js';
import { freshDatabase } from '../postgres.js';
import { VirtualLedger } from '../virtual-ledger.js';
import { History, seeded, type Draw } from './history.js';
import { ReadSide } from './read-side.js';

/** All that the doors can be asked of one task; each list in pages of five, filtered and not. */
interface Answers {
  task: unknown;
  runs: readonly unknown[];
  failed: readonly unknown[];
  wakeups: readonly unknown[];
  comments: readonly unknown[];
  /** one by one */
  oneByOne: readonly unknown[];
}

const filtered: RunFilters = { status: ['failed', 'timed_out', 'queued'], q: 'OVERloaded' };

it('answers at every position what the read models showed when they stood there', async () => {
  const seed = Date.now() % 2 ** 31;
  console.log(`seed ${seed}`);
  const log = await logOf(new History(seeded(seed), { agents: 3, tasks: 4 }), 90);
  const lanes = lanesIn(log);
  const shown = await shownAlongTheWay(log, lanes);
  const past = new PastQueries(await storeOf(log));
  for (const { position } of log)
    for (const lane of lanes) {
      const answers = await answersOfThePast(past, lane, position);
      expect({ position, lane, ...answers }).toEqual({ position, lane, ...shown.get(`${position} ${lane.task}`) });
    }
}, 60_000);

type LaneName = Pick<Recorded, 'company'> & { task: string };

const lanesIn = (log: readonly Recorded<LedgerEvent>[]): LaneName[] =>
  log.flatMap((event) => (event.type === 'TaskOpened' ? [{ company: event.company, task: event.data.task }] : []));

async function logOf(history: History, steps: number): Promise<Recorded<LedgerEvent>[]> {
  const store = new MemoryEventStore();
  for (const write of history.steps(steps)) await store.append([write]);
  return store.readAll<LedgerEvent>({ after: '', limit: 1_000_000 });
}

async function storeOf(log: readonly Recorded<LedgerEvent>[]): Promise<EventStore> {
  const store = new MemoryEventStore();
  for (const event of log) await appendTo(store, event);
  return store;
}

/** Event by event, however many there were in the write: read models may stand between any two. */
async function appendTo(store: EventStore, event: Recorded<LedgerEvent>): Promise<void> {
  const { stream, revision, metadata } = event;
  const [result] = await store.append([
    { stream, expectedRevision: revision === 0 ? 'no-stream' : revision - 1, events: [event], metadata },
  ]);
  expect(result).toMatchObject({ outcome: 'appended', position: event.position });
}

const projections = [
  anyProjection(runStatus),
  anyProjection(wakeupRequests),
  anyProjection(tasks),
  anyProjection(comments),
  anyProjection(holds),
];

async function shownAlongTheWay(
  log: readonly Recorded<LedgerEvent>[],
  lanes: readonly LaneName[],
): Promise<Map<string, Answers>> {
  const database = await freshDatabase();
  const store = new MemoryEventStore();
  const side = new ReadSide(database.url, store, projections);
  await side.start();
  const shown = new Map<string, Answers>();
  const known = new Map<string, Answers>();
  for (const event of log) {
    await appendTo(store, event);
    await side.caughtUp();
    for (const lane of lanes) {
      // Nothing but holds reaches from one stream to another, and no task of these histories is below another.
      const isOfAnother = event.stream.startsWith('task-') && event.stream !== taskStream(lane.company, lane.task);
      const answers = (isOfAnother && known.get(lane.task)) || (await answersOfThePresent(side, lane));
      known.set(lane.task, answers);
      shown.set(`${event.position} ${lane.task}`, answers);
    }
  }
  await side.stop();
  await database.drop();
  return shown;
}

async function answersOfThePresent({ readModels }: ReadSide, { company, task }: LaneName): Promise<Answers> {
  const [runs, wakeups] = [new RunStatusQueries(readModels), new WakeupRequestsQueries(readModels)];
  const listed = await whole((page) => runs.list(company, { task: [task] }, page));
  const asked = await whole((page) => wakeups.list(company, { task: [task] }, page));
  return {
    task: await new TasksQueries(readModels).get(company, task),
    runs: listed,
    failed: await whole((page) => runs.list(company, { ...filtered, task: [task] }, page)),
    wakeups: asked,
    comments: await whole((page) => new CommentsQueries(readModels).list(company, task, page)),
    oneByOne: [
      ...(await Promise.all(listed.map(({ id }) => runs.get(company, id)))),
      ...(await Promise.all(asked.map(({ id }) => wakeups.get(company, id)))),
    ],
  };
}

async function answersOfThePast(past: PastQueries, { company, task }: LaneName, at: string): Promise<Answers> {
  const listed = await whole((page) => past.runs(company, task, {}, page, at));
  const asked = await whole((page) => past.wakeups(company, task, {}, page, at));
  const known = await past.task(company, task, at).catch(() => undefined);
  return {
    task: known,
    runs: listed,
    failed: await whole((page) => past.runs(company, task, filtered, page, at)),
    wakeups: asked,
    comments: known ? await whole(async (page) => (await past.comments(company, task, page, at))!) : [],
    oneByOne: [
      ...(await Promise.all(listed.map(({ id }) => past.run(company, id, at)))),
      ...(await Promise.all(asked.map(({ id }) => past.wakeup(company, task, id, at)))),
    ],
  };
}

async function whole<T>(list: (page: PageRequest) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  for (let cursor: string | undefined, page = 0; page === 0 || cursor; page++) {
    const answer = await list({ limit: 5, cursor });
    items.push(...answer.items);
    cursor = answer.next;
  }
  return items;
}

describe('what waited', () => {
  const names = ['fixer', 'reviewer'];
  /** C is below B, and B below A; D and E are below each other. */
  const parents: Readonly<Record<string, string | null>> = { A: null, B: 'A', C: 'B', D: 'E', E: null };
  const taskNames = Object.keys(parents);

  it('was held at every position as the log says', async () => {
    const seed = Date.now() % 2 ** 31;
    console.log(`seed ${seed}`);
    const draw = seeded(seed);
    const ledger = new VirtualLedger();
    for (const agent of names) await ledger.send(putAgent, { agent });
    for (const [n, task] of taskNames.entries()) {
      await ledger.send(putTask, { task, title: task, parent: parents[task] });
      await ledger.send(requestWakeup, { task, agent: names[n % 2] });
    }
    await closeRing(ledger);
    for (let step = 0; step < 80; step++) await change(ledger, draw).catch(unlessRejected);
    const log = await ledger.log();
    expect(log.some(({ type }) => type === 'TaskHeld')).toBe(true);
    for (const { position } of log) await expectHeldAsTheLogSays(ledger.ports.store, log, position);
  });

  /** What only two changes at once can do. */
  async function closeRing(ledger: VirtualLedger): Promise<void> {
    const change = { task: 'E', title: 'E', priority: 'medium', labels: [], parent: 'D', queuedRuns: [] } as const;
    const event = fact('TaskChanged', { ...change, changedAt: ledger.clock.now().toISOString() });
    const revision = (await ledger.history('E')).length - 1;
    const context = { commandId: nameUuid('ring'), actor: machine };
    await ledger.ports.store.append([toWrite(taskStream('acme', 'E'), revision, [event], context, undefined)]);
  }

  async function expectHeldAsTheLogSays(store: EventStore, log: readonly Recorded<LedgerEvent>[], at: string): Promise<void> {
    const past = new PastQueries(store);
    const then = log.filter(({ position }) => position <= at);
    const held = heldIn(then);
    for (const task of taskNames) {
      const { items } = await past.runs('acme', task, {}, {}, at);
      const waits = foldLog(runStatus, then).filter((run) => run.task === task && run.status === 'queued');
      expect({ at, held: items.filter((run) => run.held).map(({ id }) => id) }).toEqual({
        at,
        held: waits.filter((run) => held.lane(run) || held.agent(run)).map((run) => run.run_id),
      });
    }
  }

  async function change(ledger: VirtualLedger, draw: Draw): Promise<unknown> {
    const task = taskNames[draw(taskNames.length)]!;
    const agent = names[draw(2)]!;
    const moves = [
      () => ledger.send(holdTask, { task, subtree: draw(2) === 1 }),
      () => ledger.send(holdTask, { task, subtree: true }),
      () => ledger.send(releaseTask, { task }),
      () => ledger.send(releaseTask, { task }),
      () => ledger.send(pauseAgent, { agent }),
      () => ledger.send(resumeAgent, { agent }),
      () => (draw(3) ? ledger.send(releaseCompany, {}) : ledger.send(holdCompany, {})),
      () => ledger.send(putTask, { task, title: task, parent: draw(2) ? taskNames[draw(taskNames.length)] : null }),
    ];
    return moves[draw(moves.length)]!();
  }

  const unlessRejected = (error: unknown): void => {
    if (!(error instanceof Rejected)) throw error;
  };
});
