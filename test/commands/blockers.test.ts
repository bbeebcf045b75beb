import { dropBlocker, observeBlockers, setBlockers } from '../../src/commands/blockers.js';
import { tellChildrenCompleted } from '../../src/commands/children.js';
import { requestWakeup } from '../../src/commands/wakeup.js';
import { lanes } from '../../src/events/evolve-lane.js';
import type { Lane, LaneEvent } from '../../src/events/lane.js';
import type { TaskStatus } from '../../src/events/task.js';
import { at, fact, itself, machine, movedTo, opened, parked, parkedRetry, runningRun } from '../facts.js';
import { given } from '../given.js';

const task = { company: 'acme', task: 'ACME-12' };
const woken = [{ type: 'WakeupRequested' }, { type: 'RunQueued' }] as const;

/** ACME-12 waits for these: open, unless they are said to be closed. */
const waitsFor = (...blockers: readonly (string | { task: string; open: boolean })[]) => set('ACME-12', ...blockers);
const set = (name: string, ...blockers: readonly (string | { task: string; open: boolean })[]) =>
  fact('BlockersSet', {
    task: name,
    blockers: blockers.map((blocker) => (typeof blocker === 'string' ? { task: blocker, open: true } : blocker)),
    setAt: at('11:20').toISOString(),
  });

const folded = (...facts: readonly LaneEvent[]): Lane => facts.reduce(lanes.evolve, lanes.initial);
const inStatus = (name: string, status: TaskStatus = 'todo') => folded(opened({ task: name, status }));
/** Other tasks, as World knows them. */
const others = (statuses: Readonly<Record<string, TaskStatus>>) => ({
  tasks: Object.fromEntries(Object.entries(statuses).map(([name, status]) => [name, inStatus(name, status)])),
});
/** Each waits for the next. */
const chain = (...names: readonly string[]) => ({
  tasks: Object.fromEntries(
    names.slice(0, -1).map((name, n) => [name, folded(opened({ task: name }), set(name, names[n + 1]!))]),
  ),
});
const many = Array.from({ length: 501 }, (_, n) => `ACME-${n + 100}`);

describe('SetBlockers', () => {
  it('lets a task wait for others, each as it is', () =>
    given(opened())
      .when(
        setBlockers,
        { ...task, blockedBy: ['ACME-1', 'ACME-2', 'ACME-3'] },
        others({ 'ACME-1': 'todo', 'ACME-2': 'done', 'ACME-3': 'cancelled' }),
      )
      .answering({
        task: {
          blockers: [
            { task: 'ACME-1', open: true },
            { task: 'ACME-2', open: false },
            { task: 'ACME-3', open: false },
          ],
        },
      })
      .then({
        type: 'BlockersSet',
        data: {
          task: 'ACME-12',
          blockers: [
            { task: 'ACME-1', open: true },
            { task: 'ACME-2', open: false },
            { task: 'ACME-3', open: false },
          ],
          setAt: at('12:00').toISOString(),
        },
      }));
  it('takes one that is named twice for one', () =>
    given(opened())
      .when(setBlockers, { ...task, blockedBy: ['ACME-1', 'ACME-1'] }, others({ 'ACME-1': 'todo' }))
      .then({ type: 'BlockersSet', data: { blockers: [{ task: 'ACME-1', open: true }] } }));
  it('replaces the ones before, and leaves one that stays as the task knows it', () =>
    given(opened(), waitsFor('ACME-1', { task: 'ACME-2', open: false }))
      .when(setBlockers, { ...task, blockedBy: ['ACME-2', 'ACME-3'] }, others({ 'ACME-2': 'todo', 'ACME-3': 'todo' }))
      .then({
        type: 'BlockersSet',
        data: {
          blockers: [
            { task: 'ACME-2', open: false },
            { task: 'ACME-3', open: true },
          ],
        },
      }));
  it('does nothing for the same ones, in whatever order', () => {
    const same = given(opened(), waitsFor('ACME-1', 'ACME-2'));
    same
      .when(setBlockers, { ...task, blockedBy: ['ACME-2', 'ACME-1'] }, others({ 'ACME-1': 'done', 'ACME-2': 'todo' }))
      .thenNothing();
    given(opened())
      .when(setBlockers, { ...task, blockedBy: [] })
      .thenNothing();
  });
  it('leaves alone what runs and what is queued', () =>
    given(...runningRun)
      .when(setBlockers, { ...task, blockedBy: ['ACME-1'] }, others({ 'ACME-1': 'todo' }))
      .answering({ cancelledRuns: [], wakeups: [] })
      .then({ type: 'BlockersSet' }));

  describe('that leaves none open', () => {
    it('wakes the assignee also when the last blocker was removed, and says so', () =>
      given(opened(), waitsFor('ACME-1', { task: 'ACME-2', open: false }))
        .when(setBlockers, { ...task, blockedBy: ['ACME-2'] }, others({ 'ACME-2': 'done' }))
        .then(
          { type: 'BlockersSet', data: { blockers: [{ task: 'ACME-2', open: false }] } },
          {
            type: 'WakeupRequested',
            data: {
              agent: 'fixer',
              source: 'automation',
              reason: 'issue_blockers_resolved',
              outside: false,
              payload: { blockers: ['ACME-1', 'ACME-2'], note: 'ACME-1 was removed, not done' },
            },
          },
          { type: 'RunQueued', data: { agent: 'fixer' } },
        ));
    it('says too what was cancelled, and names no more than ten', () =>
      expect(
        given(opened(), waitsFor(...many.slice(0, 12)))
          .when(setBlockers, { ...task, blockedBy: ['ACME-1'] }, others({ 'ACME-1': 'cancelled' }))
          .events()[1],
      ).toMatchObject({
        data: {
          payload: {
            note: `${many.slice(0, 10).join(', ')} and 2 others were removed, not done; ACME-1 was cancelled, not done`,
          },
        },
      }));
    it('wakes nobody while another one is open', () =>
      given(opened(), waitsFor('ACME-1', 'ACME-2'))
        .when(setBlockers, { ...task, blockedBy: ['ACME-2'] }, others({ 'ACME-2': 'todo' }))
        .then({ type: 'BlockersSet' }));
    it('wakes nobody where none was open before', () =>
      given(opened(), waitsFor({ task: 'ACME-1', open: false }))
        .when(setBlockers, { ...task, blockedBy: [] })
        .then({ type: 'BlockersSet' }));
    it.each([
      ['is nobody’s', opened({ assignee: null })],
      ['is in the backlog', opened({ status: 'backlog' })],
      ['is done', opened({ status: 'done' })],
      ['is cancelled', opened({ status: 'cancelled' })],
    ])('wakes nobody for a task that %s', (_, as) =>
      given(as, waitsFor('ACME-1'))
        .when(setBlockers, { ...task, blockedBy: [] })
        .then({ type: 'BlockersSet' }),
    );
    it('wakes the agent that did it itself, unless it is at work on the task', () => {
      given(opened(), waitsFor('ACME-1'))
        .when(setBlockers, { ...task, blockedBy: [] }, { actor: itself })
        .then({ type: 'BlockersSet' }, ...woken);
      given(...runningRun, waitsFor('ACME-1'))
        .when(setBlockers, { ...task, blockedBy: [] }, { actor: itself })
        .then({ type: 'BlockersSet' });
    });
    it('does not shorten the back-off of a retry', () =>
      given(...parkedRetry, waitsFor('ACME-1'))
        .when(setBlockers, { ...task, blockedBy: [] })
        .then({ type: 'BlockersSet' }, { type: 'WakeupRequested' }, { type: 'WakeupCoalesced', data: { runId: 'ACME-12.2' } }));
  });

  describe('refuses', () => {
    it('a task that was never opened', () =>
      given()
        .when(setBlockers, { ...task, blockedBy: [] })
        .refuses('task_not_found', /ACME-12/));
    it('blockers that do not exist, and names all of them', () => {
      given(opened())
        .when(setBlockers, { ...task, blockedBy: ['ACME-1', 'ACME-8', 'ACME-9'] }, others({ 'ACME-1': 'todo' }))
        .refuses('task_not_found', 'there are no tasks ACME-8, ACME-9; open them first');
      given(opened())
        .when(setBlockers, { ...task, blockedBy: ['ACME-8'] })
        .refuses('task_not_found', 'there is no task ACME-8');
    });
    it('501 of them, with their count, and takes 500', () => {
      const all = others(Object.fromEntries(many.map((name) => [name, 'todo' as const])));
      given(opened())
        .when(setBlockers, { ...task, blockedBy: many }, all)
        .refuses('too_many', /^501 tasks .* at most 500/);
      given(opened())
        .when(setBlockers, { ...task, blockedBy: [...many.slice(1), many[1]] }, all)
        .then({ type: 'BlockersSet' });
    });
    it('does not even look at 501', () => {
      const asked = (blockedBy: string[]) => setBlockers.tasks?.({ ...task, blockedBy }, folded(opened()));
      expect(asked(many)).toEqual([]);
      expect(asked([...many.slice(1), many[1]!])).toHaveLength(500);
    });
    it('itself', () =>
      given(opened())
        .when(setBlockers, { ...task, blockedBy: ['ACME-12'] })
        .refuses('blocker_cycle', 'ACME-12 cannot wait for itself: ACME-12 waits for ACME-12; leave ACME-12 out'));
    it('a cycle through five tasks, with the path', () =>
      given(opened())
        .when(
          setBlockers,
          { ...task, blockedBy: ['ACME-9', 'ACME-1'] },
          { tasks: { ...chain('ACME-1', 'ACME-2', 'ACME-3', 'ACME-4', 'ACME-12').tasks, 'ACME-9': inStatus('ACME-9') } },
        )
        .refuses(
          'blocker_cycle',
          'ACME-12 waits for ACME-1, ACME-1 for ACME-2, ACME-2 for ACME-3, ACME-3 for ACME-4, ACME-4 for ACME-12; leave ACME-1 out',
        ));
    it('no ring that is open somewhere', () =>
      given(opened())
        .when(
          setBlockers,
          { ...task, blockedBy: ['ACME-1'] },
          {
            tasks: {
              'ACME-1': folded(opened({ task: 'ACME-1' }), set('ACME-1', { task: 'ACME-12', open: false })),
            },
          },
        )
        .then({ type: 'BlockersSet' }));
    it('nothing for a ring of others', () =>
      given(opened())
        .when(setBlockers, { ...task, blockedBy: ['ACME-1'] }, chain('ACME-1', 'ACME-2', 'ACME-1'))
        .then({ type: 'BlockersSet' }));
  });
});

describe('a task that is blocked', () => {
  it('takes in no demand but records it, with the blockers that are open (62)', () =>
    given(opened(), waitsFor('ACME-1', { task: 'ACME-2', open: false }, 'ACME-3'))
      .when(requestWakeup, { company: 'acme', task: 'ACME-12', agent: 'fixer' })
      .then(
        { type: 'WakeupRequested' },
        { type: 'WakeupSkipped', data: { code: 'issue_dependencies_blocked', blockers: ['ACME-1', 'ACME-3'] } },
      ));
});

describe('ObserveBlockers', () => {
  const observe = { ...task, blockers: ['ACME-1'] };
  const policy = { actor: machine };

  it('wakes the assignee when the last blocker is done (61)', () =>
    given(opened(), waitsFor('ACME-1', { task: 'ACME-2', open: false }))
      .when(observeBlockers, observe, { ...policy, ...others({ 'ACME-1': 'done', 'ACME-2': 'done' }) })
      .answering({ task: { blockers: [{ open: false }, { open: false }] } })
      .then(
        { type: 'BlockerResolved', data: { task: 'ACME-12', blocker: 'ACME-1', how: 'done', note: null } },
        {
          type: 'WakeupRequested',
          data: {
            agent: 'fixer',
            source: 'automation',
            reason: 'issue_blockers_resolved',
            outside: false,
            payload: { blocker: 'ACME-1', blockers: ['ACME-1', 'ACME-2'] },
          },
        },
        { type: 'RunQueued', data: { agent: 'fixer' } },
      ));
  it('wakes nobody while a second one is open (61)', () =>
    given(opened(), waitsFor('ACME-1', 'ACME-2'))
      .when(observeBlockers, observe, others({ 'ACME-1': 'done' }))
      .then({ type: 'BlockerResolved' }));
  it('takes several at once, and wakes once', () =>
    given(opened(), waitsFor('ACME-1', 'ACME-2', { task: 'ACME-3', open: false }))
      .when(
        observeBlockers,
        { ...task, blockers: ['ACME-1', 'ACME-2'] },
        others({ 'ACME-1': 'done', 'ACME-2': 'done', 'ACME-3': 'done' }),
      )
      .then(
        { type: 'BlockerResolved', data: { blocker: 'ACME-1' } },
        { type: 'BlockerResolved', data: { blocker: 'ACME-2' } },
        { type: 'WakeupRequested', data: { payload: { blocker: 'ACME-2', blockers: ['ACME-1', 'ACME-2', 'ACME-3'] } } },
        { type: 'RunQueued' },
      ));
  it('wakes nobody when one is done in the moment in which another is reopened', () =>
    given(opened(), waitsFor('ACME-1', { task: 'ACME-2', open: false }))
      .when(observeBlockers, { ...task, blockers: ['ACME-1', 'ACME-2'] }, others({ 'ACME-1': 'done', 'ACME-2': 'todo' }))
      .then({ type: 'BlockerResolved' }, { type: 'BlockerReopened' }));
  it('does nothing when it is known already, or not so any more', () => {
    given(opened(), waitsFor({ task: 'ACME-1', open: false }))
      .when(observeBlockers, observe, others({ 'ACME-1': 'done' }))
      .thenNothing();
    given(opened(), waitsFor('ACME-1'))
      .when(observeBlockers, observe, others({ 'ACME-1': 'in_progress' }))
      .thenNothing();
    given(opened(), waitsFor('ACME-2'))
      .when(observeBlockers, observe, others({ 'ACME-1': 'done' }))
      .thenNothing();
    given(opened(), waitsFor('ACME-1')).when(observeBlockers, observe).thenNothing();
  });
  it('does not let a cancelled blocker block for ever', () =>
    given(opened(), waitsFor('ACME-1'))
      .when(observeBlockers, observe, others({ 'ACME-1': 'cancelled' }))
      .then(
        { type: 'BlockerResolved', data: { how: 'cancelled', note: 'ACME-1 was cancelled, not done' } },
        { type: 'WakeupRequested', data: { payload: { note: 'ACME-1 was cancelled, not done' } } },
        { type: 'RunQueued' },
      ));
  it('says of one that was cancelled before that it was not done', () => {
    expect(observeBlockers.tasks?.(observe, folded(opened(), waitsFor('ACME-1', 'ACME-2')))).toEqual(['ACME-1']);
    given(opened(), waitsFor('ACME-1', { task: 'ACME-2', open: false }))
      .when(observeBlockers, observe, others({ 'ACME-1': 'done', 'ACME-2': 'cancelled' }))
      .then(
        { type: 'BlockerResolved', data: { note: null } },
        { type: 'WakeupRequested', data: { payload: { note: 'ACME-2 was cancelled, not done' } } },
        { type: 'RunQueued' },
      );
  });
  it('lets a reopened blocker block again, and a running run go on', () =>
    given(...runningRun, waitsFor({ task: 'ACME-1', open: false }))
      .when(observeBlockers, observe, others({ 'ACME-1': 'todo' }))
      .answering({ task: { blockers: [{ task: 'ACME-1', open: true }] }, cancelledRuns: [] })
      .then({ type: 'BlockerReopened', data: { task: 'ACME-12', blocker: 'ACME-1' } }));
  it.each([
    ['is nobody’s', opened({ assignee: null })],
    ['is in the backlog', opened({ status: 'backlog' })],
    ['is closed', opened({ status: 'done' })],
  ])('wakes nobody for a task that %s', (_, as) =>
    given(as, waitsFor('ACME-1'))
      .when(observeBlockers, observe, others({ 'ACME-1': 'done' }))
      .then({ type: 'BlockerResolved' }),
  );
  it('wakes the assignee of a task whose status says blocked', () =>
    given(opened({ status: 'blocked' }), waitsFor('ACME-1'))
      .when(observeBlockers, observe, others({ 'ACME-1': 'done' }))
      .then({ type: 'BlockerResolved' }, ...woken));
  it('waits behind the run that answers, where one runs', () =>
    given(...runningRun, waitsFor('ACME-1'))
      .when(observeBlockers, observe, others({ 'ACME-1': 'done' }))
      .then({ type: 'BlockerResolved' }, { type: 'WakeupRequested' }, { type: 'WakeupDeferred' }));
  it('joins what is parked', () =>
    given(...parkedRetry.slice(0, -1), parked(2), waitsFor('ACME-1'))
      .when(observeBlockers, observe, others({ 'ACME-1': 'done' }))
      .then({ type: 'BlockerResolved' }, { type: 'WakeupRequested' }, { type: 'WakeupCoalesced' }));
});

describe('DropBlocker', () => {
  const drop = { ...task, blocker: 'ACME-1', note: 'both at once' };

  it('takes one edge out of a ring, and wakes the assignee with the note', () =>
    given(opened(), waitsFor('ACME-1'))
      .when(dropBlocker, drop, { ...chain('ACME-1', 'ACME-12'), actor: machine })
      .answering({ task: { blockers: [] } })
      .then(
        { type: 'BlockerResolved', data: { task: 'ACME-12', blocker: 'ACME-1', how: 'cycle', note: 'both at once' } },
        { type: 'WakeupRequested', data: { payload: { blocker: 'ACME-1', blockers: ['ACME-1'], note: 'both at once' } } },
        { type: 'RunQueued' },
      ));
  it('wakes nobody while the task waits for something else', () =>
    given(opened(), waitsFor('ACME-1', 'ACME-2'))
      .when(dropBlocker, drop, chain('ACME-1', 'ACME-12'))
      .then({ type: 'BlockerResolved' }));
  it('leaves an edge that is part of no ring any more', () => {
    given(opened(), waitsFor('ACME-1'))
      .when(dropBlocker, drop, others({ 'ACME-1': 'todo' }))
      .thenNothing();
    given(opened(), waitsFor({ task: 'ACME-1', open: false }))
      .when(dropBlocker, drop, chain('ACME-1', 'ACME-12'))
      .thenNothing();
  });
  it('does nothing twice', () =>
    given(opened(), waitsFor('ACME-1'), fact('BlockerResolved', { ...drop, how: 'cycle', resolvedAt: at('11:30').toISOString() }))
      .when(dropBlocker, drop, chain('ACME-1', 'ACME-12'))
      .thenNothing());
});

describe('TellChildrenCompleted', () => {
  const child = (n: number, over: object = {}) => ({
    task: `ACME-${n}`,
    title: `Part ${n}`,
    status: 'done',
    summary: `did ${n}`,
    ...over,
  });
  const numbers = (count: number) => Array.from({ length: count }, (_, n) => n + 100);
  /** Children of ACME-12 as World knows them. */
  const family = (numbers: readonly number[], over: Partial<Parameters<typeof opened>[0]> = {}) => ({
    actor: machine,
    tasks: Object.fromEntries(
      numbers.map((n) => [`ACME-${n}`, folded(opened({ task: `ACME-${n}`, parent: 'ACME-12', status: 'done', ...over }))]),
    ),
  });

  it('wakes the assignee of the task above with what came of them (65)', () =>
    given(opened())
      .when(tellChildrenCompleted, { ...task, children: [child(1), child(2, { status: 'cancelled' })] }, family([1, 2]))
      .then(
        {
          type: 'WakeupRequested',
          data: {
            agent: 'fixer',
            reason: 'issue_children_completed',
            source: 'automation',
            outside: false,
            payload: {
              total: 2,
              children: [
                { task: 'ACME-1', title: 'Part 1', status: 'done', summary: 'did 1' },
                { task: 'ACME-2', title: 'Part 2', status: 'cancelled', summary: 'did 2' },
              ],
            },
          },
        },
        { type: 'RunQueued' },
      ));
  it('tells at most twenty of them, those that moved last, in 500 characters each (65)', () => {
    const children = numbers(25).map((n) => child(n, { summary: 'x'.repeat(600) }));
    const [demand] = given(opened())
      .when(tellChildrenCompleted, { ...task, children }, family(numbers(25)))
      .events();
    const mark = '… [cut from 600 characters]';
    const summary = 'x'.repeat(500 - mark.length) + mark;
    const told = numbers(25).slice(5);
    expect(demand?.data).toMatchObject({ payload: { total: 25, children: told.map((n) => ({ ...child(n), summary })) } });
  });
  it('tells nothing when one of them is to be done again by now', () =>
    given(opened())
      .when(tellChildrenCompleted, { ...task, children: [child(1)] }, family([1], { status: 'todo' }))
      .thenNothing());
  it('leaves out one that is a part of another task by now', () => {
    given(opened())
      .when(tellChildrenCompleted, { ...task, children: [child(1)] }, family([1], { parent: null }))
      .thenNothing();
  });
  it.each([
    ['is nobody’s', opened({ assignee: null })],
    ['is in the backlog', opened({ status: 'backlog' })],
    ['is closed', opened({ status: 'cancelled' })],
  ])('wakes nobody for a task that %s', (_, as) =>
    given(as)
      .when(tellChildrenCompleted, { ...task, children: [child(1)] }, family([1]))
      .thenNothing(),
  );
  it('does not pass a task that waits for another one', () =>
    given(opened(), waitsFor('ACME-9'))
      .when(tellChildrenCompleted, { ...task, children: [child(1)] }, family([1]))
      .then(
        { type: 'WakeupRequested' },
        { type: 'WakeupSkipped', data: { code: 'issue_dependencies_blocked', blockers: ['ACME-9'] } },
      ));
});

describe('a task that is moved', () => {
  it('is not woken by its blockers while it is done, but by being reopened', () =>
    given(opened(), waitsFor({ task: 'ACME-1', open: false }), movedTo('done'))
      .when(setBlockers, { ...task, blockedBy: [] })
      .then({ type: 'BlockersSet' }));
});
