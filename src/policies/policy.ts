import type { Sendable } from '../commands/decider.js';
import type { AgentId, Position, RoutineId, RunId, StreamId, TaskId } from '../events/event.js';
import type { LedgerEvent } from '../events/ledger-event.js';
import type { FireId } from '../events/routine.js';
import type { TaskStatus } from '../events/task.js';
import type { Fact } from '../projections/projection.js';

/**
 * Whenever x happened on one stream, y is to be decided on another. A policy only says where to look: each reaction is a command
 * that decides at the head of its own stream, and of those that it asks about, so that one that comes late, twice, or for
 * nothing does no harm.
 */
export interface Policy {
  /** of its checkpoint, its owner and its reactions; never changed */
  readonly name: string;
  /** the read models that its index is asked of; they have reached an event before the policy is told of it */
  readonly indexes: readonly string[];
  readonly on: {
    readonly [Type in LedgerEvent['type']]?: (event: Fact<Type>, index: PolicyIndex) => Answered;
  };
}
type Answered = readonly Reaction[] | Promise<readonly Reaction[]>;

/** A command to send; its commandId is made of the policy, the event, the stream and the kind of command, so it is one however often. */
export interface Reaction {
  readonly kind: Sendable;
  /** with the company */
  readonly fields: object;
  /** reactions of a policy to one stream are carried out in order, and set aside together */
  readonly stream: StreamId;
}

export const reaction = <C extends object>(
  kind: Sendable<C>,
  fields: { readonly [Field in keyof C]?: unknown },
  stream: StreamId,
): Reaction => ({ kind: kind as Sendable, fields, stream });

/** Where the policies find whom an event concerns. It has reached the event that is asked about, and may be ahead of it. */
export abstract class PolicyIndex {
  /** Tasks that have this one among their blockers, open or not. */
  abstract dependentsOf(company: string, blocker: TaskId): Promise<TaskId[]>;
  /**
   * A ring of blockers that the task is part of, each waiting for the next, the last for the first: `undefined` if there is none.
   * Only edges that are not resolved count.
   */
  abstract ringThrough(company: string, task: TaskId): Promise<BlockerEdge[] | undefined>;
  abstract parentOf(company: string, task: TaskId): Promise<TaskId | null>;
  abstract childrenOf(company: string, parent: TaskId): Promise<Child[]>;
  /** Runs that are running, of an agent, on a task, or on a task and all below it; of a whole company if nothing is said. */
  abstract running(company: string, where: RunningWhere): Promise<{ task: TaskId; runId: RunId }[]>;
  /** Whether the agent, the task, one above it or the company is held or paused; asked like `isTerminated` for every start. */
  abstract isHeld(company: string, task: TaskId, agent: AgentId): Promise<boolean>;
  /** Asked for every run that is opened or started: it must cost next to nothing. */
  abstract isTerminated(company: string, agent: AgentId): Promise<boolean>;
  /** Lanes on which the agent has an open run or a demand that waits. */
  abstract lanesOf(company: string, agent: AgentId): Promise<TaskId[]>;
  /** Tasks of the agent that are todo or in progress. */
  abstract tasksOf(company: string, agent: AgentId): Promise<TaskId[]>;
  /** Whether the task is todo or in progress and assigned, and nothing is open on it. */
  abstract isIdle(company: string, task: TaskId): Promise<boolean>;
  /** Whether nothing is known yet of what has come of the fire. */
  abstract isFirePending(company: string, routine: RoutineId, fire: FireId): Promise<boolean>;
}

export interface RunningWhere {
  readonly agent?: AgentId;
  readonly task?: TaskId;
  /** with `task`: those below it as well */
  readonly subtree?: boolean;
}

/** `task` waits for `blocker` since `setAt`. */
export interface BlockerEdge {
  readonly task: TaskId;
  readonly blocker: TaskId;
  readonly setAt: Position;
}

export interface Child {
  readonly task: TaskId;
  readonly title: string;
  readonly status: TaskStatus;
  /** of its last change of status, or its opening */
  readonly movedAt: Position;
  /** what was said on it last; empty if nothing was */
  readonly summary: string;
}
