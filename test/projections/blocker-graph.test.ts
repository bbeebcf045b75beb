import type { LaneEvent } from '../../src/events/lane.js';
import { agentStream, nameUuid, taskStream, type NewEvent, type StreamId } from '../../src/events/event.js';
import type { LedgerEvent } from '../../src/events/ledger-event.js';
import { MemoryEventStore } from '../../src/event-store/memory.js';
import { agents } from '../../src/projections/agents.js';
import { BlockerGraphQueries } from '../../src/projections/blocker-graph.js';
import { holds } from '../../src/projections/holds.js';
import { tasks } from '../../src/projections/tasks.js';
import { fact, opened, policy, queued, requested } from '../facts.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { anyProjection } from '../../src/projections/projection.js';
import { ReadSide } from './read-side.js';

let database: TestDatabase;
let side: ReadSide;
let store: MemoryEventStore;
let graph: BlockerGraphQueries;
beforeEach(async () => {
  database = await freshDatabase();
  store = new MemoryEventStore();
  side = new ReadSide(database.url, store, [tasks, holds, agents].map(anyProjection));
  graph = new BlockerGraphQueries(side.readModels);
  await side.start();
});
afterEach(async () => {
  await side.stop();
  await database.drop();
});

const at = '2026-04-20T11:00:00.000Z';

async function happened(stream: StreamId, ...events: readonly LedgerEvent[]): Promise<void> {
  const stamped = events.map((event, n): NewEvent<LedgerEvent> => ({ ...event, id: nameUuid(stream, n), schema: 1 }));
  const metadata = { actor: { type: 'user', id: 'ada' }, correlationId: '', causationId: '', commandId: stream } as const;
  await store.append([{ stream, expectedRevision: 'no-stream', events: stamped, metadata }]);
}

interface About {
  readonly waitsFor?: readonly string[];
  readonly parent?: string;
  readonly assignee?: string | null;
}

/** A task, what it waits for, and what else happened to it. */
const task = (name: string, { waitsFor = [], parent, assignee = 'fixer' }: About = {}, ...events: readonly LaneEvent[]) =>
  happened(
    taskStream('acme', name),
    opened({ task: name, title: name.toLowerCase(), parent: parent ?? null, assignee }),
    ...(waitsFor.length > 0
      ? [fact('BlockersSet', { task: name, blockers: waitsFor.map((blocker) => ({ task: blocker, open: true })), setAt: at })]
      : []),
    ...events,
  );
const moved = (to: 'blocked' | 'done' | 'cancelled', why: string | null = null) =>
  fact('TaskStatusChanged', { task: '', from: 'todo', to, why, queuedRuns: [], changedAt: at });
const around = async (name: string) => {
  await side.caughtUp();
  return graph.around('acme', name);
};
const depths = (found: Awaited<ReturnType<typeof around>>) => found?.nodes.map((node) => [node.task, node.depth]);

describe('the graph around a task', () => {
  it('has what it waits for and what waits for it, at their distances', async () => {
    await task('A');
    await task('B', { waitsFor: ['A'] });
    await task('C', { waitsFor: ['B', 'A'] });
    await task('D', { waitsFor: ['C'] });
    await task('E', { waitsFor: ['A'] });
    expect(depths(await around('C'))).toEqual([
      ['C', 0],
      ['A', 1],
      ['B', 1],
      ['D', -1],
    ]);
    expect(depths(await around('A'))).toEqual([
      ['A', 0],
      ['B', -1],
      ['C', -1],
      ['E', -1],
      ['D', -2],
    ]);
    expect((await around('C'))?.nodes[0]).toMatchObject({
      title: 'c',
      blockedBy: [
        { task: 'B', open: true },
        { task: 'A', open: true },
      ],
    });
  });

  it('goes round a ring once', async () => {
    await task('A', { waitsFor: ['B'] });
    await task('B', { waitsFor: ['A'] });
    expect(depths(await around('A'))).toEqual([
      ['A', 0],
      ['B', 1],
    ]);
  });

  it('ends 8 steps away, and says so', async () => {
    for (let n = 0; n < 11; n++) await task(`T-${n}`, n > 0 ? { waitsFor: [`T-${n - 1}`] } : {});
    const long = await around('T-10');
    expect(long?.nodes).toHaveLength(9);
    expect(long?.truncated).toBe(true);
    const short = await around('T-8');
    expect(short?.nodes.map(({ depth }) => depth)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, -1, -2]);
    expect(short?.truncated).toBeUndefined();
  });

  it('is nothing of a task that is not there', async () => expect(await around('A')).toBeUndefined());
});

describe('a task on which nothing is done', () => {
  const stalled = async (name: string) => (await around(name))?.nodes[0]?.stalled;
  const agent = (name: string, ...events: readonly LedgerEvent[]) =>
    happened(
      agentStream('acme', name),
      { type: 'AgentRegistered', data: { agent: name, name, adapter: 'process', manager: null, policy, registeredAt: at } },
      ...events,
    );

  it.each<[string, About, LaneEvent[], object | undefined]>([
    ['is nobody’s', { assignee: null }, [], { code: 'unassigned', sentence: "A is nobody's: assign it" }],
    ['is open, with no run', {}, [], { code: 'nobody_at_it', sentence: 'A is todo, and fixer has no run open on it: wake it' }],
    ['is worked on', {}, [requested(1), queued(1)], undefined],
    ['waits for another', { waitsFor: ['B'] }, [], undefined],
    ['is done', {}, [moved('done')], undefined],
    [
      'is cancelled',
      {},
      [moved('cancelled')],
      { code: 'cancelled', sentence: 'A was cancelled, and will not be done; nothing waits for it any more' },
    ],
    [
      'waits for a person',
      {},
      [moved('blocked', 'A.1 failed for good')],
      { code: 'needs_a_person', sentence: 'A is blocked: A.1 failed for good' },
    ],
    [
      'is held',
      {},
      [fact('TaskHeld', { task: 'A', reason: 'not before Monday', subtree: false, interrupt: true, heldAt: at })],
      { code: 'task_held', sentence: 'A is held: not before Monday' },
    ],
  ])('%s', async (_, about, events, expected) => {
    await task('A', about, ...events);
    expect(await stalled('A')).toEqual(expected);
  });

  it('is held with the one above it', async () => {
    const hold = fact('TaskHeld', { task: 'P', reason: 'later', subtree: true, interrupt: true, heldAt: at });
    await task('P', {}, hold);
    await task('A', { parent: 'P' });
    expect(await stalled('A')).toEqual({
      code: 'task_held',
      sentence: 'A is held with a task above it, or with the whole company',
    });
  });

  it('has an agent that is paused, or was terminated', async () => {
    await agent('fixer', { type: 'AgentPaused', data: { agent: 'fixer', reason: 'too noisy', interrupt: false, pausedAt: at } });
    await agent('old', { type: 'AgentTerminated', data: { agent: 'old', reason: 'replaced', terminatedAt: at } });
    await task('A');
    await task('B', { assignee: 'old' });
    expect(await stalled('A')).toEqual({ code: 'agent_paused', sentence: 'fixer, whose A is, is paused: too noisy' });
    expect(await stalled('B')).toMatchObject({ code: 'agent_terminated' });
  });
});

it('takes in 2,000 tasks, and says that there are more', async () => {
  for (let part = 0; part < 5; part++) {
    const names = Array.from({ length: 450 }, (_, n) => `T-${part}-${n}`);
    await Promise.all(names.map((name) => task(name)));
    await task(`Q-${part}`, { waitsFor: names });
  }
  await task('A', { waitsFor: [0, 1, 2, 3, 4].map((part) => `Q-${part}`) });
  const found = await around('A');
  expect(found?.nodes).toHaveLength(2_000);
  expect(found?.truncated).toBe(true);
});

it('has the tasks below one, each before its own children', async () => {
  await task('P');
  await task('A', { parent: 'P' });
  await task('B', { parent: 'P' });
  await task('A1', { parent: 'A', waitsFor: ['B'] });
  await side.caughtUp();
  const found = await graph.below('acme', 'P');
  expect(found?.nodes.map((node) => [node.task, node.depth, node.parent])).toEqual([
    ['P', 0, undefined],
    ['A', 1, 'P'],
    ['A1', 2, 'A'],
    ['B', 1, 'P'],
  ]);
});
