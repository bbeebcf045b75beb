import type pg from 'pg';
import type { ProvenMove } from './change-over.js';

/** A move that has happened, and that the new log does not know of yet. */
export interface UntoldMove extends ProvenMove {
  /** of the command that tells it */
  readonly id: string;
}

export async function untoldMove(db: pg.Pool): Promise<UntoldMove | undefined> {
  const { rows } = await db.query<UntoldMove>(
    `select id, from_log as "from", to_log as "to", events, digest, read_models as "readModels"
     from log_moves
     where told_at is null`,
  );
  return rows[0];
}

export async function isTold(db: pg.Pool, { id }: UntoldMove): Promise<void> {
  await db.query('update log_moves set told_at = clock_timestamp() where id = $1', [id]);
}

export async function followedLog(db: pg.Pool): Promise<string | undefined> {
  const { rows } = await db.query<{ id: string }>('select id from followed_log');
  return rows[0]?.id;
}
