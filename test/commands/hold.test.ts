import { holdTask, releaseTask } from '../../src/commands/hold.js';
import { deferred, fact, movedTo, opened, parkedRetry, requested, runningRun, wakeup, waitingRun } from '../facts.js';
import { given } from '../given.js';

const task = { company: 'acme', task: 'ACME-12' };
const heldAt = '2026-04-20T11:40:00.000Z';
const held = (over: { subtree?: boolean; interrupt?: boolean } = {}) =>
  fact('TaskHeld', { task: 'ACME-12', reason: 'held', subtree: false, interrupt: true, heldAt, ...over });

describe('HoldTask', () => {
  it('holds the task', () =>
    given(opened())
      .when(holdTask, { ...task, reason: 'legal must look at it' })
      .answering({ task: { id: 'ACME-12' }, cancelledRuns: [] })
      .then({
        type: 'TaskHeld',
        data: {
          task: 'ACME-12',
          reason: 'legal must look at it',
          subtree: false,
          interrupt: true,
          heldAt: '2026-04-20T12:00:00.000Z',
        },
      }));

  it('hands back what runs, in the same append; the same attempt waits from then on', () =>
    given(...runningRun)
      .when(holdTask, { ...task, reason: 'legal must look at it' })
      .answering({ cancelledRuns: ['ACME-12.1'] })
      .then(
        { type: 'TaskHeld' },
        {
          type: 'RunCancelled',
          data: {
            runId: 'ACME-12.1',
            code: 'task_held',
            reason: 'legal must look at it',
            intent: 'requeue',
            wakeups: 'passed',
          },
        },
        {
          type: 'RunQueued',
          data: {
            runId: 'ACME-12.2',
            cause: 'requeued',
            chain: 'ACME-12.1',
            attempt: 0,
            retryOf: 'ACME-12.1',
            wakeupIds: [wakeup(1)],
          },
        },
      ));

  it('gives the demand that waited for the run to its successor', () =>
    given(...runningRun, requested(2, { outside: false }), deferred(2, 1))
      .when(holdTask, task)
      .then({ type: 'TaskHeld' }, { type: 'RunCancelled' }, { type: 'RunQueued', data: { wakeupIds: [wakeup(1), wakeup(2)] } }));

  it('leaves what runs alone when it is asked to', () =>
    given(...runningRun)
      .when(holdTask, { ...task, interrupt: false })
      .then({ type: 'TaskHeld', data: { interrupt: false } }));

  it.each([
    ['queued', waitingRun],
    ['parked', parkedRetry],
  ])('does not cancel what is %s', (_, facts) =>
    given(...facts)
      .when(holdTask, task)
      .then({ type: 'TaskHeld' }),
  );

  it('says nothing new when it is held already', () => {
    given(opened(), held()).when(holdTask, task).thenNothing();
    given(opened(), held({ subtree: true }))
      .when(holdTask, task)
      .thenNothing();
    given(opened(), held({ interrupt: false }))
      .when(holdTask, { ...task, interrupt: false })
      .thenNothing();
  });

  it('makes a hold wider, and keeps that it interrupts', () =>
    given(opened(), held())
      .when(holdTask, { ...task, subtree: true, interrupt: false })
      .then({ type: 'TaskHeld', data: { subtree: true, interrupt: true } }));

  it('interrupts after all what it had let go on', () =>
    given(...runningRun, held({ interrupt: false, subtree: true }))
      .when(holdTask, task)
      .then({ type: 'TaskHeld', data: { interrupt: true, subtree: true } }, { type: 'RunCancelled' }, { type: 'RunQueued' }));

  it('refuses a task that was never opened', () =>
    given()
      .when(holdTask, task)
      .refuses('task_not_found', /open it first/));

  it.each(['done', 'cancelled'] as const)('refuses a task that is %s', (status) =>
    given(opened(), movedTo(status))
      .when(holdTask, task)
      .refuses('issue_terminal_status', `ACME-12 is ${status}, so there is nothing to hold; set another status first`),
  );
});

describe('ReleaseTask', () => {
  it('lets go on what was held', () =>
    given(opened(), held())
      .when(releaseTask, task)
      .answering({ task: { id: 'ACME-12' }, wakeups: [] })
      .then({ type: 'TaskReleased', data: { task: 'ACME-12', reason: 'released', releasedAt: '2026-04-20T12:00:00.000Z' } }));

  it('says nothing new of a task that is not held', () => given(opened()).when(releaseTask, task).thenNothing());

  it('releases one that was closed meanwhile', () =>
    given(opened(), held(), movedTo('done')).when(releaseTask, task).then({ type: 'TaskReleased' }));

  it('refuses a task that was never opened', () => given().when(releaseTask, task).refuses('task_not_found'));
});
