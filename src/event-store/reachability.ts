import type { Log } from '../log.js';
import { backOff, pause } from '../pause.js';
import { StoreUnavailable } from './event-store.js';

/** Where the store says what an operator should know; it has no trouble that it does not mend by itself. */
export type StoreLog = Pick<Log, 'info' | 'warn'>;

/** One sentence when a server is lost and one when all who lost it have it back, however many there are. */
export class Reachability {
  readonly #server: string;
  readonly #log: StoreLog | undefined;
  readonly #without = new Set<object>();
  #since = 0;

  /** `server`: its name, for the sentences. */
  constructor(server: string, log: StoreLog | undefined) {
    this.#server = server;
    this.#log = log;
  }

  /** `reader` is whatever object stands for the one who noticed. */
  lost(reader: object, error: unknown): void {
    const first = this.#without.size === 0;
    this.#without.add(reader);
    if (!first) return;
    this.#since = Date.now();
    this.#log?.warn(
      `Readers of the event store lost ${this.#server} and keep trying: ${error instanceof Error ? error.message : String(error)}`,
    );
  }

  back(reader: object): void {
    if (!this.#without.delete(reader) || this.#without.size > 0) return;
    this.#log?.info(`Readers of the event store have ${this.#server} back after ${Date.now() - this.#since} ms`);
  }

  /** It ended while the server was lost, and waits for it no more. */
  forget(reader: object): void {
    this.#without.delete(reader);
  }

  /** What `read` yields, however often the server is lost meanwhile; `undefined` once `signal` is aborted. */
  async outlast<T>(read: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        const page = await read();
        this.back(signal);
        return page;
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        this.lost(signal, error);
        await waitToRetry(attempt, signal);
      }
    }
    this.forget(signal);
    return undefined;
  }
}

const waits = { firstMs: 50, mostMs: 2_000 };

/** Before the next attempt to reach the server. Ends early when `signal` is aborted. */
export const waitToRetry = (attempt: number, signal: AbortSignal): Promise<void> => pause(backOff(attempt, waits), signal);
