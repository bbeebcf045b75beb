import { Injectable } from '@nestjs/common';
import { Rejected } from '../commands/decider.js';
import { EventStore } from '../event-store/event-store.js';
import { beginning, taskOfRun, taskStream, type Position, type Recorded, type StreamId } from '../events/event.js';
import { isPosition, positionFrom } from '../events/positions.js';
import { cursorAt, InvalidCursor, keyIn, limitOf, type Page, type PageRequest } from '../projections/paging.js';
import { concerning } from '../projections/replay/concerns.js';
import type { Run } from '../projections/run-queries.js';

export interface LogFilter {
  readonly company?: string;
  readonly types?: readonly string[];
  /** what comes after it; a position as it was typed */
  readonly after?: string;
}

/** Events as they were recorded, in order. A filter that drops much answers a short page, and where to go on. */
@Injectable()
export class EventPages {
  constructor(private readonly store: EventStore) {}

  async ofTask(company: string, task: string, page: PageRequest): Promise<Page<Recorded>> {
    const found = await this.ofStream(taskStream(company, task), {}, page);
    if (found.items.length === 0 && page.cursor === undefined) throw new Rejected('task_not_found', `there is no task ${task}`);
    return found;
  }

  /** The run's own events, those of the demands that it carries, and of the runs that retry it or take its place. */
  ofRun({ company, id, wakeups }: Run, page: PageRequest): Promise<Page<Recorded>> {
    return this.pages(this.stream(taskStream(company, taskOfRun(id))), concerning(id, wakeups), page);
  }

  async ofStream(stream: StreamId, { after, ...filter }: LogFilter, page: PageRequest): Promise<Page<Recorded>> {
    return this.pages(this.stream(stream), passes(filter, await this.placeOf(after)), page);
  }

  async ofLog({ after, ...filter }: LogFilter, page: PageRequest): Promise<Page<Recorded>> {
    const first = page.cursor === undefined ? await this.placeOf(after) : beginning;
    const read = (last: string | undefined, limit: number) => this.store.readAll({ after: last ?? first, limit });
    return this.pages({ name: 'events', read, placeOf: ({ position }) => position, isPlace: isPosition }, passes(filter), page);
  }

  private async placeOf(typed: string | undefined): Promise<Position> {
    return typed === undefined ? beginning : positionFrom(typed, await this.store.head());
  }

  private stream(stream: StreamId): Source {
    const read = (last: string | undefined, limit: number) =>
      this.store.readStream(stream, { from: last === undefined ? 0 : Number(last) + 1, limit });
    return { name: stream, read, placeOf: ({ revision }) => String(revision), isPlace: isRevision };
  }

  private async pages(source: Source, keep: (event: Recorded) => boolean, page: PageRequest): Promise<Page<Recorded>> {
    const limit = limitOf(page);
    const items: Recorded[] = [];
    let last = page.cursor === undefined ? undefined : placeIn(source, page.cursor);
    const here = () => last && cursorAt(source.name, [last]);
    for (let scanned = 0; scanned < mostScanned;) {
      const events = await source.read(last, pageSize);
      for (const event of events) {
        if (keep(event) && items.push(event) > limit) return { items: items.slice(0, limit), next: here() };
        last = source.placeOf(event);
      }
      if (events.length < pageSize) return { items };
      scanned += events.length;
    }
    return { items, next: here() };
  }
}

interface Source {
  readonly name: string;
  /** what follows the place `last`, or the first ones */
  read(last: string | undefined, limit: number): Promise<Recorded[]>;
  placeOf(event: Recorded): string;
  /** whether it has the form of one */
  isPlace(text: string): boolean;
}

const pageSize = 500;
const mostScanned = 5_000;

const passes =
  ({ company, types }: Omit<LogFilter, 'after'>, after: Position = beginning) =>
  (event: Recorded): boolean =>
    (company === undefined || event.company === company) && (!types || types.includes(event.type)) && event.position > after;

const isRevision = (text: string): boolean => /^\d{1,9}$/.test(text);

function placeIn({ name, isPlace }: Source, cursor: string): string {
  const [found = ''] = keyIn(name, 1, cursor);
  if (!isPlace(found)) throw new InvalidCursor(cursor);
  return found;
}
