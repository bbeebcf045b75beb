import type pg from 'pg';
import type { Position, StreamId } from '../../events/event.js';
import type { EventStore } from '../../event-store/event-store.js';
import type { Owners } from './owner.js';
import { projectorOf } from './projector.js';
import { readModelOf, type Projection } from '../projection.js';
import { ProjectorTerm } from './projector-term.js';

/** A stream that a read model could not fold, from an event on. */
export interface ParkedStream {
  readonly stream: StreamId;
  readonly position: Position;
  readonly revision: number;
  readonly eventId: string;
  readonly error: string;
  readonly parkedAt: string;
}

const shownAtOnce = 1_000;

/** The first thousand, the oldest first. */
export async function parkedStreams(db: pg.Pool, readModel: string): Promise<ParkedStream[]> {
  const { rows } = await db.query<ParkedStream>(
    `select stream, position, revision, event_id as "eventId", error, parked_at as "parkedAt"
     from parked_streams
     where read_model = $1
     order by parked_at, stream
     limit $2`,
    [readModel, shownAtOnce],
  );
  return rows;
}

/**
 * Folds a parked stream again, after the fold was mended; answers how many events were folded. The read model's projector is put off for
 * the moment that it takes, in whatever process it is.
 * @throws Unfoldable when it still does not work: the stream stays parked
 */
export async function retryParked<Row extends object>(
  { db, store, owners }: { db: pg.Pool; store: EventStore; owners: Owners },
  projection: Projection<Row>,
  stream: StreamId,
): Promise<number> {
  const readModel = readModelOf(projection);
  const ownership = await owners.seize(projectorOf(readModel));
  try {
    const term = await ProjectorTerm.begin(db, store, projection, readModel, ownership.term);
    const revision = await parkedFrom(db, readModel, stream);
    return revision === undefined ? 0 : await term.unpark(stream, revision);
  } finally {
    await ownership.release();
  }
}

async function parkedFrom(db: pg.Pool, readModel: string, stream: StreamId): Promise<number | undefined> {
  const { rows } = await db.query<{ revision: number }>(
    'select revision from parked_streams where read_model = $1 and stream = $2',
    [readModel, stream],
  );
  return rows[0]?.revision;
}
