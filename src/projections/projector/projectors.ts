import { setMaxListeners } from 'node:events';
import { pause } from '../../pause.js';
import type { AnyProjection } from '../projection.js';
import { install } from './install.js';
import { Projector, type ProjectorWorld } from './projector.js';

interface Following {
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

  /** Sees at once what was made or dropped. */
  async look(): Promise<void> {
    const { rows } = await this.world.db.query<{ readModel: string; projection: string; version: number }>(
      `select read_model as "readModel", projection, version
       from checkpoints
       where not filling`,
    );
    const known = rows.flatMap(({ readModel, ...of }) => {
      const projection = this.definition(of);
      return projection ? [{ readModel, projection }] : [];
    });
    for (const { readModel, projection } of known) if (!this.following.has(readModel)) this.follow(readModel, projection);
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

  private definition({ projection, version }: { projection: string; version: number }): AnyProjection | undefined {
    return this.projections.find((known) => known.name === projection && known.version === version);
  }

  private follow(readModel: string, projection: AnyProjection): void {
    if (this.stopping.signal.aborted) return;
    const stopping = new AbortController();
    // Whatever it waits for waits for its end.
    setMaxListeners(0, stopping.signal);
    const running = new Projector(projection, readModel, this.world).run(stopping.signal);
    this.following.set(readModel, { stopping, running });
  }

  private async leave(readModel: string): Promise<void> {
    const left = this.following.get(readModel);
    if (!left) return;
    left.stopping.abort();
    await left.running;
    this.following.delete(readModel);
  }
}
