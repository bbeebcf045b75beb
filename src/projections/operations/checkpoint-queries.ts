import { sql } from 'kysely';
import type { Position } from '../../events/event.js';
import type { ReadModelName } from '../../events/operations.js';
import type { LogEnd } from '../log-end.js';
import type { ReadModels } from '../read-models.js';
import { versionNotes } from './version-notes.js';

/** A read model: a version of a projection, built for the first time or anew, and how far it has come. */
export interface CheckpointView {
  /** the projection's */
  readonly name: string;
  readonly version: number;
  readonly generation: number;
  readonly readModel: ReadModelName;
  /** this one is asked */
  readonly live: boolean;
  readonly liveSince?: string;
  /** its rows are not complete yet */
  readonly filling?: true;
  readonly position: Position;
  readonly movedAt: string;
  /** why it does not go on */
  readonly halted?: string;
  /** streams that it could not fold */
  readonly parkedStreams: number;
}

/** Events of the log that it does not show yet; not of one that is filled. */
export interface LaggingCheckpoint extends CheckpointView {
  readonly lag?: number;
}

export const withLags = (views: readonly CheckpointView[], end: LogEnd): Promise<LaggingCheckpoint[]> =>
  Promise.all(views.map(async (view) => (view.filling ? view : { ...view, lag: await end.behind(view.position) })));

export class CheckpointQueries {
  constructor(private readonly readModels: ReadModels) {}

  /** What an operator should know of the versions that there are, as sentences. */
  notes(): Promise<string[]> {
    return versionNotes(this.readModels);
  }

  /** By name, version and generation; of one projection, or of all. */
  async list(projection?: string): Promise<CheckpointView[]> {
    const { rows } = await sql<Row>`
      select
        checkpoint.projection as name,
        checkpoint.version,
        generation,
        read_model as "readModel",
        live.read_model is not null as live,
        live_since as "liveSince",
        filling,
        position,
        moved_at as "movedAt",
        halted,
        (
          select count(*)
          from parked_streams parked
          where parked.read_model = checkpoint.read_model
        ) as "parkedStreams"
      from checkpoints checkpoint
      left join projection_versions live using (read_model)
      where checkpoint.projection = coalesce(${projection ?? null}, checkpoint.projection)
      order by checkpoint.projection, checkpoint.version, generation`.execute(this.readModels.kysely);
    return rows.map(({ liveSince, filling, halted, ...row }) => ({
      ...row,
      ...(liveSince && { liveSince }),
      ...(filling && { filling }),
      ...(halted && { halted }),
    }));
  }
}

type Row = Omit<CheckpointView, 'liveSince' | 'filling' | 'halted'> & {
  readonly liveSince: string | null;
  readonly filling: boolean;
  readonly halted: string | null;
};
