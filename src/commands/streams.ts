import { agents, type Agent } from '../events/agent.js';
import {
  agentStream,
  type AgentId,
  type Appended,
  type Event,
  type Position,
  type Recorded,
  type Stream,
  type StreamId,
} from '../events/event.js';
import type { EventStore } from '../event-store/event-store.js';
import { Folded } from './folded.js';
import { RecentlyUsed } from './recently-used.js';

/** The folded states of streams: read once, kept while they are used, and moved along with what is appended. */
export class Streams {
  private readonly kept = new RecentlyUsed<StreamId, Folded<unknown, Event>>(50_000);
  /** the last revisions that passed by of streams that were not kept, but may just have been read */
  private readonly passed = new RecentlyUsed<StreamId, number>(10_000);

  constructor(private readonly store: EventStore) {}

  /** The agent as this process knows it; `atHead` asks the store for what has come since. */
  agent(company: string, id: AgentId, atHead = false): Promise<Agent | undefined> {
    return this.state(agents, agentStream(company, id), atHead);
  }

  /** The state of a stream as this process knows it; `atHead` asks the store for what has come since. */
  async state<State, E extends Event>(of: Stream<State, E>, stream: StreamId, atHead = false): Promise<State> {
    return (await this.load(of, stream, atHead)).state;
  }

  /** Events that others appended, in log order: what is kept moves along, what has a gap is read anew when needed. */
  follow(events: readonly Recorded[]): void {
    for (const event of events) this.pass(event, event.position);
  }

  /** Those of an append, whose last one is at `position`. */
  followTo(position: Position, events: readonly Appended[]): void {
    for (const event of events) this.pass(event, position);
  }

  forget(stream: StreamId): void {
    this.kept.delete(stream);
  }

  isKept(stream: StreamId): boolean {
    return this.kept.peek(stream) !== undefined;
  }

  /** As it is kept; read on from where it ends when it must be at the head, and anew when it is missing or doubtful. */
  async load<State, E extends Event>(of: Stream<State, E>, stream: StreamId, atHead: boolean): Promise<Folded<State, E>> {
    // What is kept was folded by `of`: a stream has one kind, and a kind has one fold.
    const kept = this.kept.get(stream) as Folded<State, E> | undefined;
    if (kept && !atHead) return kept;
    if (kept && (await this.readOn(kept, stream))) return this.keep(stream, kept);
    if (kept && this.kept.peek(stream) === kept) this.forget(stream);
    return this.keep(stream, await this.readAnew(of, stream));
  }

  private pass(event: Appended, position: Position): void {
    const folded = this.kept.peek(event.stream);
    if (!folded) this.passed.set(event.stream, event.revision);
    else if (event.revision === folded.revision + 1) folded.advanceTo(position, [event]);
    else if (event.revision > folded.revision) this.forget(event.stream);
  }

  /** Of two that were read at the same time, the one that has come further. */
  private keep<State, E extends Event>(stream: StreamId, folded: Folded<State, E>): Folded<State, E> {
    const other = this.kept.peek(stream) as Folded<State, E> | undefined;
    if (other && other.revision > folded.revision) return other;
    this.kept.set(stream, folded as Folded<unknown, Event>);
    return folded;
  }

  /** False when the store does not have the last event that was folded: it was restored from a backup. */
  private async readOn<State, E extends Event>(folded: Folded<State, E>, stream: StreamId): Promise<boolean> {
    const [last, ...rest] = await this.store.readStream<E>(stream, { from: Math.max(folded.revision, 0) });
    if (folded.revision < 0) folded.advance(last ? [last, ...rest] : []);
    else if (last?.id !== folded.lastEventId) return false;
    else folded.advance(rest);
    return true;
  }

  /** In pages, so that no query of a long stream takes long; and again, when more of it has passed by while it was read. */
  private async readAnew<State, E extends Event>(of: Stream<State, E>, stream: StreamId): Promise<Folded<State, E>> {
    const folded = new Folded(of);
    let events: Recorded<E>[];
    do {
      this.passed.delete(stream);
      events = await this.store.readStream<E>(stream, { from: folded.revision + 1, limit: page });
      folded.advance(events);
    } while (events.length === page || (this.passed.peek(stream) ?? -1) > folded.revision);
    return folded;
  }
}

const page = 5_000;
