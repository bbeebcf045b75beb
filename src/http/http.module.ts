import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { CommandDoor } from './command-door.js';
import { controllers } from './controllers.js';
import { DocsController } from './docs.controller.js';
import { Drain } from './drain.js';
import { EventPages } from './event-pages.js';
import { LiveReadModels } from './live-read-models.js';
import { ProblemFilter } from './problem.filter.js';
import { Reads } from './reads.js';
import { SideReads } from './side-reads.js';
import { LiveLog } from './stream/live-log.js';
import { LiveStreams } from './stream/live-streams.js';

@Module({})
export class HttpModule {
  /** `imports` bring Dispatch, EventStore, IdempotencyKeys, Progress, the queries of the read models, and what controllers ask for besides. */
  static with(...imports: NonNullable<DynamicModule['imports']>): DynamicModule {
    const filter = { provide: APP_FILTER, useClass: ProblemFilter };
    return {
      module: HttpModule,
      imports,
      controllers: [...controllers, DocsController],
      providers: [CommandDoor, Reads, EventPages, LiveReadModels, SideReads, LiveLog, LiveStreams, Drain, filter],
    };
  }
}
