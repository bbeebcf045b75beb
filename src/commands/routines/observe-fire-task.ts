import { fireOfTask, numberOfFire } from '../../events/event.js';
import type { Routine, RoutineEvent } from '../../events/routine.js';
import { taskStatuses, type TaskStatus } from '../../events/task.js';
import { decision, type World } from '../decider.js';
import { OneOf, OptionalOrNull, ProcessText, Slug, TaskId } from '../fields.js';
import { ofRoutine } from './routine.js';

/**
 * How a task stands that a fire has opened, where it ends, or is to be done again. An end that is over by now is none: the task would
 * pass for closed until its going on is observed, and the same work be given another.
 */
export class ObserveFireTask {
  @Slug() company!: string;
  @Slug() routine!: string;
  @TaskId() task!: string;
  @OneOf(taskStatuses) from!: TaskStatus;
  @OneOf(taskStatuses) to!: TaskStatus;
  @OptionalOrNull() @ProcessText(4_000) why?: string | null;
}

export const observeFireTask = decision({
  command: ObserveFireTask,
  ...ofRoutine,
  tasks: ({ task }) => [task],
  atHead: true,
  decide(command: ObserveFireTask, routine: Routine | undefined, { now, task: lane }: World): RoutineEvent[] {
    const { task, from, to, why = null } = command;
    const fire = fireOfTask(task);
    if (!routine || numberOfFire(fire) > routine.fires) return [];
    const of = { routine: routine.routine, fire, task };
    if (!isEnd(to)) return isEnd(from) ? [{ type: 'FireReopened', data: { ...of, reopenedAt: now.toISOString() } }] : [];
    if (!isEnd(lane(task)?.status ?? to)) return [];
    const outcome = to === 'done' ? 'completed' : 'failed';
    const reason = to === 'done' ? why : (why ?? `${task} is ${to}`);
    return [{ type: 'FireConcluded', data: { ...of, status: to, outcome, reason, concludedAt: now.toISOString() } }];
  },
  answer: ({ task }, { events }) => ({ task, concluded: events.some(({ type }) => type === 'FireConcluded') }),
});

/** What a fire is concluded by. Blocked is an end too, for as long as it lasts. */
export const isEnd = (status: TaskStatus): status is 'done' | 'cancelled' | 'blocked' =>
  status === 'done' || status === 'cancelled' || status === 'blocked';
