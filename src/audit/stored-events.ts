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
    const { rows } = await this.db.query<Row>(
      `select position, stream, revision, id, type, schema, data, metadata, recorded_at as "recordedAt"
       from public.events
       where position > $1::bigint
       order by position
       limit $2`,
      [after ?? lowest, limit],
    );
    return rows.map(({ position, ...row }) => ({ ...row, position: String(position).padStart(16, '0') }));
  }

  /** The position of the last event, `''` when there is none. */
  async head(): Promise<Position> {
    const { rows } = await this.db.query<{ position: number | null }>('select max(position) as position from public.events');
    const position = rows[0]?.position;
    return position ? String(position).padStart(16, '0') : '';
  }
}

const lowest = '-9223372036854775808';

interface Row extends Omit<StoredEvent, 'position'> {
  readonly position: number;
  readonly data: JsonObject;
}
