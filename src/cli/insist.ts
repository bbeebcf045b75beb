import { setTimeout as pause } from 'node:timers/promises';
import { Problem, Unanswered } from './problem.js';

export interface Patience {
  /** stops trying after so many ms; without it, tries on */
  readonly forMs?: number;
  readonly signal?: AbortSignal;
  /** the first pause and the longest one, in ms */
  readonly pauses?: readonly [first: number, longest: number];
  /** would not pass within the time that there is */
  readonly isHopeless?: (error: Error) => boolean;
  /** called before each pause */
  readonly onFailure?: (error: Error, tries: number) => void;
}

/** A request of unknown outcome, or that was refused only for now, is sent again: the caller's key makes that harmless. */
export async function insist<T>(work: () => Promise<T>, patience: Patience = {}): Promise<T> {
  const { forMs = Infinity, signal, pauses = [250, 10_000], isHopeless, onFailure } = patience;
  const started = performance.now();
  const [first, longest] = pauses;
  for (let tries = 1, wait = first; ; tries++, wait = Math.min(wait * 2, longest)) {
    try {
      return await work();
    } catch (error) {
      if (!mayPass(error) || signal?.aborted || isHopeless?.(error)) throw error;
      const delay = Math.max(spread(wait), error instanceof Problem ? Math.min(error.retryAfterMs ?? 0, longest) : 0);
      if (performance.now() - started + delay > forMs) throw error;
      onFailure?.(error, tries);
      await pause(delay, undefined, { signal }).catch(() => {});
    }
  }
}

export const mayPass = (error: unknown): error is Problem | Unanswered =>
  error instanceof Unanswered || (error instanceof Problem && (error.retryable || error.status >= 500));

/** Many workers that lost one server do not come back to it in step. */
const spread = (ms: number): number => ms * (0.75 + Math.random() / 2);
