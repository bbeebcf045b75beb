import { IsBoolean } from 'class-validator';
import { runningRun, type Lane, type LaneEvent } from '../events/lane.js';
import { isClosed, type TaskHeld } from '../events/task.js';
import { decision, Rejected, type World } from './decider.js';
import { Optional, Slug, TaskId, Text } from './fields.js';
import { handBack } from './interrupt.js';
import { after, ofTask, refuseUnopened } from './lane.js';
import { taskAnswer } from './task-view.js';

class TaskWithReason {
  @Slug() company!: string;
  @TaskId() task!: string;
  @Optional() @Text(4_000) reason?: string;
}

/**
 * Nothing on the task starts until it is released; with `subtree`, nor on those below it. What is asked for meanwhile waits. Unless
 * `interrupt` is false, what runs is handed back: on the task itself in the same append, below it as soon as it is found.
 */
export class HoldTask extends TaskWithReason {
  @Optional() @IsBoolean() subtree?: boolean;
  @Optional() @IsBoolean() interrupt?: boolean;
}

export const holdTask = decision({
  command: HoldTask,
  ...ofTask,
  agents: (_, lane) => [runningRun(lane)?.agent ?? null],
  decide(command: HoldTask, lane: Lane, world: World): LaneEvent[] {
    refuseUnopened(lane, command.task);
    refuseClosed(lane);
    const held = widened(command, lane, world);
    return held ? [held, ...interrupted(after(lane, [held]), world)] : [];
  },
  answer: taskAnswer,
});

function refuseClosed({ task, status }: Lane): void {
  if (isClosed(status))
    throw new Rejected('issue_terminal_status', `${task} is ${status}, so there is nothing to hold; set another status first`);
}

/** A hold that is there already is made wider, or to interrupt, and never less: for that it is released. */
function widened(command: HoldTask, { task, held }: Lane, { now }: World): TaskHeld | undefined {
  const { reason = 'held', subtree: below = false, interrupt: asked = true } = command;
  const subtree = below || held?.subtree === true;
  const interrupt = asked || held?.interrupt === true;
  if (held && held.subtree === subtree && held.interrupt === interrupt) return undefined;
  return { type: 'TaskHeld', data: { task, reason, subtree, interrupt, heldAt: now.toISOString() } };
}

function interrupted(lane: Lane, world: World): LaneEvent[] {
  const run = runningRun(lane);
  if (!run || !lane.held?.interrupt) return [];
  return handBack(lane, run, world, { code: 'task_held', reason: lane.held.reason });
}

/** What was held goes on, in the order in which it would have. */
export class ReleaseTask extends TaskWithReason {}

export const releaseTask = decision({
  command: ReleaseTask,
  ...ofTask,
  decide({ task, reason = 'released' }: ReleaseTask, lane: Lane, { now }: World): LaneEvent[] {
    refuseUnopened(lane, task);
    return lane.held ? [{ type: 'TaskReleased', data: { task, reason, releasedAt: now.toISOString() } }] : [];
  },
  answer: taskAnswer,
});
