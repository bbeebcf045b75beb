import type { Event, Position, Recorded, StreamId } from '../events/event.js';
import { Changes } from './changes.js';
import {
  EventStore,
  StoreUnavailable,
  type ReadAll,
  type ReadByStream,
  type ReadStream,
  type Write,
  type WriteResult,
} from './event-store.js';
import { EventStoreDbAppends } from './eventstoredb-appends.js';
import { EventStoreDbConnection } from './eventstoredb-connection.js';
import { EventStoreDbHints } from './eventstoredb-hints.js';
import { EventStoreDbPages } from './eventstoredb-pages.js';
import { checkPosition } from './eventstoredb-positions.js';
import { EventStoreDbReads } from './eventstoredb-reads.js';
import { EventStoreDbSeal } from './eventstoredb-seal.js';
import { EventStoreDbStreams } from './eventstoredb-streams.js';
import { recorded } from './eventstoredb-wire.js';
import { follow } from './follow.js';
import { Lanes } from './lanes.js';
import type { LogMarks } from './log-marks.js';
import { prepareWrite } from './prepared-write.js';
import { Reachability, type StoreLog } from './reachability.js';
import type { StoredEvent } from './stored-log.js';

export interface EventStoreDbEventStoreOptions {
  /** esdb:// or esdb+discover://, with user and password if the server asks for them; of a cluster, the leader is used */
  readonly url: string;
  /** the time that events are recorded at; default this machine's */
  readonly now?: () => Date;
  /** what is known of the log; without them, what is not at hand is looked for from its beginning */
  readonly marks?: LogMarks;
  readonly log?: StoreLog;
  /** how long an append may take, and a read may be silent, before StoreUnavailable is thrown */
  readonly timeoutMs?: number;
}

const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const pollMs = 250;
const appendsAtOnce = 256;
const bytesAtOnce = 8 * 1024 * 1024;

/**
 * Keeps events in an EventStoreDB of version 22 or newer, as its own streams and types, among those of other applications. Appends to
 * different streams go side by side, at most 256 of a process; those to one stream one after the other. Processes record times each by
 * its own clock, so between events of two processes they may go back by what those are apart.
 */
export class EventStoreDbEventStore extends EventStore {
  readonly #changes = new Changes();
  readonly #closing = new AbortController();
  readonly #lanes = new Lanes(appendsAtOnce, bytesAtOnce);
  readonly #now: () => Date;
  readonly #connection: EventStoreDbConnection;
  readonly #reachability: Reachability;
  readonly #hints: EventStoreDbHints;
  readonly #pages: EventStoreDbPages;
  readonly #reads: EventStoreDbReads;
  readonly #streams: EventStoreDbStreams;
  readonly #appends: EventStoreDbAppends;
  #lastRecordedAt = '';

  constructor({ url, now = () => new Date(), marks, log, timeoutMs = 10_000 }: EventStoreDbEventStoreOptions) {
    super();
    this.#now = now;
    const connection = new EventStoreDbConnection(url, timeoutMs);
    this.#connection = connection;
    this.#reachability = new Reachability('EventStoreDB', log);
    this.#hints = new EventStoreDbHints(connection, this.#changes, this.#reachability);
    this.#pages = new EventStoreDbPages(connection, marks);
    this.#reads = new EventStoreDbReads(this.#pages, marks);
    this.#streams = new EventStoreDbStreams(connection);
    const seal = new EventStoreDbSeal(connection);
    this.#appends = new EventStoreDbAppends({ connection, streams: this.#streams, seal, recordedAt: () => this.#recordedAt() });
  }

  async append<E extends Event>(writes: readonly Write<E>[]): Promise<WriteResult<E>[]> {
    this.#refuseWhenClosed();
    const results = await Promise.all(writes.map((write) => this.#appendOne(write)));
    return results as WriteResult<E>[];
  }

  async readStream<E extends Event>(stream: StreamId, options: ReadStream = {}): Promise<Recorded<E>[]> {
    this.#refuseWhenClosed();
    return this.#today(await this.#streams.read(stream, options));
  }

  async readStreams<E extends Event>(streams: readonly StreamId[]): Promise<Map<StreamId, Recorded<E>[]>> {
    this.#refuseWhenClosed();
    const found = await this.#streams.readMany(streams);
    return new Map([...found].map(([stream, events]) => [stream, this.#today<E>(events)]));
  }

  async readAll<E extends Event>(options: ReadAll): Promise<Recorded<E>[]> {
    this.#refuseWhenClosed();
    return this.#today(await this.#reads.readAll(options));
  }

  async readByStream<E extends Event>(options: ReadByStream): Promise<Recorded<E>[]> {
    this.#refuseWhenClosed();
    return this.#today(await this.#reads.readByStream(options));
  }

  async streamBounds(): Promise<undefined> {
    this.#refuseWhenClosed();
  }

  async count({ upTo }: { upTo: Position }): Promise<number> {
    this.#refuseWhenClosed();
    return this.#reads.count(upTo);
  }

  async countOfTypes(): Promise<undefined> {
    this.#refuseWhenClosed();
  }

  async head(): Promise<Position> {
    this.#refuseWhenClosed();
    return this.#pages.head();
  }

  async positionAt(time: string): Promise<Position> {
    this.#refuseWhenClosed();
    return this.#reads.positionAt(time);
  }

  subscribe<E extends Event>({
    after,
    signal,
    limit = 500,
  }: {
    after: Position;
    signal: AbortSignal;
    limit?: number;
  }): AsyncIterable<Recorded<E>[]> {
    this.#refuseWhenClosed();
    checkPosition(after);
    this.#hints.listen();
    const ended = AbortSignal.any([signal, this.#closing.signal]);
    const read = (from: Position, count: number) =>
      this.#reachability.outlast(async () => this.#today(await this.#reads.readAll({ after: from, limit: count })), ended);
    return follow({ read, changes: this.#changes, pollMs, after, limit, signal: ended }) as AsyncIterable<Recorded<E>[]>;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#lanes.idle();
    await this.#hints.stop();
    await this.#connection.close();
  }

  async #appendOne(write: Write): Promise<WriteResult> {
    const prepared = prepareWrite(write);
    if ('outcome' in prepared) return prepared;
    const result = await this.#lanes.do(prepared.stream, prepared.bytes, () => this.#appends.append(prepared));
    if (result.outcome === 'appended') this.#changes.announce();
    return result;
  }

  #today<E extends Event>(events: readonly StoredEvent[]): Recorded<E>[] {
    for (const { recordedAt } of events) this.#saw(recordedAt);
    return events.map(recorded) as Recorded<E>[];
  }

  /** Not before what this process has written or read. */
  #recordedAt(): string {
    this.#saw(this.#now().toISOString());
    return this.#lastRecordedAt;
  }

  #saw(time: string): void {
    if (time > this.#lastRecordedAt && isoTime.test(time)) this.#lastRecordedAt = time;
  }

  #refuseWhenClosed(): void {
    if (this.#closing.signal.aborted) throw new StoreUnavailable('the event store is closed');
  }
}
