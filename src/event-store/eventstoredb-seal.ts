import type { JSONEventData, RecordedEvent } from '@eventstore/db-client';
import { randomUUID } from 'node:crypto';
import { pause } from '../pause.js';
import { StoreSealed } from './event-store.js';
import type { EventStoreDbConnection } from './eventstoredb-connection.js';
import { actualRevision, isStreamMissing, outOfReach } from './eventstoredb-errors.js';

/** What is written about the log itself, in the log, and is no event of the ledger. */
const stream = 'run-ledger';
type About = 'LogOpened' | 'LogSealed' | 'LogUnsealed';

/** How long a process goes on without looking whether the log was sealed. */
const lookEveryMs = 2_000;

/** Which log this is, and whether it is closed for writes: events of a stream of their own, which everyone who appends looks at. */
export class EventStoreDbSeal {
  readonly #connection: EventStoreDbConnection;
  #id: string | undefined;
  #looked = { at: -Infinity, isSealed: false };
  #looking: Promise<void> | undefined;

  constructor(connection: EventStoreDbConnection) {
    this.#connection = connection;
  }

  /** The first to ask names the log. */
  async id(): Promise<string> {
    this.#id ??= (await this.#idThere()) ?? (await this.#open());
    return this.#id;
  }

  async isSealed(): Promise<boolean> {
    return (await this.#last())?.type === 'LogSealed';
  }

  /** Resolves when nobody can be writing any more who has not heard of it. */
  async seal(): Promise<void> {
    await this.#say('LogSealed');
    // Others looked before, and sent what may take as long as a call does; a little more, as their clocks are not this one.
    await pause(lookEveryMs + 1.3 * this.#connection.timeoutMs);
  }

  async unseal(): Promise<void> {
    if (await this.isSealed()) await this.#say('LogUnsealed');
  }

  /** Before an append. @throws StoreSealed */
  async refuse(): Promise<void> {
    if (performance.now() - this.#looked.at > lookEveryMs) await this.#look();
    if (this.#looked.isSealed) throw new StoreSealed('the log is sealed: nothing is written to it until ledger store unseal');
  }

  /** One look for all that wait for it. */
  #look(): Promise<void> {
    this.#looking ??= this.#lookOnce().finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  async #lookOnce(): Promise<void> {
    const at = performance.now();
    this.#looked = { at, isSealed: await this.isSealed() };
  }

  /** Unless it was said last. */
  async #say(type: About): Promise<void> {
    await this.id();
    for (;;) {
      const last = await this.#last();
      if (last?.type === type || (await this.#append(about(type), last!.revision))) return;
    }
  }

  async #open(): Promise<string> {
    const id = randomUUID();
    if (await this.#append(about('LogOpened', { id }), 'no_stream')) return id;
    return (await this.#idThere())!;
  }

  async #idThere(): Promise<string | undefined> {
    const [first] = await this.#read('forwards');
    return (first?.data as { id?: string } | undefined)?.id;
  }

  async #last(): Promise<RecordedEvent | undefined> {
    return (await this.#read('backwards'))[0];
  }

  async #read(direction: 'forwards' | 'backwards'): Promise<RecordedEvent[]> {
    const fromRevision = direction === 'forwards' ? 'start' : 'end';
    try {
      return await this.#connection.readStream(stream, { direction, fromRevision, maxCount: 1 });
    } catch (error) {
      if (isStreamMissing(error)) return [];
      throw outOfReach(error);
    }
  }

  /** False when somebody else was there first. */
  async #append(event: JSONEventData, expected: bigint | 'no_stream'): Promise<boolean> {
    try {
      await this.#connection.append(stream, () => [event], expected);
      return true;
    } catch (error) {
      if (actualRevision(error) !== undefined) return false;
      throw outOfReach(error);
    }
  }
}

const about = (type: About, data: object = {}): JSONEventData => ({
  id: randomUUID(),
  contentType: 'application/json',
  type,
  data: { ...data },
  metadata: undefined,
});
