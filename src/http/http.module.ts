import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
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

@Module({})
export class HttpModule {
  /** `imports` bring Dispatch, EventStore, IdempotencyKeys, Progress, the queries of the read models, and the ports of ports.ts. */
  static with(...imports: NonNullable<DynamicModule['imports']>): DynamicModule {
    const filter = { provide: APP_FILTER, useClass: ProblemFilter };
    return { module: HttpModule, imports, controllers, providers: [CommandDoor, Reads, EventPages, Drain, filter] };
  }
}
