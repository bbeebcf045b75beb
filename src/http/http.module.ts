import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { AgentsController } from './agents.controller.js';
import { BeatsController } from './beats.controller.js';
import { ClaimsController } from './claims.controller.js';
import { CommandDoor } from './command-door.js';
import { CompaniesController } from './companies.controller.js';
import { Drain } from './drain.js';
import { ProblemFilter } from './problem.filter.js';
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
];

@Module({})
export class HttpModule {
  /** `imports` bring Dispatch, IdempotencyKeys, Progress, the queries of the read models, EventStore, and the ports of ports.ts. */
  static with(...imports: NonNullable<DynamicModule['imports']>): DynamicModule {
    return {
      module: HttpModule,
      imports,
      controllers,
      providers: [CommandDoor, Drain, { provide: APP_FILTER, useClass: ProblemFilter }],
    };
  }
}
