import type pg from 'pg';
import type { Position } from '../events/event.js';
import type { Operations, ReadModelName } from '../events/operations.js';

/** Readers ask for a second whatever they have known to be live. */
const askedStillMs = 2_000;

/** How the checkpoints of two read models stand to each other. */
export interface Standing {
  /** the rebuilt one is not behind the other */
  readonly caughtUp: boolean;
  readonly position: Position;
  readonly livePosition: Position;
  /** what the rebuilt one could not fold, or why it does not go on */
  readonly failure: string | null;
  /** the live one does not go on */
  readonly liveIsHalted: boolean;
}

/** What is said of read models in tables beside the log, as rebuilds change it. */
export class RebuildTables {
  constructor(private readonly db: pg.Pool) {}

  async versionOf(readModel: ReadModelName): Promise<{ name: string; version: number } | undefined> {
    const { rows } = await this.db.query<{ name: string; version: number }>(
      'select projection as name, version from checkpoints where read_model = $1',
      [readModel],
    );
    return rows[0];
  }

  /** From now on, projectors follow it. */
  async follow(readModel: ReadModelName): Promise<void> {
    await this.db.query(
      `update checkpoints
       set filling = false, moved_at = clock_timestamp()
       where read_model = $1
         and filling`,
      [readModel],
    );
  }

  async standing(readModel: ReadModelName, live: ReadModelName): Promise<Standing | undefined> {
    const { rows } = await this.db.query<Standing>(
      `select
         rebuilt.position >= live.position as "caughtUp",
         rebuilt.position,
         live.position as "livePosition",
         live.halted is not null as "liveIsHalted",
         coalesce(
           rebuilt.halted,
           (
             select 'it cannot fold ' || stream || ' from revision ' || revision || ' (position ' || position || ') on: ' || error
             from parked_streams
             where read_model = rebuilt.read_model
             order by position
             limit 1
           )
         ) as failure
       from checkpoints rebuilt
       join checkpoints live on live.read_model = $2
       where rebuilt.read_model = $1`,
      [readModel, live],
    );
    return rows[0];
  }

  /** Lets what is live by record be asked, where it is there and not behind what is asked now. False as long as any of it is not asked. */
  async settleLive({ live }: Operations): Promise<boolean> {
    const { rows } = await this.db.query<{ projection: string; readModel: ReadModelName }>(
      `select projection, recorded.read_model as "readModel"
       from unnest($1::text[], $2::text[]) as recorded (projection, read_model)
       join projection_versions asked using (projection)
       where asked.read_model <> recorded.read_model`,
      [Object.keys(live), Object.values(live)],
    );
    const asked = await Promise.all(rows.map(({ projection, readModel }) => this.ask(projection, readModel)));
    return !asked.includes(false);
  }

  /**
   * Nobody is to follow them any more; what is asked stays, whatever the record says, and what a reader may still take for it, and wait
   * for. Answers whether there were any.
   */
  async leave(gone: readonly ReadModelName[]): Promise<boolean> {
    const { rowCount } = await this.db.query(
      `update checkpoints
       set filling = true, moved_at = clock_timestamp()
       where read_model = any ($1)
         and not filling
         and read_model not in (select read_model from projection_versions)
         and not exists (
           select
           from projection_versions asked
           where asked.projection = checkpoints.projection
             and asked.live_since > clock_timestamp() - $2 * interval '1 ms'
         )`,
      [gone, askedStillMs],
    );
    return rowCount !== 0;
  }

  /** Those that are there, with how long nobody has had to do with them. */
  async known(): Promise<{ readModel: ReadModelName; isLeft: boolean }[]> {
    const { rows } = await this.db.query<{ readModel: ReadModelName; isLeft: boolean }>(
      `select read_model as "readModel", filling and moved_at < clock_timestamp() - $1 * interval '1 ms' as "isLeft"
       from checkpoints`,
      [askedStillMs],
    );
    return rows;
  }

  async forgetOwners(names: readonly string[]): Promise<void> {
    await this.db.query('delete from owners where name = any ($1)', [names]);
  }

  /** One statement sees both checkpoints at one moment. */
  private async ask(projection: string, readModel: ReadModelName): Promise<boolean> {
    const { rowCount } = await this.db.query(
      `update projection_versions asked
       set version = next.version, read_model = next.read_model, live_since = clock_timestamp()
       from checkpoints next
       where asked.projection = $1
         and next.read_model = $2
         and not next.filling
         and next.halted is null
         and not exists (
           select
           from checkpoints former
           where former.read_model = asked.read_model
             and former.position > next.position
             and former.halted is null
         )`,
      [projection, readModel],
    );
    return rowCount === 1;
  }
}
