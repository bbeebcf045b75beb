import type { AgentId, Event, RunId, TaskId } from './event.js';

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

export type TaskFact = TaskOpened | TaskChanged | TaskAssigned | TaskStatusChanged;
