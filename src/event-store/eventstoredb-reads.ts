import { beginning, type Position } from '../events/event.js';
import type { ReadAll, ReadByStream } from './event-store.js';
import type { EventStoreDbPages } from './eventstoredb-pages.js';
import { checkPosition } from './eventstoredb-positions.js';
import type { LogMark, LogMarks } from './log-marks.js';
import { epochMs } from './position.js';
import type { StoredEvent } from './stored-log.js';

const countsKept = 64;
/** Processes write side by side, each with a time of its own: an event may be recorded before others that lie so far behind it, not more. */
const timesApartMs = 60_000;
const earliestMs = -8.64e15;

/** What is asked of the whole log. It has no index but the marks: from the last one before what is sought, it is read. */
export class EventStoreDbReads {
  readonly #pages: EventStoreDbPages;
  readonly #marks: LogMarks | undefined;
  /** What was counted last, by position. */
  readonly #counted = new Map<Position, number>();

  constructor(pages: EventStoreDbPages, marks?: LogMarks) {
    this.#pages = pages;
    this.#marks = marks;
  }

  async readAll({ after, upTo, limit, types }: ReadAll): Promise<StoredEvent[]> {
    const found: StoredEvent[] = [];
    if (limit <= 0) return found;
    for await (const page of this.#pagesUpTo(upTo, after, types ? Infinity : limit)) {
      found.push(...(types ? page.filter(({ type }) => types.includes(type)) : page));
      if (found.length >= limit) break;
    }
    return found.slice(0, limit);
  }

  /** Reads the whole log for each page: keeps no more of it than the page and twice as much. */
  async readByStream({ upTo, from = '', before, after, limit, types }: ReadByStream): Promise<StoredEvent[]> {
    const wanted = ({ stream, revision, type }: StoredEvent) =>
      compareBytes(stream, from) >= 0 &&
      (before === undefined || compareBytes(stream, before) < 0) &&
      (!after || compareBytes(stream, after.stream) > 0 || (stream === after.stream && revision > after.revision)) &&
      (types?.includes(type) ?? true);
    let found: StoredEvent[] = [];
    for await (const page of this.#pagesUpTo(upTo, beginning, Infinity)) {
      found.push(...page.filter(wanted));
      if (found.length > 2 * limit) found = found.toSorted(byStream).slice(0, limit);
    }
    return found.toSorted(byStream).slice(0, limit);
  }

  /** Asked again, it reads only what has come since. */
  async count(upTo: Position): Promise<number> {
    const mark = await this.#lastMark(checkPosition(upTo));
    let { events, position } = mark;
    if (position === upTo) return events;
    for await (const page of this.#pagesUpTo(upTo, position, Infinity)) {
      events += page.length;
      position = page.at(-1)?.position ?? position;
    }
    this.#keep(position, events);
    return events;
  }

  /** The last before any event that was recorded later. */
  async positionAt(time: string): Promise<Position> {
    const at = epochMs(time);
    const settled = new Date(Math.max(at - timesApartMs, earliestMs)).toISOString();
    let last = (await this.#marks?.before(settled))?.position ?? beginning;
    for await (const page of this.#pagesUpTo(undefined, last, Infinity)) {
      const later = page.findIndex(({ recordedAt }) => Date.parse(recordedAt) > at);
      if (later === 0) return last;
      last = page.at(later < 0 ? -1 : later - 1)?.position ?? last;
      if (later > 0) return last;
    }
    return last;
  }

  async *#pagesUpTo(upTo: Position | undefined, after: Position, wanted: number): AsyncGenerator<readonly StoredEvent[]> {
    if (upTo !== undefined && checkPosition(upTo) <= after) return;
    for await (const page of this.#pages.after(checkPosition(after), wanted)) {
      const end = upTo === undefined ? -1 : page.findIndex(({ position }) => position > upTo);
      yield end < 0 ? page : page.slice(0, end);
      if (end >= 0) return;
    }
  }

  async #lastMark(upTo: Position): Promise<LogMark> {
    const kept = [...this.#counted].map(([position, events]) => ({ position, events }));
    const sealed = await this.#marks?.upTo(upTo);
    const marks = [...kept, ...(sealed ? [sealed] : [])].filter(({ position }) => position <= upTo);
    return marks.reduce((last, mark) => (mark.position > last.position ? mark : last), { position: beginning, events: 0 });
  }

  #keep(position: Position, events: number): void {
    this.#counted.delete(position);
    this.#counted.set(position, events);
    for (const oldest of this.#counted.keys()) {
      if (this.#counted.size <= countsKept) return;
      this.#counted.delete(oldest);
    }
  }
}

const compareBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
const byStream = (a: StoredEvent, b: StoredEvent): number => compareBytes(a.stream, b.stream) || a.revision - b.revision;
