import { Module, type DynamicModule, type FactoryProvider } from '@nestjs/common';
import { Prover } from './audit/prover.js';
import { Verifier } from './audit/verifier.js';
import { CommandPorts } from './commands/catalogue.js';
import { CommandsModule } from './commands/commands.module.js';
import { examine } from './doctor.js';
import { EventStore } from './event-store/event-store.js';
import { FigureQueries } from './figures.js';
import { AsOf } from './http/as-of.js';
import { HttpModule } from './http/http.module.js';
import { IdempotencyKeys } from './idempotency-keys.js';
import { Doctor } from './http/health.controller.js';
import { LedgerProcess } from './ledger-process.js';
import { ManualClock } from './manual-clock.js';
import { ActivityQueries } from './projections/activity-queries.js';
import { AgentsQueries } from './projections/agent-queries.js';
import { PastQueries } from './projections/as-of/past-queries.js';
import { AsOfSchemas } from './projections/side-schemas/as-of-schemas.js';
import { BlockerGraphQueries } from './projections/blocker-graph.js';
import { CheckpointQueries } from './projections/operations/checkpoint-queries.js';
import { CommentsQueries } from './projections/comment-queries.js';
import { DashboardQueries } from './projections/dashboard-queries.js';
import { KnownProjections } from './projections/operations/known-projections.js';
import { ParkedStreams } from './projections/projector/parked.js';
import { Progress } from './projections/projector/progress.js';
import { RebuildQueries } from './projections/operations/rebuild-queries.js';
import { ReplayQueries } from './projections/replay/replay-queries.js';
import { FiresQueries } from './projections/routines/fire-queries.js';
import { RoutinesQueries } from './projections/routines/routine-queries.js';
import { RunStatusQueries } from './projections/run-queries.js';
import { TasksQueries } from './projections/task-queries.js';
import { WakeupRequestsQueries } from './projections/wakeup-queries.js';
import { WhyQueries } from './projections/why/why-queries.js';
import { TriggerSecrets } from './webhooks/secrets.js';
import { Webhooks } from './webhooks/webhooks.js';
import { LeaseBeats } from './workers/beats.js';
import { AllParkedReactions } from './workers/parked-reactions.js';
import { Bells } from './workers/bells.js';

/** The one module of a process: its parts, for commands and doors to be injected with. */
@Module({})
export class AppModule {
  static of(ledger: LedgerProcess): DynamicModule {
    const parts: DynamicModule = {
      module: Parts,
      providers: [{ provide: LedgerProcess, useValue: ledger }, ...partsOfTheLedger],
      exports: partsOfTheLedger.map(({ provide }) => provide),
    };
    return { module: AppModule, imports: [HttpModule.with(parts, CommandsModule.with(parts))] };
  }
}

class Parts {}

const part = (provide: FactoryProvider['provide'], of: (ledger: LedgerProcess) => object | undefined): FactoryProvider => ({
  provide,
  useFactory: of,
  inject: [LedgerProcess],
});

const partsOfTheLedger = [
  part(CommandPorts, (ledger) => ledger),
  part(EventStore, ({ store }) => store),
  part(Progress, ({ progress }) => progress),
  ...[
    RunStatusQueries,
    WakeupRequestsQueries,
    AgentsQueries,
    TasksQueries,
    BlockerGraphQueries,
    DashboardQueries,
    ActivityQueries,
    CheckpointQueries,
    CommentsQueries,
    RebuildQueries,
    RoutinesQueries,
    FiresQueries,
  ].map((Queries) => part(Queries, ({ readModels }) => new Queries(readModels))),
  part(PastQueries, ({ store }) => new PastQueries(store)),
  part(ReplayQueries, ({ store }) => new ReplayQueries(store)),
  part(AsOf, ({ store, clock }) => new AsOf(store, clock)),
  ...[Verifier, Prover].map((Audit) => part(Audit, ({ storedLog, ranges }) => new Audit(storedLog, ranges))),
  part(KnownProjections, ({ readModels }) => new KnownProjections(readModels.known)),
  part(AllParkedReactions, ({ reactions }) => reactions),
  part(AsOfSchemas, ({ sideSchemas }) => sideSchemas),
  part(ParkedStreams, ({ parking }) => parking),
  part(
    WhyQueries,
    ({ readModels, progress, store, ledger }) => new WhyQueries({ readModels, progress, store, streams: ledger.streams }),
  ),
  part(IdempotencyKeys, ({ keys }) => keys),
  part(Webhooks, ({ webhooks }) => webhooks),
  part(TriggerSecrets, ({ webhooks }) => webhooks.secrets),
  part(Bells, ({ bells }) => bells),
  part(LeaseBeats, ({ leases, ledger }) => new LeaseBeats(leases, ledger)),
  part(Doctor, ({ reads: db, store, storedLog: log, elsewhere, clock, projections }) => ({
    examine: () => examine({ db, store, log, elsewhere, skewMs: clock.skewMs }, projections),
  })),
  part(FigureQueries, (ledger) => new FigureQueries(ledger)),
  part(ManualClock, ({ clock }) => (clock instanceof ManualClock ? clock : undefined)),
];
