import type { RetryPolicy } from '../events/agent.js';
import type { FallbackMode, RetryScheduled } from '../events/run.js';

const minutes = 60_000;
const hours = 60 * minutes;

/** What an agent that says nothing of retries is given. */
export const defaultRetryPolicy: RetryPolicy = {
  name: 'default',
  version: 1,
  delaysMs: [2 * minutes, 10 * minutes, 30 * minutes, 2 * hours],
  jitterRatio: 0.25,
  maxNotBeforeMs: 24 * hours,
  notBeforeJitterMs: 0,
};

/** As many attempts as there are delays. */
export const maxAttempts = (policy: RetryPolicy): number => policy.delaysMs.length;

/** The decision as `RetryScheduled` records it. `delayMs` is the ledger's own; a not-before that was later shows in `dueAt`. */
export type RetryPlan = Pick<
  RetryScheduled['data'],
  'baseDelayMs' | 'jitter' | 'delayMs' | 'dueAt' | 'notBefore' | 'notBeforeCapped' | 'fallbackMode'
>;

export interface Circumstances {
  readonly now: Date;
  /** drawn by chance from 0–1; beyond it is clamped, and what is no number leaves the delay at its base */
  readonly sample: number;
  /** the provider's time, ISO; one that cannot be read is ignored */
  readonly notBefore: string | null;
  /** which program the agent is run by */
  readonly adapter: string;
}

/** When the `attempt`-th retry of a chain is due: 1 to `maxAttempts(policy)`. */
export function planRetry(policy: RetryPolicy, attempt: number, { now, sample, notBefore, adapter }: Circumstances): RetryPlan {
  const baseDelayMs = policy.delaysMs[attempt - 1];
  if (baseDelayMs === undefined) throw new RangeError(`attempt ${attempt}: policy "${policy.name}" has ${maxAttempts(policy)}`);
  const jitter = clamped(sample);
  const delayMs = Math.max(1_000, Math.round(baseDelayMs * (1 + (2 * jitter - 1) * policy.jitterRatio)));
  return {
    baseDelayMs,
    jitter,
    delayMs,
    ...due(policy, now.getTime(), now.getTime() + delayMs, jitter, notBefore),
    ...(adapter === 'codex_local' && { fallbackMode: fallbackModes[attempt - 1] ?? 'fresh_session_safer_invocation' }),
  };
}

const clamped = (sample: number): number => (Number.isNaN(sample) ? 0.5 : Math.min(1, Math.max(0, sample)));

const fallbackModes: readonly FallbackMode[] = [
  'same_session',
  'safer_invocation',
  'fresh_session',
  'fresh_session_safer_invocation',
];

type Due = Pick<RetryPlan, 'dueAt' | 'notBefore' | 'notBeforeCapped'>;

/**
 * A provider's time replaces the computed one only if it is later, so that it never shortens a back-off. All that wait
 * for one time are spread behind it, or before the cap if the time was cut to it, so that they do not wake together.
 */
function due(policy: RetryPolicy, now: number, computed: number, jitter: number, notBefore: string | null): Due {
  const wanted = notBefore === null ? NaN : Date.parse(notBefore);
  if (!(wanted > computed)) return { dueAt: iso(computed) };
  const limit = now + policy.maxNotBeforeMs;
  const spread = Math.round(jitter * policy.notBeforeJitterMs);
  const read = { notBefore: iso(wanted) };
  if (wanted <= limit) return { dueAt: iso(Math.min(wanted + spread, limit)), ...read };
  return { dueAt: iso(Math.max(limit - spread, computed)), ...read, notBeforeCapped: iso(limit) };
}

const iso = (time: number): string => new Date(time).toISOString();
