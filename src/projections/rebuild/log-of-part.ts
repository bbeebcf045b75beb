import { beginning, type Position, type Recorded, type StreamId } from '../../events/event.js';
import type { LedgerEvent } from '../../events/ledger-event.js';
import type { EventStore, ReadByStream } from '../../event-store/event-store.js';
import type { AnyProjection } from '../projection.js';
import type { Page } from '../projector/log-pages.js';
import type { Part } from './parts.js';

/** How fast a fill may go: it resolves when so many events may be folded, and early, quietly, when `signal` ends. */
export interface Pace {
  take(events: number, signal: AbortSignal): Promise<void>;
}

/** What a fill asks of a log. */
export type LogToFill = Pick<EventStore, 'readAll' | 'readByStream' | 'streamBounds' | 'count' | 'countOfTypes'>;

interface Reading {
  readonly store: LogToFill;
  readonly projection: AnyProjection;
  readonly upTo: Position;
  readonly pace: Pace;
  readonly signal: AbortSignal;
}

/** Smaller than a projector's: two parts have two pages each in hand, and what is short-lived costs the least. */
const pageSize = 500;
const lastRevision = 2 ** 31 - 1;

/** The events of a part that its projection folds, at the pace of the fill, in pages, of which the next is read ahead. */
export class LogOfPart {
  private readonly asked: { upTo: Position; limit: number; types: string[] };

  constructor(
    private readonly reading: Reading,
    private readonly part: Part,
    private readonly progress: { add(events: number): void },
  ) {
    this.asked = { upTo: reading.upTo, limit: pageSize, types: Object.keys(reading.projection.on) };
  }

  inOrder(): AsyncGenerator<Page> {
    const { store } = this.reading;
    return this.paced((last) => store.readAll<LedgerEvent>({ ...this.asked, after: last?.position ?? beginning }));
  }

  /** Stream by stream; `behind`: only those that come after this one. */
  byStream(behind?: StreamId): AsyncGenerator<Page> {
    const { from, before } = this.part;
    return this.streams({ from: from ?? undefined, before: before ?? undefined }, behind);
  }

  ofStream(stream: StreamId): AsyncGenerator<Page> {
    return this.streams({ from: stream, before: `${stream}\u0001` });
  }

  private streams(range: Pick<ReadByStream, 'from' | 'before'>, behind?: StreamId): AsyncGenerator<Page> {
    const { store } = this.reading;
    const start = behind === undefined ? undefined : { stream: behind, revision: lastRevision };
    return this.paced((last) => store.readByStream<LedgerEvent>({ ...range, ...this.asked, after: last ?? start }));
  }

  private async *paced(read: (last?: Recorded) => Promise<Page>): AsyncGenerator<Page> {
    const { pace, signal } = this.reading;
    for (let next: Promise<Page> | undefined = read(); next;) {
      const page: Page = await next;
      next = page.length === pageSize ? read(page.at(-1)) : undefined;
      // It is awaited later, or not at all when the fill ends before.
      next?.catch(() => {});
      if (page.length > 0) await pace.take(page.length, signal);
      signal.throwIfAborted();
      yield page;
      this.progress.add(page.length);
    }
  }
}
