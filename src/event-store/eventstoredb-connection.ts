import type {
  AllStreamRecordedEvent,
  AppendResult,
  EventData,
  EventStoreDBClient,
  ReadAllOptions,
  ReadStreamOptions,
  RecordedEvent,
  StreamingRead,
} from '@eventstore/db-client';
import { pause } from '../pause.js';
import { addressOf } from './eventstoredb-address.js';
import { connect, createClient, endClient, forgetClient } from './eventstoredb-client.js';
import { isNotLeader, outOfReach } from './eventstoredb-errors.js';
import { StoreUnavailable } from './event-store.js';

/** A client, and how many use it. */
interface Shared {
  client: EventStoreDBClient;
  users: number;
}

/** One client per address: each has a connection of its own, and what befalls one is felt by all. */
const sharedClients = new Map<string, Shared>();

/** How far the clocks of a server and of its clients may be apart: it takes no append whose deadline is over by its own clock. */
const clocksApartMs = 5 * 60_000;
/** How often a read is sent again that came to a node which is no longer the leader; the client then asks the one that is. */
const leaderChanges = 5;

type Expectation = 'no_stream' | bigint;

/**
 * Calls to an EventStoreDB, each over within `timeoutMs`; a read when nothing came for so long. What cannot be answered throws
 * StoreUnavailable; errors that are answers come as the client throws them. Reads are answered by the leader.
 */
export class EventStoreDbConnection {
  readonly timeoutMs: number;
  readonly #address: string;
  readonly #shared: Shared;
  #underWay = 0;
  #quiet = () => {};
  #closed: Promise<void> | undefined;

  /** Nothing is sent before the first call. */
  constructor(url: string, timeoutMs: number) {
    this.timeoutMs = timeoutMs;
    this.#address = addressOf(url);
    this.#shared = sharedClients.get(this.#address) ?? { client: createClient(this.#address), users: 0 };
    this.#shared.users += 1;
    sharedClients.set(this.#address, this.#shared);
  }

  /** `events` is asked when they are sent, in the order of sending, which is that of the log. */
  append(stream: string, events: () => EventData[], expectedRevision: Expectation): Promise<AppendResult> {
    return this.#counted(() => within(this.timeoutMs, this.#send(stream, events, expectedRevision)));
  }

  /** At least one event is asked for: the client never ends a read of none. */
  readAll(options: ReadAllOptions & { maxCount: number }): Promise<AllStreamRecordedEvent[]> {
    const ask = (client: EventStoreDBClient) => client.readAll({ ...options, requiresLeader: true });
    return this.#counted(() => this.#read(ask));
  }

  readStream(stream: string, options: ReadStreamOptions & { maxCount: number }): Promise<RecordedEvent[]> {
    const ask = (client: EventStoreDBClient) => client.readStream(stream, { ...options, requiresLeader: true });
    return this.#counted(() => this.#read(ask));
  }

  /** For subscriptions, which outlast every timer. */
  get client(): EventStoreDBClient {
    return this.#shared.client;
  }

  /** Waits for what is under way. The last who closes ends the client. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    if (this.#underWay > 0) await new Promise<void>((done) => (this.#quiet = done));
    this.#shared.users -= 1;
    if (this.#shared.users > 0) return;
    sharedClients.delete(this.#address);
    await endClient(this.#shared.client);
  }

  async #send(stream: string, events: () => EventData[], expectedRevision: Expectation): Promise<AppendResult> {
    const client = await this.#connected();
    return client.appendToStream(stream, events(), { expectedRevision, deadline: this.timeoutMs + clocksApartMs });
  }

  /** Also the call that a cold connection is warmed with: appends wait until it is there. */
  async #connected(): Promise<EventStoreDBClient> {
    const { client } = this.#shared;
    try {
      await connect(client);
      return client;
    } catch (error) {
      this.#replace(client);
      throw outOfReach(error);
    }
  }

  #replace(client: EventStoreDBClient): void {
    if (this.#shared.client !== client) return;
    this.#shared.client = createClient(this.#address);
    void forgetClient(client);
  }

  async #read<E>(read: (client: EventStoreDBClient) => StreamingRead<{ event?: E }>): Promise<E[]> {
    for (let changes = 0; ; changes += 1) {
      try {
        return await collected(read(this.#shared.client), this.timeoutMs);
      } catch (error) {
        if (!isNotLeader(error) || changes === leaderChanges) throw error;
        await pause(changes * 50);
      }
    }
  }

  async #counted<T>(call: () => Promise<T>): Promise<T> {
    this.#underWay += 1;
    try {
      return await call();
    } finally {
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#quiet();
    }
  }
}

/** The call goes on, unheard: nothing can take it back. */
function within<T>(ms: number, call: Promise<T>): Promise<T> {
  return new Promise((done, fail) => {
    const timer = setTimeout(() => fail(tooLate(ms)), ms);
    const settle =
      <A>(how: (answer: A) => void) =>
      (answer: A) => {
        clearTimeout(timer);
        how(answer);
      };
    call.then(settle(done), settle(fail));
  });
}

/** All that a read yields. Its errors stay heard after its end: one that nobody listens to would end the process. */
function collected<E>(read: StreamingRead<{ event?: E }>, quietMs: number): Promise<E[]> {
  return new Promise((done, fail) => {
    const events: E[] = [];
    const timer = setTimeout(() => {
      fail(tooLate(quietMs));
      read.cancel().catch(() => {});
    }, quietMs);
    read.on('data', ({ event }) => {
      timer.refresh();
      if (event) events.push(event);
    });
    read.on('end', () => {
      clearTimeout(timer);
      done(events);
    });
    read.on('error', (error) => {
      clearTimeout(timer);
      fail(error);
    });
  });
}

const tooLate = (ms: number) => new StoreUnavailable(`EventStoreDB did not answer within ${ms} ms`);
