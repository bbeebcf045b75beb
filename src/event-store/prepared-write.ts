import type { NewEvent, Recorded, StreamId } from '../events/event.js';
import { subjectOf } from '../events/event.js';
import { schemaOf, upcast } from '../events/upcast.js';
import type { ExpectedRevision, Write, WriteResult } from './event-store.js';
import { positionOf } from './position.js';

/** A write as text, found fit to be stored by any engine. */
export interface PreparedWrite {
  readonly stream: StreamId;
  readonly expected: ExpectedRevision;
  readonly ids: readonly string[];
  /** JSON of a list of `{id, type, schema, data}`, entry by entry */
  readonly events: readonly string[];
  readonly metadata: string;
  readonly bytes: number;
}

type Refused = Extract<WriteResult, { outcome: 'refused' }>;

/** Text once, here: the same text is measured, checked, sent, and read back into the answer. */
export function prepareWrite({ stream, expectedRevision, events, metadata }: Write): PreparedWrite | Refused {
  try {
    const flaw = flawOfPlace(stream, expectedRevision) ?? (events.length === 0 ? `${stream}: a write needs an event` : undefined);
    if (flaw !== undefined) return refused(flaw);
    const texts = events.map((event) => JSON.stringify(storedFields(event)));
    const text = texts.join();
    const context = JSON.stringify(metadata);
    const bytes = Buffer.byteLength(text) + Buffer.byteLength(context);
    const unfit =
      flawOfSize(stream, bytes) ?? flawOfText(stream, text) ?? flawOfText(stream, context) ?? firstFlaw(stream, events);
    if (unfit !== undefined) return refused(unfit);
    const ids = events.map(({ id }) => id.toLowerCase());
    return { stream, expected: expectedRevision, ids, events: texts, metadata: context, bytes };
  } catch (error) {
    // what JSON.stringify throws for cycles, bigints and bottomless nesting
    return refused(`${stream}: the events cannot be written as JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The events of a write as they are read back, the last of them at `place` and `revision`. */
export function recordedEvents(write: PreparedWrite, revision: number, place: number, recordedAt: string): Recorded[] {
  const events: NewEvent[] = JSON.parse(`[${write.events.join()}]`);
  const metadata = JSON.parse(write.metadata);
  const { company, subject } = subjectOf(write.stream);
  return events.map((event, i) => {
    const back = events.length - 1 - i;
    const at = { revision: revision - back, position: positionOf(place - back), recordedAt };
    return upcast({ ...event, stream: write.stream, company, subject, ...at, metadata });
  });
}

/** True for text that Postgres cannot hold, and which therefore names no stream. */
export const unstorable = (text: string): boolean => /\0|[\ud800-\udfff]/u.test(text);

const maxBytes = 1024 * 1024;
const maxStreamLength = 512;
const maxRevision = 2 ** 31 - 2;

const refused = (reason: string): Refused => ({ outcome: 'refused', reason });

const storedFields = ({ id, type, schema, data }: NewEvent) => ({ id: id.toLowerCase(), type, schema, data });

function flawOfPlace(stream: string, expected: ExpectedRevision): string | undefined {
  if (stream === '') return 'a stream needs a name';
  if (stream.length > maxStreamLength)
    return `${stream.slice(0, 40)}…: the name has ${stream.length} characters, at most ${maxStreamLength} are possible`;
  if (unstorable(stream))
    return `${JSON.stringify(stream)}: a stream's name cannot hold NUL characters or halves of surrogate pairs`;
  if (typeof expected === 'number' && !isWhole(expected, 0, maxRevision)) {
    return `${stream}: ${expected} is not a revision: expect 0, 1, 2 … or 'no-stream'`;
  }
  return undefined;
}

const flawOfSize = (stream: string, bytes: number): string | undefined =>
  bytes > maxBytes
    ? `${stream}: the write has ${bytes} bytes, at most ${maxBytes} are possible: keep large data elsewhere and name it`
    : undefined;

/** JSON.stringify escapes exactly what jsonb cannot hold; an escaped backslash in front makes it ordinary text. */
const flawOfText = (stream: string, json: string): string | undefined =>
  json.includes('\\u') && /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/.test(json)
    ? `${stream}: text with a NUL character or half of a surrogate pair cannot be stored: remove it`
    : undefined;

function firstFlaw(stream: string, events: readonly NewEvent[]): string | undefined {
  for (const event of events) {
    const flaw = flawOfEvent(event);
    if (flaw !== undefined) return `${stream}: ${flaw}`;
  }
  return undefined;
}

function flawOfEvent({ id, type, schema, data }: NewEvent): string | undefined {
  if (!uuid.test(id)) return `${type} has the id "${id}", which is not a UUID`;
  if (!isWhole(schema, 1, schemaOf(type))) return `${type} has the schema ${schema}: today's is ${schemaOf(type)}`;
  if (typeof data !== 'object' || data === null) return `${type} has no data: use an object`;
  return undefined;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

const isWhole = (value: number, from: number, to: number): boolean => Number.isInteger(value) && value >= from && value <= to;
