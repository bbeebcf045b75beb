import type { Log } from '../log.js';
import { backOff, pause } from '../pause.js';

/** Where the store says what an operator should know; it has no trouble that it does not mend by itself. */
export type StoreLog = Pick<Log, 'info' | 'warn'>;

/** One sentence when Postgres is lost and one when all who lost it have it back, however many there are. */
export class Reachability {
  readonly #log: StoreLog | undefined;
  readonly #without = new Set<object>();
  #since = 0;

  constructor(log: StoreLog | undefined) {
    this.#log = log;
  }

  /** `reader` is whatever object stands for the one who noticed. */
  lost(reader: object, error: unknown): void {
    const first = this.#without.size === 0;
    this.#without.add(reader);
    if (!first) return;
    this.#since = Date.now();
    this.#log?.warn(
      `Readers of the event store lost Postgres and keep trying: ${error instanceof Error ? error.message : String(error)}`,
    );
  }

  back(reader: object): void {
    if (!this.#without.delete(reader) || this.#without.size > 0) return;
    this.#log?.info(`Readers of the event store have Postgres back after ${Date.now() - this.#since} ms`);
  }

  /** It ended while Postgres was lost, and waits for it no more. */
  forget(reader: object): void {
    this.#without.delete(reader);
  }
}

const waits = { firstMs: 50, mostMs: 2_000 };

/** Before the next attempt to reach Postgres. Ends early when `signal` is aborted. */
export const waitToRetry = (attempt: number, signal: AbortSignal): Promise<void> => pause(backOff(attempt, waits), signal);
