import type pg from 'pg';
import type { Position } from '../../events/event.js';
import type { EventStore } from '../../event-store/event-store.js';
import type { Log } from '../../log.js';
import { backOff, pause } from '../../pause.js';
import { Halted, recordHalt } from './checkpoint.js';
import type { LogPages, Page } from './log-pages.js';
import type { Owners, Ownership } from './owner.js';
import type { Progress } from './progress.js';
import type { Projection } from '../projection.js';
import { ProjectorTerm, TermOver, Unfoldable } from './projector-term.js';

/** What the projectors of a process share. */
export interface ProjectorWorld {
  /** the database of the read models */
  readonly db: pg.Pool;
  readonly store: EventStore;
  /** whoever made them follows the log */
  readonly pages: LogPages;
  readonly owners: Owners;
  readonly progress: Progress;
  /** What an operator should know: once when it begins, once when it is over. */
  readonly log: Log;
}

const largestBatch = 5_000;
const waits = { firstMs: 200, mostMs: 10_000 };
const haltedWaitMs = 30_000;

/** The name under which a read model's projector is owned. */
export const projectorOf = (readModel: string): string => `projector ${readModel}`;

/** Keeps one read model up to date, as long as this process owns it. Ends with `signal`, and never by an error. */
export class Projector<Row extends object> {
  /** halved while an event that cannot be folded is looked for */
  private batch = largestBatch;
  private trouble: string | undefined;
  private failures = 0;
  private term: ProjectorTerm<Row> | undefined;
  private startingOver = new AbortController();

  constructor(
    private readonly projection: Projection<Row>,
    private readonly readModel: string,
    private readonly world: ProjectorWorld,
  ) {}

  /** Where it is, as far as it knows; only while it owns the read model. */
  get position(): Position | undefined {
    return this.term?.position;
  }

  /** Goes on from where the database has the checkpoint: a crash of Postgres may have taken back what had been written last. */
  startOver(): void {
    this.startingOver.abort();
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const wait = await this.own(signal);
      await pause(wait, signal);
    }
  }

  /** One term, from the wait for it to its end; answers how long to stay away, in ms. */
  private async own(signal: AbortSignal): Promise<number> {
    let ownership: Ownership | undefined;
    try {
      ownership = await this.world.owners.acquire(projectorOf(this.readModel), signal);
      if (ownership) await this.follow(ownership, signal);
      return 0;
    } catch (error) {
      return this.stayAway(error, ownership);
    } finally {
      this.term = undefined;
      this.world.pages.leave(this);
      this.world.progress.leave(this.readModel);
      await ownership?.release().catch(() => {});
    }
  }

  private async follow(ownership: Ownership, signal: AbortSignal): Promise<void> {
    const { db, store, pages, progress } = this.world;
    this.startingOver = new AbortController();
    const until = AbortSignal.any([signal, ownership.signal, this.startingOver.signal]);
    const term = await ProjectorTerm.begin(db, store, this.projection, this.readModel, ownership.term);
    this.term = term;
    while (!until.aborted) {
      progress.moved(this.readModel, term.position);
      const page = await pages.after(this, term.position, this.batch, until);
      if (page.length > 0) await this.advance(term, page);
    }
  }

  private async advance(term: ProjectorTerm<Row>, page: Page): Promise<void> {
    try {
      await term.advance(page);
      this.batch = Math.min(this.batch * 2, largestBatch);
      this.recovered();
    } catch (error) {
      if (!(error instanceof Unfoldable)) throw error;
      term.forgetRows();
      if (page.length > 1) this.batch = Math.ceil(page.length / 2);
      else await this.park(term, page[0]!, error);
    }
  }

  private async park(term: ProjectorTerm<Row>, event: Page[number], cause: Unfoldable): Promise<void> {
    await term.park(event, cause);
    this.world.log.error(
      `${this.readModel}: ${event.stream} is parked from revision ${event.revision} (${event.type}) on: ${cause.message}`,
    );
  }

  private stayAway(error: unknown, ownership: Ownership | undefined): number {
    if (error instanceof TermOver) return 0;
    const reason = error instanceof Error ? error.message : String(error);
    if (!this.trouble) this.world.log[error instanceof Halted ? 'error' : 'warn'](`${this.readModel} does not go on: ${reason}`);
    this.trouble = reason;
    if (error instanceof Halted && ownership) {
      void recordHalt(this.world.db, this.readModel, ownership.term, reason).catch(() => {});
      return haltedWaitMs;
    }
    return backOff(this.failures++, waits);
  }

  private recovered(): void {
    if (this.trouble) this.world.log.info(`${this.readModel} goes on`);
    this.trouble = undefined;
    this.failures = 0;
  }
}
