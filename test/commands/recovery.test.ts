import { recoverTask } from '../../src/commands/recovery.js';
import {
  assignedTo,
  fact,
  failed,
  failedRun,
  movedTo,
  moving,
  opened,
  policy,
  queued,
  requested,
  runningRun,
  started,
  succeeded,
  waitingRun,
  withFixer,
} from '../facts.js';
import { given } from '../given.js';

const task = { company: 'acme', task: 'ACME-12' };
const ended = (n: number, code: string, wakeups: 'skipped' | 'cancelled', from: 'queued' | 'running') =>
  fact('RunCancelled', {
    ...moving(n, from),
    code,
    reason: code,
    intent: 'stop',
    wakeups,
    cancelledAt: '2026-04-20T11:40:00.000Z',
  });
const recovered = [
  ...failedRun,
  requested(2, { outside: false }),
  queued(2, { cause: 'assignment_recovery', outside: false }),
  started(2),
  failed(2),
] as const;

describe('a task that nobody is left to take up', () => {
  it('is recovered once: begun anew, or gone on with', () => {
    given(...failedRun)
      .when(recoverTask, task)
      .then(
        { type: 'WakeupRequested', data: { reason: 'issue_assignment_recovery', outside: false } },
        { type: 'RunQueued', data: { cause: 'assignment_recovery', chain: 'ACME-12.2', attempt: 0 } },
      );
    given(...failedRun, movedTo('in_progress'))
      .when(recoverTask, task)
      .then({ type: 'WakeupRequested', data: { reason: 'issue_continuation_needed' } }, { type: 'RunQueued' });
  });
  it('never has its recovery recovered: a person must act', () =>
    given(...recovered)
      .when(recoverTask, task)
      .then({ type: 'RecoveryEscalated', data: { runId: 'ACME-12.2' } }, { type: 'TaskStatusChanged', data: { to: 'blocked' } }));
  it('may be recovered again after a person has asked for something', () =>
    given(...recovered, requested(3), queued(3), started(3), failed(3))
      .when(recoverTask, task)
      .then({ type: 'WakeupRequested' }, { type: 'RunQueued' }));
  it('may be recovered again after its recovery has succeeded', () =>
    given(
      ...recovered.slice(0, -1),
      succeeded(2),
      requested(3, { outside: false }),
      queued(3, { outside: false }),
      started(3),
      failed(3),
    )
      .when(recoverTask, task)
      .then({ type: 'WakeupRequested' }, { type: 'RunQueued' }));
  it('is recovered when a gate ended its run before the start', () =>
    given(...waitingRun, ended(1, 'issue_dependencies_blocked', 'skipped', 'queued'))
      .when(recoverTask, task)
      .then({ type: 'WakeupRequested' }, { type: 'RunQueued' }));
  it.each(['issue_done', 'issue_cancelled', 'issue_reassigned'])(
    'is recovered when what ended its run, %s, was taken back by an agent that is not woken for it',
    (code) =>
      given(...waitingRun, ended(1, code, 'cancelled', 'queued'))
        .when(recoverTask, task)
        .then({ type: 'WakeupRequested' }, { type: 'RunQueued', data: { cause: 'assignment_recovery' } }),
  );
  it('is a person’s to see to when its agent was terminated', () =>
    given(...failedRun)
      .when(recoverTask, task, { agents: withFixer({ status: 'terminated' }) })
      .then(
        { type: 'RecoveryEscalated', data: { why: 'fixer was terminated: assign it to another agent' } },
        { type: 'TaskStatusChanged', data: { to: 'blocked' } },
      ));
  it('is a person’s to see to when its agent was terminated before it had a run', () =>
    given(opened())
      .when(recoverTask, task, { agents: withFixer({ status: 'terminated' }) })
      .then({ type: 'RecoveryEscalated', data: { runId: null } }, { type: 'TaskStatusChanged' }));
});

describe('nothing is recovered', () => {
  it('that an operator has stopped', () =>
    given(...runningRun, ended(1, 'cancelled', 'cancelled', 'running'))
      .when(recoverTask, task)
      .thenNothing());
  it('that succeeded, although its task is not done', () =>
    given(...runningRun, succeeded(1), movedTo('in_progress'))
      .when(recoverTask, task)
      .thenNothing());
  it('that is under way, waits for a blocker, is closed, nobody’s, or was never asked for', () => {
    given(...waitingRun)
      .when(recoverTask, task)
      .thenNothing();
    const blocked = fact('BlockersSet', {
      task: 'ACME-12',
      blockers: [{ task: 'ACME-9', open: true }],
      setAt: '2026-04-20T11:20:00.000Z',
    });
    for (const change of [blocked, movedTo('done'), movedTo('blocked'), assignedTo(null), assignedTo('reviewer')])
      given(...failedRun, change)
        .when(recoverTask, task)
        .thenNothing();
    given(opened()).when(recoverTask, task).thenNothing();
  });
  it('of an agent that its operator does not let be woken', () =>
    given(...failedRun)
      .when(recoverTask, task, { agents: withFixer({ policy: { ...policy, wakeOnDemand: false } }) })
      .thenNothing());
});
