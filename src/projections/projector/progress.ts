import type pg from 'pg';
import { beginning, type Position } from '../../events/event.js';
import { areOfOneForm } from '../../events/positions.js';
import { pause } from '../../pause.js';
import type { ReadModels } from '../read-models.js';

/** A read asked for its own write, and the read model did not come so far in time. The same read may be asked again. */
export class ProjectionBehind extends Error {
  override readonly name = 'ProjectionBehind';
  constructor(
    readonly projection: string,
    readonly position: Position,
    readonly wanted: Position,
    waitedMs: number,
  ) {
    super(
      `${projection} is at position "${position}" and did not reach "${wanted}" within ${waitedMs} ms: read again a little later`,
    );
  }
}

const askEveryMs = 20;

/** A command that starts from a read model waits for longer than a reader does: while servers are restarted, its projector changes hands. */
export const patienceOfCommandsMs = 5_000;

/** How far the live read models are: told by this process's projectors, asked of the database for those of others. */
export class Progress {
  private readonly known = new Map<string, Position>();
  private readonly own = new Set<string>();
  private readonly waiting = new Set<() => void>();

  constructor(
    private readonly db: pg.Pool,
    private readonly readModels: ReadModels,
  ) {
    // What breaks connections may have been a crash, and have taken back what was written last: from here on the database says how far it is.
    db.on('remove', () => this.forget());
  }

  /** A projector of this process has written up to here. */
  moved(readModel: string, position: Position): void {
    this.own.add(readModel);
    this.known.set(readModel, position);
    for (const resume of this.waiting) resume();
  }

  /** From now on another process moves it. */
  leave(readModel: string): void {
    this.own.delete(readModel);
    this.known.delete(readModel);
  }

  /** Waits until the live versions of all these projections show the event at `position`. Throws ProjectionBehind. */
  async reached(projections: readonly string[], position: Position, ms = 2_000): Promise<void> {
    const deadline = performance.now() + ms;
    for (const projection of projections) await this.reachedOne(projection, position, deadline, ms);
  }

  private async reachedOne(projection: string, wanted: Position, deadline: number, ms: number): Promise<void> {
    for (;;) {
      const readModel = await this.readModels.nameOf(projection);
      if (!this.own.has(readModel) && !this.isAt(readModel, wanted)) await this.ask(readModel);
      if (this.isAt(readModel, wanted)) return;
      const left = deadline - performance.now();
      if (left <= 0) throw new ProjectionBehind(projection, this.known.get(readModel) ?? beginning, wanted, ms);
      if (this.own.has(readModel)) await this.move(left);
      else await pause(Math.min(askEveryMs, left));
    }
  }

  /** What a log had that the ledger was moved from was all folded before. */
  private isAt(readModel: string, wanted: Position): boolean {
    const known = this.known.get(readModel) ?? beginning;
    return known >= wanted || !areOfOneForm(known, wanted);
  }

  private forget(): void {
    this.known.clear();
    this.own.clear();
  }

  private async ask(readModel: string): Promise<void> {
    const { rows } = await this.db.query<{ position: Position }>(
      `select position
       from checkpoints
       where read_model = $1`,
      [readModel],
    );
    if (rows[0] && !this.own.has(readModel)) this.known.set(readModel, rows[0].position);
  }

  /** Until a projector of this process has moved, or `ms` have passed. */
  private move(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const resume = () => {
        clearTimeout(timer);
        this.waiting.delete(resume);
        resolve();
      };
      const timer = setTimeout(resume, ms);
      this.waiting.add(resume);
    });
  }
}
