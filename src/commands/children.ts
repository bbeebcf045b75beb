import { Type } from 'class-transformer';
import { ArrayMaxSize, IsArray, ValidateNested } from 'class-validator';
import type { Lane, LaneEvent } from '../events/lane.js';
import { isClosed, taskStatuses, type TaskStatus } from '../events/task.js';
import { decision, type World } from './decider.js';
import { OneOf, ProcessText, Slug, TaskId } from './fields.js';
import { ofTask } from './lane.js';
import { taskAnswer } from './task-view.js';
import { wake } from './task-wakes.js';

export class ChildFields {
  @TaskId() task!: string;
  @ProcessText(500) title!: string;
  @OneOf(taskStatuses) status!: TaskStatus;
  /** what was said on it last; cut at 500 characters */
  @ProcessText(500) summary!: string;
}

/** All tasks under one are closed: its assignee is told what came of them. Nobody is, if one of them is to be done again by now. */
export class TellChildrenCompleted {
  @Slug() company!: string;
  @TaskId() task!: string;
  /** those that moved last come last */
  @IsArray() @ArrayMaxSize(2_000) @ValidateNested({ each: true }) @Type(() => ChildFields) children!: ChildFields[];
}

export const tellChildrenCompleted = decision({
  command: TellChildrenCompleted,
  ...ofTask,
  atHead: true,
  agents: (_, lane) => [lane.assignee],
  tasks: ({ children }) => children.map(({ task }) => task),
  decide({ task, children }: TellChildrenCompleted, lane: Lane, world: World): LaneEvent[] {
    const own = children.filter((child) => world.task(child.task)?.parent === task);
    const isOver = own.every((child) => isClosed(world.task(child.task)?.status ?? 'todo'));
    return own.length > 0 && isOver ? wake(lane, { reason: 'issue_children_completed', payload: told(own) }, world) : [];
  },
  answer: taskAnswer,
});

const mostSummaries = 20;

/** `total` says how many there are, of which the last are told. */
const told = (children: readonly ChildFields[]) => ({
  total: children.length,
  children: children.slice(-mostSummaries).map(({ task, title, status, summary }) => ({ task, title, status, summary })),
});
