import type { Event, Position, Recorded, Stream, StreamId } from '../../events/event.js';
import type { EventStore } from '../../event-store/event-store.js';
import { streamUpTo } from '../as-of/stream-up-to.js';

/** So many streams are read at once, a page of each. */
const readAtOnce = 8;

/**
 * Streams as they stood at a place of the log that moves forward. What was not asked for lately is forgotten, and read again when it is:
 * `most` bounds the memory.
 */
export class StreamsAt<State, E extends Event> {
  /** least recently asked for first */
  private readonly states = new Map<StreamId, State>();

  constructor(
    private readonly store: EventStore,
    private readonly of: Stream<State, E>,
    private readonly most: number,
  ) {}

  /** Knows these from here on: as they were at `position`, with what was recorded there. */
  async load(streams: readonly StreamId[], position: Position): Promise<void> {
    const missing = [...new Set(streams)].filter((stream) => !this.touch(stream));
    for (let from = 0; from < missing.length; from += readAtOnce)
      await Promise.all(missing.slice(from, from + readAtOnce).map((stream) => this.read(stream, position)));
    this.forget(new Set(streams));
  }

  at(stream: StreamId): State | undefined {
    return this.states.get(stream);
  }

  advance(event: Recorded<E>): void {
    const state = this.states.get(event.stream);
    if (state !== undefined || this.states.has(event.stream))
      this.states.set(event.stream, this.of.evolve(state as State, event));
  }

  private async read(stream: StreamId, position: Position): Promise<void> {
    let state = this.of.initial;
    for await (const page of streamUpTo(this.store, stream, position)) {
      // A stream holds events of its category only.
      state = (page as readonly Recorded[] as readonly Recorded<E>[]).reduce(this.of.evolve, state);
    }
    this.states.set(stream, state);
  }

  private touch(stream: StreamId): boolean {
    if (!this.states.has(stream)) return false;
    const state = this.states.get(stream) as State;
    this.states.delete(stream);
    this.states.set(stream, state);
    return true;
  }

  private forget(needed: ReadonlySet<StreamId>): void {
    for (const stream of this.states.keys()) {
      if (this.states.size <= this.most) return;
      if (!needed.has(stream)) this.states.delete(stream);
    }
  }
}
