import { sql } from 'kysely';
import type { Position } from '../events/event.js';
import type { ReadModels } from './read-models.js';

/** A version of a projection, and how far it has come. */
export interface CheckpointView {
  readonly name: string;
  readonly version: number;
  /** this version is the one that is asked */
  readonly live: boolean;
  readonly position: Position;
  readonly movedAt: string;
  /** why it does not go on */
  readonly halted?: string;
  /** streams that it could not fold */
  readonly parkedStreams: number;
}

export class CheckpointQueries {
  constructor(private readonly readModels: ReadModels) {}

  /** By name and version. */
  async list(): Promise<CheckpointView[]> {
    const { rows } = await sql<CheckpointView & { halted: string | null }>`
      select
        projection as name,
        checkpoint.version,
        live.version is not null as live,
        position,
        moved_at as "movedAt",
        halted,
        (
          select count(*)
          from parked_streams parked
          where parked.read_model = checkpoint.read_model
        ) as "parkedStreams"
      from checkpoints checkpoint
      left join projection_versions live using (projection, version)
      order by projection, checkpoint.version`.execute(this.readModels.kysely);
    return rows.map(({ halted, ...row }) => ({ ...row, ...(halted && { halted }) }));
  }
}
