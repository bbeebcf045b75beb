import type { Actor, AgentId, Event, RoutineId, RunId, TaskId, WakeupId } from './event.js';

export const taskKinds = ['issue', 'heartbeat', 'routine'] as const;
export type TaskKind = (typeof taskKinds)[number];
export const taskStatuses = ['backlog', 'todo', 'in_progress', 'in_review', 'done', 'blocked', 'cancelled'] as const;
export type TaskStatus = (typeof taskStatuses)[number];
export const taskPriorities = ['critical', 'high', 'medium', 'low'] as const;
export type TaskPriority = (typeof taskPriorities)[number];

export const isClosed = (status: TaskStatus): boolean => status === 'done' || status === 'cancelled';

export interface TaskDescription {
  readonly title: string;
  readonly priority: TaskPriority;
  readonly parent: TaskId | null;
  readonly labels: readonly string[];
}

export type TaskOpened = Event<
  'TaskOpened',
  TaskDescription & { task: TaskId; kind: TaskKind; status: TaskStatus; assignee: AgentId | null; openedAt: string }
>;
/** `queuedRuns` stand elsewhere among their agent's runs from now on: their place follows the task's priority and status. */
export type TaskChanged = Event<
  'TaskChanged',
  TaskDescription & { task: TaskId; queuedRuns: readonly RunId[]; changedAt: string }
>;
export type TaskAssigned = Event<
  'TaskAssigned',
  { task: TaskId; assignee: AgentId | null; previous: AgentId | null; assignedAt: string }
>;
export type TaskStatusChanged = Event<
  'TaskStatusChanged',
  { task: TaskId; from: TaskStatus; to: TaskStatus; why: string | null; queuedRuns: readonly RunId[]; changedAt: string }
>;

/** A task that has to be done before another one is worked on, and whether it still has. */
export interface Blocker {
  readonly task: TaskId;
  readonly open: boolean;
}
/** These, and no others, stand before the task. */
export type BlockersSet = Event<'BlockersSet', { task: TaskId; blockers: readonly Blocker[]; setAt: string }>;
/** `cycle`: it was set while it waited for this task itself, and is none of its blockers any more. */
export type BlockerResolved = Event<
  'BlockerResolved',
  { task: TaskId; blocker: TaskId; how: 'done' | 'cancelled' | 'cycle'; note: string | null; resolvedAt: string }
>;
/** A blocker that was closed is to be done again. */
export type BlockerReopened = Event<'BlockerReopened', { task: TaskId; blocker: TaskId; reopenedAt: string }>;

/** The blockers of a task as the event leaves them. */
export const blockersAfter = <B extends Blocker>(blockers: readonly B[], event: BlockerResolved | BlockerReopened): B[] =>
  blockers.flatMap((known) => {
    if (known.task !== event.data.blocker) return [known];
    if (event.type === 'BlockerReopened') return [{ ...known, open: true }];
    return event.data.how === 'cycle' ? [] : [{ ...known, open: false }];
  });

export type CommentId = string;
/** `wakeupIds`: the demands that were made for it, in the same append. */
export type CommentAdded = Event<
  'CommentAdded',
  {
    task: TaskId;
    commentId: CommentId;
    author: Actor;
    body: string;
    mentions: readonly AgentId[];
    wakeupIds: readonly WakeupId[];
    addedAt: string;
  }
>;
/** Whatever it was to be told to, and had not been yet, is told without it: these demands, and `runIds`, the open runs among them. */
export type CommentRemoved = Event<
  'CommentRemoved',
  { task: TaskId; commentId: CommentId; wakeupIds: readonly WakeupId[]; runIds?: readonly RunId[]; removedAt: string }
>;

/** Nothing on the task starts until it is released; with `subtree`, nor on those below it. */
export type TaskHeld = Event<'TaskHeld', { task: TaskId; reason: string; subtree: boolean; interrupt: boolean; heldAt: string }>;
export type TaskReleased = Event<'TaskReleased', { task: TaskId; reason: string; releasedAt: string }>;

/**
 * A fire of a routine has come to the task, and this is what it has led to, in the same append: it `opened` the task, has `woken` its
 * agent, was `skipped` since the task is at work, or found it `closed`. `code`: its wake was refused.
 */
export type FireTaken = Event<
  'FireTaken',
  {
    task: TaskId;
    routine: RoutineId;
    fire: string;
    how: 'opened' | 'woken' | 'skipped' | 'closed';
    wakeupId: WakeupId | null;
    runId: RunId | null;
    code: string | null;
    takenAt: string;
  }
>;

export type TaskFact =
  | TaskOpened
  | TaskChanged
  | TaskAssigned
  | TaskStatusChanged
  | BlockersSet
  | BlockerResolved
  | BlockerReopened
  | CommentAdded
  | CommentRemoved
  | TaskHeld
  | TaskReleased
  | FireTaken;
