import type { AgentId, RunId, TaskId } from '../../events/event.js';
import type { Lane } from '../../events/lane.js';
import type { AgentRow } from '../agents.js';
import type { HoldRow } from '../holds.js';
import type { FireRow } from '../routines/routine-fires.js';
import type { RoutineRow } from '../routines/routines.js';
import type { RunRow } from '../run-status.js';
import type { Stall } from '../stalled.js';
import type { TaskRow } from '../tasks.js';
import type { WakeupRow } from '../wakeup-requests.js';

/** All that is known of one lane and of what goes on around it, at one moment. Times are ISO 8601. */
export interface Facts {
  /** the ledger's, which may be set by hand */
  readonly now: string;
  readonly task: TaskRow;
  /** as the decisions see it: read models do not tell what passes the gates */
  readonly lane: Lane;
  /** those that reach this lane, the company's first, then the task's own and those above, nearest first; none of agents */
  readonly holds: readonly HoldRow[];
  readonly agents: ReadonlyMap<AgentId, AgentFacts>;
  /** the open ones by number, what was asked about, and what came after that */
  readonly runs: readonly RunRow[];
  /** those that wait, what was asked about, and what that joined */
  readonly demands: readonly WakeupRow[];
  readonly lease: LeaseFact | undefined;
  /** of the queued runs: how they stand among those of their agent */
  readonly ready: ReadonlyMap<RunId, ReadyFact>;
  /** what the task still waits for */
  readonly blockers: readonly BlockerFact[];
  /** roles that a living process has */
  readonly roles: readonly string[];
  /** of these, the ones whose process has been there for 10 s, and was heard of in the last 10 s */
  readonly steadyRoles: readonly string[];
  /** read models that did not come up to the head of the log while they were waited for */
  readonly lags: readonly LagFact[];
  /** when the task moved to its status, and when it began to wait for others */
  readonly movedAt: string;
  readonly blockedAt: string;
}

export interface AgentFacts {
  readonly row: AgentRow;
  /** all of it on which somebody has a lease */
  readonly leases: readonly { readonly runId: RunId; readonly workerId: string }[];
  readonly workers: readonly WorkerFact[];
}

/** `askedAt`: for runs; between, it may only have given signs of life. */
export interface WorkerFact {
  readonly workerId: string;
  readonly seenAt: string;
  readonly askedAt: string;
}

export interface LeaseFact {
  readonly runId: RunId;
  readonly workerId: string;
  readonly leaseMs: number;
  readonly expiresAt: string;
  readonly beatenAt: string | null;
  /** taken away, and not yet reported as lost */
  readonly isRevoked: boolean;
}

export interface ReadyFact {
  readonly since: string;
  /** runs of the agent that could be started now and come before it, at most 100, and the first of them */
  readonly ahead: number;
  readonly first: RunId | null;
}

export interface BlockerFact {
  readonly task: TaskId;
  /** undefined: there is no such task */
  readonly row: TaskRow | undefined;
  readonly stall: Stall | undefined;
}

export interface LagFact {
  readonly projection: string;
  /** how far it came, and when it moved last */
  readonly position: string;
  readonly head: string;
  readonly movedAt: string;
  /** why it does not go on */
  readonly trouble: string | null;
  /** it goes on without this one, which it could not fold */
  readonly stream: string | null;
}

/** All that is known of one fire of a routine, at one moment, besides the task that it has led to. */
export interface FireFacts extends Pick<Facts, 'now' | 'roles' | 'steadyRoles' | 'lags'> {
  readonly fire: FireRow;
  readonly routine: RoutineRow;
  /** the fire that opened the task which it has joined */
  readonly lead: FireRow | undefined;
  /** of one without an outcome: the step that whoever would finish it could not take */
  readonly parked: ParkedStep | undefined;
  /** how far whoever would finish it is; undefined: it has never begun */
  readonly policy: PolicyFact | undefined;
}

export interface PolicyFact {
  readonly position: string;
  readonly head: string;
  /** events between the two */
  readonly lag: number;
  readonly movedAt: string;
}

export interface ParkedStep {
  readonly stream: string;
  readonly command: string | null;
  readonly error: string;
  readonly parkedAt: string;
}
