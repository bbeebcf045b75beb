import type { Appended, Event, Position, Recorded, Stream } from '../events/event.js';
import { beginning } from '../events/event.js';

/**
 * A stream as far as it was read: the folded state, where it ends, and which commands its recent past came from.
 * It moves forward in place; the state itself is never changed, only replaced.
 */
export class Folded<State, E extends Event> {
  state: State;
  /** of the last event, -1 before the first */
  revision = -1;
  lastEventId = '';
  position: Position = beginning;
  /** what each recent command wrote, oldest first */
  private readonly commands = new Map<string, Written>();

  constructor(private readonly stream: Stream<State, E>) {
    this.state = stream.initial;
  }

  advance(events: readonly Recorded<E>[]): void {
    for (const event of events) this.take(event, event.position);
  }

  /** By the events of an append, whose last one is at `position`. */
  advanceTo(position: Position, events: readonly Appended<E>[]): void {
    for (const event of events) this.take(event, position);
  }

  /** The revisions that a command wrote, if it is among those of the last day, or the last five hundred. */
  writtenBy(commandId: string): Written | undefined {
    return this.commands.get(commandId);
  }

  private take(event: Appended<E>, position: Position): void {
    if (event.revision !== this.revision + 1) return;
    this.state = this.stream.evolve(this.state, event);
    this.revision = event.revision;
    this.lastEventId = event.id;
    this.position = position;
    this.remember(event);
  }

  private remember({ metadata, revision, recordedAt }: Appended<E>): void {
    const known = this.commands.get(metadata.commandId);
    if (known) known.to = revision;
    else this.commands.set(metadata.commandId, { from: revision, to: revision, at: Date.parse(recordedAt) });
    this.forgetBefore(Date.parse(recordedAt) - day);
  }

  private forgetBefore(time: number): void {
    for (const [commandId, { at }] of this.commands) {
      if (this.commands.size <= 500 || at >= time) return;
      this.commands.delete(commandId);
    }
  }
}

export interface Written {
  readonly from: number;
  to: number;
  readonly at: number;
}

const day = 24 * 60 * 60 * 1000;
