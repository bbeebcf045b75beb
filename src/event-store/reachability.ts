import { setTimeout as sleep } from 'node:timers/promises';

/** Where the store says what an operator should know, in sentences. */
export interface StoreLog {
  warn(sentence: string): void;
  info(sentence: string): void;
}

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

const firstDelayMs = 50;
const maxDelayMs = 2_000;

/** Twice as long each time, and never in step with other processes. Ends early when `signal` is aborted. */
export async function backOff(attempt: number, signal: AbortSignal): Promise<void> {
  const delay = Math.min(maxDelayMs, firstDelayMs * 2 ** attempt);
  await sleep(delay * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => {});
}
