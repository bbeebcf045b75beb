import { setTimeout as sleep } from 'node:timers/promises';

/** Where the store says what an operator should know, in sentences. */
export interface StoreLog {
  warn(sentence: string): void;
  info(sentence: string): void;
}

/** One sentence when Postgres is lost and one when it is back, however many connections notice. */
export class Reachability {
  readonly #log: StoreLog | undefined;
  #lostAt: number | undefined;

  constructor(log: StoreLog | undefined) {
    this.#log = log;
  }

  lost(error: unknown): void {
    if (this.#lostAt !== undefined) return;
    this.#lostAt = Date.now();
    this.#log?.warn(
      `Readers of the event store lost Postgres and keep trying: ${error instanceof Error ? error.message : String(error)}`,
    );
  }

  back(): void {
    if (this.#lostAt === undefined) return;
    this.#log?.info(`Readers of the event store have Postgres back after ${Date.now() - this.#lostAt} ms`);
    this.#lostAt = undefined;
  }
}

const firstDelayMs = 50;
const maxDelayMs = 2_000;

/** Twice as long each time, and never in step with other processes. Ends early when `signal` is aborted. */
export async function backOff(attempt: number, signal: AbortSignal): Promise<void> {
  const delay = Math.min(maxDelayMs, firstDelayMs * 2 ** attempt);
  await sleep(delay * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => {});
}
