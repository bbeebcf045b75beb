import type { Actor, AgentId, JsonObject, RunId, TaskId, WakeupId } from './event.js';
import type { Hold } from './hold.js';
import type {
  CancelIntent,
  ErrorFamily,
  OpenStatus,
  RetryScheduled,
  RunCause,
  RunContext,
  RunEvent,
  SilenceLevel,
  TerminalStatus,
} from './run.js';
import type { Blocker, CommentId, TaskDescription, TaskFact, TaskKind, TaskStatus } from './task.js';
import type { WakeupEvent, WakeupRequested } from './wakeup.js';

/** The facts of a task's stream: its own, the demands on it and the runs that follow from them. */
export type LaneEvent = TaskFact | WakeupEvent | RunEvent;

/** What the next decision about a task needs to know. Everything else is a read model. */
export interface Lane extends TaskDescription {
  readonly opened: boolean;
  readonly task: TaskId;
  readonly kind: TaskKind;
  readonly status: TaskStatus;
  readonly assignee: AgentId | null;
  readonly held: (Hold & { readonly subtree: boolean }) | null;
  readonly blockers: readonly Blocker[];
  /** the last thousand, newest last */
  readonly comments: readonly Comment[];
  /** comments of agents in a row, without one of a person and without a change of status */
  readonly agentReplies: number;
  /** taken up again after it failed or was stranded, and since then nothing has succeeded and no person has asked for anything */
  readonly recovered: boolean;
  /** number of the last run */
  readonly runs: number;
  /** at most one per agent, and at most one of them running */
  readonly open: readonly OpenRun[];
  /** the last hundred, newest last: what an explicit retry may take up */
  readonly ended: readonly EndedRun[];
  /** at most one per agent, each with those that joined it */
  readonly waiting: readonly Waiting[];
  /** requested, and disposed of by the next event of the same append */
  readonly arriving: readonly Demand[];
  /** the last hundred demands that were given up, newest last */
  readonly withdrawn: readonly WakeupId[];
  /** the last refusal at intake by agent and code */
  readonly refusals: Readonly<Record<string, { wakeupId: WakeupId; at: string }>>;
}

export type Demand = WakeupRequested['data'];
export interface Comment {
  readonly id: CommentId;
  readonly author: Actor;
  readonly addedAt: string;
  readonly wakeupIds: readonly WakeupId[];
  readonly removed: boolean;
}
export type Waiting = Demand & { readonly joined: readonly Demand[] };

interface Run {
  readonly runId: RunId;
  readonly agent: AgentId;
  readonly cause: RunCause;
  readonly chain: RunId;
  readonly attempt: number;
  readonly outside: boolean;
  readonly mention: boolean;
  readonly comment: boolean;
  /** its chain was recovered already */
  readonly recovered: boolean;
  /** how many runs before it it continues, one after the other */
  readonly continuations: number;
  /** how often its chain was claimed and never begun, one time after the other */
  readonly startsLost: number;
  /** its agent has commented on the task while it ran */
  readonly commented: boolean;
  /** a process of its chain was lost already */
  readonly lost: boolean;
  readonly wakeupIds: readonly WakeupId[];
  /** the demands that have joined those that it carries, oldest first */
  readonly joined: readonly WakeupId[];
  readonly context: RunContext;
  readonly queuedAt: string;
  /** the run that it repeats or retries */
  readonly retryOf: RunId | null;
  /** of a retry: how it was decided, until when it was to wait, and the bound that it was scheduled under */
  readonly parking: Parking | null;
  readonly workerId: string | null;
  readonly startedAt: string | null;
}
export type Parking = Pick<RetryScheduled['data'], 'reason' | 'dueAt' | 'maxAttempts' | 'fallbackMode'>;
export interface OpenRun extends Run {
  readonly status: OpenStatus;
  readonly processRecorded: boolean;
  readonly detached: boolean;
  readonly silence: Silence | null;
}
/** As it was raised last, and what was decided on it. */
export interface Silence {
  readonly level: SilenceLevel;
  readonly lastOutputAt: string;
  /** null: nobody has decided anything since */
  readonly decided: { readonly at: string; readonly until: string | null } | null;
}
export interface EndedRun extends Run {
  readonly status: TerminalStatus;
  readonly code: string | null;
  readonly family: ErrorFamily | null;
  readonly notBefore: string | null;
  readonly intent: CancelIntent | null;
  /** what its worker said of what came of it */
  readonly liveness: string | null;
  /** the run that took it up, if one did */
  readonly retry: RunId | null;
  /** the bound that its chain has reached */
  readonly exhausted: number | null;
}

export const unopened: Lane = {
  opened: false,
  task: '',
  title: '',
  kind: 'issue',
  status: 'todo',
  priority: 'medium',
  assignee: null,
  held: null,
  blockers: [],
  comments: [],
  agentReplies: 0,
  recovered: false,
  parent: null,
  labels: [],
  runs: 0,
  open: [],
  ended: [],
  waiting: [],
  arriving: [],
  withdrawn: [],
  refusals: {},
};

export const refusalKey = (agent: AgentId, code: string): string => `${agent} ${code}`;
export const openRunOf = (lane: Lane, agent: AgentId): OpenRun | undefined => lane.open.find((run) => run.agent === agent);
export const runningRun = (lane: Lane): OpenRun | undefined => lane.open.find((run) => run.status === 'running');

/** The demands that have one fate from now on: the first of them, and those that joined it. */
export const together = (waiting: Waiting): Demand[] => [waiting, ...waiting.joined];

/** With those that joined it, it is a person's, or one beside the assignee, if any of them is. */
export function waitingOf(lane: Lane, agent: AgentId): Waiting | undefined {
  const waiting = lane.waiting.find((demand) => demand.agent === agent);
  if (!waiting) return undefined;
  const parts = together(waiting);
  return {
    ...waiting,
    outside: parts.some(({ outside }) => outside),
    mention: parts.some(({ mention }) => mention),
    ...(parts.some(({ comment }) => comment) && { comment: true as const }),
  };
}

export const openBlockers = ({ blockers }: Pick<Lane, 'blockers'>): TaskId[] =>
  blockers.filter(({ open }) => open).map(({ task }) => task);

/** The comments that a demand, or the context of a run, is about; in the order in which they were made. */
export const commentIdsIn = ({ commentIds }: JsonObject): CommentId[] =>
  Array.isArray(commentIds) ? commentIds.filter((id) => typeof id === 'string') : [];
