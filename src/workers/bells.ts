/**
 * Wakes who waits for something to happen: a hint, and never the reason for which it is safe to act. Who is woken looks again;
 * who waits does so with a time-out.
 */
export class Bells {
  private readonly waiting = new Map<string, Set<() => void>>();

  ring(key: string): void {
    for (const wake of this.waiting.get(key) ?? []) wake();
  }

  /** Resolves when the bell rings, `ms` have passed, or `signal` ends: whichever is first. */
  wait(key: string, ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const wake = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        this.leave(key, wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      signal.addEventListener('abort', wake);
      this.waiting.set(key, (this.waiting.get(key) ?? new Set()).add(wake));
    });
  }

  private leave(key: string, wake: () => void): void {
    const waiting = this.waiting.get(key);
    waiting?.delete(wake);
    if (waiting?.size === 0) this.waiting.delete(key);
  }
}

/** Rung when an agent may have a run to claim. */
export const claimsBell = (company: string, agent: string): string => `claims:${company}/${agent}`;
/** Rung when the next due time may be an earlier one, or what is due is no longer held. */
export const retriesBell = 'retries';
