import type pg from 'pg';
import { Contention, OutcomeUnknown, type CommandContext, type Sendable } from '../commands/decider.js';
import type { Dispatch } from '../commands/dispatch.js';
import { recordComparison, recordFailure, recordFilled } from '../commands/operations/rebuild-steps.js';
import { isOutage } from '../database.js';
import { nameUuid, type Position, type Recorded } from '../events/event.js';
import {
  operationsStream,
  type KnownReadModel,
  type Operations,
  type OperationsEvent,
  type Rebuild,
  type RebuildStarted,
  type ReadModelName,
} from '../events/operations.js';
import { StoreUnavailable, type EventStore } from '../event-store/event-store.js';
import type { Log } from '../log.js';
import { backOff, pause } from '../pause.js';
import type { AnyProjection } from '../projections/projection.js';
import { checkpointAt } from '../projections/projector/checkpoint.js';
import type { Owners, Ownership } from '../projections/projector/owner.js';
import { TermOver } from '../projections/projector/projector-term.js';
import { compare, compareAsTheyAre } from '../projections/rebuild/compare.js';
import { fill } from '../projections/rebuild/fill.js';
import { addIndexes, createReadModel } from '../projections/rebuild/schema.js';
import { RatePace } from './rebuild-pace.js';
import { RebuildProgress } from './rebuild-progress.js';
import type { RebuildTables, Standing } from './rebuild-tables.js';

/** What the rebuilds of a process share. */
export interface RebuildWorld {
  /** connections that may be silent for long: `admin` */
  readonly db: pg.Pool;
  readonly store: EventStore;
  readonly owners: Owners;
  readonly tables: RebuildTables;
  readonly dispatch: Pick<Dispatch, 'send'>;
  /** as the store has it now */
  readonly operations: () => Promise<Operations>;
  /** Lets this process's projectors see at once what was made. */
  readonly look: () => Promise<void>;
  readonly log: Log;
}

const waits = { firstMs: 200, mostMs: 5_000 };
const askEveryMs = 100;

/** The name under which the work on a rebuild is owned. */
export const rebuildOwner = (rebuild: ReadModelName): string => `rebuild ${rebuild}`;

/**
 * The work on one rebuild, from where the record says that it is to the recorded comparison. Of all processes that know both versions one
 * does it, and when it is gone another goes on. What may go away is waited for; anything else is recorded as the rebuild's failure.
 */
export class RebuildWork {
  readonly pace: RatePace;
  private readonly stopping = new AbortController();
  private readonly progress: RebuildProgress;
  private readonly name: ReadModelName;
  private readonly rebuild: Rebuild;
  private trouble: string | undefined;
  private failure: string | undefined;

  constructor(
    { name, rebuild }: KnownReadModel,
    private readonly projection: AnyProjection,
    private readonly live: AnyProjection,
    private readonly world: RebuildWorld,
  ) {
    this.name = name;
    this.rebuild = rebuild!;
    this.pace = new RatePace(this.rebuild.eventsPerSecond);
    this.progress = new RebuildProgress(world.db, name);
  }

  /** Ends when there is nothing left to do, or early with `signal`, or when it is stopped; never by an error. */
  async run(signal: AbortSignal): Promise<void> {
    const until = AbortSignal.any([signal, this.stopping.signal]);
    for (let failures = 0; !until.aborted; failures++)
      try {
        if (await this.own(until)) return;
      } catch (error) {
        if (until.aborted) return;
        await this.meet(error);
        await pause(backOff(failures, waits), until);
      }
  }

  /** It is paused, or is to be no more. */
  stop(): void {
    this.stopping.abort();
  }

  /** False when the work, or a part of it, was lost to somebody else, who may lose it as well. */
  private async own(until: AbortSignal): Promise<boolean> {
    const ownership = await this.world.owners.acquire(rebuildOwner(this.name), until);
    if (!ownership) return true;
    try {
      await this.goOn(AbortSignal.any([until, ownership.signal]));
      return true;
    } catch (error) {
      if (!ownership.isHeld() || (wasAborted(error) && !until.aborted)) return false;
      throw error;
    } finally {
      await this.giveBack(ownership);
    }
  }

  private async giveBack(ownership: Ownership): Promise<void> {
    await ownership.release().catch(() => {});
  }

  private async goOn(until: AbortSignal): Promise<void> {
    if (this.failure !== undefined) return this.record('failed', recordFailure, { error: this.failure });
    const status = (await this.world.operations()).readModels[this.name]?.rebuild?.status;
    if (status === 'filling') await this.fill(until);
    if (status === 'filling' || status === 'filled') await this.compare(until);
  }

  private async fill(signal: AbortSignal): Promise<void> {
    const { db, store } = this.world;
    const { name: readModel, projection, pace, rebuild, progress } = this;
    await progress.begin('filling');
    const at = checkpointAt(await this.start());
    await createReadModel(db, projection, { readModel, generation: rebuild.generation, filling: true, at });
    const moved = (done: number, total?: number) => {
      this.recovered();
      progress.moved(done, total);
    };
    const filled = await fill({ db, store, projection, readModel, upTo: at.position, pace, signal, moved });
    await progress.begin('indexing');
    await addIndexes(db, projection, readModel);
    await this.record('filled', recordFilled, { position: at.position, ...filled });
  }

  /** The event that it began with: up to there it is filled, however often that is begun. */
  private async start(): Promise<Recorded<RebuildStarted>> {
    const doings = await this.world.store.readStream<OperationsEvent>(operationsStream, { direction: 'backwards' });
    const start = doings.find((event): event is Recorded<RebuildStarted> => isStartOf(event, this.name));
    if (start) return start;
    throw new Error(`the log does not say that the rebuild of ${this.name} was started`);
  }

  private async compare(signal: AbortSignal): Promise<void> {
    const { db, store, owners } = this.world;
    const { name: rebuilt, projection, rebuild } = this;
    const { liveIsHalted } = await this.catchUp(signal);
    await this.progress.begin('comparing');
    const live = { projection: this.live, readModel: rebuild.beside };
    const comparison = liveIsHalted
      ? await compareAsTheyAre({ db, projection, live, rebuilt })
      : await compare({ db, store, owners, projection, live, rebuilt, signal });
    this.refuseUnfolded((await this.standing()).failure);
    await this.record('compared', recordComparison, { comparison });
  }

  private async standing(): Promise<Standing> {
    const standing = await this.world.tables.standing(this.name, this.rebuild.beside);
    if (standing) return standing;
    throw new Error(`${this.name} or ${this.rebuild.beside} was dropped before they were compared`);
  }

  private async catchUp(signal: AbortSignal): Promise<Standing> {
    const { store, tables, look } = this.world;
    await this.progress.begin('catching_up');
    await tables.follow(this.name);
    await look();
    for (let from: number | undefined; !signal.aborted; await pause(askEveryMs, signal)) {
      const standing = await this.standing();
      this.refuseUnfolded(standing.failure);
      this.recovered();
      if (standing.caughtUp || standing.liveIsHalted) return standing;
      const count = (upTo: Position) => store.count({ upTo });
      from ??= await count(standing.position);
      if (this.progress.isDue)
        this.progress.moved((await count(standing.position)) - from, (await count(standing.livePosition)) - from);
    }
    throw signal.reason;
  }

  /** A projector leaves aside what it cannot fold, or halts; a rebuild fails. */
  private refuseUnfolded(failure: string | null): void {
    if (failure) throw new Error(failure);
  }

  /** The same step twice is the same command. */
  private async record<C extends object, Answer>(step: string, kind: Sendable<C, Answer>, fields: object): Promise<void> {
    const commandId = nameUuid('rebuild', this.name, step);
    const context: CommandContext = { commandId, actor: { type: 'system', id: 'rebuilder' } };
    // The fields of a command and `rebuild`, which each of them has.
    await this.world.dispatch.send(kind, { rebuild: this.name, ...fields } as { [Field in keyof C]?: unknown }, context);
  }

  private async meet(error: unknown): Promise<void> {
    const message = error instanceof Error ? error.message : String(error);
    if (!mayGoAway(error)) {
      this.failure ??= message;
      this.world.log.error(`the rebuild of ${this.name} fails: ${message}`);
      return;
    }
    const sentence = isFull(error)
      ? `Postgres has no room left (${message}): make room on its disk; the rebuild goes on by itself`
      : `the database does not answer as it should (${message}): the rebuild goes on by itself when it does`;
    if (!this.trouble) this.world.log.warn(`the rebuild of ${this.name} waits: ${sentence}`);
    this.trouble = sentence;
    await this.progress.trouble(sentence);
  }

  private recovered(): void {
    if (this.trouble) this.world.log.info(`the rebuild of ${this.name} goes on`);
    this.trouble = undefined;
  }
}

const isStartOf = (event: OperationsEvent, rebuild: ReadModelName): boolean =>
  event.type === 'RebuildStarted' && event.data.rebuild === rebuild;

const wasAborted = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'name' in error && error.name === 'AbortError';

const mayGoAway = (error: unknown): boolean =>
  isOutage(error) ||
  error instanceof StoreUnavailable ||
  error instanceof OutcomeUnknown ||
  error instanceof Contention ||
  error instanceof TermOver;

/** disk_full: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const isFull = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === '53100';
