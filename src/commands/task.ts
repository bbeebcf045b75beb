import { isDeepStrictEqual } from 'node:util';
import { ArrayMaxSize, IsArray } from 'class-validator';
import { isHeartbeat, routineOfTask, type AgentId } from '../events/event.js';
import { openBlockers, together, type Lane, type LaneEvent } from '../events/lane.js';
import {
  isClosed,
  taskKinds,
  taskPriorities,
  taskStatuses,
  type TaskKind,
  type TaskPriority,
  type TaskStatus,
} from '../events/task.js';
import { askedBlockers, blockedFromNowOn } from './blocking.js';
import { cancelled, withdrawn } from './cancelling.js';
import { decision, Rejected, type World } from './decider.js';
import { OneOf, Optional, OptionalOrNull, Slug, SlugOrNull, TaskId, Text } from './fields.js';
import { after, knownAgent, movedTo, ofTask, queuedRuns, refuseUnopened } from './lane.js';
import { partsRound, ringThrough } from './ring.js';
import { taskAnswer } from './task-view.js';
import { wakeOfChange } from './task-wakes.js';

/** Opens a task, or describes it anew; what is left out of a task that is there stays as it is. */
export class PutTask {
  @Slug() company!: string;
  @TaskId() task!: string;
  @Text(500) title!: string;
  @Optional() @OneOf(taskKinds) kind?: TaskKind;
  @Optional() @OneOf(taskStatuses) status?: TaskStatus;
  @Optional() @OneOf(taskPriorities) priority?: TaskPriority;
  @OptionalOrNull() @Slug() assignee?: string | null;
  @OptionalOrNull() @TaskId() parent?: string | null;
  @Optional() @IsArray() @ArrayMaxSize(50) @Text(100, { each: true }) labels?: string[];
  /** what it waits for, as SetBlockers takes it */
  @Optional() @IsArray() @ArrayMaxSize(10_000) @TaskId({ each: true }) blockedBy?: string[];
}

export const putTask = decision({
  command: PutTask,
  ...ofTask,
  agents: ({ assignee }, lane) => [assignee ?? null, lane.assignee],
  tasks: ({ parent, blockedBy }) => [parent ?? null, ...askedBlockers(blockedBy)],
  leadsTo: (lane) => [lane.parent, ...openBlockers(lane)],
  decide(command: PutTask, lane: Lane, world: World): LaneEvent[] {
    const changes = lane.opened ? change(command, lane, world) : open(command, lane, world);
    return [...changes, ...wakeOfChange(lane, after(lane, changes), world)];
  },
  answer: taskAnswer,
});

function open(command: PutTask, lane: Lane, world: World): LaneEvent[] {
  const {
    task,
    title,
    kind = 'issue',
    status = 'todo',
    priority = 'medium',
    assignee = null,
    parent = null,
    labels = [],
    blockedBy = [],
  } = command;
  refuseMisnamed(task, kind);
  if (assignee !== null) refuseUnable(assignee, world);
  refuseRingOfParents(task, parent, world);
  const openedAt = world.now.toISOString();
  const opened: LaneEvent = {
    type: 'TaskOpened',
    data: { task, title, kind, status, priority, assignee, parent, labels, openedAt },
  };
  return [opened, ...blockedFromNowOn(after(lane, [opened]), blockedBy, world)];
}

/** An agent's own lane is known by its name to every reader of the log, and so is a task that a routine has opened. */
function refuseMisnamed(task: string, kind: TaskKind): void {
  const routine = routineOfTask(task);
  if (routine !== undefined)
    throw new Rejected(
      'task_kind_fixed',
      `${task} is opened by a fire of ${routine}, and by nothing else: fire ${routine}, or leave ~ out of the name`,
    );
  if (isHeartbeat(task) !== (kind === 'heartbeat'))
    throw new Rejected('task_kind_fixed', `${task} cannot be of kind ${kind}: heartbeat~<agent> and kind heartbeat go together`);
}

function change(command: PutTask, lane: Lane, world: World): LaneEvent[] {
  if (command.kind && command.kind !== lane.kind)
    throw new Rejected(
      'task_kind_fixed',
      `${lane.task} is of kind ${lane.kind} and stays so; open another task for ${command.kind}`,
    );
  const { assignee = lane.assignee, blockedBy } = command;
  const described = describe(command, lane, world);
  const blocked = blockedBy ? blockedFromNowOn(after(lane, described), blockedBy, world) : [];
  const handed = handOver(after(lane, [...described, ...blocked]), assignee, world);
  const soFar = [...described, ...blocked, ...handed];
  const then = after(lane, soFar);
  return [...soFar, ...move(then, command.status ?? then.status, world)];
}

function describe(command: PutTask, lane: Lane, world: World): LaneEvent[] {
  const { title, priority = lane.priority, parent = lane.parent, labels = lane.labels } = command;
  if (parent !== lane.parent) refuseRingOfParents(lane.task, parent, world);
  if (isDeepStrictEqual([title, priority, parent, labels], [lane.title, lane.priority, lane.parent, lane.labels])) return [];
  return [
    {
      type: 'TaskChanged',
      data: {
        task: lane.task,
        title,
        priority,
        parent,
        labels,
        queuedRuns: queuedRuns(lane),
        changedAt: world.now.toISOString(),
      },
    },
  ];
}

function refuseRingOfParents(task: string, parent: string | null, world: World): void {
  const ring = parent !== null && ringThrough(task, [parent], (at) => partOf(world.task(at)));
  if (ring) throw new Rejected('parent_cycle', `${task} cannot be a part of itself: ${partsRound(ring)}; give another parent`);
}

const partOf = (lane: Lane | undefined): string[] => (lane && lane.parent !== null ? [lane.parent] : []);

/** The task becomes another agent's, or nobody's: the former one's runs that have not started end with that. */
export class AssignTask {
  @Slug() company!: string;
  @TaskId() task!: string;
  @SlugOrNull() agent!: string | null;
}

export const assignTask = decision({
  command: AssignTask,
  ...ofTask,
  agents: ({ agent }, lane) => [agent, lane.assignee],
  decide(command: AssignTask, lane: Lane, world: World): LaneEvent[] {
    refuseUnopened(lane, command.task);
    const changes = handOver(lane, command.agent, world);
    return [...changes, ...wakeOfChange(lane, after(lane, changes), world)];
  },
  answer: taskAnswer,
});

function handOver(lane: Lane, assignee: AgentId | null, world: World): LaneEvent[] {
  if (assignee === lane.assignee) return [];
  if (assignee !== null) refuseUnable(assignee, world);
  const assigned: LaneEvent = {
    type: 'TaskAssigned',
    data: { task: lane.task, assignee, previous: lane.assignee, assignedAt: world.now.toISOString() },
  };
  const reason = `${lane.task} was reassigned from ${lane.assignee ?? 'nobody'} to ${assignee ?? 'nobody'}`;
  const handed = [assigned, ...takenFrom(lane, { code: 'issue_reassigned', reason }, world)];
  return assignee === null ? handed : [...handed, ...takenUp(after(lane, handed), world)];
}

/** Who gives a blocked task to an agent wants it done, unless it still waits for another. */
const takenUp = (lane: Lane, world: World): LaneEvent[] =>
  lane.status === 'blocked' && openBlockers(lane).length === 0 ? [movedTo(lane, 'todo', null, world)] : [];

/** What the former assignee has not begun is not its own any more, unless it was asked beside the assignee. */
function takenFrom(lane: Lane, why: { code: string; reason: string }, world: World): LaneEvent[] {
  const runs = lane.open.filter((run) => run.status !== 'running' && run.agent === lane.assignee && !run.mention);
  const demands = lane.waiting
    .map(together)
    .filter((unit) => !unit.some(({ mention, agent }) => mention || agent !== lane.assignee));
  return [
    ...runs.map((run) => cancelled(run, world, { ...why, intent: 'stop', wakeups: 'cancelled' })),
    ...demands.flat().map((demand) => withdrawn(demand, world, why)),
  ];
}

/** The task moves; what was to be done on it ends when it is closed, and its assignee is woken when it is to be done again. */
export class SetTaskStatus {
  @Slug() company!: string;
  @TaskId() task!: string;
  @OneOf(taskStatuses) status!: TaskStatus;
}

export const setTaskStatus = decision({
  command: SetTaskStatus,
  ...ofTask,
  agents: (_, lane) => [lane.assignee],
  decide(command: SetTaskStatus, lane: Lane, world: World): LaneEvent[] {
    refuseUnopened(lane, command.task);
    const changes = move(lane, command.status, world);
    return [...changes, ...wakeOfChange(lane, after(lane, changes), world)];
  },
  answer: taskAnswer,
});

function move(lane: Lane, to: TaskStatus, world: World): LaneEvent[] {
  if (to === lane.status) return [];
  const changed = movedTo(lane, to, null, world);
  return isClosed(to) ? [changed, ...close(lane, to === 'done' ? 'issue_done' : 'issue_cancelled', world)] : [changed];
}

/** A closed task keeps comments to be answered, what others were asked to, and what runs: that is what closed it, mostly. */
function close(lane: Lane, code: string, world: World): LaneEvent[] {
  const over = lane.open.filter(
    (run) => run.status === 'scheduled_retry' || (run.status === 'queued' && !run.mention && !run.comment),
  );
  const reason = `${lane.task} was ${code === 'issue_done' ? 'done' : 'cancelled'}`;
  const runs = over.map((run) => cancelled(run, world, { code, reason, intent: 'stop', wakeups: 'cancelled' }));
  const demands = lane.waiting.map(together).filter((unit) => !unit.some((demand) => demand.mention || demand.comment));
  return [...runs, ...demands.flat().map((demand) => withdrawn(demand, world, { code, reason }))];
}

function refuseUnable(assignee: AgentId, world: World): void {
  if (knownAgent(world, assignee).status === 'terminated')
    throw new Rejected('agent_terminated', `${assignee} was terminated; assign the task to another agent`);
}
