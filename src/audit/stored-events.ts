import type pg from 'pg';
import type { JsonObject, Position } from '../events/event.js';
import type { StoredEvent } from './leaf.js';

/**
 * The log as its table has it. The event store reads yesterday's shapes as today's; what is proven is what was written.
 * https://www.postgresql.org/docs/current/datatype-json.html: jsonb keeps numbers as they are, keys in an order of its own.
 */
export class StoredEvents {
  constructor(private readonly db: pg.Pool) {}

  /** In order; without `after` from the very first, also from one that stands where no event can be. */
  async after(after: Position | undefined, limit: number): Promise<StoredEvent[]> {
    const { rows } = await this.db.query<Row>({
      text: `
        select
          position, stream, revision, id, type, schema, data, metadata,
          case when isfinite(recorded_at) then public.epoch_ms(recorded_at)::text else recorded_at::text end as "recordedMs"
        from public.events
        where position > $1::bigint
        order by position
        limit $2`,
      values: [after ?? lowest, limit],
      types: asText,
    });
    return readRows(rows);
  }

  /** The position of the last event, `''` when there is none. */
  async head(): Promise<Position> {
    const { rows } = await this.db.query<{ position: number | null }>('select max(position) as position from public.events');
    const position = rows[0]?.position;
    return position ? positionOf(String(position)) : '';
  }
}

const lowest = '-9223372036854775808';
const asText: pg.CustomTypesConfig = { getTypeParser: () => (value: string) => value };
const positionOf = (place: string): Position => place.padStart(16, '0');

/** Every column as Postgres writes it. */
type Row = Readonly<Record<Exclude<keyof StoredEvent, 'recordedAt'> | 'recordedMs', string>>;

/** The events of one append share their metadata, which are parsed once. */
function readRows(rows: readonly Row[]): StoredEvent[] {
  let last = { text: '', metadata: {} as JsonObject };
  return rows.map(({ position, stream, revision, id, type, schema, data, metadata: text, recordedMs }) => {
    if (text !== last.text) last = { text, metadata: JSON.parse(text) as JsonObject };
    return {
      position: positionOf(position),
      stream,
      revision: Number(revision),
      id,
      type,
      schema: Number(schema),
      recordedAt: timeOf(recordedMs),
      metadata: last.metadata,
      data: JSON.parse(data) as JsonObject,
    };
  });
}

/** In a log that was changed, a time may be `infinity`, or of a year that a Date cannot be of: it stays as it stands there. */
function timeOf(ms: string): string {
  const time = new Date(Number(ms));
  return Number.isNaN(time.getTime()) ? ms : time.toISOString();
}
