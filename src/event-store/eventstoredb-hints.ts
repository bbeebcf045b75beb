import { pause } from '../pause.js';
import type { Changes } from './changes.js';
import type { EventStoreDbConnection } from './eventstoredb-connection.js';
import { isTooSlow } from './eventstoredb-errors.js';
import { waitToRetry, type Reachability } from './reachability.js';

const minGapMs = 5;
/** Behind so much that the server dropped the subscription, a reader has pages to read anyway. */
const restMs = 250;

/**
 * Hears from EventStoreDB that there is more to read: by a live subscription to events of which there are none, as the server tells how
 * far it has looked for them. So no event is sent twice, and all that gets lost with the subscription is a hint.
 */
export class EventStoreDbHints {
  readonly #connection: EventStoreDbConnection;
  readonly #changes: Changes;
  readonly #reachability: Reachability;
  readonly #stopping = new AbortController();
  #listening: Promise<void> | undefined;
  #resting: NodeJS.Timeout | undefined;
  #again = false;

  constructor(connection: EventStoreDbConnection, changes: Changes, reachability: Reachability) {
    this.#connection = connection;
    this.#changes = changes;
    this.#reachability = reachability;
  }

  /** Listens until `stop`; a lost subscription is replaced. */
  listen(): void {
    this.#listening ??= this.#keepListening(this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#resting);
    await this.#listening;
  }

  async #keepListening(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      const error = await this.#listenOnce(signal, () => {
        attempt = 0;
        this.#reachability.back(this);
        this.#announce();
      });
      if (signal.aborted) break;
      this.#announce();
      if (isTooSlow(error)) await pause(restMs, signal);
      else {
        this.#reachability.lost(this, error);
        await waitToRetry(attempt, signal);
      }
    }
    this.#reachability.forget(this);
  }

  /** Resolves to what ended the subscription, or kept it from beginning. */
  #listenOnce(signal: AbortSignal, confirmed: () => void): Promise<unknown> {
    return new Promise((done) => {
      const subscription = this.#connection.client.subscribeToAll({ fromPosition: 'end', filter: this.#nothing() });
      const end = (why: unknown) => {
        clearTimeout(late);
        signal.removeEventListener('abort', end);
        subscription.unsubscribe().catch(() => {});
        done(why);
      };
      const late = setTimeout(() => end(new Error('a subscription was not answered')), this.#connection.timeoutMs).unref();
      signal.addEventListener('abort', end);
      subscription.on('confirmation', () => {
        clearTimeout(late);
        confirmed();
      });
      // It has to be read, and its errors heard, to the end.
      subscription.on('data', () => {});
      subscription.on('error', end);
      subscription.on('end', () => end(new Error('a subscription ended')));
    });
  }

  #nothing() {
    const checkpointReached = async () => this.#announce();
    return {
      filterOn: 'eventType' as const,
      prefixes: ['$no-event-has-this-type'],
      maxSearchWindow: 1,
      checkpointInterval: 1,
      checkpointReached,
    };
  }

  /** At once, and once more at the end of a gap in which there was something again. */
  #announce(): void {
    if (this.#stopping.signal.aborted) return;
    this.#again = this.#resting !== undefined;
    if (this.#again) return;
    this.#changes.announce();
    this.#resting = setTimeout(() => {
      this.#resting = undefined;
      if (this.#again) this.#announce();
    }, minGapMs).unref();
  }
}
