import { ArrayMaxSize, IsArray } from 'class-validator';
import type { TaskId as Task } from '../events/event.js';
import { openBlockers, type Lane, type LaneEvent } from '../events/lane.js';
import { isClosed, type Blocker, type BlockerReopened, type BlockerResolved } from '../events/task.js';
import { askedBlockers, blockedFromNowOn, ringOfWaiting } from './blocking.js';
import { decision, type World } from './decider.js';
import { ProcessText, Slug, TaskId } from './fields.js';
import { after, ofTask, refuseUnopened } from './lane.js';
import { taskAnswer } from './task-view.js';
import { wakeOfChange, wakeOfFreedom } from './task-wakes.js';

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

/** Blockers were closed or are to be done again, or may have been while they were set: the task takes them as they are by now. */
export class ObserveBlockers {
  @Slug() company!: string;
  @TaskId() task!: string;
  @IsArray() @ArrayMaxSize(500) @TaskId({ each: true }) blockers!: string[];
}

export const observeBlockers = decision({
  command: ObserveBlockers,
  ...ofTask,
  atHead: true,
  agents: (_, lane) => [lane.assignee],
  tasks: ({ blockers }, lane) => [...blockers, ...whenLast(blockers, lane)],
  decide({ blockers }: ObserveBlockers, lane: Lane, world: World): LaneEvent[] {
    const observed = lane.blockers.filter(({ task }) => blockers.includes(task));
    const changes = observed.flatMap((known) => changeOf(known, lane, world));
    const last = changes.findLast(({ type }) => type === 'BlockerResolved')?.data.blocker;
    return [...changes, ...wakeOfFreedom(lane, after(lane, changes), world, last === undefined ? {} : { blocker: last })];
  },
  answer: taskAnswer,
});

/** What became of the others is asked only when the last one goes. */
const whenLast = (going: readonly Task[], lane: Lane): Task[] =>
  openBlockers(lane).some((task) => !going.includes(task)) ? [] : lane.blockers.map(({ task }) => task);

function changeOf({ task: blocker, open }: Blocker, lane: Lane, world: World): (BlockerResolved | BlockerReopened)[] {
  const status = world.task(blocker)?.status;
  if (!status || open === !isClosed(status)) return [];
  if (!isClosed(status)) return [reopened(lane, blocker, world)];
  if (status === 'done') return [resolution(lane, { blocker, how: 'done', note: null }, world)];
  return [resolution(lane, { blocker, how: 'cancelled', note: `${blocker} was cancelled, not done` }, world)];
}

const resolution = (
  { task }: Lane,
  data: Pick<BlockerResolved['data'], 'blocker' | 'how' | 'note'>,
  { now }: World,
): BlockerResolved => ({ type: 'BlockerResolved', data: { task, ...data, resolvedAt: now.toISOString() } });

const reopened = ({ task }: Lane, blocker: Task, { now }: World): BlockerReopened => ({
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
