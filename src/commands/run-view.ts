import { numberOfRun, type JsonObject, type RunId, type TaskId, type WakeupId } from '../events/event.js';
import { openBlockers, runningRun, type Lane, type LaneEvent } from '../events/lane.js';
import type { ErrorFamily, FallbackMode, RunCause, RunStatus } from '../events/run.js';
import type { Outcome } from './decider.js';
import { findRun, isEnded, type AnyRun } from './lane.js';

/** A run as an answer to a command shows it: all that its lane knows. What a worker reported of its end is in the read model. */
export interface RunView {
  readonly id: RunId;
  readonly company: string;
  readonly task: string;
  readonly agent: string;
  readonly status: RunStatus;
  readonly chain: RunId;
  readonly n: number;
  readonly attempt: number;
  readonly maxAttempts?: number;
  readonly retryOf?: RunId;
  readonly retryReason?: string;
  readonly scheduledRetryAt?: string;
  readonly fallbackMode?: FallbackMode;
  readonly cause: RunCause;
  readonly source?: string;
  /** the demands that it carries, and those that joined them */
  readonly wakeups: readonly WakeupId[];
  readonly queuedAt: string;
  readonly startedAt?: string;
  readonly errorCode?: string;
  readonly errorFamily?: ErrorFamily;
  readonly worker?: string;
  /** the run that holds its lane */
  readonly behind?: RunId;
  /** what its task still waits for: until then it may answer, and not work */
  readonly blockedBy?: readonly TaskId[];
  readonly exhausted: boolean;
  /** of the task's stream: what `If-Match` is compared with */
  readonly revision: number;
  readonly context: JsonObject;
}

/** `undefined` for one of the lane's runs that ended long ago. */
export function runView(company: string, { state: lane, revision }: Outcome<Lane, LaneEvent>, runId: RunId): RunView | undefined {
  const run = findRun(lane, runId);
  if (!run) return undefined;
  const { agent, status, chain, attempt, cause, wakeupIds, joined, queuedAt, startedAt, workerId, context } = run;
  return {
    id: runId,
    company,
    task: lane.task,
    agent,
    status,
    chain,
    n: numberOfRun(runId),
    attempt,
    ...asRetry(run),
    cause,
    ...(typeof context.source === 'string' && { source: context.source }),
    wakeups: [...wakeupIds, ...joined],
    queuedAt,
    ...(startedAt !== null && { startedAt }),
    ...(workerId !== null && { worker: workerId }),
    ...atPresent(lane, run),
    revision,
    context,
  };
}

const asRetry = ({ retryOf, parking }: AnyRun) => ({
  ...(retryOf !== null && { retryOf }),
  ...(parking && { retryReason: parking.reason, scheduledRetryAt: parking.dueAt, maxAttempts: parking.maxAttempts }),
  ...(parking?.fallbackMode && { fallbackMode: parking.fallbackMode }),
});

function atPresent(lane: Lane, run: AnyRun) {
  if (!isEnded(run)) {
    const running = run.status === 'queued' && runningRun(lane);
    const blockedBy = openBlockers(lane);
    return { ...(running && { behind: running.runId }), ...(blockedBy.length > 0 && { blockedBy }), exhausted: false };
  }
  const { code, family, exhausted } = run;
  return {
    ...(code !== null && { errorCode: code }),
    ...(family !== null && { errorFamily: family }),
    exhausted: exhausted !== null,
    ...(exhausted !== null && { maxAttempts: exhausted }),
  };
}

/** What the end of a run led to, as it was recorded with the end. */
export type Next =
  | {
      readonly kind: 'retry_scheduled';
      readonly run: RunId;
      readonly dueAt: string;
      readonly attempt: number;
      readonly maxAttempts: number;
    }
  /** `attempt` is the one that there will not be */
  | { readonly kind: 'retry_exhausted'; readonly attempt: number; readonly maxAttempts: number }
  | { readonly kind: 'queued'; readonly run: RunId; readonly attempt: number }
  | { readonly kind: 'escalated'; readonly why: string };

export function nextOf(events: readonly LaneEvent[]): Next | undefined {
  for (const { type, data } of events) {
    if (type === 'RetryScheduled') {
      const { runId: run, dueAt, attempt, maxAttempts } = data;
      return { kind: 'retry_scheduled', run, dueAt, attempt, maxAttempts };
    }
    if (type === 'RetryExhausted') return { kind: 'retry_exhausted', attempt: data.attempts + 1, maxAttempts: data.maxAttempts };
    if (type === 'RunQueued') return { kind: 'queued', run: data.runId, attempt: data.attempt };
    if (type === 'RecoveryEscalated') return { kind: 'escalated', why: data.why };
  }
  return undefined;
}
