import { setMaxListeners } from 'node:events';
import { beginning, type Position } from '../../events/event.js';
import { pause } from '../../pause.js';
import type { AnyProjection } from '../projection.js';
import { install } from './install.js';
import { Projector, type ProjectorWorld } from './projector.js';

interface Following {
  readonly projector: Projector<Record<string, unknown>>;
  readonly stopping: AbortController;
  readonly running: Promise<void>;
}

const lookEveryMs = 1_000;

/**
 * The projectors of this process: of each read model that is filled, and whose definition this process has, one that works or stands by.
 * Read models come and go with rebuilds, in whatever process they are made.
 */
export class Projectors {
  private readonly stopping = new AbortController();
  /** by read model */
  private readonly following = new Map<string, Following>();
  private looking: Promise<void> | undefined;

  constructor(
    private readonly projections: readonly AnyProjection[],
    private readonly world: ProjectorWorld,
  ) {}

  /** Resolves when the tables are there; the rows follow. */
  async start(): Promise<void> {
    await install(this.world.db, this.projections);
    await this.look();
    this.looking = this.keepLooking();
  }

  /** Sees at once what was made or dropped, or lost in a crash of Postgres. */
  async look(): Promise<void> {
    const before = new Map([...this.following].map(([readModel, { projector }]) => [readModel, projector.position]));
    const known = await this.known();
    for (const { readModel, projection, position } of known) {
      if (!this.following.has(readModel)) this.follow(readModel, projection);
      if (position < (before.get(readModel) ?? beginning)) this.following.get(readModel)?.projector.startOver();
    }
    const there = new Set(known.map(({ readModel }) => readModel));
    const gone = [...this.following].filter(([readModel]) => !there.has(readModel));
    await Promise.all(gone.map(([readModel]) => this.leave(readModel)));
  }

  /** Each batch in hand is written, and ownership given back, so that another process goes on at once. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.looking;
    await Promise.all([...this.following.keys()].map((readModel) => this.leave(readModel)));
  }

  /** An error of the database is one of each projector too, which says so. */
  private async keepLooking(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      await pause(lookEveryMs, signal);
      if (!signal.aborted) await this.look().catch(() => {});
    }
  }

  private async known(): Promise<{ readModel: string; position: Position; projection: AnyProjection }[]> {
    const { rows } = await this.world.db.query<{ readModel: string; position: Position; projection: string; version: number }>(
      `select read_model as "readModel", position, projection, version
       from checkpoints
       where not filling`,
    );
    return rows.flatMap(({ readModel, position, ...of }) => {
      const projection = this.definition(of);
      return projection ? [{ readModel, position, projection }] : [];
    });
  }

  private definition({ projection, version }: { projection: string; version: number }): AnyProjection | undefined {
    return this.projections.find((known) => known.name === projection && known.version === version);
  }

  private follow(readModel: string, projection: AnyProjection): void {
    if (this.stopping.signal.aborted) return;
    const stopping = new AbortController();
    // Whatever it waits for waits for its end.
    setMaxListeners(0, stopping.signal);
    const projector = new Projector(projection, readModel, this.world);
    this.following.set(readModel, { projector, stopping, running: projector.run(stopping.signal) });
  }

  private async leave(readModel: string): Promise<void> {
    const left = this.following.get(readModel);
    if (!left) return;
    left.stopping.abort();
    await left.running;
    this.following.delete(readModel);
  }
}
