import { isGone, isUnderWay, type KnownReadModel, type Operations, type ReadModelName } from '../events/operations.js';
import type { AnyProjection } from '../projections/projection.js';
import { projectorOf } from '../projections/projector/projector.js';
import { dropUnlessRead } from '../projections/rebuild/schema.js';
import { operationsBell, type Bells } from './bells.js';
import { runLoop, type Loop } from './loop.js';
import { rebuildOwner, RebuildWork, type RebuildWorld } from './rebuild-work.js';

interface AtWork {
  readonly work: RebuildWork;
  readonly running: Promise<void>;
}

/** Each may hold some hundred MB of rows. */
const atOnce = 2;
const lookEveryMs = 1_000;
/** Two read models that are followed under load are even now and then; one that does not go on may be waited for long. */
const settleEveryMs = 20;
const settleQuickly = 500;
/** How long what was read of the record is acted upon. */
const trustedMs = 5_000;
/** Whoever still works on what is to be dropped notices within moments. */
const handOverMs = 100;

/**
 * Makes of the read models what the record of operations says that they are to be: works on rebuilds, lets be asked what was cut over to,
 * drops what is to be no more. What was cut off at any point is found undone, and done, by whoever looks next.
 */
export class Rebuilder implements Loop {
  readonly name = 'the rebuilder';
  private readonly atWork = new Map<ReadModelName, AtWork>();
  /** how often in a row something was not asked yet that is to be */
  private unsettled = 0;
  /** what is to be dropped, and is being read for long */
  private readonly readStill = new Set<ReadModelName>();

  constructor(
    private readonly projections: readonly AnyProjection[],
    private readonly world: RebuildWorld & { readonly bells: Bells },
  ) {}

  /** Ends with `signal`, and never by an error. */
  async run(signal: AbortSignal): Promise<void> {
    await runLoop(this, signal, this.world.log);
    await Promise.all([...this.atWork.values()].map(({ running }) => running));
  }

  async turn(signal: AbortSignal): Promise<void> {
    const asked = performance.now();
    const state = await this.world.operations();
    await this.reconcile(state, signal);
    // After a standstill the record may be another by now.
    if (performance.now() - asked > trustedMs) return;
    this.unsettled = (await this.world.tables.settleLive(state)) ? 0 : this.unsettled + 1;
    await this.drop(state);
    const isQuick = this.unsettled > 0 && this.unsettled < settleQuickly;
    await this.world.bells.wait(operationsBell, isQuick ? settleEveryMs : lookEveryMs, signal);
  }

  private async reconcile(state: Operations, signal: AbortSignal): Promise<void> {
    const toDo = Object.values(state.readModels).filter(isToDo);
    for (const [name, { work }] of this.atWork) if (!toDo.some((known) => known.name === name)) work.stop();
    for (const known of toDo) {
      const atWork = this.atWork.get(known.name);
      if (atWork) atWork.work.pace.eventsPerSecond = known.rebuild!.eventsPerSecond;
      else if (this.atWork.size < atOnce) await this.begin(known, signal);
    }
  }

  /** Only by a process that knows both versions. */
  private async begin(known: KnownReadModel, signal: AbortSignal): Promise<void> {
    const { beside, version } = known.rebuild!;
    const projection = this.definition({ name: known.projection, version });
    const live = this.definition(await this.world.tables.versionOf(beside));
    if (!projection || !live) return;
    const work = new RebuildWork(known, projection, live, this.world);
    const running = work.run(signal).finally(() => this.atWork.delete(known.name));
    this.atWork.set(known.name, { work, running });
  }

  private definition(of: { name: string; version: number } | undefined): AnyProjection | undefined {
    return this.projections.find(({ name, version }) => name === of?.name && version === of.version);
  }

  /** First nobody follows them any more, and a little later, when nobody asks them either, they go. */
  private async drop(state: Operations): Promise<void> {
    const gone = (await this.world.tables.known()).filter(({ readModel }) => isGone(state, readModel));
    if (gone.length === 0) return;
    if (await this.world.tables.leave(gone.map(({ readModel }) => readModel))) await this.world.look();
    for (const { readModel, isLeft } of gone) if (isLeft) await this.dropOne(readModel);
  }

  private async dropOne(readModel: ReadModelName): Promise<void> {
    const { owners, db, tables } = this.world;
    const ownership = await owners.acquire(rebuildOwner(readModel), AbortSignal.timeout(handOverMs));
    if (!ownership) return;
    try {
      if (!(await dropUnlessRead(db, readModel))) return this.sayReadStill(readModel);
    } finally {
      await ownership.release();
    }
    this.readStill.delete(readModel);
    await tables.forgetOwners([rebuildOwner(readModel), projectorOf(readModel)]);
  }

  /** Nothing else waits for whoever reads it. */
  private sayReadStill(readModel: ReadModelName): void {
    if (!this.readStill.has(readModel)) this.world.log.info(`${readModel} goes when the query is over that is reading it`);
    this.readStill.add(readModel);
  }
}

const isToDo = (known: KnownReadModel): boolean =>
  isUnderWay(known) && !known.rebuild!.paused && (known.rebuild!.status === 'filling' || known.rebuild!.status === 'filled');
