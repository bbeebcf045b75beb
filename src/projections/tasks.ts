import type { AgentId, RunId, TaskId } from '../events/event.js';
import type { LaneEvent } from '../events/lane.js';
import { blockersAfter, type Blocker, type TaskKind, type TaskPriority, type TaskStatus } from '../events/task.js';
import { amend, create, projection, type Change, type Fact, type Handlers } from './projection.js';

/** A task, and how its lane stands. */
export interface TaskRow {
  readonly company: string;
  readonly task: TaskId;
  readonly kind: TaskKind;
  readonly title: string;
  readonly status: TaskStatus;
  readonly priority: TaskPriority;
  readonly parent: TaskId | null;
  readonly labels: readonly string[];
  readonly assignee: AgentId | null;
  /** why it is blocked, if somebody said so */
  readonly why: string | null;
  /** nothing on it starts; with `subtree`, nor on those below it */
  readonly held: TaskHold | null;
  /** what it waits for, and what it waited for */
  readonly blockers: readonly Blocker[];
  readonly opened_at: string;
  /** when its description, assignee or status changed last */
  readonly changed_at: string;
  /** the newest run */
  readonly last_run: RunId | null;
  readonly open_runs: number;
  /** the run that holds the lane */
  readonly running: RunId | null;
  /** of the stream's last event, whatever it was: what `If-Match` is compared with */
  readonly revision: number;
}

export interface TaskHold {
  readonly reason: string;
  readonly since: string;
  readonly subtree: boolean;
}

export const tasks = projection<TaskRow>({
  name: 'tasks',
  version: 1,
  key: ['company', 'task'],
  keyedBy: 'stream',
  on: {
    TaskOpened: (event) => create(taskOf(event), opened(event)),
    TaskChanged: (event) => {
      const { title, priority, parent, labels, changedAt } = event.data;
      return passed(event, { title, priority, parent, labels, changed_at: changedAt });
    },
    TaskAssigned: (event) => passed(event, { assignee: event.data.assignee, changed_at: event.data.assignedAt }),
    TaskStatusChanged: (event) => {
      const { to, why, changedAt } = event.data;
      return passed(event, { status: to, why: to === 'blocked' ? why : null, changed_at: changedAt });
    },
    BlockersSet: (event) => passed(event, { blockers: event.data.blockers }),
    BlockerResolved: (event) => waiting(event),
    BlockerReopened: (event) => waiting(event),
    TaskHeld: (event) => {
      const { reason, heldAt: since, subtree } = event.data;
      return passed(event, { held: { reason, since, subtree } });
    },
    TaskReleased: (event) => passed(event, { held: null }),
    RunQueued: (event) => runOpened(event),
    RetryScheduled: (event) => runOpened(event),
    RunStarted: (event) => passed(event, { running: event.data.runId }),
    RunSucceeded: (event) => runEnded(event),
    RunFailed: (event) => runEnded(event),
    RunTimedOut: (event) => runEnded(event),
    RunCancelled: (event) => runEnded(event),
    RetrySuperseded: (event) => runEnded(event),
    RetryPromoted: (event) => passed(event),
    ProcessRecorded: (event) => passed(event),
    RetryExhausted: (event) => passed(event),
    RecoveryEscalated: (event) => passed(event),
    WakeupRequested: (event) => passed(event),
    WakeupCoalesced: (event) => passed(event),
    WakeupDeferred: (event) => passed(event),
    WakeupSkipped: (event) => passed(event),
    WakeupCancelled: (event) => passed(event),
    CommentAdded: (event) => passed(event),
    CommentRemoved: (event) => passed(event),
    RunDetached: (event) => passed(event),
    RunReattached: (event) => passed(event),
    RunWentSilent: (event) => passed(event),
    SilenceDecided: (event) => passed(event),
    FireTaken: (event) => passed(event),
    // Every event of a lane moves its revision, so one that is missing here does not compile.
  } satisfies Required<Pick<Handlers<TaskRow>, LaneEvent['type']>>,
});

type OfLane = Fact<LaneEvent['type']>;

const taskOf = ({ company, subject }: OfLane) => [company, subject];

function opened(event: Fact<'TaskOpened'>): TaskRow {
  const { task, kind, title, status, priority, parent, labels, assignee, openedAt } = event.data;
  const description = { kind, title, status, priority, parent, labels, assignee, opened_at: openedAt, changed_at: openedAt };
  const quiet = { why: null, held: null, blockers: [], last_run: null, open_runs: 0, running: null };
  return { company: event.company, task, ...description, ...quiet, revision: event.revision };
}

const passed = (event: OfLane, change: Partial<TaskRow> = {}): Change<TaskRow> =>
  amend(taskOf(event), (task) => ({ ...task, ...change, revision: event.revision }));

const waiting = (event: Fact<'BlockerResolved' | 'BlockerReopened'>): Change<TaskRow> =>
  amend(taskOf(event), (task) => ({ ...task, blockers: blockersAfter(task.blockers, event), revision: event.revision }));

const runOpened = (event: OfLane & { data: { runId: RunId } }): Change<TaskRow> =>
  amend(taskOf(event), (task) => ({
    ...task,
    last_run: event.data.runId,
    open_runs: task.open_runs + 1,
    revision: event.revision,
  }));

const runEnded = (event: OfLane & { data: { runId: RunId } }): Change<TaskRow> =>
  amend(taskOf(event), (task) => ({
    ...task,
    running: task.running === event.data.runId ? null : task.running,
    open_runs: task.open_runs - 1,
    revision: event.revision,
  }));
