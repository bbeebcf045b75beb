import { pauseAgent, putAgent, resumeAgent, terminateAgent } from '../../src/commands/agent.js';
import { setBlockers } from '../../src/commands/blockers.js';
import { addComment, removeComment } from '../../src/commands/comment.js';
import { holdCompany, releaseCompany } from '../../src/commands/company.js';
import { Rejected } from '../../src/commands/decider.js';
import { holdTask, releaseTask } from '../../src/commands/hold.js';
import { finishRun } from '../../src/commands/run.js';
import { assignTask, putTask, setTaskStatus } from '../../src/commands/task.js';
import { requestWakeup } from '../../src/commands/wakeup.js';
import { toWrite } from '../../src/commands/write.js';
import { nameUuid, routineStream, taskStream } from '../../src/events/event.js';
import type { LaneEvent } from '../../src/events/lane.js';
import { MemoryEventStore } from '../../src/event-store/memory.js';
import { comments } from '../../src/projections/comments.js';
import { holds } from '../../src/projections/holds.js';
import { PolicyIndexQueries } from '../../src/projections/policy-index.js';
import { routineFires } from '../../src/projections/routines/routine-fires.js';
import { runStatus } from '../../src/projections/run-status.js';
import { taskGraph } from '../../src/projections/task-graph.js';
import { tasks } from '../../src/projections/tasks.js';
import { wakeupRequests } from '../../src/projections/wakeup-requests.js';
import { deferred, fact, machine, requested } from '../facts.js';
import { FoldedIndex } from '../policies/folded-index.js';
import { fireCreated, firedByHand, routineDefined } from '../routine-facts.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { VirtualLedger, type Claimed } from '../virtual-ledger.js';
import { anyProjection } from '../../src/projections/projection.js';
import { seeded, type Draw } from './history.js';
import { ReadSide } from './read-side.js';

const agents = ['fixer', 'reviewer'];
const names = ['T-1', 'T-2', 'T-3', 'T-4', 'T-5', 'T-6', 'T-7'];

let database: TestDatabase;
let store: MemoryEventStore;
let ledger: VirtualLedger;
let side: ReadSide;
let atWork: Claimed[];

beforeEach(async () => {
  database = await freshDatabase();
  store = new MemoryEventStore();
  ledger = new VirtualLedger({ store });
  atWork = [];
  side = new ReadSide(
    database.url,
    store,
    [taskGraph, tasks, runStatus, wakeupRequests, holds, comments, routineFires].map(anyProjection),
  );
  await side.start();
  for (const agent of agents) await ledger.send(putAgent, { agent, policy: { maxConcurrentRuns: 3 } });
  for (const [n, task] of names.entries()) await ledger.send(putTask, { task, title: task, assignee: agents[n % 3] ?? null });
});
afterEach(async () => {
  await side.stop();
  await database.drop();
});

const now = '2026-04-20T12:00:00.000Z';

/** What was decided elsewhere before it had heard of anything, and so may close a ring. */
async function write(task: string, event: LaneEvent): Promise<void> {
  const revision = (await ledger.history(task)).length - 1;
  const context = { commandId: nameUuid(task, revision), actor: machine };
  await store.append([toWrite(taskStream('acme', task), revision, [event], context, undefined)]);
}
const waitsFor = (task: string, ...blockers: string[]) =>
  write(
    task,
    fact('BlockersSet', {
      task,
      blockers: blockers.map((blocker) => ({ task: blocker, open: true })),
      setAt: now,
    }),
  );
const putUnder = (task: string, parent: string | null) =>
  write(
    task,
    fact('TaskChanged', {
      task,
      title: task,
      priority: 'medium',
      labels: [],
      parent,
      queuedRuns: [],
      changedAt: now,
    }),
  );

const indexNow = async () => {
  await side.caughtUp();
  return new PolicyIndexQueries(side.readModels);
};

/** All that can be asked of the database is what the log says. */
async function expectAgreement(): Promise<void> {
  const [index, folded] = [await indexNow(), new FoldedIndex(await ledger.log())];
  const ask = async (of: FoldedIndex | PolicyIndexQueries) => ({
    ofTasks: await Promise.all(
      names.map(async (task) => ({
        task,
        dependents: await of.dependentsOf('acme', task),
        ring: (await of.ringThrough('acme', task))?.length,
        parent: await of.parentOf('acme', task),
        children: await of.childrenOf('acme', task),
        running: await of.running('acme', { task }),
        runningBelow: await of.running('acme', { task, subtree: true }),
        isIdle: await of.isIdle('acme', task),
        isHeld: await Promise.all(agents.map((agent) => of.isHeld('acme', task, agent))),
      })),
    ),
    ofAgents: await Promise.all(
      agents.map(async (agent) => ({
        agent,
        running: await of.running('acme', { agent }),
        isTerminated: await of.isTerminated('acme', agent),
        lanes: await of.lanesOf('acme', agent),
        tasks: await of.tasksOf('acme', agent),
      })),
    ),
    running: await of.running('acme', {}),
    elsewhere: [await of.running('globex', {}), await of.tasksOf('globex', 'fixer'), await of.isHeld('globex', 'T-1', 'fixer')],
  });
  expect(await ask(index)).toEqual(await ask(folded));
}

async function change(draw: Draw): Promise<unknown> {
  const pick = <T>(choices: readonly T[]): T => choices[draw(choices.length)]!;
  const [agent, task, other] = [pick(agents), pick(names), pick(names)];
  switch (draw(16)) {
    case 0:
      return ledger.send(pauseAgent, { agent });
    case 1:
      return ledger.send(resumeAgent, { agent });
    case 2:
      return ledger.send(holdTask, { task, subtree: draw(2) === 0 });
    case 3:
      return ledger.send(releaseTask, { task });
    case 4:
      return draw(4) === 0 ? ledger.send(holdCompany, {}) : ledger.send(releaseCompany, {});
    case 5:
      return putUnder(task, draw(4) === 0 ? null : other);
    case 6:
      return waitsFor(task, ...new Set([other, pick(names)].filter((blocker) => blocker !== task)));
    case 7:
      return ledger.send(setBlockers, { task, blockedBy: [other] });
    case 8:
      return ledger.send(setTaskStatus, {
        task,
        status: pick(['todo', 'in_progress', 'done', 'cancelled', 'blocked'] as const),
      });
    case 9:
      return ledger.send(assignTask, { task, agent: pick([...agents, null]) });
    case 10:
      return ledger.send(addComment, { task, commentId: pick(names), body: `said at ${ledger.clock.now().toISOString()}` });
    case 11:
      return ledger.send(removeComment, { task, comment: pick(names) });
    case 12:
      return ledger.send(requestWakeup, { agent, task }, { actor: machine });
    case 13:
    case 14:
      return void atWork.push(...(await ledger.claim(agent, { max: 1 })));
    default: {
      const claimed = atWork.shift();
      return claimed && ledger.send(finishRun, { ...claimed, outcome: pick(['succeeded', 'failed'] as const) });
    }
  }
}

describe('the index of the policies', () => {
  it('answers from the database what the log says, whatever happens', async () => {
    const seed = Date.now() % 2 ** 31;
    console.log(`seed ${seed}`);
    const draw = seeded(seed);
    for (let step = 0; step < 150; step++) {
      ledger.clock.advance(1_000);
      await change(draw).catch((error: unknown) => {
        if (!(error instanceof Rejected)) throw error;
      });
      if (step % 3 === 0) await expectAgreement();
    }
    await ledger.send(terminateAgent, { agent: 'fixer' });
    await expectAgreement();
  });

  it('finds the shortest ring through a task, and the edge of it that was set last', async () => {
    await waitsFor('T-1', 'T-2', 'T-4');
    await waitsFor('T-2', 'T-3');
    await waitsFor('T-4', 'T-5');
    await waitsFor('T-5', 'T-2');
    await waitsFor('T-3', 'T-1');
    const ring = (await (await indexNow()).ringThrough('acme', 'T-2')) ?? [];
    expect(ring.map(({ task, blocker }) => `${task} waits for ${blocker}`)).toEqual([
      'T-2 waits for T-3',
      'T-3 waits for T-1',
      'T-1 waits for T-2',
    ]);
    expect(ring.reduce((last, edge) => (edge.setAt > last.setAt ? edge : last)).task).toBe('T-3');
    expect(await (await indexNow()).ringThrough('acme', 'T-6')).toBeUndefined();
    expect(await (await indexNow()).dependentsOf('acme', 'T-2')).toEqual(['T-1', 'T-5']);
    await write('T-3', fact('BlockerResolved', { task: 'T-3', blocker: 'T-1', how: 'done', note: null, resolvedAt: now }));
    expect(await (await indexNow()).ringThrough('acme', 'T-2')).toBeUndefined();
    expect(await (await indexNow()).dependentsOf('acme', 'T-1')).toEqual(['T-3']);
  });

  it('goes round parents once that form a ring', async () => {
    await putUnder('T-1', 'T-2');
    await putUnder('T-2', 'T-1');
    await putUnder('T-4', 'T-2');
    await ledger.claim('fixer');
    const running = await (await indexNow()).running('acme', { task: 'T-1', subtree: true });
    expect(running).toEqual([
      { task: 'T-1', runId: 'T-1.1' },
      { task: 'T-4', runId: 'T-4.1' },
    ]);
  });

  it('takes a task for idle when nobody has begun, and nothing waits on it', async () => {
    const isIdle = async () => (await indexNow()).isIdle('acme', 'T-3');
    expect(await isIdle()).toBe(false);
    await write('T-3', fact('TaskAssigned', { task: 'T-3', assignee: 'fixer', previous: null, assignedAt: now }));
    expect(await isIdle()).toBe(true);
    await write('T-3', requested(1));
    await write('T-3', deferred(1, 1));
    expect(await isIdle()).toBe(false);
  });

  it('tells of a child what was said on it last and is there still', async () => {
    await putUnder('T-2', 'T-1');
    for (const commentId of ['first', 'last', 'removed'])
      await ledger.send(addComment, { task: 'T-2', commentId, body: commentId });
    await ledger.send(removeComment, { task: 'T-2', comment: 'removed' });
    expect(await (await indexNow()).childrenOf('acme', 'T-1')).toMatchObject([{ task: 'T-2', title: 'T-2', summary: 'last' }]);
  });

  it('takes a fire for pending until it has an outcome', async () => {
    const facts = [routineDefined(), firedByHand(1), firedByHand(2), fireCreated(1)];
    await store.append([toWrite(routineStream('acme', 'nightly'), -1, facts, { commandId: 'fires', actor: machine }, undefined)]);
    const folded = new FoldedIndex(await ledger.log());
    for (const index of [await indexNow(), folded]) {
      const isPending = (fire: string, company = 'acme') => index.isFirePending(company, 'nightly', fire);
      expect(await isPending('nightly@1')).toBe(false);
      expect(await isPending('nightly@2')).toBe(true);
      expect(await isPending('nightly@3')).toBe(false);
      expect(await isPending('nightly@2', 'globex')).toBe(false);
    }
  });
});
