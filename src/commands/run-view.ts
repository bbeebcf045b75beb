import { numberOfRun, type RunId } from '../events/event.js';
import type { Lane, LaneEvent } from '../events/lane.js';
import type { ErrorFamily, RunStatus } from '../events/run.js';
import { findRun } from './lane.js';

/** A run as an answer to a command shows it; the whole of it is in the read model. */
export interface RunView {
  readonly id: RunId;
  readonly company: string;
  readonly task: string;
  readonly agent: string;
  readonly status: RunStatus;
  readonly chain: RunId;
  readonly n: number;
  readonly attempt: number;
  readonly queuedAt: string;
  readonly scheduledRetryAt?: string;
  readonly errorCode?: string;
  readonly errorFamily?: ErrorFamily;
}

/** `undefined` for one of the lane's runs that ended long ago. */
export function runView(company: string, lane: Lane, runId: RunId): RunView | undefined {
  const run = findRun(lane, runId);
  if (!run) return undefined;
  const { agent, status, chain, attempt, queuedAt } = run;
  const due = 'dueAt' in run && run.dueAt ? { scheduledRetryAt: run.dueAt } : {};
  const error = {
    ...('code' in run && run.code && { errorCode: run.code }),
    ...('family' in run && run.family && { errorFamily: run.family }),
  };
  return {
    id: runId,
    company,
    task: lane.task,
    agent,
    status,
    chain,
    n: numberOfRun(runId),
    attempt,
    queuedAt,
    ...due,
    ...error,
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
  | { readonly kind: 'retry_exhausted'; readonly attempts: number; readonly maxAttempts: number }
  | { readonly kind: 'queued'; readonly run: RunId; readonly attempt: number }
  | { readonly kind: 'escalated'; readonly why: string };

export function nextOf(events: readonly LaneEvent[]): Next | undefined {
  for (const { type, data } of events) {
    if (type === 'RetryScheduled')
      return {
        kind: 'retry_scheduled',
        run: data.runId,
        dueAt: data.dueAt,
        attempt: data.attempt,
        maxAttempts: data.maxAttempts,
      };
    if (type === 'RetryExhausted') return { kind: 'retry_exhausted', attempts: data.attempts, maxAttempts: data.maxAttempts };
    if (type === 'RunQueued') return { kind: 'queued', run: data.runId, attempt: data.attempt };
    if (type === 'RecoveryEscalated') return { kind: 'escalated', why: data.why };
  }
  return undefined;
}
