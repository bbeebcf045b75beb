import type pg from 'pg';
import { beginning, type Position, type Recorded, type StreamId } from '../../events/event.js';
import type { EventStore } from '../../event-store/event-store.js';

/** The last event that a read model has folded. */
export interface Checkpoint {
  readonly position: Position;
  readonly eventId: string;
  readonly stream: StreamId | null;
  readonly revision: number | null;
}

export const checkpointAt = ({ position, id, stream, revision }: Recorded): Checkpoint => ({
  position,
  eventId: id,
  stream,
  revision,
});

/** The read model cannot go on, and would do harm if it did: a person must look at it. */
export class Halted extends Error {
  override readonly name = 'Halted';
}

/** From now on only this term moves the checkpoint. Answers undefined when a later term has it already. */
export async function takeCheckpoint(db: pg.Pool, readModel: string, term: number): Promise<Checkpoint | undefined> {
  const { rows } = await db.query<Checkpoint>(
    `update checkpoints
     set term = $2
     where read_model = $1
       and term <= $2
     returning position, event_id as "eventId", stream, revision`,
    [readModel, term],
  );
  return rows[0];
}

/**
 * A log that was restored from an older backup, or another log, does not have the event where it was read. `otherwise` is what helps
 * when the log is right.
 */
export async function refuseAnotherLog(
  store: EventStore,
  reader: string,
  { position, eventId, stream, revision }: Checkpoint,
  otherwise = 'rebuild the read model',
): Promise<void> {
  if (position === beginning || stream === null || revision === null) return;
  const [found] = await store.readStream(stream, { from: revision, to: revision });
  if (found?.id === eventId && found.position === position) return;
  const there = found ? `has event ${found.id} at position ${found.position}` : 'has no such event';
  throw new Halted(
    `${reader} has read event ${eventId} (${stream} revision ${revision}, position ${position}), but the log, whose head is ` +
      `"${await store.head()}", ${there}: it was restored from an older backup, or is another log. ` +
      `Point the ledger at the log that belongs to this database, or ${otherwise}.`,
  );
}

export async function recordHalt(db: pg.Pool, readModel: string, term: number, reason: string): Promise<void> {
  await db.query(
    `update checkpoints
     set halted = $3
     where read_model = $1
       and term = $2`,
    [readModel, term, reason],
  );
}
