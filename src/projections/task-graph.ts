import type { AgentId, Position, TaskId } from '../events/event.js';
import type { LaneEvent } from '../events/lane.js';
import { blockersAfter, type Blocker, type TaskKind, type TaskStatus } from '../events/task.js';
import { amend, create, projection, type Change, type Fact } from './projection.js';

/** A task as policies see it: what it is part of, what it waits for, whose it is. */
export interface TaskGraphRow {
  readonly company: string;
  readonly task: TaskId;
  readonly kind: TaskKind;
  readonly title: string;
  readonly status: TaskStatus;
  readonly parent: TaskId | null;
  readonly assignee: AgentId | null;
  /** of its last change of status, or its opening */
  readonly moved_at: Position;
  readonly blockers: readonly Edge[];
}

/** Waiting for a task, since the event that put it before this one. */
export interface Edge extends Blocker {
  readonly setAt: Position;
}

export const taskGraph = projection<TaskGraphRow>({
  name: 'task_graph',
  version: 1,
  key: ['company', 'task'],
  keyedBy: 'stream',
  on: {
    TaskOpened: ({ company, subject: task, position: moved_at, data: { kind, title, status, parent, assignee } }) =>
      create([company, task], { company, task, kind, title, status, parent, assignee, moved_at, blockers: [] }),
    TaskChanged: (event) => {
      const { title, parent } = event.data;
      return changed(event, () => ({ title, parent }));
    },
    TaskAssigned: (event) => changed(event, () => ({ assignee: event.data.assignee })),
    TaskStatusChanged: (event) => changed(event, () => ({ status: event.data.to, moved_at: event.position })),
    BlockersSet: (event) => changed(event, ({ blockers }) => ({ blockers: edgesOf(event, blockers) })),
    BlockerResolved: (event) => changed(event, ({ blockers }) => ({ blockers: blockersAfter(blockers, event) })),
    BlockerReopened: (event) => changed(event, ({ blockers }) => ({ blockers: blockersAfter(blockers, event) })),
  },
});

/** What stood before the task already has stood there since then. */
const edgesOf = ({ position, data: { blockers } }: Fact<'BlockersSet'>, before: readonly Edge[]): Edge[] =>
  blockers.map(({ task, open }) => ({ task, open, setAt: before.find((edge) => edge.task === task)?.setAt ?? position }));

type OfLane = Fact<LaneEvent['type']>;

const changed = ({ company, subject }: OfLane, change: (row: TaskGraphRow) => Partial<TaskGraphRow>): Change<TaskGraphRow> =>
  amend([company, subject], (row) => ({ ...row, ...change(row) }));
