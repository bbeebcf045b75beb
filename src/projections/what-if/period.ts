import { beginning, type Position } from '../../events/event.js';
import { justBefore, positionFrom, positionInWords, typedPosition } from '../../events/positions.js';
import type { EventStore } from '../../event-store/event-store.js';
import { readIsoTime } from '../../commands/iso-time.js';

/** A part of the log: what comes after one position, up to and with another. */
export interface Period {
  readonly after: Position;
  readonly to: Position;
}

/** No event lies in what was asked for; the message is a sentence about `field`. */
export class NoPeriod extends Error {
  override readonly name = 'NoPeriod';
  constructor(
    readonly field: 'from' | 'to',
    message: string,
  ) {
    super(message);
  }
}

export interface Asked {
  /** a time in ISO 8601 or a position, with what was recorded there; default: the first event */
  readonly from?: string;
  /** likewise; default: the last event */
  readonly to?: string;
}

/** Ends that lie outside the log are moved to its own. Throws NoPeriod. */
export async function periodOf(store: EventStore, { from, to }: Asked): Promise<Period> {
  const head = await store.head();
  const [first] = await store.readAll({ after: beginning, limit: 1 });
  if (!first) throw new NoPeriod('from', 'nothing has been recorded yet');
  const period = { after: await placeBefore(store, from, head), to: await placeAt(store, to, head) };
  if (period.to < first.position)
    throw new NoPeriod(
      'to',
      `to is ${to}: the log begins with ${shown(first.position)}, recorded ${first.recordedAt}; give a later one`,
    );
  if (period.after >= head) throw new NoPeriod('from', `from is ${from}: the log ends at ${shown(head)}; give an earlier one`);
  if (period.after >= period.to)
    throw new NoPeriod(
      'from',
      `from is ${from} and to is ${to}: nothing was recorded between them; give a from that is earlier than to`,
    );
  return period;
}

async function placeBefore(store: EventStore, from: string | undefined, head: Position): Promise<Position> {
  if (from === undefined) return beginning;
  if (typedPosition.test(from)) return justBefore(positionFrom(from, head));
  return store.positionAt(new Date(timeIn('from', from) - 1).toISOString());
}

async function placeAt(store: EventStore, to: string | undefined, head: Position): Promise<Position> {
  if (to === undefined) return head;
  const place = typedPosition.test(to)
    ? positionFrom(to, head)
    : await store.positionAt(new Date(timeIn('to', to)).toISOString());
  return place < head ? place : head;
}

function timeIn(field: 'from' | 'to', text: string): number {
  const time = readIsoTime(text);
  if (!Number.isNaN(time)) return time;
  throw new NoPeriod(
    field,
    `${field} is "${text}": give a time such as 2026-04-20T12:00:00Z, or a position of the log such as 42`,
  );
}

const shown = (place: Position): string => `position ${positionInWords(place)}`;
