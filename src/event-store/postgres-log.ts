import pg from 'pg';
import { inTransaction, isOutage, rawText } from '../database.js';
import type { JsonObject, Position } from '../events/event.js';
import { positionOf } from './position.js';
import { unavailable } from './postgres-errors.js';
import { StoredLog, type StoredEvent } from './stored-log.js';

/**
 * The log as its table has it.
 * https://www.postgresql.org/docs/current/datatype-json.html: jsonb keeps numbers as they are, keys in an order of its own.
 */
export class PostgresLog extends StoredLog {
  private known: string | undefined;

  constructor(private readonly db: pg.Pool) {
    super();
  }

  async id(): Promise<string> {
    this.known ??= await this.ask();
    return this.known;
  }

  async after(after: Position | undefined, limit: number): Promise<StoredEvent[]> {
    const { rows } = await this.query<Row>({
      text: `
        select
          position, stream, revision, id, type, schema, data, metadata,
          case when isfinite(recorded_at) then public.epoch_ms(recorded_at)::text else recorded_at::text end as "recordedMs"
        from public.events
        where position > $1::bigint
        order by position
        limit $2`,
      values: [after ?? lowest, limit],
      types: rawText,
    });
    return readRows(rows);
  }

  async head(): Promise<Position> {
    const { rows } = await this.query<{ position: number | null }>('select max(position) as position from public.events');
    return positionOf(rows[0]?.position ?? 0);
  }

  /** The lock is the one that every append takes. Those that are there already have to stand one behind the other before the new ones. */
  async take(events: readonly StoredEvent[]): Promise<void> {
    const taken = JSON.stringify(events);
    await inTransaction(this.db, async (client) => {
      await client.query('select public.begin_append()');
      const { rowCount } = await client.query(takeEvents, [taken]);
      if (rowCount === events.length) return;
      const { rows } = await client.query<{ inOrder: boolean }>(areInOrder, [taken, events.length]);
      if (!rows[0]?.inOrder) throw new Error(`${otherEvents}: those that it has already do not follow each other there`);
    }).catch((error: unknown) => {
      if (isTaken(error)) throw new Error(`${otherEvents}: ${error.detail ?? error.message}`, { cause: error });
      throw error instanceof pg.DatabaseError || isOutage(error) ? unavailable(error) : error;
    });
  }

  /** `create trigger` waits for appends that are under way. Postgres fires those that are always enabled whatever a session is set to. */
  async seal(): Promise<void> {
    await this.query(`
      create or replace trigger events_are_sealed
      before insert on public.events
      for each statement execute function public.refuse_sealed_events();
      alter table public.events enable always trigger events_are_sealed`);
  }

  async unseal(): Promise<void> {
    await this.query('drop trigger if exists events_are_sealed on public.events');
  }

  async isSealed(): Promise<boolean> {
    const { rowCount } = await this.query(
      `select
       from pg_trigger
       where tgrelid = 'public.events'::regclass
         and tgname = 'events_are_sealed'`,
    );
    return rowCount === 1;
  }

  private async query<R extends pg.QueryResultRow>(
    text: string | pg.QueryConfig,
    values?: unknown[],
  ): Promise<pg.QueryResult<R>> {
    try {
      return await this.db.query<R>(text, values);
    } catch (error) {
      throw unavailable(error);
    }
  }

  private async ask(): Promise<string> {
    await this.query('insert into public.event_log default values on conflict do nothing');
    const { rows } = await this.query<{ id: string }>('select id from public.event_log');
    return rows[0]!.id;
  }
}

/** Unique violation: the place is another event's. */
const isTaken = (error: unknown): error is pg.DatabaseError => error instanceof pg.DatabaseError && error.code === '23505';

const lowest = '-9223372036854775808';

const otherEvents = 'the log has other events in the places of those that it is to take';

const taken = `rows from (
    json_to_recordset($1) as (
      stream text, revision int, id uuid, type text, schema smallint, data jsonb, metadata jsonb, "recordedAt" timestamptz
    )
  ) with ordinality as taken (stream, revision, id, type, schema, data, metadata, "recordedAt", n)`;

/** Behind the last position; the unique place in its stream refuses what has another event there. */
const takeEvents = `
  insert into public.events (position, stream, revision, id, type, schema, data, metadata, recorded_at)
  select
    (select coalesce(max(position), 0) from public.events) + row_number() over (order by n),
    stream, revision, id, type, schema, data, metadata, "recordedAt"
  from ${taken}
  where not exists (
    select
    from public.events there
    where there.stream = taken.stream
      and there.revision = taken.revision
      and there.id = taken.id
  )`;

const areInOrder = `
  select count(*) = $2 and count(distinct there.position - n) = 1 as "inOrder"
  from ${taken}
  join public.events there using (stream, revision, id)`;

/** Every column as Postgres writes it. */
type Row = Readonly<Record<Exclude<keyof StoredEvent, 'recordedAt'> | 'recordedMs', string>>;

/** The events of one append share their metadata, which are parsed once. */
function readRows(rows: readonly Row[]): StoredEvent[] {
  let last = { text: '', metadata: {} as JsonObject };
  return rows.map(({ position, stream, revision, id, type, schema, data, metadata: text, recordedMs }) => {
    if (text !== last.text) last = { text, metadata: JSON.parse(text) as JsonObject };
    return {
      position: position.padStart(16, '0'),
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
