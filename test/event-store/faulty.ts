import type { Event, Position, Recorded, StreamId } from '../../src/events/event.js';
import {
  EventStore,
  StoreUnavailable,
  type ReadAll,
  type ReadByStream,
  type ReadStream,
  type Write,
  type WriteResult,
} from '../../src/event-store/event-store.js';

/** A real store behind a connection on which something happens between what is asked and what is answered. */
export class FaultyStore extends EventStore {
  /** Every append that was sent, whatever became of it. */
  readonly sent: (readonly Write[])[] = [];
  /** Somebody else is faster than the next appends: called before each of them. */
  beforeAppend: (writes: readonly Write[]) => Promise<void> = async () => {};
  beforeRead: (stream: StreamId) => Promise<void> = async () => {};
  /** How many of the next appends are written, but not answered. */
  answersToLose = 0;
  /** How many of the next appends do not even arrive. */
  appendsToLose = 0;

  /** The next appends are refused for this reason. */
  refusal: string | undefined;

  /** `direct`: the store itself; another one in its place is a database that was restored. */
  constructor(public direct: EventStore) {
    super();
  }

  async append<E extends Event>(writes: readonly Write<E>[]): Promise<WriteResult<E>[]> {
    this.sent.push(writes);
    await this.beforeAppend(writes);
    if (this.appendsToLose-- > 0) throw new StoreUnavailable('the connection was lost');
    const reason = this.refusal;
    if (reason !== undefined) return writes.map(() => ({ outcome: 'refused', reason }));
    const results = await this.direct.append(writes);
    if (this.answersToLose-- > 0) throw new StoreUnavailable('the answer was lost');
    return results;
  }

  async readStream<E extends Event>(stream: StreamId, options?: ReadStream): Promise<Recorded<E>[]> {
    await this.beforeRead(stream);
    return this.direct.readStream(stream, options);
  }

  readStreams<E extends Event>(streams: readonly StreamId[]): Promise<Map<StreamId, Recorded<E>[]>> {
    return this.direct.readStreams(streams);
  }

  readAll<E extends Event>(options: ReadAll): Promise<Recorded<E>[]> {
    return this.direct.readAll(options);
  }

  readByStream<E extends Event>(options: ReadByStream): Promise<Recorded<E>[]> {
    return this.direct.readByStream(options);
  }

  streamBounds(options: Parameters<EventStore['streamBounds']>[0]): Promise<string[] | undefined> {
    return this.direct.streamBounds(options);
  }

  count(options: Parameters<EventStore['count']>[0]): Promise<number> {
    return this.direct.count(options);
  }

  countOfTypes(options: Parameters<EventStore['countOfTypes']>[0]): Promise<number | undefined> {
    return this.direct.countOfTypes(options);
  }

  head(): Promise<Position> {
    return this.direct.head();
  }

  positionAt(time: string): Promise<Position> {
    return this.direct.positionAt(time);
  }

  subscribe<E extends Event>(options: Parameters<EventStore['subscribe']>[0]): AsyncIterable<Recorded<E>[]> {
    return this.direct.subscribe(options);
  }

  close(): Promise<void> {
    return this.direct.close();
  }
}
