/**
 * Wakes who waits for something to happen: a hint, and never the reason for which it is safe to act. Who is woken looks again;
 * who waits does so with a time-out.
 */
export class Bells {
  private readonly waiting = new Map<string, Set<() => void>>();

  ring(key: string): void {
    for (const wake of this.waiting.get(key) ?? []) wake();
  }

  /** All bells whose names begin like this. */
  ringAll(prefix: string): void {
    for (const key of this.waiting.keys()) if (key.startsWith(prefix)) this.ring(key);
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
export const claimsBell = (company: string, agent: string): string => `${claimsBells(company)}${agent}`;
/** What the bells of all agents of a company begin with. */
export const claimsBells = (company: string): string => `claims:${company}/`;
/** What the bells of those begin with that sleep until something is due; all of them ring when the clock was set. */
export const dueBells = 'due:';
/** Rung when the next due time may be an earlier one, or what is due is no longer held. */
export const retriesBell = `${dueBells}retries`;
/** Rung when a slot of a routine may be due earlier. */
export const routinesBell = `${dueBells}routines`;
/** Rung when the heartbeat of an agent may be due earlier. */
export const heartbeatsBell = `${dueBells}heartbeats`;
/** Rung when something was decided about read models. */
export const operationsBell = 'operations';
