import type { Agent } from '../events/agent.js';
import type { Company } from '../events/company.js';
import type { Actor, AgentId, Appended, Event, Position, RunId, Stream, StreamId, TaskId, WakeupId } from '../events/event.js';
import type { Lane } from '../events/lane.js';
import type { FireId } from '../events/routine.js';

/** A kind of command that can be sent through Dispatch, and what it is answered with. */
export interface Sendable<C extends object = object, Answer = unknown> {
  readonly command: new () => C;
  /** carries the type of the answer only */
  readonly answers?: Answer;
}

/**
 * A kind of command that one stream decides on: the state that its events fold to, what is decided on it, and what the sender
 * is answered. All of it is pure.
 */
export interface Decision<C extends object = object, State = unknown, E extends Event = Event, Answer = unknown> extends Sendable<
  C,
  Answer
> {
  readonly of: Stream<State, E>;
  readonly stream: (command: C) => StreamId;
  /** Events: it happened. None: it is so already. `Rejected`: it may not be. */
  readonly decide: (command: C, state: State, world: World) => readonly E[];
  /** Made from what was written, now or the first time that this command was sent, and from the state after it. */
  readonly answer: (command: C, outcome: Outcome<State, E>) => Answer;
  /** The agents that the decision asks World about. */
  readonly agents?: (command: C, state: State) => readonly (AgentId | null)[];
  /** The tasks that the decision asks World about, each with all that `leadsTo` finds from it; two thousand at most. */
  readonly tasks?: (command: C, state: State) => readonly (TaskId | null)[];
  readonly leadsTo?: (lane: Lane) => readonly (TaskId | null)[];
  /** Being a moment late would do harm: what World is asked about is read at the head of its streams. */
  readonly atHead?: boolean;
  /** The lane whose lease fences the command, and the token that its sender holds: World's `lease` is read for it. */
  readonly fence?: {
    readonly of: (command: C) => { company: string; task: string; token: string };
    /** with the command, the lease is over */
    readonly ends?: true;
  };
  /** The chain of runs that the command belongs to; without one, what came with the command. */
  readonly correlate?: (command: C, state: State) => string | undefined;
}

export const decision = <C extends object, State, E extends Event, Answer>(
  definition: Decision<C, State, E, Answer>,
): Decision<C, State, E, Answer> => definition;

/** What a decision may know besides its own stream. */
export interface World {
  readonly now: Date;
  /** a sample between 0 and 1 */
  readonly random: () => number;
  readonly commandId: string;
  readonly actor: Actor;
  readonly agent: (id: AgentId) => Agent | undefined;
  /** undefined too for one that was never opened */
  readonly task: (id: TaskId) => Lane | undefined;
  readonly company: Company;
  /** the lease on the lane, where the command is fenced by one */
  readonly lease: Lease | undefined;
}

/** A worker's hold of a lane. */
export interface Lease {
  readonly token: string;
  readonly runId: RunId;
}

export interface Outcome<State, E extends Event> {
  readonly state: State;
  /** none: it was so already */
  readonly events: readonly Appended<E>[];
  /** revision of the stream's last event, -1 for none */
  readonly revision: number;
  /** of the stream's last event: a read model that has reached it shows all that this answer says */
  readonly position: Position;
  /** this commandId had been answered before */
  readonly replayed: boolean;
  /** of a decision that wrote nothing: what it knew, and so why */
  readonly world?: World;
}

/** What came of a command, and where a reader of its effects has to look. */
export interface Dispatched<Answer> {
  readonly answer: Answer;
  readonly position: Position;
  /** of the command's stream; a batch has none */
  readonly revision?: number;
  /** the commandId had been answered before */
  readonly replayed: boolean;
}

/** What comes with a command besides its own fields. */
export interface CommandContext {
  readonly commandId: string;
  readonly actor: Actor;
  readonly correlationId?: string;
  readonly causationId?: string;
  readonly traceparent?: string;
  /** makes the command conditional on the stream's revision (If-Match) */
  readonly ifRevision?: number;
}

/** A command that was refused. `code` is for programs, the message for people: what is so, and what would do. */
export class Rejected extends Error {
  override readonly name = 'Rejected';
  constructor(
    readonly code: RejectedCode,
    message: string,
    /** the wakeup that records the refusal, where it was worth recording */
    readonly wakeupId?: WakeupId,
    /** likewise, the fire of a routine */
    readonly fire?: FireId,
  ) {
    super(message);
  }
}

/** Where a name leads to nothing. */
export const noSuch = (kind: keyof typeof beginnings, id: string): Rejected =>
  new Rejected(`${kind}_not_found`, `there is no ${kind} ${id}; ${beginnings[kind]} it first`);
const beginnings = { agent: 'register', task: 'open', routine: 'define' } as const;

export const rejectedCodes = [
  'agent_not_found',
  'task_not_found',
  'run_not_found',
  'wakeup_not_found',
  'agent_not_invokable',
  'agent_terminated',
  'task_kind_fixed',
  'issue_terminal_status',
  'lane_busy',
  'run_not_queued',
  'run_not_running',
  'run_not_retryable',
  'wakeup_not_open',
  'wakeup_shared',
  'stale_lease',
  'revision_mismatch',
  'data_refused',
  'blocker_cycle',
  'parent_cycle',
  'comment_not_found',
  'issue_dependencies_blocked',
  'not_permitted',
  'run_not_silent',
  'too_many',
  'task_held',
  'company_held',
  'rebuild_not_found',
  'rebuild_under_way',
  'rebuild_not_ready',
  'differences_found',
  'nothing_to_roll_back',
  'read_model_in_use',
  'projection_not_found',
  'parked_stream_not_found',
  'parked_elsewhere',
  'parked_reaction_not_found',
  'stream_unfoldable',
  'as_of_schema_not_found',
  'as_of_schema_taken',
  'as_of_schema_busy',
  'as_of_schema_lacks',
  'routine_not_found',
  'fire_not_found',
  'trigger_not_found',
  'routine_paused',
  'routine_archived',
  'trigger_disabled',
  'trigger_kind',
  'outside_window',
  'agent_required',
  'routine_name_reserved',
  'triggers_invalid',
  'window_invalid',
  'cron_invalid',
  'cron_never_fires',
  'zone_unknown',
  'template_invalid',
  'variables_invalid',
  'variables_unknown',
  'variables_missing',
  'variable_invalid',
  'title_too_long',
  'description_too_long',
  'fingerprint_path_invalid',
] as const;
export type RejectedCode = (typeof rejectedCodes)[number];

/** The stream changed under the decision again and again; the same command may be sent again. */
export class Contention extends Error {
  override readonly name = 'Contention';
}

/** An append was neither answered nor found out in time; the same command with the same commandId finds out. */
export class OutcomeUnknown extends Error {
  override readonly name = 'OutcomeUnknown';
}
