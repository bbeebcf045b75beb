import type pg from 'pg';
import { createPool } from '../database.js';
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
import { follow } from './follow.js';
import { Gatherer } from './gatherer.js';
import { PostgresAppend, type Answer } from './postgres-append.js';
import { PostgresHints } from './postgres-hints.js';
import { PostgresReads } from './postgres-reads.js';
import { prepareWrite, type PreparedWrite } from './prepared-write.js';
import { Reachability, type StoreLog } from './reachability.js';

export interface PostgresEventStoreOptions {
  /** of a migrated database */
  readonly url: string;
  readonly log?: StoreLog;
  /** how long an append or a read may take before its connection is dropped and StoreUnavailable thrown */
  readonly timeoutMs?: number;
}

const pollMs = 250;

/**
 * Keeps events in one table of Postgres 14 or newer. Appends of this process go one call after another, gathered while they wait;
 * those of other processes are kept apart by a lock of Postgres. It owns its connections: `close` ends them.
 */
export class PostgresEventStore extends EventStore {
  readonly #changes = new Changes();
  readonly #closing = new AbortController();
  readonly #reachability: Reachability;
  readonly #hints: PostgresHints;
  readonly #pools: { append: pg.Pool; read: pg.Pool; listen: pg.Pool };
  readonly #reads: PostgresReads;
  readonly #gatherer: Gatherer<PreparedWrite, Answer>;

  constructor({ url, log, timeoutMs = 10_000 }: PostgresEventStoreOptions) {
    super();
    this.#reachability = new Reachability('Postgres', log);
    this.#hints = new PostgresHints(this.#changes, this.#reachability);
    this.#pools = {
      append: createPool(url, 'append'),
      read: createPool(url, 'read'),
      listen: createPool(url, 'listen'),
    };
    this.#reads = new PostgresReads(this.#pools.read, timeoutMs);
    this.#gatherer = new Gatherer(new PostgresAppend(this.#pools.append, timeoutMs, () => this.#appended()));
  }

  async append<E extends Event>(writes: readonly Write<E>[]): Promise<WriteResult<E>[]> {
    this.#refuseWhenClosed();
    const results = await Promise.all(writes.map((write) => this.#appendOne(write)));
    return results as WriteResult<E>[];
  }

  async readStream<E extends Event>(stream: StreamId, options: ReadStream = {}): Promise<Recorded<E>[]> {
    this.#refuseWhenClosed();
    return (await this.#reads.readStream(stream, options)) as Recorded<E>[];
  }

  async readStreams<E extends Event>(streams: readonly StreamId[]): Promise<Map<StreamId, Recorded<E>[]>> {
    this.#refuseWhenClosed();
    return (await this.#reads.readStreams(streams)) as Map<StreamId, Recorded<E>[]>;
  }

  async readAll<E extends Event>(options: ReadAll): Promise<Recorded<E>[]> {
    this.#refuseWhenClosed();
    return (await this.#reads.readAll(options)) as Recorded<E>[];
  }

  async readByStream<E extends Event>(options: ReadByStream): Promise<Recorded<E>[]> {
    this.#refuseWhenClosed();
    return (await this.#reads.readByStream(options)) as Recorded<E>[];
  }

  async streamBounds(options: { upTo: Position; ranges: number }): Promise<string[]> {
    this.#refuseWhenClosed();
    return this.#reads.streamBounds(options);
  }

  async count(options: { upTo: Position }): Promise<number> {
    this.#refuseWhenClosed();
    return this.#reads.count(options);
  }

  async countOfTypes(options: { upTo: Position; types: readonly string[] }): Promise<number> {
    this.#refuseWhenClosed();
    return this.#reads.countOfTypes(options);
  }

  async head(): Promise<Position> {
    this.#refuseWhenClosed();
    return this.#reads.head();
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
    this.#hints.listen(this.#pools.listen);
    const ended = AbortSignal.any([signal, this.#closing.signal]);
    const read = (from: Position, count: number) =>
      this.#reachability.outlast(() => this.#reads.readAll({ after: from, limit: count }), ended);
    return follow({ read, changes: this.#changes, pollMs, after, limit, signal: ended }) as AsyncIterable<Recorded<E>[]>;
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await this.#gatherer.idle();
    await this.#hints.stop();
    await Promise.all(Object.values(this.#pools).map((pool) => pool.end()));
  }

  async #appendOne(write: Write): Promise<WriteResult> {
    const prepared = prepareWrite(write);
    if ('outcome' in prepared) return prepared;
    const answer = await this.#gatherer.add(prepared);
    return answer.outcome === 'replayed' ? this.#replayed(prepared, answer.revision) : answer;
  }

  #appended(): void {
    this.#changes.announce();
    this.#hints.send(this.#pools.append);
  }

  async #replayed({ stream, ids }: PreparedWrite, revision: number): Promise<WriteResult> {
    const events = await this.#reads.readStream(stream, { from: revision - ids.length + 1, to: revision });
    return { outcome: 'appended', revision, position: events.at(-1)?.position ?? '', replayed: true, events };
  }

  #refuseWhenClosed(): void {
    if (this.#closing.signal.aborted) throw new StoreUnavailable('the event store is closed');
  }
}
