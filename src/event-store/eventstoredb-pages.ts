import type { AllStreamRecordedEvent } from '@eventstore/db-client';
import { beginning, type Position } from '../events/event.js';
import type { EventStoreDbConnection } from './eventstoredb-connection.js';
import { isOffRecord, outOfReach } from './eventstoredb-errors.js';
import { positionOfRecord, recordAt, type RecordPosition } from './eventstoredb-positions.js';
import { fromWire } from './eventstoredb-wire.js';
import type { LogMarks } from './log-marks.js';
import type { StoredEvent } from './stored-log.js';

type Page = readonly AllStreamRecordedEvent[];

const mostAtOnce = 8_192;
const firstOfMany = 1_024;
const backwards = { firstPage: 4, growth: 16 };
const nothingPassed = { after: beginning, to: beginning };

/** The log of an EventStoreDB in pages, without what is not of the ledger. */
export class EventStoreDbPages {
  readonly #connection: EventStoreDbConnection;
  readonly #marks: LogMarks | undefined;
  /** Up to `to` there is nothing of the ledger behind its event at `after`: who waits there need not see it again and again. */
  #passed = nothingPassed;

  constructor(connection: EventStoreDbConnection, marks?: LogMarks) {
    this.#connection = connection;
    this.#marks = marks;
  }

  /**
   * Events behind a position, `wanted` of them or all there are, in pages, of which some may be empty. The position need not be that of
   * an event: then it is found from the last mark before it, or by reading from the beginning.
   */
  async *after(after: Position, wanted: number): AsyncGenerator<StoredEvent[]> {
    const passed = this.#passed.after === after ? this.#passed.to : undefined;
    let last = passed !== undefined || after === beginning ? after : undefined;
    let count = atOnce(wanted === Infinity ? firstOfMany : wanted);
    for (let page = await this.#firstPage(passed, after, count), seen = after; ;) {
      const events = page.flatMap((event) => fromWire(event) ?? []);
      last = events.at(-1)?.position ?? last;
      const end = page.at(-1);
      const isEnd = page.length < count || end === undefined;
      if (isEnd) this.#pass(last, end);
      const fresh = events.filter(({ position }) => position > seen);
      yield fresh;
      wanted -= fresh.length;
      if (isEnd || wanted <= 0) return;
      seen = laterOf(seen, positionOfRecord(end.position));
      // As many as it takes where so many are of others, but not far beyond what may be enough.
      count = atOnce(Math.min(Math.ceil((wanted * page.length) / Math.max(fresh.length, 1)), 2 * count));
      page = await this.#pageFrom(end.position, count);
    }
  }

  /** The position of the ledger's last event. */
  async head(): Promise<Position> {
    let from: RecordPosition | 'end' = 'end';
    for (let count = backwards.firstPage; ; count = Math.min(count * backwards.growth, mostAtOnce)) {
      const page: Page = await this.#read({ direction: 'backwards', fromPosition: from, maxCount: count });
      for (const event of page) {
        const position = positionOfRecord(event.position);
        if (fromWire(event)) return position;
        if (position === this.#passed.to) return this.#passed.after;
      }
      if (page.length < count) return beginning;
      from = page.at(-1)!.position;
    }
  }

  /** Begins with the event at a position, or further back. A place without an event may be the one before an event. */
  async #firstPage(passed: Position | undefined, after: Position, count: number): Promise<Page> {
    const mark = async () => (await this.#marks?.upTo(after))?.position;
    for (const place of [() => passed, () => after, () => nextTo(after), mark]) {
      const from = await place();
      const page = from === undefined ? undefined : await this.#pageIfThere(recordAt(from), count);
      if (page) return page;
    }
    return this.#pageFrom('start', count);
  }

  async #pageIfThere(from: RecordPosition | 'start', count: number): Promise<Page | undefined> {
    try {
      return await this.#pageFrom(from, count);
    } catch (error) {
      if (error instanceof Error && isOffRecord(error.cause)) return undefined;
      throw error;
    }
  }

  #pageFrom(from: RecordPosition | 'start', count: number): Promise<Page> {
    return this.#read({ fromPosition: from, maxCount: count });
  }

  async #read(options: Parameters<EventStoreDbConnection['readAll']>[0]): Promise<Page> {
    try {
      return await this.#connection.readAll(options);
    } catch (error) {
      // When it is back, it may be another log, restored from a backup.
      this.#passed = nothingPassed;
      throw outOfReach(error);
    }
  }

  #pass(after: Position | undefined, last: AllStreamRecordedEvent | undefined): void {
    if (after !== undefined && last) this.#passed = { after, to: positionOfRecord(last.position) };
  }
}

/** With the event that is known already. */
const atOnce = (wanted: number): number => Math.min(wanted, mostAtOnce) + 1;

const laterOf = (a: Position, b: Position): Position => (a > b ? a : b);

function nextTo(position: Position): Position {
  const at = recordAt(position);
  return at === 'start' ? position : positionOfRecord({ commit: at.commit + 1n, prepare: at.commit + 1n });
}
