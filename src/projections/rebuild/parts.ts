import type pg from 'pg';
import { inTransaction } from '../../database.js';
import type { Position } from '../../events/event.js';
import type { EventStore } from '../../event-store/event-store.js';

/** A range of streams, or without bounds the whole log; what it came to once its rows are there. */
export interface Part {
  readonly part: number;
  readonly from: string | null;
  readonly before: string | null;
  readonly events: number | null;
  readonly rows: number | null;
}

/** so many events make a part: a second's work, and some 10 MB of rows */
const eventsOfPart = 25_000;
const mostParts = 10_000;

/** The parts that a fill of a table was divided into when it began: ranges of streams between bounds, or the whole log. */
export function partsOf(db: pg.Pool, table: string, bounds: readonly string[]): Promise<Part[]> {
  return inTransaction(db, async (client) => {
    await client.query(`select pg_advisory_xact_lock(hashtext('run-ledger fill'))`);
    const known = await knownParts(client, table);
    if (known.length > 0) return known;
    await client.query(
      `insert into fill_parts (read_model, part, from_stream, before_stream)
       select $1, part, from_stream, before_stream
       from unnest($2::text[], $3::text[]) with ordinality as ranges (from_stream, before_stream, part)`,
      [table, [null, ...bounds], [...bounds, null]],
    );
    return knownParts(client, table);
  });
}

/** Where to cut the streams of so many events; undefined when the store has them in the order of the log only. */
export function boundsOf(store: Pick<EventStore, 'streamBounds'>, upTo: Position, events: number): Promise<string[] | undefined> {
  return store.streamBounds({ upTo, ranges: Math.max(1, Math.min(Math.ceil(events / eventsOfPart), mostParts)) });
}

export async function knownParts(db: pg.Pool | pg.PoolClient, table: string): Promise<Part[]> {
  const { rows } = await db.query<Part>(
    `select part, from_stream as from, before_stream as before, events, rows
     from fill_parts
     where read_model = $1
     order by part`,
    [table],
  );
  return rows;
}

/** Whoever has claimed a part is the only one who writes its rows, until its transaction ends. False when they are there already. */
export async function claim(client: pg.PoolClient, table: string, { part }: Part): Promise<boolean> {
  const { rowCount } = await client.query(
    `select
     from fill_parts
     where read_model = $1
       and part = $2
       and events is null
     for update`,
    [table, part],
  );
  return rowCount === 1;
}

export async function mark(client: pg.PoolClient, table: string, { part }: Part, events: number, rows: number): Promise<void> {
  await client.query(
    `update fill_parts
     set events = $3, rows = $4
     where read_model = $1
       and part = $2`,
    [table, part, events, rows],
  );
}
