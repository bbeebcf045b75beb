import { assignTask, putTask, setTaskStatus } from '../../src/commands/task.js';
import {
  assignedTo,
  coalesced,
  deferred,
  itself,
  machine,
  movedTo,
  opened,
  parked,
  parkedRetry,
  queued,
  requested,
  runningRun,
  waitingRun,
  wakeup,
  withFixer,
} from '../facts.js';
import { given } from '../given.js';

const task = { company: 'acme', task: 'ACME-12' };
const described = { ...task, title: 'Mend the export' };
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
