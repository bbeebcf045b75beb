import { beginning, type Position, type Recorded, type StreamId } from '../events/event.js';
import type pg from 'pg';
import type { ReadAll, ReadStream } from './event-store.js';
import { epochMs, placeOf, positionOf } from './position.js';
import { query, type Statement } from './postgres-query.js';
import { eventColumns, readRows, type EventRow } from './postgres-rows.js';
import { unstorable } from './prepared-write.js';

const streamRange = (name: string, order: 'asc' | 'desc'): Statement<EventRow> => ({
  name,
  text: `
    select ${eventColumns}
    from public.events
    where stream = $1
      and revision between $2 and $3
    order by revision ${order}
    limit $4`,
});

const forwards = streamRange('read_stream_forwards', 'asc');
const backwards = streamRange('read_stream_backwards', 'desc');

const wholeStreams: Statement<EventRow> = {
  name: 'read_streams',
  text: `
    select ${eventColumns}
    from public.events
    where stream = any ($1)
    order by stream, revision`,
};

const page: Statement<EventRow> = {
  name: 'read_all',
  text: `
    select ${eventColumns}
    from public.events
    where position > $1
    order by position
    limit $2`,
};

const pageOfTypes: Statement<EventRow> = {
  name: 'read_all_of_types',
  text: `
    select ${eventColumns}
    from public.events
    where position > $1
      and type = any ($3)
    order by position
    limit $2`,
};

const lastPosition: Statement<{ position: string }> = {
  name: 'head',
  text: 'select coalesce(max(position), 0) as position from public.events',
};

const positionAtTime: Statement<{ position: string }> = {
  name: 'position_at',
  text: 'select public.position_at($1) as position',
};

const maxRevision = 2 ** 31 - 1;

/** The queries of the Postgres engine. */
export class PostgresReads {
  readonly #pool: pg.Pool;
  readonly #timeoutMs: number;

  constructor(pool: pg.Pool, timeoutMs: number) {
    this.#pool = pool;
    this.#timeoutMs = timeoutMs;
  }

  async readStream(stream: StreamId, { from, to, direction, limit }: ReadStream): Promise<Recorded[]> {
    if (unstorable(stream)) return [];
    const back = direction === 'backwards';
    const [low, high] = back ? [to ?? 0, from ?? maxRevision] : [from ?? 0, to ?? maxRevision];
    const bounds = [low, high].map((revision) => Math.max(-1, Math.min(revision, maxRevision)));
    return readRows(await this.#query(back ? backwards : forwards, [stream, ...bounds, limit ?? null]));
  }

  async readStreams(streams: readonly StreamId[]): Promise<Map<StreamId, Recorded[]>> {
    const found = new Map<StreamId, Recorded[]>(streams.map((stream) => [stream, []]));
    const wanted = [...found.keys()].filter((stream) => !unstorable(stream));
    for (const event of readRows(await this.#query(wholeStreams, [wanted]))) found.get(event.stream)?.push(event);
    return found;
  }

  async readAll({ after, limit, types }: ReadAll): Promise<Recorded[]> {
    const bounds = [placeOf(after), limit];
    return readRows(await (types ? this.#query(pageOfTypes, [...bounds, types]) : this.#query(page, bounds)));
  }

  async head(): Promise<Position> {
    return this.#position(lastPosition, []);
  }

  async positionAt(time: string): Promise<Position> {
    return this.#position(positionAtTime, [epochMs(time)]);
  }

  async #position(statement: Statement<{ position: string }>, values: unknown[]): Promise<Position> {
    const [row] = await this.#query(statement, values);
    return row ? positionOf(row.position) : beginning;
  }

  #query<Row extends pg.QueryResultRow>(statement: Statement<Row>, values: readonly unknown[]): Promise<Row[]> {
    return query(this.#pool, statement, values, this.#timeoutMs);
  }
}
