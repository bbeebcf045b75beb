import type { StoredEvent } from '../stored-log.js';
import { Digests } from './digests.js';
import { differingFields, storedText } from './stored-text.js';

/** Two events that stand in the same place of two logs, and are not alike. */
export interface Difference {
  /** counted from 1 */
  readonly place: number;
  readonly source: StoredEvent;
  readonly target: StoredEvent;
  readonly fields: readonly string[];
}

/** Two logs side by side: the nth event of one with the nth of the other, and the digest of each stream of either. */
export class Comparison {
  /** that were compared */
  events = 0;
  first: Difference | undefined;
  private readonly source = new Digests();
  /** while nothing differs, both have the same */
  private target = this.source;

  /** As many events of either. */
  add(source: readonly StoredEvent[], target: readonly StoredEvent[]): void {
    for (const [i, one] of source.entries()) this.pair(one, target[i]!);
  }

  get streams(): number {
    return this.source.streams;
  }

  /** Of the source. */
  digest(): string {
    return this.source.total();
  }

  differingStreams(): string[] {
    return this.source.unlike(this.target);
  }

  private pair(one: StoredEvent, other: StoredEvent): void {
    this.events += 1;
    const [text, otherText] = [storedText(one), storedText(other)];
    const differ = text !== otherText || one.stream !== other.stream;
    if (differ && !this.first) this.differ(one, other);
    this.source.add(one.stream, text);
    if (this.first) this.target.add(other.stream, otherText);
  }

  private differ(source: StoredEvent, target: StoredEvent): void {
    this.target = new Digests(this.source);
    this.first = { place: this.events, source, target, fields: differingFields(source, target) };
  }
}
