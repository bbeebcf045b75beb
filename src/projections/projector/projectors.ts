import { setMaxListeners } from 'node:events';
import { install } from './install.js';
import type { AnyProjection } from '../projection.js';
import { Projector, type ProjectorWorld } from './projector.js';

/** The projectors of this process: of each projection one, that works or stands by. */
export class Projectors {
  private readonly stopping = new AbortController();
  private running: Promise<void>[] = [];

  constructor(
    private readonly projections: readonly AnyProjection[],
    private readonly world: ProjectorWorld,
  ) {}

  /** Resolves when the tables are there; the rows follow. */
  async start(): Promise<void> {
    const { signal } = this.stopping;
    // Each projector waits for its end.
    setMaxListeners(0, signal);
    const projectors: Projector<Record<string, unknown>>[] = [];
    for (const projection of this.projections)
      projectors.push(new Projector(projection, await install(this.world.db, projection), this.world));
    this.running = projectors.map((projector) => projector.run(signal));
  }

  /** Each batch in hand is written, and ownership given back, so that another process goes on at once. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.running);
  }
}
