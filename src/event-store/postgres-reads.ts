import { beginning, type Position, type Recorded, type StreamId } from '../events/event.js';
import type pg from 'pg';
import type { ReadAll, ReadByStream, ReadStream } from './event-store.js';
import { epochMs, placeOf, positionOf } from './position.js';
import { query, type Statement } from './postgres-query.js';
import { eventColumns, readRows, type EventRow } from './postgres-rows.js';
import { unstorable } from './prepared-write.js';

/** enough for ranges that differ by a few per cent */
const sampledEvents = 10_000;
/** scanned by one statement, so that none takes too long */
const scannedAtOnce = 200_000;

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
      and position <= $4
      and type = any ($3)
    order by position
    limit $2`,
};

/** Without a name: planned anew for every page, as the plan for any page at all sorts the whole log. */
const pageByStream: Statement<EventRow> = {
  name: '',
  text: `
    select ${eventColumns}
    from public.events
    where (stream, revision) > ($1, $2)
      and ($3::text is null or stream < $3)
      and position <= $4
      and ($5::text[] is null or type = any ($5))
    order by stream, revision
    limit $6`,
};

/** Of events at random, the streams at so many even places between the least and the greatest. */
const boundsOfStreams: Statement<{ stream: string }> = {
  name: 'stream_bounds',
  text: `
    select distinct stream
    from unnest((
      select percentile_disc($2::float8[]) within group (order by e.stream)
      from (select 1 + floor(random() * $1::bigint)::bigint as place from generate_series(1, ${sampledEvents})) sample
      join public.events e on e.position = sample.place and sample.place <= $1
    )) as bound (stream)
    order by stream`,
};

const countOfTypes: Statement<{ count: string }> = {
  name: 'count_of_types',
  text: `
    select count(*) as count
    from public.events
    where position > $1
      and position <= $2
      and type = any ($3)`,
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

  /** Positions have no holes. */
  async readAll({ after, upTo, limit, types }: ReadAll): Promise<Recorded[]> {
    const place = placeOf(after);
    if (types) return this.#readTypes({ place, last: placeOf(upTo ?? (await this.head())), limit, types });
    const left = upTo === undefined ? limit : Math.min(limit, placeOf(upTo) - place);
    return left > 0 ? readRows(await this.#query(page, [place, left])) : [];
  }

  /** Of rare types, a page may be all over the log. */
  async #readTypes(asked: { place: number; last: number; limit: number; types: readonly string[] }): Promise<Recorded[]> {
    const found: EventRow[] = [];
    for (let from = asked.place; from < asked.last && found.length < asked.limit; from += scannedAtOnce) {
      const to = Math.min(from + scannedAtOnce, asked.last);
      found.push(...(await this.#query(pageOfTypes, [from, asked.limit - found.length, asked.types, to])));
    }
    return readRows(found);
  }

  async readByStream({ upTo, from = '', before, after, limit, types }: ReadByStream): Promise<Recorded[]> {
    const { stream, revision } = after ?? { stream: from, revision: -1 };
    const values = [stream, revision, before ?? null, placeOf(upTo), types ?? null, limit];
    return readRows(await this.#query(pageByStream, values));
  }

  async streamBounds({ upTo, ranges }: { upTo: Position; ranges: number }): Promise<string[]> {
    if (ranges === 1) return [];
    const places = Array.from({ length: ranges - 1 }, (_, n) => (n + 1) / ranges);
    const rows = await this.#query(boundsOfStreams, [placeOf(upTo), places]);
    return rows.map(({ stream }) => stream);
  }

  /** Positions have no holes. */
  async count({ upTo }: { upTo: Position }): Promise<number> {
    return placeOf(upTo);
  }

  async countOfTypes({ upTo, types }: { upTo: Position; types: readonly string[] }): Promise<number> {
    const last = placeOf(upTo);
    let count = 0;
    for (let from = 0; from < last; from += scannedAtOnce) {
      const [row] = await this.#query(countOfTypes, [from, Math.min(from + scannedAtOnce, last), types]);
      count += Number(row?.count);
    }
    return count;
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
