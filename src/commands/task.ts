import { isDeepStrictEqual } from 'node:util';
import { ArrayMaxSize, IsArray } from 'class-validator';
import { isHeartbeat, taskStream, type AgentId } from '../events/event.js';
import { lanes } from '../events/evolve-lane.js';
import type { Lane, LaneEvent } from '../events/lane.js';
import {
  isClosed,
  taskKinds,
  taskPriorities,
  taskStatuses,
  type TaskKind,
  type TaskPriority,
  type TaskStatus,
} from '../events/task.js';
import { cancelled, withdrawn } from './cancelling.js';
import { decision, noSuch, Rejected, type World } from './decider.js';
import { OneOf, Optional, OptionalOrNull, Slug, SlugOrNull, TaskId, Text } from './fields.js';
import { takeIn } from './intake.js';
import { after, knownAgent, movedTo, queuedRuns } from './lane.js';

export const ofTask = { of: lanes, stream: ({ company, task }: { company: string; task: string }) => taskStream(company, task) };

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
}

export const putTask = decision({
  command: PutTask,
  ...ofTask,
  agents: ({ assignee }, lane) => [assignee ?? null, lane.assignee],
  decide: (command: PutTask, lane: Lane, world: World): LaneEvent[] =>
    lane.opened ? change(command, lane, world) : open(command, lane, world),
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
  } = command;
  refuseMisnamed(task, kind);
  if (assignee !== null) refuseUnable(assignee, world);
  const openedAt = world.now.toISOString();
  const opened: LaneEvent = {
    type: 'TaskOpened',
    data: { task, title, kind, status, priority, assignee, parent, labels, openedAt },
  };
  return [opened, ...wake(after(lane, [opened]), 'issue_assigned', world)];
}

/** An agent's own lane is known by its name, to every reader of the log. */
function refuseMisnamed(task: string, kind: TaskKind): void {
  if (isHeartbeat(task) !== (kind === 'heartbeat'))
    throw new Rejected('task_kind_fixed', `${task} cannot be of kind ${kind}: heartbeat~<agent> and kind heartbeat go together`);
}

function change(command: PutTask, lane: Lane, world: World): LaneEvent[] {
  if (command.kind && command.kind !== lane.kind)
    throw new Rejected(
      'task_kind_fixed',
      `${lane.task} is of kind ${lane.kind} and stays so; open another task for ${command.kind}`,
    );
  const described = describe(command, lane, world);
  const stays = command.assignee === undefined || command.assignee === lane.assignee;
  const moved = setStatus(after(lane, described), command.status ?? lane.status, world, stays);
  const soFar = [...described, ...moved];
  return command.assignee === undefined ? soFar : [...soFar, ...assign(after(lane, soFar), command.assignee, world)];
}

function describe(command: PutTask, lane: Lane, { now }: World): LaneEvent[] {
  const { title, priority = lane.priority, parent = lane.parent, labels = lane.labels } = command;
  if (isDeepStrictEqual([title, priority, parent, labels], [lane.title, lane.priority, lane.parent, lane.labels])) return [];
  return [
    {
      type: 'TaskChanged',
      data: { task: lane.task, title, priority, parent, labels, queuedRuns: queuedRuns(lane), changedAt: now.toISOString() },
    },
  ];
}

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
    return assign(lane, command.agent, world);
  },
  answer: taskAnswer,
});

function assign(lane: Lane, assignee: AgentId | null, world: World): LaneEvent[] {
  if (assignee === lane.assignee) return [];
  if (assignee !== null) refuseUnable(assignee, world);
  const assigned: LaneEvent = {
    type: 'TaskAssigned',
    data: { task: lane.task, assignee, previous: lane.assignee, assignedAt: world.now.toISOString() },
  };
  const reason = `${lane.task} was reassigned from ${lane.assignee ?? 'nobody'} to ${assignee ?? 'nobody'}`;
  const formers = lane.open.filter((run) => run.status !== 'running' && run.agent === lane.assignee && !run.mention);
  const ends = formers.map((run) =>
    cancelled(run, world, { code: 'issue_reassigned', reason, intent: 'stop', wakeups: 'cancelled' }),
  );
  return [assigned, ...ends, ...wake(after(lane, [assigned, ...ends]), 'issue_assigned', world)];
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
    return setStatus(lane, command.status, world);
  },
  answer: taskAnswer,
});

function setStatus(lane: Lane, to: TaskStatus, world: World, wakes = true): LaneEvent[] {
  const from = lane.status;
  if (to === from) return [];
  const changed = movedTo(lane, to, null, world);
  if (isClosed(to)) return [changed, ...close(lane, to === 'done' ? 'issue_done' : 'issue_cancelled', world)];
  const again = from === 'backlog' || isClosed(from) || (from === 'blocked' && to === 'todo');
  return [changed, ...(wakes && again ? wake(after(lane, [changed]), 'issue_status_changed', world) : [])];
}

/** A closed task keeps comments to be answered, what others were asked to, and what runs: that is what closed it, mostly. */
function close(lane: Lane, code: string, world: World): LaneEvent[] {
  const over = lane.open.filter(
    (run) => run.status === 'scheduled_retry' || (run.status === 'queued' && !run.mention && !run.comment),
  );
  const reason = `${lane.task} was ${code === 'issue_done' ? 'done' : 'cancelled'}`;
  const runs = over.map((run) => cancelled(run, world, { code, reason, intent: 'stop', wakeups: 'cancelled' }));
  const units = lane.waiting
    .map((waiting) => [waiting, ...waiting.joined])
    .filter((demands) => !demands.some((demand) => demand.mention || demand.comment));
  return [...runs, ...units.flat().map((demand) => withdrawn(demand, world, { code, reason }))];
}

/** The assignee is woken by what others do to its task, once the task is to be worked on. */
function wake(lane: Lane, reason: string, world: World): LaneEvent[] {
  const { assignee, status } = lane;
  const { actor } = world;
  if (assignee === null || status === 'backlog' || isClosed(status) || (actor.type === 'agent' && actor.id === assignee))
    return [];
  const source = reason === 'issue_assigned' ? 'assignment' : 'automation';
  const outside = actor.type === 'user';
  return takeIn(lane, { agent: assignee, source, trigger: 'system', reason, payload: {}, outside, mention: false }, world, {
    explicit: false,
  });
}

function refuseUnable(assignee: AgentId, world: World): void {
  if (knownAgent(world, assignee).status === 'terminated')
    throw new Rejected('agent_terminated', `${assignee} was terminated; assign the task to another agent`);
}

export function refuseUnopened(lane: Lane, task: string): void {
  if (!lane.opened) throw noSuch('task', task);
}

export function taskAnswer(
  { company, task }: { company: string; task: string },
  { state, events, revision }: { state: Lane; events: readonly LaneEvent[]; revision: number },
) {
  const { title, kind, status, priority, assignee, parent, labels } = state;
  return {
    task: { id: task, company, title, kind, status, priority, assignee, parent, labels, revision },
    wakeups: events.flatMap((event) => (event.type === 'WakeupRequested' ? [event.data.wakeupId] : [])),
    cancelledRuns: events.flatMap((event) => (event.type === 'RunCancelled' ? [event.data.runId] : [])),
  };
}
