import { beginning, type Appended, type Event, type Position, type Recorded, type StreamId } from '../../src/events/event.js';
import {
  EventStore,
  type ReadAll,
  type ReadByStream,
  type ReadStream,
  type Write,
  type WriteResult,
} from '../../src/event-store/event-store.js';
import { PostgresEventStore } from '../../src/event-store/postgres.js';
import { PostgresLog } from '../../src/event-store/postgres-log.js';
import { StoredLog, type StoredEvent } from '../../src/event-store/stored-log.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';

const apart = 137n;

/** Twenty digits, and gaps between them. */
const spread = (position: Position): Position =>
  position === beginning ? beginning : String(BigInt(position) * apart).padStart(20, '0');
const dense = (position: Position): Position =>
  position === beginning ? beginning : String(BigInt(position) / apart).padStart(16, '0');
const spreadOut = <E extends { readonly position: Position }>(event: E): E => ({ ...event, position: spread(event.position) });

const withoutPosition = <E extends Appended>(event: E): E => ({ ...event, position: undefined });

/** A real log in Postgres, whose positions look as those of a store that keeps more than events. */
class SpreadStore extends EventStore {
  constructor(private readonly inner: EventStore) {
    super();
  }

  async append<E extends Event>(writes: readonly Write<E>[]): Promise<WriteResult<E>[]> {
    const results = await this.inner.append(writes);
    return results.map((result) =>
      result.outcome === 'appended' ? { ...spreadOut(result), events: result.events.map(withoutPosition) } : result,
    );
  }

  async readStream<E extends Event>(stream: StreamId, options?: ReadStream): Promise<Recorded<E>[]> {
    return (await this.inner.readStream<E>(stream, options)).map((event) => spreadOut(event));
  }

  async readStreams<E extends Event>(streams: readonly StreamId[]): Promise<Map<StreamId, Recorded<E>[]>> {
    const found = await this.inner.readStreams<E>(streams);
    return new Map([...found].map(([stream, events]) => [stream, events.map((event) => spreadOut(event))]));
  }

  async readAll<E extends Event>({ after, upTo, ...asked }: ReadAll): Promise<Recorded<E>[]> {
    const page = await this.inner.readAll<E>({ ...asked, after: dense(after), ...(upTo !== undefined && { upTo: dense(upTo) }) });
    return page.map((event) => spreadOut(event));
  }

  async readByStream<E extends Event>({ upTo, ...asked }: ReadByStream): Promise<Recorded<E>[]> {
    return (await this.inner.readByStream<E>({ ...asked, upTo: dense(upTo) })).map((event) => spreadOut(event));
  }

  streamBounds(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  count({ upTo }: { readonly upTo: Position }): Promise<number> {
    return this.inner.count({ upTo: dense(upTo) });
  }

  countOfTypes(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  async head(): Promise<Position> {
    return spread(await this.inner.head());
  }

  async positionAt(time: string): Promise<Position> {
    return spread(await this.inner.positionAt(time));
  }

  async *subscribe<E extends Event>(options: {
    after: Position;
    signal: AbortSignal;
    limit?: number;
  }): AsyncIterable<Recorded<E>[]> {
    for await (const page of this.inner.subscribe<E>({ ...options, after: dense(options.after) }))
      yield page.map((event) => spreadOut(event));
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}

class SpreadLog extends StoredLog {
  constructor(private readonly inner: PostgresLog) {
    super();
  }

  async after(after: Position | undefined, limit: number): Promise<StoredEvent[]> {
    return (await this.inner.after(after && dense(after), limit)).map((event) => spreadOut(event));
  }

  async head(): Promise<Position> {
    return spread(await this.inner.head());
  }

  id = (): Promise<string> => this.inner.id();
  take = (events: readonly StoredEvent[]): Promise<void> => this.inner.take(events);
  seal = (): Promise<void> => this.inner.seal();
  unseal = (): Promise<void> => this.inner.unseal();
  isSealed = (): Promise<boolean> => this.inner.isSealed();
}

/** A log in a store of its own, and the engine that writes to it. */
export interface MovableLog {
  readonly engine: 'Postgres' | 'EventStoreDB';
  readonly url: string;
  readonly log: StoredLog;
  readonly store: EventStore;
  end(): Promise<void>;
}

export async function denseLog(): Promise<MovableLog & { readonly database: TestDatabase; readonly log: PostgresLog }> {
  const database = await freshDatabase();
  const store = new PostgresEventStore({ url: database.url });
  const end = async () => {
    await store.close();
    await database.drop();
  };
  return { engine: 'Postgres', url: database.url, database, log: new PostgresLog(database.pool), store, end };
}

export async function spreadLog(): Promise<MovableLog> {
  const { log, store, ...dense } = await denseLog();
  return { ...dense, engine: 'EventStoreDB', log: new SpreadLog(log), store: new SpreadStore(store) };
}
