import { randomUUID } from 'node:crypto';
import { beginning, type Appended, type Event, type Position, type Recorded, type StreamId } from '../../../src/events/event.js';
import {
  EventStore,
  type ReadAll,
  type ReadByStream,
  type ReadStream,
  type Write,
  type WriteResult,
} from '../../../src/event-store/event-store.js';

/** A clock that the engine under test reads, and a test sets. */
export interface SettableClock {
  now(): Date;
  set(time: number): void;
}

const all = 10_000;

/**
 * An engine whose log has events of others, seen as if it were new. Streams are renamed on the way in and back, what was there before
 * the test or is not of it is left out, and times are shifted, so that those of the log do not go back.
 */
export class IsolatedEventStore extends EventStore {
  /** Sorts before all that a name can go on with, so that names keep their order. */
  private readonly suffix = ` ${randomUUID()}`;
  private shiftMs: number | undefined;

  private constructor(
    private readonly engine: EventStore,
    private readonly clock: SettableClock,
    private readonly opened: Recorded,
  ) {
    super();
  }

  /** Writes an event of its own first: the beginning of the log as it is seen here. */
  static async of(engine: EventStore, clock: SettableClock): Promise<IsolatedEventStore> {
    const cause = {
      actor: { type: 'system', id: 'test' },
      correlationId: 'test',
      causationId: 'test',
      commandId: 'test',
    } as const;
    const events = [{ id: randomUUID(), type: 'TestBegan', schema: 1, data: {} }];
    const stream: StreamId = `task-test.${randomUUID()}`;
    const [result] = await engine.append([{ stream, expectedRevision: 'no-stream', events, metadata: cause }]);
    if (result?.outcome !== 'appended') throw new Error(`the log cannot be written to: ${JSON.stringify(result)}`);
    return new IsolatedEventStore(engine, clock, { ...result.events[0]!, position: result.position });
  }

  /** What the engine takes for the time when a test says that it is `time`: later than all that is in the log. */
  async setClock(time: string): Promise<void> {
    this.shiftMs ??= Math.max(0, (await this.lastTime()) + 1 - Date.parse(time));
    this.clock.set(Date.parse(time) + this.shiftMs);
  }

  async append<E extends Event>(writes: readonly Write<E>[]): Promise<WriteResult<E>[]> {
    const results = await this.engine.append(writes.map((write) => ({ ...write, stream: this.renamed(write.stream) })));
    return results.map((result) =>
      result.outcome === 'appended' ? { ...result, events: result.events.map((event) => this.asSeen(event)) } : result,
    );
  }

  async readStream<E extends Event>(stream: StreamId, options?: ReadStream): Promise<Recorded<E>[]> {
    return (await this.engine.readStream<E>(this.renamed(stream), options)).map((event) => this.asSeen(event));
  }

  async readStreams<E extends Event>(streams: readonly StreamId[]): Promise<Map<StreamId, Recorded<E>[]>> {
    const read = await this.engine.readStreams<E>(streams.map((stream) => this.renamed(stream)));
    return new Map([...read].map(([stream, events]) => [this.named(stream), events.map((event) => this.asSeen(event))]));
  }

  async readAll<E extends Event>({ limit, after, ...options }: ReadAll): Promise<Recorded<E>[]> {
    const upTo = options.upTo === undefined ? {} : { upTo: this.inLog(options.upTo) };
    const seen: Recorded<E>[] = [];
    for (let from = this.inLog(after); seen.length < limit;) {
      const page = await this.engine.readAll<E>({ ...options, ...upTo, after: from, limit });
      seen.push(...this.own(page));
      if (page.length < limit) break;
      from = page.at(-1)!.position;
    }
    return seen.slice(0, limit);
  }

  async readByStream<E extends Event>({ limit, after, ...options }: ReadByStream): Promise<Recorded<E>[]> {
    const behind = after && { ...after, stream: this.renamed(after.stream as StreamId) };
    const upTo = this.inLog(options.upTo);
    const seen: Recorded<E>[] = [];
    for (let from = behind; seen.length < limit;) {
      const page = await this.engine.readByStream<E>({ ...options, upTo, limit: all, ...(from && { after: from }) });
      seen.push(...this.own(page));
      from = page.at(-1);
      if (page.length < all) break;
    }
    return seen.slice(0, limit);
  }

  streamBounds(options: { readonly upTo: Position; readonly ranges: number }): Promise<string[] | undefined> {
    return this.engine.streamBounds({ ...options, upTo: this.inLog(options.upTo) });
  }

  /** What the engine counts, without what was there before and what others have written since. */
  async count(options: { readonly upTo: Position }): Promise<number> {
    const upTo = this.inLog(options.upTo);
    const before = await this.engine.count({ upTo: this.opened.position });
    const since = await this.engine.readAll({ after: this.opened.position, upTo, limit: all });
    return (await this.engine.count({ upTo })) - before - (since.length - this.own(since).length);
  }

  countOfTypes(options: { readonly upTo: Position; readonly types: readonly string[] }): Promise<number | undefined> {
    return this.engine.countOfTypes({ ...options, upTo: this.inLog(options.upTo) });
  }

  async head(): Promise<Position> {
    return (await this.readAll({ after: beginning, limit: all })).at(-1)?.position ?? beginning;
  }

  async positionAt(time: string): Promise<Position> {
    const asked = Date.parse(time);
    const found = await this.engine.positionAt(Number.isNaN(asked) ? time : new Date(asked + (this.shiftMs ?? 0)).toISOString());
    return (await this.readAll({ after: beginning, upTo: found, limit: all })).at(-1)?.position ?? beginning;
  }

  subscribe<E extends Event>(options: Parameters<EventStore['subscribe']>[0]): AsyncIterable<Recorded<E>[]> {
    return this.ownPages(this.engine.subscribe<E>({ ...options, after: this.inLog(options.after) }));
  }

  close(): Promise<void> {
    return this.engine.close();
  }

  private async *ownPages<E extends Event>(pages: AsyncIterable<Recorded<E>[]>): AsyncIterable<Recorded<E>[]> {
    for await (const page of pages) {
      const own = this.own(page);
      if (own.length > 0) yield own;
    }
  }

  /** Names that no engine takes are left as they are, for what it says of them. */
  private renamed(stream: StreamId): StreamId {
    return stream.length + this.suffix.length > 512 ? stream : (`${stream}${this.suffix}` as StreamId);
  }

  private named(stream: StreamId): StreamId {
    return stream.slice(0, -this.suffix.length) as StreamId;
  }

  private own<E extends Event>(events: readonly Recorded<E>[]): Recorded<E>[] {
    return events.filter(({ stream }) => stream.endsWith(this.suffix)).map((event) => this.asSeen(event));
  }

  private async lastTime(): Promise<number> {
    let last = 0;
    for (let after = beginning; ;) {
      const page = await this.engine.readAll({ after, limit: all });
      last = page.reduce((latest, { recordedAt }) => Math.max(latest, Date.parse(recordedAt)), last);
      if (page.length < all) return last;
      after = page.at(-1)!.position;
    }
  }

  private asSeen<E extends Appended>(event: E): E {
    const recordedAt = new Date(Date.parse(event.recordedAt) - (this.shiftMs ?? 0)).toISOString();
    const subject = event.subject.slice(0, -this.suffix.length);
    return { ...event, stream: this.named(event.stream), subject, recordedAt };
  }

  private inLog(position: Position): Position {
    return position === beginning ? this.opened.position : position;
  }
}
