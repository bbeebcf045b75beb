import { observeFireTask } from '../../../src/commands/routines/observe-fire-task.js';
import { lanes } from '../../../src/events/evolve-lane.js';
import type { RoutineEvent } from '../../../src/events/routine.js';
import type { TaskStatus } from '../../../src/events/task.js';
import { at } from '../../facts.js';
import { given } from '../../given.js';
import { fireConcluded, fireCreated, firedByHand, routineDefined } from '../../routine-facts.js';

describe('a fire is concluded', () => {
  const moving = (facts: readonly RoutineEvent[], from: TaskStatus, to: TaskStatus, why: string | null = null, status = to) =>
    given(...facts).when(
      observeFireTask,
      { company: 'acme', routine: 'nightly', task: 'nightly~1', from, to, why },
      { tasks: { 'nightly~1': { ...lanes.initial, opened: true, status } } },
    );
  const created = [routineDefined(), firedByHand(1), fireCreated(1)];

  it.each([
    ['done', 'completed', null],
    ['cancelled', 'failed', 'nightly~1 is cancelled'],
    ['blocked', 'failed', 'nightly~1 is blocked'],
  ] as const)('when its task is %s, as %s', (status, outcome, reason) =>
    moving(created, 'in_progress', status)
      .answering({ task: 'nightly~1', concluded: true })
      .then({
        type: 'FireConcluded',
        data: { fire: 'nightly@1', task: 'nightly~1', status, outcome, reason, concludedAt: at('12:00').toISOString() },
      }),
  );

  it('with the reason that the task has', () =>
    moving(created, 'todo', 'blocked', 'nobody can do it').then({ type: 'FireConcluded', data: { reason: 'nobody can do it' } }));

  it('no more when the task is to be done again, and once more when it is', () => {
    moving([...created, fireConcluded(1, 'done')], 'done', 'todo').then({ type: 'FireReopened', data: { fire: 'nightly@1' } });
    moving([...created, fireConcluded(1, 'blocked')], 'blocked', 'done').then({
      type: 'FireConcluded',
      data: { outcome: 'completed' },
    });
  });

  it('not by an end that is over', () => {
    for (const to of ['done', 'cancelled', 'blocked'] as const) moving(created, 'todo', to, null, 'in_progress').thenNothing();
    moving(created, 'todo', 'blocked', null, 'done').then({ type: 'FireConcluded', data: { status: 'blocked' } });
    moving(created, 'done', 'todo', null, 'in_progress').then({ type: 'FireReopened' });
  });

  it('by its ends only, and by no task that is not its own', () => {
    moving(created, 'todo', 'in_progress').thenNothing();
    moving([], 'todo', 'done').thenNothing();
    moving([routineDefined()], 'todo', 'done').thenNothing();
  });
});
