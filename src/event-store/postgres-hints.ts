import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type pg from 'pg';
import type { Changes } from './changes.js';
import { waitToRetry, type Reachability } from './reachability.js';

const channel = 'run_ledger_events';
const minGapMs = 5;

/**
 * Tells other processes that there is more to read, and hears it from them. Only a hint, and sent on its own after the append was
 * answered: commits that notify queue behind one lock of the whole server, so there is at most one per 5 ms.
 */
export class PostgresHints {
  readonly #sender = randomBytes(8).toString('hex');
  readonly #changes: Changes;
  readonly #reachability: Reachability;
  readonly #stopping = new AbortController();
  #listening: Promise<void> | undefined;
  #resting: NodeJS.Timeout | undefined;
  #again = false;

  constructor(changes: Changes, reachability: Reachability) {
    this.#changes = changes;
    this.#reachability = reachability;
  }

  /** At once, and once more at the end of a gap in which it was asked for again. */
  send(pool: pg.Pool): void {
    if (this.#stopping.signal.aborted) return;
    this.#again = this.#resting !== undefined;
    if (this.#again) return;
    this.#resting = setTimeout(() => {
      this.#resting = undefined;
      if (this.#again) this.send(pool);
    }, minGapMs);
    // Nothing to flush: whoever misses it polls.
    const notify = `select set_config('synchronous_commit', 'off', true), pg_notify('${channel}', $1)`;
    pool.query(notify, [this.#sender]).catch(() => {});
  }

  /** Listens until `stop`, on a connection of `pool` that is replaced when it is lost. */
  listen(pool: pg.Pool): void {
    this.#listening ??= this.#keepListening(pool, this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#resting);
    await this.#listening;
  }

  async #keepListening(pool: pg.Pool, signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        await this.#listenOnce(pool, signal, () => (attempt = 0));
      } catch (error) {
        if (signal.aborted) return;
        this.#reachability.lost(this, error);
        await waitToRetry(attempt, signal);
      }
    }
  }

  async #listenOnce(pool: pg.Pool, signal: AbortSignal, connected: () => void): Promise<void> {
    const client = await pool.connect();
    try {
      client.on('notification', ({ payload }) => {
        if (payload !== this.#sender) this.#changes.announce();
      });
      const lost = once(client, 'end', { signal });
      lost.catch(() => {});
      await client.query(`listen ${channel}`);
      connected();
      this.#reachability.back(this);
      this.#changes.announce();
      await lost;
      throw new Error('the listening connection ended');
    } finally {
      client.release(true);
    }
  }
}
