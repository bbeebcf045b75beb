import type { AgentId, Event, JsonObject, RunId, TaskId, WakeupId } from './event.js';
import type { TaskKind, TaskPriority, TaskStatus } from './task.js';

export const runStatuses = ['queued', 'scheduled_retry', 'running', 'succeeded', 'failed', 'cancelled', 'timed_out'] as const;
export type RunStatus = (typeof runStatuses)[number];
export type OpenStatus = 'queued' | 'scheduled_retry' | 'running';
export type TerminalStatus = Exclude<RunStatus, OpenStatus>;

/** Why a run was opened. `requested` is a demand's first run; the others are asked for by the arbiter or an operator. */
export type RunCause =
  | 'requested'
  | 'deferred'
  | 'superseding'
  | 'requeued'
  | 'process_lost'
  | 'retry'
  | 'missing_issue_comment'
  | 'continuation'
  | 'assignment_recovery'
  | 'continuation_recovery';

/** Taken up by the ledger itself, because it failed for good and nobody had asked for anything since. */
export const isRecovery = (cause: RunCause): boolean => cause === 'assignment_recovery' || cause === 'continuation_recovery';

/** All that a counter needs of a run that moves: whose it is, which status it leaves, and the day that it counts to. */
export interface Moving {
  readonly runId: RunId;
  readonly agent: AgentId;
  readonly from: OpenStatus;
  /** when the run was opened: queued, or parked */
  readonly queuedAt: string;
  /** the demands that it carries; those that coalesced into it are not among them */
  readonly wakeupIds: readonly WakeupId[];
}

/** Where a queued run stands among others of its agent. */
export interface Place {
  readonly kind: TaskKind;
  readonly taskStatus: TaskStatus;
  readonly priority: TaskPriority;
}

/** Given to the command that is run; free JSON, bounded. */
export type RunContext = JsonObject;

export type RunQueued = Event<
  'RunQueued',
  {
    runId: RunId;
    agent: AgentId;
    cause: RunCause;
    /** the first run of its chain */
    chain: RunId;
    attempt: number;
    /** the run that it repeats, recovers or continues */
    retryOf: RunId | null;
    wakeupIds: readonly WakeupId[];
    /** its demand, or a part of it, came from a person; it was asked for beside the assignee */
    outside: boolean;
    mention: boolean;
    comment?: true;
    place: Place;
    context: RunContext;
    queuedAt: string;
  }
>;
/** `blockedBy`: blockers that are open; the run may answer, and not work. */
export type RunStarted = Event<
  'RunStarted',
  Moving & { workerId: string; leaseMs: number; blockedBy?: readonly TaskId[]; startedAt: string }
>;
export type ProcessRecorded = Event<
  'ProcessRecorded',
  { runId: RunId; pid: number; pgid: number | null; host: string; processStartedAt: string; recordedAt: string }
>;

/** Its worker is gone, and its process goes on. */
export type RunDetached = Event<'RunDetached', { runId: RunId; agent: AgentId; detachedAt: string }>;
/** A worker on the same host has taken its process up again. */
export type RunReattached = Event<'RunReattached', { runId: RunId; agent: AgentId; reattachedAt: string }>;

export const silenceLevels = ['suspicious', 'critical'] as const;
export type SilenceLevel = (typeof silenceLevels)[number];
export const silenceDecisions = ['snooze', 'continue', 'dismiss'] as const;
export type SilenceDecision = (typeof silenceDecisions)[number];
/** It runs, and has said nothing since `lastOutputAt`. Nothing is ended for it. */
export type RunWentSilent = Event<
  'RunWentSilent',
  { runId: RunId; agent: AgentId; level: SilenceLevel; lastOutputAt: string; silentAt: string }
>;
/** `until`: when it is raised again if the silence lasts; null: not before output came and stopped again. */
export type SilenceDecided = Event<
  'SilenceDecided',
  { runId: RunId; agent: AgentId; decision: SilenceDecision; until: string | null; reason: string; decidedAt: string }
>;

/** What a worker reports of a run that ended. */
export interface Outcome {
  readonly exitCode: number | null;
  readonly result: JsonObject | null;
  readonly usage: JsonObject | null;
  readonly finishedAt: string;
}
export interface Failure extends Outcome {
  readonly error: string;
  readonly errorCode: string;
  readonly errorFamily: ErrorFamily;
  /** as the provider wrote it, readable or not */
  readonly retryAfter: string | null;
  /** the time that was read from it, or from the error's text */
  readonly notBefore: string | null;
}
export const errorFamilies = [
  'transient_upstream',
  'quota',
  'auth',
  'config',
  'process_lost',
  'timeout',
  'bug',
  'unknown',
] as const;
export type ErrorFamily = (typeof errorFamilies)[number];

export type RunSucceeded = Event<'RunSucceeded', Moving & Outcome & { liveness: string | null }>;
export type RunFailed = Event<'RunFailed', Moving & Failure>;
export type RunTimedOut = Event<'RunTimedOut', Moving & Failure>;
export type RunCancelled = Event<
  'RunCancelled',
  Moving & {
    code: string;
    reason: string;
    /** `stop`: no successor; `requeue`: the same attempt again */
    intent: CancelIntent;
    /** what becomes of its demands: refused by a gate, given up with it, or passed to the successor */
    wakeups: 'skipped' | 'cancelled' | 'passed';
    cancelledAt: string;
  }
>;
export type CancelIntent = 'stop' | 'requeue';

/** Opens the retry run, parked until `dueAt`, and records the whole decision. Times in ms where named so. */
export type RetryScheduled = Event<
  'RetryScheduled',
  {
    runId: RunId;
    retryOf: RunId;
    chain: RunId;
    agent: AgentId;
    attempt: number;
    maxAttempts: number;
    reason: string;
    baseDelayMs: number;
    /** the sample that was drawn, 0–1 */
    jitter: number;
    delayMs: number;
    dueAt: string;
    /** the provider's time as it was read, and as it was believed, where it decided */
    notBefore?: string;
    notBeforeCapped?: string;
    fallbackMode?: FallbackMode;
    policy: { name: string; version: number };
    errorFamily?: ErrorFamily;
    outside: boolean;
    mention: boolean;
    comment?: true;
    place: Place;
    context: RunContext;
    wakeupIds: readonly WakeupId[];
    queuedAt: string;
  }
>;
export type FallbackMode = 'same_session' | 'safer_invocation' | 'fresh_session' | 'fresh_session_safer_invocation';
export type RetryPromoted = Event<
  'RetryPromoted',
  Moving & { attempt: number; dueAt: string; trigger: 'due' | 'manual'; place: Place; promotedAt: string }
>;
/** Its demands pass to the run that took its place. */
export type RetrySuperseded = Event<'RetrySuperseded', Moving & { by: RunId; supersededAt: string }>;
export type RetryExhausted = Event<
  'RetryExhausted',
  { runId: RunId; agent: AgentId; chain: RunId; attempts: number; maxAttempts: number; reason: string; exhaustedAt: string }
>;
/** `runId`: the last run, if there was one. */
export type RecoveryEscalated = Event<
  'RecoveryEscalated',
  { runId: RunId | null; agent: AgentId; why: string; escalatedAt: string }
>;

export type RunEvent =
  | RunQueued
  | RunStarted
  | ProcessRecorded
  | RunDetached
  | RunReattached
  | RunWentSilent
  | SilenceDecided
  | RunSucceeded
  | RunFailed
  | RunTimedOut
  | RunCancelled
  | RetryScheduled
  | RetryPromoted
  | RetrySuperseded
  | RetryExhausted
  | RecoveryEscalated;
