import { subjectOf, type Metadata, type Recorded, type StreamId } from '../events/event.js';
import { upcast } from '../events/upcast.js';
import { positionOf } from './position.js';

/** An event as Postgres writes it: every column is text. */
export interface EventRow {
  position: string;
  stream: StreamId;
  revision: string;
  id: string;
  type: string;
  schema: string;
  data: string;
  metadata: string;
  recorded_ms: string;
}

export const eventColumns =
  'position, stream, revision, id, type, schema, data, metadata, public.epoch_ms(recorded_at) as recorded_ms';

/** In today's shapes. Each text is parsed once; the events of one append share their metadata and their time. */
export function readRows(rows: readonly EventRow[]): Recorded[] {
  const time = last(isoTime);
  const metadata = last((json): Metadata => JSON.parse(json));
  const subject = last((stream) => subjectOf(stream as StreamId));
  return rows.map((row) =>
    upcast({
      id: row.id,
      type: row.type,
      schema: Number(row.schema),
      data: JSON.parse(row.data),
      stream: row.stream,
      company: subject(row.stream).company,
      subject: subject(row.stream).subject,
      revision: Number(row.revision),
      position: positionOf(row.position),
      recordedAt: time(row.recorded_ms),
      metadata: metadata(row.metadata),
    }),
  );
}

export const isoTime = (epochMs: string): string => new Date(Number(epochMs)).toISOString();

/** Remembers one answer: neighbours in the log are often alike. */
function last<T>(read: (text: string) => T): (text: string) => T {
  let text: string | undefined;
  let value: T;
  return (wanted) => {
    if (wanted !== text) {
      value = read(wanted);
      text = wanted;
    }
    return value;
  };
}
