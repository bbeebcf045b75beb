import { assignTask, putTask, setTaskStatus } from '../../src/commands/task.js';
import { lanes } from '../../src/events/evolve-lane.js';
import type { Lane, LaneEvent } from '../../src/events/lane.js';
import {
  agent,
  assignedTo,
  at,
  coalesced,
  defaultAgents,
  deferred,
  fact,
  failedRun,
  itself,
  machine,
  movedTo,
  opened,
  parked,
  parkedRetry,
  person,
  queued,
  requested,
  runningRun,
  started,
  waitingRun,
  wakeup,
  withFixer,
} from '../facts.js';
import { given } from '../given.js';

const task = { company: 'acme', task: 'ACME-12' };
const described = { ...task, title: 'Mend the export' };
const waitsFor = (...blockers: string[]) =>
  fact('BlockersSet', {
    task: 'ACME-12',
    blockers: blockers.map((blocker) => ({ task: blocker, open: true })),
    setAt: at('11:20').toISOString(),
  });
const commentOf = (author: string, commentId: string) =>
  fact('CommentAdded', {
    task: 'ACME-12',
    commentId,
    author: author === person.id ? person : { type: 'agent', id: author },
    body: 'seen',
    mentions: [],
    wakeupIds: [],
    addedAt: at('11:05').toISOString(),
  });
/** Another task, as World knows it. */
const folded = (...facts: readonly LaneEvent[]): Lane => facts.reduce(lanes.evolve, lanes.initial);
const woken = [{ type: 'WakeupRequested' }, { type: 'RunQueued' }] as const;

describe('PutTask', () => {
  it('opens a task, and wakes its assignee', () =>
    given()
      .when(putTask, { ...described, assignee: 'fixer' })
      .answering({ task: { id: 'ACME-12', status: 'todo', assignee: 'fixer', revision: 2 } })
      .then(
        { type: 'TaskOpened', data: { task: 'ACME-12', kind: 'issue', status: 'todo', priority: 'medium', assignee: 'fixer' } },
        {
          type: 'WakeupRequested',
          data: { agent: 'fixer', source: 'assignment', reason: 'issue_assigned', outside: true, mention: false },
        },
        { type: 'RunQueued', data: { runId: 'ACME-12.1', agent: 'fixer', cause: 'requested', chain: 'ACME-12.1', attempt: 0 } },
      ));
  it('wakes nobody for a task in the backlog, or one that is nobody’s', () => {
    given()
      .when(putTask, { ...described, assignee: 'fixer', status: 'backlog' })
      .then({ type: 'TaskOpened' });
    given().when(putTask, described).then({ type: 'TaskOpened' });
  });
  it('does not wake an agent for a task that it opens for itself', () =>
    given()
      .when(putTask, { ...described, assignee: 'fixer' }, { actor: itself })
      .then({ type: 'TaskOpened' }));
  it('does nothing for the same description', () =>
    given(opened())
      .when(putTask, { ...described, assignee: 'fixer' })
      .thenNothing());
  it('says which queued runs stand elsewhere when the priority changes', () =>
    given(...waitingRun)
      .when(putTask, { ...described, priority: 'critical' })
      .then({ type: 'TaskChanged', data: { priority: 'critical', queuedRuns: ['ACME-12.1'] } }));
  it('wakes the assignee of a task that leaves the backlog, named again or not', () => {
    given(opened({ status: 'backlog' }))
      .when(putTask, { ...described, status: 'todo', assignee: 'fixer' })
      .then({ type: 'TaskStatusChanged' }, ...woken);
    given(opened({ status: 'backlog' }))
      .when(putTask, { ...described, status: 'todo' })
      .then({ type: 'TaskStatusChanged' }, ...woken);
  });
  it('sees another label where it is only split differently', () =>
    given(opened({ labels: ['a', 'b'] }))
      .when(putTask, { ...described, labels: ['a b'] })
      .then({ type: 'TaskChanged', data: { labels: ['a b'] } }));
  it('refuses a name that says another kind', () => {
    given()
      .when(putTask, { ...described, kind: 'heartbeat' })
      .refuses('task_kind_fixed', /go together/);
    given()
      .when(putTask, { ...described, task: 'heartbeat~fixer' })
      .refuses('task_kind_fixed', /go together/);
  });
  it('refuses another kind', () =>
    given(opened())
      .when(putTask, { ...described, kind: 'routine' })
      .refuses('task_kind_fixed', /open another/));
  it('refuses an assignee that is unknown or terminated', () => {
    given()
      .when(putTask, { ...described, assignee: 'stranger' })
      .refuses('agent_not_found', /stranger/);
    given()
      .when(putTask, { ...described, assignee: 'fixer' }, { agents: withFixer({ status: 'terminated' }) })
      .refuses('agent_terminated');
  });
});

describe('PutTask with blockers', () => {
  const open = folded(opened({ task: 'ACME-1' }));
  const done = folded(opened({ task: 'ACME-1', status: 'done' }));

  it('opens a task that waits, and records in the same append that nobody is woken for it yet', () =>
    given()
      .when(putTask, { ...described, assignee: 'fixer', blockedBy: ['ACME-1'] }, { tasks: { 'ACME-1': open } })
      .answering({ task: { assignee: 'fixer', blockers: [{ task: 'ACME-1', open: true }], revision: 3 } })
      .then(
        { type: 'TaskOpened' },
        { type: 'BlockersSet', data: { task: 'ACME-12', blockers: [{ task: 'ACME-1', open: true }] } },
        { type: 'WakeupRequested', data: { reason: 'issue_assigned' } },
        { type: 'WakeupSkipped', data: { code: 'issue_dependencies_blocked', blockers: ['ACME-1'] } },
      ));
  it('wakes the assignee of one that waits for nothing that is open', () =>
    given()
      .when(putTask, { ...described, assignee: 'fixer', blockedBy: ['ACME-1'] }, { tasks: { 'ACME-1': done } })
      .then({ type: 'TaskOpened' }, { type: 'BlockersSet' }, ...woken));
  it('leaves them as they are where they are left out', () =>
    given(opened(), waitsFor('ACME-1'))
      .when(putTask, { ...described, priority: 'high' })
      .answering({ task: { blockers: [{ task: 'ACME-1', open: true }] } })
      .then({ type: 'TaskChanged' }));
  it('wakes once, however much of the task is changed', () => {
    const blocked = given(opened({ status: 'backlog' }), waitsFor('ACME-1'));
    const freed = { ...described, status: 'todo', blockedBy: [] };
    blocked
      .when(putTask, freed)
      .then(
        { type: 'BlockersSet' },
        { type: 'TaskStatusChanged' },
        { type: 'WakeupRequested', data: { reason: 'issue_status_changed' } },
        { type: 'RunQueued' },
      );
    blocked
      .when(putTask, { ...freed, assignee: 'reviewer' })
      .then(
        { type: 'BlockersSet' },
        { type: 'TaskAssigned' },
        { type: 'TaskStatusChanged' },
        { type: 'WakeupRequested', data: { reason: 'issue_assigned', agent: 'reviewer' } },
        { type: 'RunQueued' },
      );
    given(opened(), waitsFor('ACME-1'))
      .when(putTask, { ...described, blockedBy: [] })
      .then(
        { type: 'BlockersSet' },
        { type: 'WakeupRequested', data: { reason: 'issue_blockers_resolved' } },
        { type: 'RunQueued' },
      );
  });
  it('refuses what SetBlockers refuses', () => {
    given()
      .when(putTask, { ...described, blockedBy: ['ACME-12'] })
      .refuses('blocker_cycle', 'ACME-12 waits for ACME-12');
    given(opened())
      .when(putTask, { ...described, blockedBy: ['ACME-8'] })
      .refuses('task_not_found', 'ACME-8');
    given(opened())
      .when(putTask, { ...described, blockedBy: Array.from({ length: 501 }, (_, n) => `ACME-${n + 100}`) })
      .refuses('too_many', '501');
    given()
      .when(
        putTask,
        { ...described, blockedBy: ['ACME-1'] },
        { tasks: { 'ACME-1': folded(opened({ task: 'ACME-1' }), waitsFor('ACME-12')) } },
      )
      .refuses('blocker_cycle', 'ACME-12 waits for ACME-1, ACME-1 for ACME-12');
  });
});

describe('PutTask with a parent', () => {
  const partOf = (task: string, parent: string | null) => folded(opened({ task, parent }));

  it('makes the task a part of another, known or not', () => {
    given(opened())
      .when(putTask, { ...described, parent: 'ACME-1' }, { tasks: { 'ACME-1': partOf('ACME-1', null) } })
      .then({ type: 'TaskChanged', data: { parent: 'ACME-1' } });
    given()
      .when(putTask, { ...described, parent: 'ACME-1' })
      .then({ type: 'TaskOpened', data: { parent: 'ACME-1' } });
  });
  it('refuses the task itself', () => {
    const sentence = 'ACME-12 cannot be a part of itself: ACME-12 is a part of ACME-12; give another parent';
    given(opened())
      .when(putTask, { ...described, parent: 'ACME-12' })
      .refuses('parent_cycle', sentence);
    given()
      .when(putTask, { ...described, parent: 'ACME-12' })
      .refuses('parent_cycle', sentence);
  });
  it('refuses a ring of parents, with the path', () =>
    given(opened())
      .when(
        putTask,
        { ...described, parent: 'ACME-1' },
        { tasks: { 'ACME-1': partOf('ACME-1', 'ACME-2'), 'ACME-2': partOf('ACME-2', 'ACME-12') } },
      )
      .refuses('parent_cycle', 'ACME-12 is a part of ACME-1, ACME-1 of ACME-2, ACME-2 of ACME-12'));
  it('does not refuse what else is said of a task in a ring that is there', () =>
    given(opened({ parent: 'ACME-1' }))
      .when(putTask, { ...described, parent: 'ACME-1', priority: 'low' }, { tasks: { 'ACME-1': partOf('ACME-1', 'ACME-12') } })
      .then({ type: 'TaskChanged' }));
});

describe('AssignTask', () => {
  it('ends what the former assignee has not begun, and wakes the next', () =>
    given(...waitingRun)
      .when(assignTask, { ...task, agent: 'reviewer' })
      .answering({ cancelledRuns: ['ACME-12.1'] })
      .then(
        { type: 'TaskAssigned', data: { assignee: 'reviewer', previous: 'fixer' } },
        {
          type: 'RunCancelled',
          data: {
            runId: 'ACME-12.1',
            code: 'issue_reassigned',
            reason: 'ACME-12 was reassigned from fixer to reviewer',
            wakeups: 'cancelled',
          },
        },
        { type: 'WakeupRequested', data: { agent: 'reviewer' } },
        { type: 'RunQueued', data: { runId: 'ACME-12.2', agent: 'reviewer' } },
      ));
  it('ends a parked retry', () =>
    given(...parkedRetry)
      .when(assignTask, { ...task, agent: null })
      .then(
        { type: 'TaskAssigned' },
        { type: 'RunCancelled', data: { runId: 'ACME-12.2', from: 'scheduled_retry', code: 'issue_reassigned' } },
      ));
  it('leaves a run at work, and one that was asked for beside the assignee', () => {
    given(...runningRun)
      .when(assignTask, { ...task, agent: null })
      .then({ type: 'TaskAssigned' });
    given(opened(), requested(1, { mention: true }), queued(1, { mention: true }))
      .when(assignTask, { ...task, agent: null })
      .then({ type: 'TaskAssigned' });
  });
  it('withdraws what waits behind the run at work, but not what was asked beside the assignee', () => {
    const waiting = [...runningRun, requested(2), deferred(2, 1), requested(3)] as const;
    given(...waiting, coalesced(3, 2, null))
      .when(assignTask, { ...task, agent: null })
      .then(
        { type: 'TaskAssigned' },
        { type: 'WakeupCancelled', data: { wakeupId: wakeup(2), code: 'issue_reassigned' } },
        { type: 'WakeupCancelled', data: { wakeupId: wakeup(3), code: 'issue_reassigned' } },
      );
    given(...runningRun, requested(2, { mention: true }), deferred(2, 1))
      .when(assignTask, { ...task, agent: null })
      .then({ type: 'TaskAssigned' });
    given(...runningRun, requested(2, { agent: 'reviewer' }), deferred(2, 1, { agent: 'reviewer' }))
      .when(assignTask, { ...task, agent: null })
      .then({ type: 'TaskAssigned' });
  });

  describe('hands comments on that the former assignee has not been told of', () => {
    const about = (...commentIds: string[]) => ({ comment: true as const, payload: { commentIds } });
    const told = (...commentIds: string[]) => ({ comment: true as const, context: { commentIds } });
    const handedOn = (...commentIds: string[]) =>
      ({
        type: 'WakeupRequested',
        data: { agent: 'reviewer', reason: 'issue_assigned', comment: true, payload: { commentIds } },
      }) as const;
    const nothingTold: object = expect.not.objectContaining({ commentIds: expect.anything() });
    const toReviewer = { ...task, agent: 'reviewer' };

    it('of a queued run', () =>
      given(opened(), requested(1, about('c-1', 'c-2')), queued(1, told('c-1', 'c-2')))
        .when(assignTask, toReviewer)
        .then({ type: 'TaskAssigned' }, { type: 'RunCancelled' }, handedOn('c-1', 'c-2'), {
          type: 'RunQueued',
          data: { agent: 'reviewer', comment: true, context: { commentIds: ['c-1', 'c-2'] } },
        }));
    it('of a parked run', () =>
      given(...parkedRetry.slice(0, -1), parked(2, told('c-1')))
        .when(assignTask, toReviewer)
        .then({ type: 'TaskAssigned' }, { type: 'RunCancelled' }, handedOn('c-1'), { type: 'RunQueued' }));
    it('of demands that wait', () =>
      given(...runningRun, requested(2, about('c-1')), deferred(2, 1), requested(3, about('c-2')), coalesced(3, 2, null))
        .when(assignTask, toReviewer)
        .then({ type: 'TaskAssigned' }, { type: 'WakeupCancelled' }, { type: 'WakeupCancelled' }, handedOn('c-1', 'c-2'), {
          type: 'RunQueued',
        }));
    it('even on a task that is closed, or blocked, or taken over by the agent itself', () => {
      const waits = [requested(1, about('c-1')), queued(1, told('c-1'))] as const;
      given(opened({ status: 'done' }), ...waits)
        .when(assignTask, toReviewer)
        .then({ type: 'TaskAssigned' }, { type: 'RunCancelled' }, handedOn('c-1'), { type: 'RunQueued' });
      given(opened(), waitsFor('ACME-1'), ...waits)
        .when(assignTask, toReviewer)
        .then({ type: 'TaskAssigned' }, { type: 'RunCancelled' }, handedOn('c-1'), { type: 'RunQueued' });
      given(opened(), ...waits)
        .when(assignTask, toReviewer, { actor: { type: 'agent', id: 'reviewer' } })
        .then({ type: 'TaskAssigned' }, { type: 'RunCancelled' }, handedOn('c-1'), { type: 'RunQueued' });
    });
    it('of a person as a person’s, also where an agent assigns the task', () => {
      const waits = (author: 'ada' | 'reviewer') =>
        given(opened(), commentOf(author, 'c-1'), requested(1, about('c-1')), queued(1, told('c-1')));
      const byAgent = [
        { ...task, agent: 'tester' },
        { actor: itself, agents: { ...defaultAgents, tester: agent('tester') } },
      ] as const;
      const asked = (outside: boolean) =>
        ({ type: 'WakeupRequested', data: { outside, payload: { commentIds: ['c-1'] } } }) as const;
      waits('ada')
        .when(assignTask, ...byAgent)
        .then({ type: 'TaskAssigned' }, { type: 'RunCancelled' }, asked(true), { type: 'RunQueued' });
      waits('reviewer')
        .when(assignTask, ...byAgent)
        .then({ type: 'TaskAssigned' }, { type: 'RunCancelled' }, asked(false), { type: 'RunQueued' });
    });
    it('also those that somebody else was to be told of as well', () =>
      given(
        opened({ status: 'done' }),
        requested(1, about('c-1')),
        queued(1, told('c-1')),
        requested(2, { ...about('c-1'), agent: 'tester', mention: true }),
        queued(2, { ...told('c-1'), agent: 'tester', mention: true }),
      )
        .when(assignTask, toReviewer)
        .then({ type: 'TaskAssigned' }, { type: 'RunCancelled' }, handedOn('c-1'), { type: 'RunQueued' }));
    it('but not those that the run at work was told of, nor its own', () => {
      given(opened(), requested(1, about('c-1')), queued(1, told('c-1')), started(1))
        .when(assignTask, toReviewer)
        .then({ type: 'TaskAssigned' }, { type: 'WakeupRequested', data: { payload: nothingTold } }, { type: 'RunQueued' });
      given(opened(), commentOf('reviewer', 'c-1'), requested(1, about('c-1')), queued(1, told('c-1')))
        .when(assignTask, toReviewer)
        .then(
          { type: 'TaskAssigned' },
          { type: 'RunCancelled' },
          { type: 'WakeupRequested', data: { payload: nothingTold } },
          { type: 'RunQueued' },
        );
    });
    it('but not those that it is to be told of already, as one who was mentioned', () =>
      given(
        opened(),
        requested(1, about('c-1')),
        queued(1, told('c-1')),
        requested(2, { ...about('c-1'), agent: 'reviewer', mention: true }),
        queued(2, { ...told('c-1'), agent: 'reviewer', mention: true }),
      )
        .when(assignTask, toReviewer)
        .then(
          { type: 'TaskAssigned' },
          { type: 'RunCancelled' },
          { type: 'WakeupRequested', data: { payload: nothingTold } },
          {
            type: 'WakeupCoalesced',
            data: { runId: 'ACME-12.2' },
          },
        ));
  });
  it('does nothing twice', () =>
    given(opened(), assignedTo('reviewer'))
      .when(assignTask, { ...task, agent: 'reviewer' })
      .thenNothing());
  it('refuses an unknown task', () =>
    given()
      .when(assignTask, { ...task, agent: 'fixer' })
      .refuses('task_not_found'));
  it('refuses an unknown agent', () =>
    given(opened())
      .when(assignTask, { ...task, agent: 'stranger' })
      .refuses('agent_not_found'));
});

describe('SetTaskStatus', () => {
  it('moves the task', () =>
    given(...waitingRun)
      .when(setTaskStatus, { ...task, status: 'in_progress' })
      .then({ type: 'TaskStatusChanged', data: { from: 'todo', to: 'in_progress', queuedRuns: ['ACME-12.1'] } }));
  it.each([
    ['done', 'issue_done'],
    ['cancelled', 'issue_cancelled'],
  ])('ends with %s what is queued and parked, by the code %s', (status, code) => {
    given(...waitingRun)
      .when(setTaskStatus, { ...task, status })
      .then({ type: 'TaskStatusChanged' }, { type: 'RunCancelled', data: { runId: 'ACME-12.1', code, intent: 'stop' } });
    given(...parkedRetry)
      .when(setTaskStatus, { ...task, status })
      .then({ type: 'TaskStatusChanged' }, { type: 'RunCancelled', data: { runId: 'ACME-12.2', code } });
  });
  it('ends a parked run that was asked for beside the assignee, but not a queued one', () => {
    given(opened(), requested(1, { mention: true }), queued(1, { mention: true }))
      .when(setTaskStatus, { ...task, status: 'done' })
      .then({ type: 'TaskStatusChanged' });
    given(...parkedRetry.slice(0, -1), parked(2, { mention: true }))
      .when(setTaskStatus, { ...task, status: 'done' })
      .then({ type: 'TaskStatusChanged' }, { type: 'RunCancelled' });
  });
  it('withdraws what waits, and what has joined it, and leaves the run that closed it', () =>
    given(...runningRun, requested(2), deferred(2, 1), requested(3), coalesced(3, 2, null))
      .when(setTaskStatus, { ...task, status: 'done' })
      .then(
        { type: 'TaskStatusChanged' },
        { type: 'WakeupCancelled', data: { wakeupId: wakeup(2), code: 'issue_done' } },
        { type: 'WakeupCancelled', data: { wakeupId: wakeup(3), code: 'issue_done' } },
      ));
  it('keeps the comments that are to be answered', () => {
    given(opened(), requested(1, { comment: true }), queued(1, { comment: true }))
      .when(setTaskStatus, { ...task, status: 'done' })
      .then({ type: 'TaskStatusChanged' });
    given(...runningRun, requested(2), deferred(2, 1), requested(3, { comment: true }), coalesced(3, 2, null))
      .when(setTaskStatus, { ...task, status: 'done' })
      .then({ type: 'TaskStatusChanged' });
    given(...parkedRetry.slice(0, -1), parked(2, { comment: true }))
      .when(setTaskStatus, { ...task, status: 'done' })
      .then({ type: 'TaskStatusChanged' }, { type: 'RunCancelled' });
  });
  it('does not wake an agent for what it does to its task itself', () =>
    given(opened({ status: 'backlog' }))
      .when(setTaskStatus, { ...task, status: 'todo' }, { actor: itself })
      .then({ type: 'TaskStatusChanged' }));
  it('does not wake the assignee of a task that still waits for another, and records it', () =>
    given(opened({ status: 'done' }), waitsFor('ACME-1'))
      .when(setTaskStatus, { ...task, status: 'todo' })
      .then(
        { type: 'TaskStatusChanged' },
        { type: 'WakeupRequested' },
        { type: 'WakeupSkipped', data: { blockers: ['ACME-1'] } },
      ));
  it('shows what holds the task, and what it waits for', () =>
    given(
      opened(),
      waitsFor('ACME-1'),
      fact('TaskHeld', { task: 'ACME-12', reason: 'audit', subtree: true, interrupt: false, heldAt: at('11:40').toISOString() }),
    )
      .when(setTaskStatus, { ...task, status: 'in_progress' })
      .answering({
        task: {
          blockers: [{ task: 'ACME-1', open: true }],
          held: { reason: 'audit', subtree: true, interrupt: false, since: at('11:40').toISOString() },
        },
      })
      .then({ type: 'TaskStatusChanged' }));
  it('wakes the assignee of a task that is to be done again', () =>
    given(opened(), movedTo('done'))
      .when(setTaskStatus, { ...task, status: 'todo' }, { actor: machine })
      .then({ type: 'TaskStatusChanged' }, { type: 'WakeupRequested', data: { outside: false } }, { type: 'RunQueued' }));
  it('does nothing twice', () =>
    given(opened(), movedTo('done'))
      .when(setTaskStatus, { ...task, status: 'done' })
      .thenNothing());
  it('refuses an unknown task', () =>
    given()
      .when(setTaskStatus, { ...task, status: 'done' })
      .refuses('task_not_found'));
});

describe('a task that was given up, and is blocked until a person acts', () => {
  const blocked = [...failedRun, movedTo('blocked')] as const;
  it('is to be done again when it is given to another agent', () =>
    given(...blocked)
      .when(assignTask, { company: 'acme', task: 'ACME-12', agent: 'reviewer' })
      .then(
        { type: 'TaskAssigned' },
        { type: 'TaskStatusChanged', data: { from: 'blocked', to: 'todo' } },
        { type: 'WakeupRequested', data: { agent: 'reviewer', reason: 'issue_assigned' } },
        { type: 'RunQueued' },
      ));
  it('stays blocked while it waits for another, when nobody is given it, and when that is asked for', () => {
    const waiting = fact('BlockersSet', {
      task: 'ACME-12',
      blockers: [{ task: 'ACME-9', open: true }],
      setAt: '2026-04-20T11:20:00.000Z',
    });
    given(...blocked, waiting)
      .when(assignTask, { company: 'acme', task: 'ACME-12', agent: 'reviewer' })
      .then({ type: 'TaskAssigned' }, { type: 'WakeupRequested' }, { type: 'WakeupSkipped' });
    given(...blocked)
      .when(assignTask, { company: 'acme', task: 'ACME-12', agent: null })
      .then({ type: 'TaskAssigned' });
    given(...blocked)
      .when(putTask, { company: 'acme', task: 'ACME-12', title: 'Mend the export', assignee: 'reviewer', status: 'blocked' })
      .answering({ task: { assignee: 'reviewer', status: 'blocked' } });
  });
  it('wakes its agent when a person moves it on', () =>
    given(...blocked)
      .when(setTaskStatus, { company: 'acme', task: 'ACME-12', status: 'in_progress' })
      .then({ type: 'TaskStatusChanged' }, { type: 'WakeupRequested', data: { outside: true } }, { type: 'RunQueued' }));
});
