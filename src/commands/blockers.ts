import { ArrayMaxSize, IsArray } from 'class-validator';
import type { TaskId as Task } from '../events/event.js';
import { openBlockers, type Lane, type LaneEvent } from '../events/lane.js';
import { isClosed, type BlockerResolved } from '../events/task.js';
import { askedBlockers, blockedFromNowOn, ringOfWaiting } from './blocking.js';
import { decision, type World } from './decider.js';
import { ProcessText, Slug, TaskId } from './fields.js';
import { after } from './lane.js';
import { wakeOfChange, wakeOfFreedom } from './task-wakes.js';
import { ofTask, refuseUnopened, taskAnswer } from './task.js';

/** These, and no others, stand before the task: it is not worked on until all of them are closed. 500 at most; more are refused, with their count. */
export class SetBlockers {
  @Slug() company!: string;
  @TaskId() task!: string;
  @IsArray() @ArrayMaxSize(10_000) @TaskId({ each: true }) blockedBy!: string[];
}

export const setBlockers = decision({
  command: SetBlockers,
  ...ofTask,
  agents: (_, lane) => [lane.assignee],
  tasks: ({ blockedBy }) => askedBlockers(blockedBy),
  leadsTo: openBlockers,
  decide({ task, blockedBy }: SetBlockers, lane: Lane, world: World): LaneEvent[] {
    refuseUnopened(lane, task);
    const set = blockedFromNowOn(lane, blockedBy, world);
    return [...set, ...wakeOfChange(lane, after(lane, set), world)];
  },
  answer: taskAnswer,
});

/** A blocker was closed or is to be done again, or may have been while it was set: the task takes it as it is by now. */
export class ObserveBlocker {
  @Slug() company!: string;
  @TaskId() task!: string;
  @TaskId() blocker!: string;
}

export const observeBlocker = decision({
  command: ObserveBlocker,
  ...ofTask,
  atHead: true,
  agents: (_, lane) => [lane.assignee],
  tasks: ({ blocker }, lane) => [blocker, ...whenLast(blocker, lane)],
  decide({ blocker }: ObserveBlocker, lane: Lane, world: World): LaneEvent[] {
    const known = lane.blockers.find(({ task }) => task === blocker);
    const status = world.task(blocker)?.status;
    if (!known || !status || known.open === !isClosed(status)) return [];
    if (!isClosed(status)) return [reopened(lane, blocker, world)];
    return resolved(lane, blocker, status === 'done' ? 'done' : 'cancelled', world);
  },
  answer: taskAnswer,
});

/** What became of the others is asked only when the last one goes. */
const whenLast = (blocker: Task, lane: Lane): Task[] =>
  openBlockers(lane).some((task) => task !== blocker) ? [] : lane.blockers.map(({ task }) => task);

function resolved(lane: Lane, blocker: Task, how: 'done' | 'cancelled', world: World): LaneEvent[] {
  const note = how === 'done' ? null : `${blocker} was cancelled, not done`;
  const event = resolution(lane, { blocker, how, note }, world);
  return [event, ...wakeOfFreedom(lane, after(lane, [event]), world, { blocker })];
}

const resolution = (
  { task }: Lane,
  data: Pick<BlockerResolved['data'], 'blocker' | 'how' | 'note'>,
  { now }: World,
): LaneEvent => ({ type: 'BlockerResolved', data: { task, ...data, resolvedAt: now.toISOString() } });

const reopened = ({ task }: Lane, blocker: Task, { now }: World): LaneEvent => ({
  type: 'BlockerReopened',
  data: { task, blocker, reopenedAt: now.toISOString() },
});

/** Of a ring of tasks that wait for each other, closed by changes that were made at once, one edge is dropped; if it is a ring still. */
export class DropBlocker {
  @Slug() company!: string;
  @TaskId() task!: string;
  @TaskId() blocker!: string;
  @ProcessText(4_000) note!: string;
}

export const dropBlocker = decision({
  command: DropBlocker,
  ...ofTask,
  atHead: true,
  agents: (_, lane) => [lane.assignee],
  tasks: ({ blocker }) => [blocker],
  leadsTo: openBlockers,
  decide({ blocker, note }: DropBlocker, lane: Lane, world: World): LaneEvent[] {
    const isOpen = openBlockers(lane).includes(blocker);
    if (!isOpen || !ringOfWaiting(lane.task, [blocker], world)) return [];
    const event = resolution(lane, { blocker, how: 'cycle', note }, world);
    return [event, ...wakeOfFreedom(lane, after(lane, [event]), world, { blocker, note })];
  },
  answer: taskAnswer,
});
