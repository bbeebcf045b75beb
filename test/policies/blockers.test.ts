import fc from 'fast-check';
import { pauseAgent, putAgent } from '../../src/commands/agent.js';
import { dropBlocker, observeBlockers, setBlockers } from '../../src/commands/blockers.js';
import { tellChildrenCompleted } from '../../src/commands/children.js';
import { Rejected } from '../../src/commands/decider.js';
import { ringThrough } from '../../src/commands/ring.js';
import { assignTask, putTask, setTaskStatus } from '../../src/commands/task.js';
import { requestWakeup } from '../../src/commands/wakeup.js';
import { lanes } from '../../src/events/evolve-lane.js';
import { nameUuid, taskStream, type Recorded, type TaskId } from '../../src/events/event.js';
import { openBlockers, type Lane, type LaneEvent } from '../../src/events/lane.js';
import type { LedgerEvent } from '../../src/events/ledger-event.js';
import { isClosed } from '../../src/events/task.js';
import { MemoryEventStore } from '../../src/event-store/memory.js';
import { blockersPolicy } from '../../src/policies/blockers.js';
import { childrenPolicy } from '../../src/policies/children.js';
import { PolicyIndex, type BlockerEdge, type Child, type Policy, type Reaction } from '../../src/policies/policy.js';
import { FaultyStore } from '../event-store/faulty.js';
import { fact, person } from '../facts.js';
import { VirtualClock, VirtualLedger } from '../virtual-ledger.js';

/** An index that knows what it is made with, and nothing else. */
class HandMadeIndex extends PolicyIndex {
  constructor(
    private readonly known: {
      readonly dependents?: readonly TaskId[];
      readonly ring?: readonly BlockerEdge[];
      readonly parent?: TaskId;
      readonly children?: readonly Child[];
    } = {},
  ) {
    super();
  }

  dependentsOf = async () => [...(this.known.dependents ?? [])];
  ringThrough = async () => this.known.ring && [...this.known.ring];
  parentOf = async () => this.known.parent ?? null;
  childrenOf = async () => [...(this.known.children ?? [])];
  running = notAsked;
  isHeld = notAsked;
  isTerminated = notAsked;
  lanesOf = notAsked;
  tasksOf = notAsked;
  isIdle = notAsked;
  isFirePending = notAsked;
}

function notAsked(): never {
  throw new Error('blockers and children do not ask this of the index');
}

const recorded = (event: LaneEvent, task: TaskId, position: string): Recorded<LaneEvent> => ({
  ...event,
  id: nameUuid(task, position),
  schema: 1,
  stream: taskStream('acme', task),
  company: 'acme',
  subject: task,
  revision: 1,
  position,
  recordedAt: '2026-04-20T12:00:00.000Z',
  metadata: { actor: person, correlationId: 'command-1', causationId: 'command-1', commandId: 'command-1' },
});

const changed = (task: TaskId, from: Lane['status'], to: Lane['status'], position = '10') =>
  recorded(fact('TaskStatusChanged', { task, from, to, why: null, queuedRuns: [], changedAt: '' }), task, position);
const blockersSet = (task: TaskId, ...blockers: readonly TaskId[]) =>
  recorded(
    fact('BlockersSet', { task, blockers: blockers.map((blocker) => ({ task: blocker, open: true })), setAt: '' }),
    task,
    '10',
  );

async function reactions(policy: Policy, event: Recorded<LedgerEvent>, index: PolicyIndex): Promise<readonly Reaction[]> {
  // The table is keyed by the event's own type, which the compiler cannot follow through a union.
  const react = policy.on[event.type] as
    ((event: Recorded<LedgerEvent>, index: PolicyIndex) => Promise<readonly Reaction[]>) | undefined;
  return (await react?.(event, index)) ?? [];
}

const observing = (task: TaskId, ...blockers: readonly TaskId[]) => ({
  kind: observeBlockers,
  fields: { company: 'acme', task, blockers },
  stream: taskStream('acme', task),
});

describe('the policy on blockers', () => {
  const index = new HandMadeIndex({ dependents: ['ACME-2', 'ACME-3'] });

  it.each([
    ['closed', 'in_progress', 'done'],
    ['given up', 'todo', 'cancelled'],
    ['to be done again', 'done', 'todo'],
  ] as const)('tells all that wait for a task that is %s', async (_, from, to) =>
    expect(await reactions(blockersPolicy, changed('ACME-1', from, to), index)).toEqual([
      observing('ACME-2', 'ACME-1'),
      observing('ACME-3', 'ACME-1'),
    ]),
  );
  it.each([
    ['todo', 'in_progress'],
    ['done', 'cancelled'],
  ] as const)('has nothing to tell when a task goes from %s to %s', async (from, to) =>
    expect(await reactions(blockersPolicy, changed('ACME-1', from, to), index)).toEqual([]),
  );
  it('looks at each blocker that was set, in one decision', async () => {
    expect(await reactions(blockersPolicy, blockersSet('ACME-2', 'ACME-1', 'ACME-3'), new HandMadeIndex())).toEqual([
      observing('ACME-2', 'ACME-1', 'ACME-3'),
    ]);
    expect(await reactions(blockersPolicy, blockersSet('ACME-2'), new HandMadeIndex())).toEqual([]);
  });

  describe('where tasks wait for each other', () => {
    const ring = new HandMadeIndex({
      ring: [
        { task: 'ACME-1', blocker: 'ACME-2', setAt: '07' },
        { task: 'ACME-2', blocker: 'ACME-3', setAt: '11' },
        { task: 'ACME-3', blocker: 'ACME-1', setAt: '09' },
      ],
    });
    const dropping = {
      kind: dropBlocker,
      fields: {
        company: 'acme',
        task: 'ACME-2',
        blocker: 'ACME-3',
        note: 'ACME-1 waits for ACME-2, ACME-2 for ACME-3, ACME-3 for ACME-1: that ACME-2 waits for ACME-3 was set last, and is dropped',
      },
      stream: taskStream('acme', 'ACME-2'),
    };

    it('drops the edge that was set last, and only that', async () =>
      expect(await reactions(blockersPolicy, blockersSet('ACME-1', 'ACME-2'), ring)).toEqual([
        observing('ACME-1', 'ACME-2'),
        dropping,
      ]));
    it('looks again when a blocker is reopened, and when a ring was opened', async () => {
      const reopened = recorded(fact('BlockerReopened', { task: 'ACME-1', blocker: 'ACME-2', reopenedAt: '' }), 'ACME-1', '12');
      expect(await reactions(blockersPolicy, reopened, ring)).toEqual([dropping]);
      const resolution = (how: 'cycle' | 'done') =>
        recorded(fact('BlockerResolved', { task: 'ACME-1', blocker: 'ACME-2', how, note: null, resolvedAt: '' }), 'ACME-1', '12');
      expect(await reactions(blockersPolicy, resolution('cycle'), ring)).toEqual([dropping]);
      expect(await reactions(blockersPolicy, resolution('done'), ring)).toEqual([]);
    });
  });
});

describe('the policy on children', () => {
  const child = (n: number, movedAt: string, status: Child['status'] = 'done'): Child => ({
    task: `ACME-${n}`,
    title: `Part ${n}`,
    status,
    movedAt,
    summary: `did ${n}`,
  });
  const under = (...children: readonly Child[]) => new HandMadeIndex({ parent: 'ACME-9', children });

  it('tells the task above when the last one under it is closed, the last that moved last (65)', async () =>
    expect(
      await reactions(
        childrenPolicy,
        changed('ACME-1', 'todo', 'done', '10'),
        under(child(1, '10'), child(2, '08', 'cancelled')),
      ),
    ).toEqual([
      {
        kind: tellChildrenCompleted,
        fields: {
          company: 'acme',
          task: 'ACME-9',
          children: [
            { task: 'ACME-2', title: 'Part 2', status: 'cancelled', summary: 'did 2' },
            { task: 'ACME-1', title: 'Part 1', status: 'done', summary: 'did 1' },
          ],
        },
        stream: taskStream('acme', 'ACME-9'),
      },
    ]));
  it('waits while one of them is open', async () =>
    expect(
      await reactions(childrenPolicy, changed('ACME-1', 'todo', 'done', '10'), under(child(1, '10'), child(2, '08', 'todo'))),
    ).toEqual([]));
  it('leaves it to the event that closed the last one, when it knows of that already', async () => {
    const both = under(child(1, '10'), child(2, '11'));
    expect(await reactions(childrenPolicy, changed('ACME-1', 'todo', 'done', '10'), both)).toEqual([]);
    expect(await reactions(childrenPolicy, changed('ACME-2', 'todo', 'done', '11'), both)).toHaveLength(1);
  });
  it('has nothing to say of a task that is a part of none, or is to be done again', async () => {
    expect(await reactions(childrenPolicy, changed('ACME-1', 'todo', 'done'), new HandMadeIndex())).toEqual([]);
    expect(await reactions(childrenPolicy, changed('ACME-1', 'done', 'todo', '10'), under(child(1, '10')))).toEqual([]);
  });
});

/** The index, folded anew from the log for each question. */
class FoldedIndex extends HandMadeIndex {
  private readonly folded: ReadonlyMap<TaskId, Lane>;

  constructor(private readonly log: readonly Recorded<LedgerEvent>[]) {
    super();
    this.folded = lanesIn(log);
  }

  override dependentsOf = async (...[, blocker]: [string?, TaskId?]) =>
    this.where(({ blockers }) => blockers.some(({ task }) => task === blocker)).map(({ task }) => task);

  override ringThrough = async (...[, task]: [string?, TaskId?]) => {
    const waits = (at: TaskId): TaskId[] => openBlockers(this.folded.get(at) ?? lanes.initial);
    const ring = ringThrough(task ?? '', waits(task ?? ''), waits);
    return ring?.map((at, n) => ({ task: at, blocker: ring[(n + 1) % ring.length]!, setAt: this.last(at, 'BlockersSet') }));
  };

  override parentOf = async (...[, task]: [string?, TaskId?]) => this.folded.get(task ?? '')?.parent ?? null;

  override childrenOf = async (...[, parent]: [string?, TaskId?]) =>
    this.where((lane) => lane.parent === parent).map(({ task, title, status }) => {
      const movedAt = this.last(task, 'TaskStatusChanged') || this.last(task, 'TaskOpened');
      return { task, title, status, movedAt, summary: '' };
    });

  private where(fits: (lane: Lane) => boolean): Lane[] {
    return [...this.folded.values()].filter(fits);
  }

  private last(task: TaskId, type: LaneEvent['type']): string {
    return this.log.findLast((event) => event.subject === task && event.type === type)?.position ?? '';
  }
}

const isOfTask = (event: Recorded<LedgerEvent>): event is Recorded<LaneEvent> => event.stream.startsWith('task-');

function lanesIn(log: readonly Recorded<LedgerEvent>[]): ReadonlyMap<TaskId, Lane> {
  const folded = new Map<TaskId, Lane>();
  for (const event of log)
    if (isOfTask(event)) folded.set(event.subject, lanes.evolve(folded.get(event.subject) ?? lanes.initial, event));
  return folded;
}

/** A ledger whose policies react when the test says so, to one event after the other. */
class Reacting extends VirtualLedger {
  private readonly faulty: FaultyStore;
  private seen = 0;

  constructor() {
    const clock = new VirtualClock();
    const faulty = new FaultyStore(new MemoryEventStore({ now: clock.now }));
    super({ store: faulty, clock });
    this.faulty = faulty;
  }

  /** To so many events at most; answers to how many. */
  override async react(most = Infinity): Promise<number> {
    const from = this.seen;
    for (let log = await this.log(); this.seen < log.length && most-- > 0; log = await this.log()) {
      const event = log[this.seen++]!;
      for (const policy of [blockersPolicy, childrenPolicy])
        for (const { kind, fields, stream } of await reactions(policy, event, new FoldedIndex(log))) {
          const commandId = nameUuid(policy.name, event.id, stream, kind.command.name);
          await this.send(kind, fields, { commandId, actor: { type: 'system', id: policy.name } });
        }
    }
    return this.seen - from;
  }

  /** The policies come by everything once more, as after a crash before their checkpoint. */
  forgetCheckpoint(): void {
    this.seen = 0;
  }

  /** While it is decided, and before it is written, something else happens. */
  async meanwhile(decided: () => Promise<unknown>, happening: () => Promise<unknown>): Promise<void> {
    let happened = false;
    this.faulty.beforeAppend = async () => {
      if (happened) return;
      happened = true;
      await happening();
    };
    await decided();
    expect(happened).toBe(true);
  }

  async wakes(task: TaskId): Promise<string[]> {
    const history = await this.history(task);
    return history.flatMap(({ type, data }) => (type === 'WakeupRequested' ? [data.reason] : []));
  }
}

async function withTasks(...tasks: readonly { task: TaskId; blockedBy?: TaskId[]; parent?: TaskId; assignee?: string }[]) {
  const ledger = new Reacting();
  for (const agent of ['fixer', 'reviewer']) await ledger.send(putAgent, { agent, name: agent, adapter: 'process', policy: {} });
  for (const fields of tasks) await ledger.send(putTask, { title: fields.task, ...fields });
  await ledger.react();
  return ledger;
}

describe('a task that waits', () => {
  it('is woken for when the last of its blockers is done, and not before (61)', async () => {
    const ledger = await withTasks({ task: 'A' }, { task: 'B' }, { task: 'C', assignee: 'fixer', blockedBy: ['A', 'B'] });
    await ledger.send(setTaskStatus, { task: 'A', status: 'done' });
    await ledger.react();
    expect((await ledger.lane('C')).open).toEqual([]);
    await ledger.send(setTaskStatus, { task: 'B', status: 'done' });
    await ledger.react();
    expect(await ledger.wakes('C')).toEqual(['issue_assigned', 'issue_blockers_resolved']);
    expect((await ledger.lane('C')).open).toMatchObject([{ runId: 'C.1', status: 'queued' }]);
  });

  it('does not lose the wake of a blocker that closes in the moment in which it is set', async () => {
    const ledger = await withTasks({ task: 'A' }, { task: 'B' }, { task: 'C', assignee: 'fixer' });
    await ledger.work('fixer', { outcome: 'succeeded' });
    const other = ledger.another();
    await ledger.meanwhile(
      () => ledger.send(setBlockers, { task: 'C', blockedBy: ['A', 'B'] }),
      async () => {
        await other.send(setTaskStatus, { task: 'A', status: 'done' });
        await other.send(setTaskStatus, { task: 'B', status: 'done' });
        await ledger.react();
      },
    );
    expect((await ledger.lane('C')).blockers).toEqual([
      { task: 'A', open: true },
      { task: 'B', open: true },
    ]);
    await ledger.react();
    expect(openBlockers(await ledger.lane('C'))).toEqual([]);
    expect(await ledger.wakes('C')).toEqual(['issue_assigned', 'issue_blockers_resolved']);
  });

  it('wakes once, however often the policies come by', async () => {
    const ledger = await withTasks({ task: 'A' }, { task: 'C', assignee: 'fixer', blockedBy: ['A'] });
    await ledger.send(setTaskStatus, { task: 'A', status: 'cancelled' });
    await ledger.react();
    ledger.forgetCheckpoint();
    await ledger.react();
    expect(await ledger.wakes('C')).toEqual(['issue_assigned', 'issue_blockers_resolved']);
    expect(await ledger.last('C', 'WakeupRequested')).toMatchObject({ payload: { note: 'A was cancelled, not done' } });
  });

  it('is woken for too when a blocker becomes done by another way', async () => {
    const ledger = await withTasks({ task: 'A' }, { task: 'C', assignee: 'fixer', blockedBy: ['A'] });
    await ledger.send(putTask, { task: 'A', title: 'A', status: 'done' });
    await ledger.react();
    expect(await ledger.wakes('C')).toEqual(['issue_assigned', 'issue_blockers_resolved']);
  });

  it('is told with the last that is done that another one was cancelled long before', async () => {
    const ledger = await withTasks({ task: 'A' }, { task: 'B' }, { task: 'C', assignee: 'fixer', blockedBy: ['A', 'B'] });
    await ledger.send(setTaskStatus, { task: 'A', status: 'cancelled' });
    await ledger.react();
    await ledger.send(setTaskStatus, { task: 'B', status: 'done' });
    await ledger.react();
    expect(await ledger.last('C', 'WakeupRequested')).toMatchObject({
      payload: { blocker: 'B', blockers: ['A', 'B'], note: 'A was cancelled, not done' },
    });
  });

  it('waits again for a blocker that is reopened, and what runs goes on', async () => {
    const ledger = await withTasks({ task: 'A' }, { task: 'C', assignee: 'fixer', blockedBy: ['A'] });
    await ledger.send(setTaskStatus, { task: 'A', status: 'done' });
    await ledger.react();
    await ledger.claim('fixer');
    await ledger.send(setTaskStatus, { task: 'A', status: 'todo' });
    await ledger.react();
    expect(await ledger.lane('C')).toMatchObject({ blockers: [{ open: true }], open: [{ status: 'running' }] });
    await ledger.send(requestWakeup, { task: 'C', agent: 'fixer' });
    expect(await ledger.last('C', 'WakeupSkipped')).toMatchObject({ code: 'issue_dependencies_blocked', blockers: ['A'] });
  });

  it('is not moved by a blocker that was reopened before anybody looked', async () => {
    const ledger = await withTasks({ task: 'A' }, { task: 'C', assignee: 'fixer', blockedBy: ['A'] });
    await ledger.send(setTaskStatus, { task: 'A', status: 'done' });
    await ledger.send(setTaskStatus, { task: 'A', status: 'todo' });
    await ledger.react();
    expect(await ledger.wakes('C')).toEqual(['issue_assigned']);
  });

  it('keeps the wake of an agent that is paused', async () => {
    const ledger = await withTasks({ task: 'A' }, { task: 'C', assignee: 'fixer', blockedBy: ['A'] });
    await ledger.send(pauseAgent, { agent: 'fixer', reason: 'lunch' });
    await ledger.send(setTaskStatus, { task: 'A', status: 'done' });
    await ledger.react();
    expect((await ledger.lane('C')).open).toMatchObject([{ runId: 'C.1', status: 'queued' }]);
  });
});

describe('a ring that is closed by changes made at once', () => {
  it('loses the edge that was set last, and nobody waits for himself', async () => {
    const ledger = await withTasks({ task: 'A', assignee: 'fixer' }, { task: 'B', assignee: 'reviewer' });
    const other = ledger.another();
    await ledger.meanwhile(
      () => ledger.send(setBlockers, { task: 'A', blockedBy: ['B'] }),
      () => other.send(setBlockers, { task: 'B', blockedBy: ['A'] }),
    );
    expect([(await ledger.lane('A')).blockers, (await ledger.lane('B')).blockers]).toMatchObject([
      [{ open: true }],
      [{ open: true }],
    ]);
    await ledger.react();
    expect(await ledger.last('A', 'BlockerResolved')).toMatchObject({
      blocker: 'B',
      how: 'cycle',
      note: expect.stringMatching(/B waits for A, A for B|A waits for B, B for A/),
    });
    expect([(await ledger.lane('A')).blockers, (await ledger.lane('B')).blockers]).toEqual([[], [{ task: 'A', open: true }]]);
  });

  it('is found too when a task that waits is reopened', async () => {
    const ledger = await withTasks({ task: 'A' }, { task: 'B' });
    await ledger.send(setBlockers, { task: 'B', blockedBy: ['A'] });
    await ledger.send(setTaskStatus, { task: 'A', status: 'done' });
    await ledger.react();
    await ledger.send(setBlockers, { task: 'A', blockedBy: ['B'] });
    await ledger.send(setTaskStatus, { task: 'A', status: 'todo' });
    await ledger.react();
    expect([(await ledger.lane('A')).blockers, (await ledger.lane('B')).blockers]).toEqual([[], [{ task: 'A', open: true }]]);
  });
});

describe('a task with parts', () => {
  it('is told once when the last of them is closed (65)', async () => {
    const ledger = await withTasks({ task: 'P', assignee: 'fixer' }, { task: 'A', parent: 'P' }, { task: 'B', parent: 'P' });
    await ledger.work('fixer', { outcome: 'succeeded' });
    await ledger.send(setTaskStatus, { task: 'A', status: 'done' });
    await ledger.react();
    expect(await ledger.wakes('P')).toEqual(['issue_assigned']);
    await ledger.send(setTaskStatus, { task: 'B', status: 'cancelled' });
    await ledger.react();
    ledger.forgetCheckpoint();
    await ledger.react();
    expect(await ledger.wakes('P')).toEqual(['issue_assigned', 'issue_children_completed']);
    expect(await ledger.last('P', 'WakeupRequested')).toMatchObject({
      payload: {
        total: 2,
        children: [
          { task: 'A', status: 'done' },
          { task: 'B', status: 'cancelled' },
        ],
      },
    });
  });
  it('is told once when two of them are closed before anybody looks', async () => {
    const ledger = await withTasks({ task: 'P', assignee: 'fixer' }, { task: 'A', parent: 'P' }, { task: 'B', parent: 'P' });
    await ledger.send(setTaskStatus, { task: 'A', status: 'done' });
    await ledger.send(setTaskStatus, { task: 'B', status: 'done' });
    await ledger.react();
    expect(await ledger.wakes('P')).toEqual(['issue_assigned', 'issue_children_completed']);
  });
});

describe('whatever is set, closed and reopened', () => {
  const tasks = ['A', 'B', 'C', 'D', 'E'];
  const taskName = fc.constantFrom(...tasks);
  const moves = fc.oneof(
    fc.record({
      set: taskName,
      blockedBy: fc.uniqueArray(taskName, { maxLength: 3 }),
      meanwhile: fc.option(fc.tuple(taskName, taskName)),
    }),
    fc.record({ move: taskName, to: fc.constantFrom('todo', 'done', 'cancelled') }),
    fc.record({ assign: taskName, agent: fc.constantFrom('fixer', 'reviewer', null) }),
    fc.record({ react: fc.integer({ min: 1, max: 5 }) }),
  );

  type Move = typeof moves extends fc.Arbitrary<infer Drawn> ? Drawn : never;

  async function carryOut(ledger: Reacting, move: Move): Promise<void> {
    const unlessRefused = (sending: Promise<unknown>) =>
      sending.catch((error: unknown) => {
        if (!(error instanceof Rejected)) throw error;
      });
    if ('react' in move) return void (await ledger.react(move.react));
    if ('move' in move) return void (await ledger.send(setTaskStatus, { task: move.move, status: move.to }));
    if ('assign' in move) return void (await ledger.send(assignTask, { task: move.assign, agent: move.agent }));
    const { set, blockedBy, meanwhile } = move;
    const deciding = () => unlessRefused(ledger.send(setBlockers, { task: set, blockedBy }));
    if (!meanwhile || meanwhile[0] === set) return void (await deciding());
    const [task, blocker] = meanwhile;
    await unlessRefused(ledger.another().send(setBlockers, { task, blockedBy: [blocker] }));
    await deciding();
  }

  it('is known as it is in the end, in no ring, and nobody is left waiting for nothing', async () => {
    const seed = Date.now() % 2 ** 31;
    console.log(`seed ${seed}`);
    await fc.assert(
      fc.asyncProperty(fc.array(moves, { maxLength: 40 }), async (story) => {
        const ledger = await withTasks(...tasks.map((task) => ({ task, assignee: 'fixer' })));
        for (const move of story) await carryOut(ledger, move);
        await ledger.react();
        const folded = lanesIn(await ledger.log());
        const index = new FoldedIndex(await ledger.log());
        for (const lane of folded.values()) {
          expect(lane.blockers).toEqual(lane.blockers.map(({ task }) => ({ task, open: !isClosed(folded.get(task)!.status) })));
          expect(await index.ringThrough('acme', lane.task)).toBeUndefined();
          const isToBeDone = !isClosed(lane.status) && lane.assignee !== null && openBlockers(lane).length === 0;
          expect(isToBeDone && lane.open.every(({ agent }) => agent !== lane.assignee)).toBe(false);
          expect(lane.arriving).toEqual([]);
        }
      }),
      { seed, numRuns: 100 },
    );
  });
});
