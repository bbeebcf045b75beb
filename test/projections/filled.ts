import type pg from 'pg';
import { beginning, type Position, type Recorded } from '../../src/events/event.js';
import type { LedgerEvent } from '../../src/events/ledger-event.js';
import type { EventStore, Write } from '../../src/event-store/event-store.js';
import type { AnyProjection } from '../../src/projections/projection.js';
import { foldLog } from '../../src/projections/projector/fold.js';
import { fill, type Filling } from '../../src/projections/rebuild/fill.js';
import { addIndexes, createTable } from '../../src/projections/rebuild/schema.js';

/** As fast as it can. */
export const unhurried = { take: async () => {} };

/** A fill that nobody watches or slows down. */
export const filling = (
  db: pg.Pool,
  store: EventStore,
  projection: AnyProjection,
  rest: Partial<Filling> & Pick<Filling, 'readModel' | 'upTo'>,
): Filling => ({ db, store, projection, pace: unhurried, signal: new AbortController().signal, moved: () => {}, ...rest });

/** A table with its indexes, filled up to a position. */
export async function filled(db: pg.Pool, store: EventStore, projection: AnyProjection, schema: string, upTo: Position) {
  await createTable(db, projection, schema);
  const came = await fill(filling(db, store, projection, { readModel: schema, upTo }));
  await addIndexes(db, projection, schema);
  return came;
}

export async function rowsOf(db: pg.Pool, { name, key }: AnyProjection, schema: string): Promise<Record<string, unknown>[]> {
  const { rows } = await db.query<Record<string, unknown>>(`select * from ${schema}.${name} order by ${key.join(', ')}`);
  return rows;
}

/** By key, so that rows of a table and rows of a fold can be compared. */
export const byKey = ({ key }: AnyProjection, rows: readonly Record<string, unknown>[]): Map<string, object> =>
  new Map(rows.map((row) => [key.map((column) => String(row[column])).join('\n'), row]));

export const foldedUpTo = (projection: AnyProjection, log: readonly Recorded<LedgerEvent>[], upTo: Position) =>
  foldLog(
    projection,
    log.filter(({ position }) => position <= upTo),
  );

export const wholeLog = (store: EventStore): Promise<Recorded<LedgerEvent>[]> =>
  store.readAll<LedgerEvent>({ after: beginning, limit: 1_000_000 });

/** A handler that cannot fold the event of this id. */
export const refuse = (id: string) => (event: { id: string }) => {
  if (event.id === id) throw new TypeError('no such place');
  return [];
};

/** Fails when a write was not taken. */
export async function appendAll(store: EventStore, writes: readonly Write<LedgerEvent>[]): Promise<void> {
  for (const result of await store.append(writes)) expect(result).toMatchObject({ outcome: 'appended' });
}

/**
 * Writes every event of the log so many times more, each time for companies of their own. By hand, because to append them takes long.
 */
export async function multiply(db: pg.Pool, times: number): Promise<void> {
  await db.query(
    `insert into events (position, stream, revision, id, type, schema, data, metadata, recorded_at)
     select
       event.position + copy * head.position,
       regexp_replace(stream, '^(\\w+-\\w+)', '\\1-' || copy), revision,
       gen_random_uuid(), type, schema, data, metadata, recorded_at
     from events event
     cross join (select max(position) as position from events) head
     cross join generate_series(1, $1) copy
     order by 1`,
    [times],
  );
}
