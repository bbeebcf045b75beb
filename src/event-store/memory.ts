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
import { exactly, judge } from './known-events.js';
import { epochMs, placeOf, positionOf } from './position.js';
import { prepareWrite, recordedEvents, type PreparedWrite } from './prepared-write.js';

/** Keeps events in this process, for tests and demonstrations. They are gone when it ends. */
export class MemoryEventStore extends EventStore {
  readonly #log: Recorded[] = [];
  readonly #streams = new Map<StreamId, Recorded[]>();
  readonly #changes = new Changes();
  readonly #closing = new AbortController();
  readonly #now: () => Date;

  constructor({ now = () => new Date() }: { now?: () => Date } = {}) {
    super();
    this.#now = now;
  }

  async append<E extends Event>(writes: readonly Write<E>[]): Promise<WriteResult<E>[]> {
    this.#refuseWhenClosed();
    const results = writes.map((write) => {
      const prepared = prepareWrite(write);
      return 'outcome' in prepared ? prepared : this.#write(prepared);
    });
    if (results.length > 0) this.#changes.announce();
    return results as WriteResult<E>[];
  }

  async readStream<E extends Event>(stream: StreamId, { from, to, direction, limit }: ReadStream = {}): Promise<Recorded<E>[]> {
    this.#refuseWhenClosed();
    const events = this.#streams.get(stream) ?? [];
    const [low, high] = direction === 'backwards' ? [to ?? 0, from ?? Infinity] : [from ?? 0, to ?? Infinity];
    const range = events.filter(({ revision }) => revision >= low && revision <= high);
    if (direction === 'backwards') range.reverse();
    return range.slice(0, limit) as Recorded<E>[];
  }

  async readStreams<E extends Event>(streams: readonly StreamId[]): Promise<Map<StreamId, Recorded<E>[]>> {
    this.#refuseWhenClosed();
    return new Map(streams.map((stream) => [stream, [...(this.#streams.get(stream) ?? [])] as Recorded<E>[]]));
  }

  async readAll<E extends Event>({ after, upTo, limit, types }: ReadAll): Promise<Recorded<E>[]> {
    this.#refuseWhenClosed();
    const place = placeOf(after);
    const last = upTo === undefined ? Infinity : placeOf(upTo);
    const events = types
      ? this.#log.slice(place, last).filter(({ type }) => types.includes(type))
      : this.#log.slice(place, Math.min(place + limit, last));
    return events.slice(0, limit) as Recorded<E>[];
  }

  async readByStream<E extends Event>({ after, limit, ...asked }: ReadByStream): Promise<Recorded<E>[]> {
    this.#refuseWhenClosed();
    const events = this.#names(asked).flatMap((stream) =>
      this.#upTo(asked, this.#streams.get(stream)!).filter(
        ({ revision }) =>
          !after || compareBytes(stream, after.stream) > 0 || (stream === after.stream && revision > after.revision),
      ),
    );
    return events.slice(0, limit) as Recorded<E>[];
  }

  async streamBounds({ upTo, ranges }: { upTo: Position; ranges: number }): Promise<string[]> {
    this.#refuseWhenClosed();
    const streams = this.#names({}).flatMap((stream) => this.#upTo({ upTo }, this.#streams.get(stream)!).map(() => stream));
    const cuts = Array.from({ length: ranges - 1 }, (_, n) => streams[Math.ceil(((n + 1) * streams.length) / ranges)]);
    return [...new Set(cuts)].filter((stream) => stream !== undefined && stream !== streams[0]) as string[];
  }

  async count(asked: { upTo: Position }): Promise<number> {
    this.#refuseWhenClosed();
    return this.#upTo(asked, this.#log).length;
  }

  async countOfTypes(asked: { upTo: Position; types: readonly string[] }): Promise<number> {
    this.#refuseWhenClosed();
    return this.#upTo(asked, this.#log).length;
  }

  async head(): Promise<Position> {
    this.#refuseWhenClosed();
    return positionOf(this.#log.length);
  }

  async positionAt(time: string): Promise<Position> {
    this.#refuseWhenClosed();
    const at = epochMs(time);
    return positionOf(this.#log.findLastIndex(({ recordedAt }) => Date.parse(recordedAt) <= at) + 1);
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
    const ended = AbortSignal.any([signal, this.#closing.signal]);
    const read = async (from: Position, count: number) =>
      ended.aborted ? undefined : this.readAll({ after: from, limit: count });
    return follow({ read, changes: this.#changes, pollMs: 250, after, limit, signal: ended }) as AsyncIterable<Recorded<E>[]>;
  }

  async close(): Promise<void> {
    this.#closing.abort();
  }

  #names({ from = '', before }: { from?: string; before?: string }): StreamId[] {
    const inRange = (stream: string) =>
      compareBytes(stream, from) >= 0 && (before === undefined || compareBytes(stream, before) < 0);
    return [...this.#streams.keys()].filter(inRange).toSorted(compareBytes);
  }

  #upTo({ upTo, types }: { upTo: Position; types?: readonly string[] }, events: readonly Recorded[]): Recorded[] {
    return events.filter(({ position, type }) => position <= upTo && (types?.includes(type) ?? true));
  }

  #write(write: PreparedWrite): WriteResult {
    const stream = this.#streams.get(write.stream) ?? [];
    const head = stream.length - 1;
    if (head !== exactly(write.expected)) {
      const judgement = judge(stream, head, write);
      if (judgement.outcome === 'replayed') return appended(judgement.events, true);
      if (judgement.outcome === 'conflict') return { outcome: 'conflict', actual: head < 0 ? 'no-stream' : head };
    }
    const events = recordedEvents(write, head + write.ids.length, this.#log.length + write.ids.length, this.#recordedAt());
    this.#log.push(...events);
    this.#streams.set(write.stream, [...stream, ...events]);
    return appended(events, false);
  }

  #recordedAt(): string {
    const now = this.#now().toISOString();
    const last = this.#log.at(-1)?.recordedAt ?? '';
    return now > last ? now : last;
  }

  #refuseWhenClosed(): void {
    if (this.#closing.signal.aborted) throw new StoreUnavailable('the event store is closed');
  }
}

const compareBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

function appended(events: readonly Recorded[], replayed: boolean): WriteResult {
  const last = events.at(-1)!;
  return { outcome: 'appended', revision: last.revision, position: last.position, replayed, events };
}
