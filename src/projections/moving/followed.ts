import type pg from 'pg';
import { nextGeneration, readModelName, used, type Operations, type ReadModelName } from '../../events/operations.js';
import type { AnyProjection } from '../projection.js';
import type { Checkpoint } from '../projector/checkpoint.js';

/** A read model that projectors follow: what is asked, or may be rolled back to. */
export interface Followed extends Checkpoint {
  readonly readModel: ReadModelName;
  readonly name: string;
  readonly version: number;
  /** why it does not go on */
  readonly halted: string | null;
  /** a process works on it */
  readonly owned: boolean;
  readonly parkedStreams: number;
}

export async function followedReadModels(db: pg.Pool): Promise<Followed[]> {
  const { rows } = await db.query<Followed>(
    `select
       read_model as "readModel", projection as name, version, position, event_id as "eventId", stream, revision, halted,
       exists (
         select
         from owners
         where owners.name = 'projector ' || read_model
           and expires_at > clock_timestamp()
       ) as owned,
       (
         select count(*)
         from parked_streams parked
         where parked.read_model = checkpoints.read_model
       ) as "parkedStreams"
     from checkpoints
     where not filling
     order by projection, version, generation`,
  );
  return rows;
}

export const definitionOf = (projections: readonly AnyProjection[], { name, version }: Followed): AnyProjection | undefined =>
  projections.find((known) => known.name === name && known.version === version);

/** A read model, and what is built anew to stand in its place. */
export interface Successor {
  readonly followed: Followed;
  readonly projection: AnyProjection;
  readonly readModel: ReadModelName;
  readonly generation: number;
}

/** No name is used twice, whatever the record or the database knows. */
export function successorsOf(
  all: readonly (Followed & { readonly projection: AnyProjection })[],
  known: readonly ReadModelName[],
  { generations }: Pick<Operations, 'generations'>,
): Successor[] {
  let names = known.reduce(used, generations);
  return all.map(({ projection, ...followed }) => {
    const base = readModelName(projection.name, projection.version);
    const generation = nextGeneration({ generations: names }, base, followed.readModel);
    const readModel = readModelName(projection.name, projection.version, generation);
    names = used(names, readModel);
    return { followed, projection, readModel, generation };
  });
}
