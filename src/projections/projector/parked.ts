import type pg from 'pg';
import { Rejected } from '../../commands/decider.js';
import { Parking, type ParkedStream, type Refolding } from '../../commands/operations/parked.js';
import { Turns } from '../../commands/turns.js';
import type { StreamId } from '../../events/event.js';
import type { ReadModelName } from '../../events/operations.js';
import type { EventStore } from '../../event-store/event-store.js';
import type { AnyProjection } from '../projection.js';
import type { Owners } from './owner.js';
import { projectorOf } from './projector.js';
import { ProjectorTerm, TermOver } from './projector-term.js';

const mostTries = 5;

interface ParkedSince extends ParkedStream {
  readonly parkedAt: string;
}

/** With what the event says; without, where the log does not have it. */
export interface ParkedEvent extends ParkedSince {
  readonly type?: string;
  readonly data?: object;
}

interface World {
  readonly db: pg.Pool;
  readonly store: EventStore;
  readonly owners: Owners;
  /** those whose streams may be parked */
  readonly projections: readonly AnyProjection[];
}

/** Puts the projector of the read model off for the moment that it takes, in whatever process it is. */
export class ParkedStreams extends Parking {
  private readonly turns = new Turns();

  constructor(private readonly world: World) {
    super();
  }

  /** With the events that they are parked at, the oldest first: at most `limit`, of `total`; or the one stream. */
  async list(
    readModel: ReadModelName,
    { limit, stream }: { readonly limit: number; readonly stream?: StreamId },
  ): Promise<{ total: number; items: ParkedEvent[] }> {
    const { rows } = await this.world.db.query<ParkedSince & { total: number }>(
      `select
         read_model as "readModel", stream, position, revision, event_id as "eventId", error, parked_at as "parkedAt",
         count(*) over () as total
       from parked_streams
       where read_model = $1
         and stream = coalesce($2, stream)
       order by parked_at, stream
       limit $3`,
      [readModel, stream, limit],
    );
    const items = await Promise.all(rows.map(({ total: _, ...parked }) => this.withEvent(parked)));
    return { total: rows[0]?.total ?? 0, items };
  }

  async find(readModel: ReadModelName, stream: StreamId): Promise<ParkedStream | undefined> {
    const { rows } = await this.world.db.query<ParkedStream>(
      `select read_model as "readModel", stream, position, revision, event_id as "eventId", error
       from parked_streams
       where read_model = $1
         and stream = $2`,
      [readModel, stream],
    );
    return rows[0];
  }

  /** Two at once would take the read model from each other; those of another process are met by trying again. */
  async refold(parked: ParkedStream, refolding: Refolding): Promise<{ error?: string }> {
    const projection = await this.projectionOf(parked.readModel);
    return this.turns.take(parked.readModel, async () => {
      for (let tries = 1; ; tries++) {
        try {
          return await this.refoldOnce(projection, parked, refolding);
        } catch (error) {
          if (!(error instanceof TermOver) || tries === mostTries) throw error;
        }
      }
    });
  }

  private async refoldOnce(
    projection: AnyProjection,
    { readModel, stream, revision, eventId, position }: ParkedStream,
    { skip, record }: Refolding,
  ): Promise<{ error?: string }> {
    const { db, store, owners } = this.world;
    const ownership = await owners.seize(projectorOf(readModel));
    try {
      const term = await ProjectorTerm.begin(db, store, projection, readModel, ownership.term);
      // Somebody else may have done something about it meanwhile.
      if ((await this.find(readModel, stream))?.eventId !== eventId) return {};
      const left = skip === undefined ? undefined : { eventId, position, reason: skip };
      const { stuck } = await term.unpark({ stream, revision, skip: left, record: ({ events }) => record(events) });
      return stuck?.event.id === eventId ? { error: stuck.error } : {};
    } finally {
      await ownership.release();
    }
  }

  private async withEvent(parked: ParkedSince): Promise<ParkedEvent> {
    const { stream, revision } = parked;
    const [event] = await this.world.store.readStream(stream, { from: revision, to: revision });
    return { ...parked, type: event?.type, data: event?.data };
  }

  private async projectionOf(readModel: ReadModelName): Promise<AnyProjection> {
    const { rows } = await this.world.db.query<{ projection: string; version: number }>(
      'select projection, version from checkpoints where read_model = $1',
      [readModel],
    );
    const found = this.world.projections.find(
      ({ name, version }) => name === rows[0]?.projection && version === rows[0]?.version,
    );
    if (found) return found;
    throw new Rejected(
      'projection_not_found',
      `this version of the ledger does not know how to fold ${readModel}: ask a server that follows it`,
    );
  }
}
