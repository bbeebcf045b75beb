import { setMaxListeners } from 'node:events';
import type pg from 'pg';
import type { SealedRanges } from './audit/sealed-ranges.js';
import { SystemClock } from './clock.js';
import type { CommandPorts } from './commands/catalogue.js';
import type { Dispatch } from './commands/dispatch.js';
import { Ledger } from './commands/ledger.js';
import { Turns } from './commands/turns.js';
import type { ServerConfig } from './config.js';
import { createPool } from './database.js';
import type { EventStore } from './event-store/event-store.js';
import type { StoredLog } from './event-store/stored-log.js';
import { operations } from './events/evolve-operations.js';
import { operationsStream } from './events/operations.js';
import { followLog } from './followed-log.js';
import { IdempotencyKeys } from './idempotency-keys.js';
import type { Log } from './log.js';
import { ManualClock } from './manual-clock.js';
import { migrate } from './migrator.js';
import { ownDatabase, type OpenedStore, type OpenStore } from './open-store.js';
import { policiesOfTheLedger } from './policies/all.js';
import { projectionsOfTheLedger } from './projections/all.js';
import { AsOfSchemas } from './projections/side-schemas/as-of-schemas.js';
import { DueHeartbeatsQueries } from './projections/due-heartbeats.js';
import { DueRetriesQueries } from './projections/due-retries.js';
import { PolicyIndexQueries } from './projections/policy-index.js';
import type { AnyProjection } from './projections/projection.js';
import { LogPages } from './projections/projector/log-pages.js';
import { Owners } from './projections/projector/owner.js';
import { ParkedStreams } from './projections/projector/parked.js';
import { thisProcess } from './projections/projector/process-identity.js';
import { Progress } from './projections/projector/progress.js';
import { Projectors } from './projections/projector/projectors.js';
import { ReadModels } from './projections/read-models.js';
import { DueRoutinesQueries } from './projections/routines/due-routines.js';
import { ReadyRunsQueries } from './projections/ready-runs.js';
import { RunStatusQueries } from './projections/run-queries.js';
import { SecretKey } from './webhooks/secret-key.js';
import { Webhooks } from './webhooks/webhooks.js';
import { Bells, dueBells } from './workers/bells.js';
import { expiry, longGone } from './workers/expiry.js';
import { heartbeats } from './workers/heartbeats.js';
import { PostgresLeases } from './workers/leases.js';
import { logFollower } from './workers/log-follower.js';
import { runLoop, type Loop } from './workers/loop.js';
import { AllParkedReactions } from './workers/parked-reactions.js';
import { MoveWatch } from './workers/move-watch.js';
import { PolicyRunner } from './workers/policy-runner.js';
import { ProcessBeat } from './workers/process-beat.js';
import { promoter } from './workers/promoter.js';
import { Reaper } from './workers/reaper.js';
import { RebuildTables } from './workers/rebuild-tables.js';
import { Rebuilder } from './workers/rebuilder.js';
import { scheduler } from './workers/scheduler.js';
import { sealer } from './workers/sealer.js';
import { silenceWatch } from './workers/silence-watch.js';

interface Settings extends Pick<ServerConfig, 'roles' | 'clock'>, Partial<Pick<ServerConfig, 'auditKey' | 'secretKey' | 'home'>> {
  /** default: events are kept in the ledger's own database */
  readonly openStore?: OpenStore;
}

/**
 * Everything that one process of the ledger is made of, put together without a container: connections, store, decisions, read models
 * and loops. What it has started, `stop` ends, in the reverse order.
 */
export class LedgerProcess implements CommandPorts {
  readonly bells = new Bells();
  readonly promotions = new Turns();
  readonly reads: pg.Pool;
  readonly clock: SystemClock | ManualClock;
  readonly store: EventStore;
  /** the same log, as it is written */
  readonly storedLog: StoredLog;
  readonly ranges: SealedRanges;
  /** where the log is, as it may be shown; undefined: in the ledger's own database */
  readonly elsewhere: string | undefined;
  readonly leases: PostgresLeases;
  readonly keys: IdempotencyKeys;
  readonly ledger: Ledger;
  readonly webhooks: Webhooks;
  readonly readModels: ReadModels;
  readonly progress: Progress;
  readonly dueRetries: DueRetriesQueries;
  readonly readyRuns: ReadyRunsQueries;
  readonly parking: ParkedStreams;
  readonly sideSchemas: AsOfSchemas;
  readonly reactions: AllParkedReactions;
  /** empty without the role policies */
  policies: readonly PolicyRunner[] = [];
  private readonly pools: readonly pg.Pool[];
  /** of signs of life, of which the last may be lost */
  private readonly beats: pg.Pool;
  /** of projectors and policies */
  private readonly catchUp: pg.Pool;
  /** of rebuilds, whose statements may take long */
  private readonly rebuilds: pg.Pool;
  private readonly pages: LogPages;
  private readonly opened: OpenedStore;
  private readonly me = thisProcess();
  private readonly owners: Owners;
  private readonly signOfLife: ProcessBeat;
  private readonly projectors: Projectors;
  private readonly moves: MoveWatch;
  private readonly stopping = new AbortController();
  private running: Promise<void>[] = [];
  /** Of the log, for projectors and policies; it ends last, because whatever ends may wait for a read model until then. */
  private readonly leaving = new AbortController();
  private following: Promise<void> | undefined;

  constructor(
    databaseUrl: string,
    private readonly settings: Settings,
    private readonly log: Log,
    /** what it follows and rebuilds */
    readonly projections: readonly AnyProjection[] = projectionsOfTheLedger,
  ) {
    this.reads = createPool(databaseUrl, 'read');
    const loops = createPool(databaseUrl, 'loop');
    this.beats = createPool(databaseUrl, 'beat');
    this.catchUp = createPool(databaseUrl, 'projector');
    this.rebuilds = createPool(databaseUrl, 'admin', 6);
    this.pools = [this.reads, loops, this.beats, this.catchUp, this.rebuilds];
    this.clock =
      settings.clock === 'manual' ? new ManualClock(this.reads, () => this.bells.ringAll(dueBells)) : new SystemClock(this.reads);
    const { openStore = ownDatabase } = settings;
    this.opened = openStore({ databaseUrl, db: this.reads, now: () => this.clock.now(), log });
    this.store = this.opened.store;
    this.storedLog = this.opened.storedLog;
    this.ranges = this.opened.ranges;
    this.elsewhere = this.opened.elsewhere;
    this.leases = new PostgresLeases(loops, this.beats, this.bells);
    this.keys = new IdempotencyKeys(this.reads, { isElsewhere: this.elsewhere !== undefined });
    this.ledger = new Ledger(this.store, this.clock, this.leases);
    const key = new SecretKey(settings.secretKey, settings.home);
    this.webhooks = new Webhooks({ db: this.reads, key, clock: this.clock, streams: this.ledger.streams, log });
    this.readModels = new ReadModels(this.reads, projections);
    this.progress = new Progress(this.reads, this.readModels);
    this.dueRetries = new DueRetriesQueries(this.readModels, this.progress);
    this.readyRuns = new ReadyRunsQueries(this.readModels, this.progress);
    this.pages = new LogPages(this.store);
    this.owners = new Owners(this.catchUp, this.me, () => this.storedLog.id());
    this.signOfLife = new ProcessBeat(this.beats, this.me, settings.roles, this.clock);
    this.moves = new MoveWatch(this.reads, () => this.storedLog.id());
    this.projectors = new Projectors(projections, this.followers());
    this.parking = new ParkedStreams({ ...this.followers(), projections });
    const { reads, store, readModels, rebuilds: db } = this;
    this.reactions = new AllParkedReactions(reads);
    this.sideSchemas = new AsOfSchemas({ db, reads, store, readModels, projections });
  }

  /** Brings the database up to this code, then follows it. */
  async start(): Promise<void> {
    // Every loop waits for its end.
    setMaxListeners(0, this.stopping.signal, this.leaving.signal);
    await migrate(this.reads);
    this.run(await this.clock.start());
    await this.signOfLife.beat();
    await this.followLog();
    this.run(this.signOfLife);
    this.run(this.moves);
    if (this.has('projector') || this.has('policies')) this.following = this.pages.follow(this.leaving.signal);
    if (this.has('projector')) await this.projectors.start();
    if (this.has('projector')) this.run(this.sealer());
    this.run(logFollower(this, await this.store.head()));
    this.run(
      expiry([
        (limit) => this.keys.expire(limit),
        (limit) => this.webhooks.nonces.expire(limit),
        (limit) => this.webhooks.secrets.expire(limit),
        longGone(this.beats, 'workers'),
        longGone(this.beats, 'processes'),
      ]),
    );
  }

  /** Resolves when the ledger goes on in another log than this process works on, with a sentence: it is to stop. */
  get movedAway(): Promise<string> {
    return this.moves.movedAway;
  }

  /** The loops that send commands. */
  startLoops(dispatch: Dispatch): void {
    const runs = new RunStatusQueries(this.readModels);
    if (this.has('policies')) this.startPolicies(dispatch);
    if (this.has('projector')) this.running.push(this.rebuilder(dispatch).run(this.stopping.signal));
    if (this.has('promoter')) this.run(promoter({ ...this.ports(), dispatch }));
    if (this.has('scheduler')) this.startTimers(dispatch);
    if (!this.has('reaper')) return;
    this.run(silenceWatch({ dispatch, runs, log: this.log }));
    this.run(new Reaper({ dispatch, runs, leases: this.leases, isByHand: this.settings.clock === 'manual', log: this.log }));
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.running);
    await this.projectors.stop();
    this.leaving.abort();
    await this.following;
    await this.sideSchemas.stop();
    await this.signOfLife.end();
    await this.opened.close();
    await Promise.all(this.pools.map((pool) => pool.end()));
  }

  private async followLog(): Promise<void> {
    const { reads: db, elsewhere, storedLog, me } = this;
    await followLog({ db, elsewhere, id: await storedLog.id(), holder: me.holder });
  }

  private startPolicies(dispatch: Dispatch): void {
    const world = { ...this.followers(), dispatch, index: () => new PolicyIndexQueries(this.readModels) };
    this.policies = policiesOfTheLedger.map((policy) => new PolicyRunner(policy, world));
    this.running.push(...this.policies.map((runner) => runner.run(this.stopping.signal)));
  }

  private startTimers(dispatch: Dispatch): void {
    const { readModels, progress } = this;
    const ports = { ...this.ports(), dispatch };
    this.run(heartbeats({ ...ports, dueHeartbeats: new DueHeartbeatsQueries(readModels, progress) }));
    this.run(scheduler({ ...ports, dueRoutines: new DueRoutinesQueries(readModels, progress) }));
  }

  private rebuilder(dispatch: Dispatch): Rebuilder {
    const { rebuilds: db, store, owners, log, bells, projectors, ledger } = this;
    const tables = new RebuildTables(db);
    const state = () => ledger.streams.state(operations, operationsStream, true);
    const look = () => projectors.look();
    return new Rebuilder(this.projections, { db, store, owners, log, bells, tables, dispatch, operations: state, look });
  }

  private sealer(): Loop {
    const { storedLog: events, ranges, owners, settings } = this;
    return sealer({ events, ranges, key: settings.auditKey, owners });
  }

  private followers() {
    const { catchUp: db, store, pages, owners, progress, log } = this;
    return { db, store, pages, owners, progress, log };
  }

  private ports() {
    const { store, clock, bells, dueRetries, leases, log } = this;
    return { store, clock, bells, dueRetries, leases, log };
  }

  private has(role: Settings['roles'][number]): boolean {
    return this.settings.roles.includes(role);
  }

  private run(loop: Loop): void {
    this.running.push(runLoop(loop, this.stopping.signal, this.log));
  }
}
