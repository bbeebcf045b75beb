import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { ActivityQueries } from '../projections/activity-queries.js';
import { AgentsQueries } from '../projections/agent-queries.js';
import { CheckpointQueries } from '../projections/checkpoint-queries.js';
import { DashboardQueries } from '../projections/dashboard-queries.js';
import { ReadModels } from '../projections/read-models.js';
import { RunStatusQueries } from '../projections/run-queries.js';
import { TasksQueries } from '../projections/task-queries.js';
import { WakeupRequestsQueries } from '../projections/wakeup-queries.js';
import { AgentsController } from './agents.controller.js';
import { BeatsController } from './beats.controller.js';
import { ClaimsController } from './claims.controller.js';
import { ClockController } from './clock.controller.js';
import { CommandDoor } from './command-door.js';
import { CompaniesController } from './companies.controller.js';
import { Drain } from './drain.js';
import { EventPages } from './event-pages.js';
import { EventsController } from './events.controller.js';
import { OperationsController } from './operations.controller.js';
import { OverviewController } from './overview.controller.js';
import { ProblemFilter } from './problem.filter.js';
import { Reads } from './reads.js';
import { RetriesController } from './retries.controller.js';
import { RunsController } from './runs.controller.js';
import { TasksController } from './tasks.controller.js';
import { WakeupsController } from './wakeups.controller.js';

export const controllers = [
  CompaniesController,
  AgentsController,
  ClaimsController,
  TasksController,
  WakeupsController,
  RunsController,
  BeatsController,
  RetriesController,
  OverviewController,
  EventsController,
  OperationsController,
  ClockController,
];

const queries = [
  ActivityQueries,
  AgentsQueries,
  CheckpointQueries,
  DashboardQueries,
  RunStatusQueries,
  TasksQueries,
  WakeupRequestsQueries,
].map((Queries): Provider => ({
  provide: Queries,
  useFactory: (readModels: ReadModels) => new Queries(readModels),
  inject: [ReadModels],
}));

@Module({})
export class HttpModule {
  /** `imports` bring Dispatch, EventStore, ReadModels, Progress, IdempotencyKeys and the ports of ports.ts. */
  static with(...imports: NonNullable<DynamicModule['imports']>): DynamicModule {
    const filter = { provide: APP_FILTER, useClass: ProblemFilter };
    return { module: HttpModule, imports, controllers, providers: [CommandDoor, Reads, EventPages, Drain, ...queries, filter] };
  }
}
