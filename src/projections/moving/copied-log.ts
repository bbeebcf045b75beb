import { beginning, type Event, type Position, type Recorded } from '../../events/event.js';
import type { EventStore, ReadAll } from '../../event-store/event-store.js';
import type { LogToFill } from '../rebuild/log-of-part.js';

/**
 * The copy of a log, each event at the position that it has in the original: what is folded from it can be compared with what was folded
 * there. Both are read side by side, and the kth event of the one stands in the place of the kth of the other.
 *
 * It is read in the order of the log only, each page from the beginning, or from where another page has ended.
 */
export class CopiedLog implements LogToFill {
  /** where pages end: by the position in the original, the one in the copy */
  private readonly ends = new Map<Position, Position>([[beginning, beginning]]);

  constructor(
    private readonly original: Pick<EventStore, 'readAll' | 'count' | 'countOfTypes'>,
    private readonly copy: Pick<EventStore, 'readAll'>,
  ) {}

  async readAll<E extends Event>({ after, ...asked }: ReadAll): Promise<Recorded<E>[]> {
    const { upTo: _, ...askedOfCopy } = asked;
    const [there, here] = await Promise.all([
      this.original.readAll<E>({ ...asked, after }),
      this.copy.readAll<E>({ ...askedOfCopy, after: this.placeOf(after) }),
    ]);
    const last = [there.at(-1), here[there.length - 1]];
    if (last[0] && last[1]) this.ends.set(last[0].position, last[1].position);
    return there.map((event, n) => inThePlaceOf(event, here[n]));
  }

  readByStream(): never {
    throw new Error('a copied log is read in the order of the log');
  }

  streamBounds(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  count(asked: { readonly upTo: Position }): Promise<number> {
    return this.original.count(asked);
  }

  countOfTypes(asked: { readonly upTo: Position; readonly types: readonly string[] }): Promise<number | undefined> {
    return this.original.countOfTypes(asked);
  }

  private placeOf(position: Position): Position {
    const place = this.ends.get(position);
    if (place === undefined) throw new Error(`no page of the copied log has ended at position ${position}`);
    return place;
  }
}

function inThePlaceOf<E extends Event>(original: Recorded<E>, copied: Recorded<E> | undefined): Recorded<E> {
  const { position, id, stream, revision, type } = original;
  if (copied?.id === id && copied.stream === stream && copied.revision === revision) return { ...copied, position };
  const there = copied ? `${copied.type} ${copied.id} (${copied.stream} revision ${copied.revision})` : 'nothing';
  throw new Error(
    `where the old log has ${type} ${id} (${stream} revision ${revision}, position ${position}), the new one has ${there}: ` +
      `it is no copy of it; see ledger store copy`,
  );
}
