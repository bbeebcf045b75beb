import { Controller, Get, Post } from '@nestjs/common';
import { promoteDueRetries } from '../commands/promote-due-retries.js';
import { agents } from '../projections/agents.js';
import { RunStatusQueries } from '../projections/run-queries.js';
import { runStatus } from '../projections/run-status.js';
import { tasks } from '../projections/tasks.js';
import { Call, type Exchange } from './call.js';
import { CommandDoor } from './command-door.js';
import { Documented } from './documented.js';
import { refuseIfMatch } from './headers.js';
import { ListOfCompany, readOf } from './query.js';
import { Reads } from './reads.js';

@Controller('v1/companies/:company/retries')
export class RetriesController {
  constructor(
    private readonly door: CommandDoor,
    private readonly reads: Reads,
    private readonly queries: RunStatusQueries,
  ) {}

  @Get()
  @Documented({ summary: 'Parked runs, the first to come due first', takes: ListOfCompany, answers: 'Run[]' })
  async list(@Call() call: Exchange) {
    const { company, ...page } = readOf(ListOfCompany, call);
    await this.reads.upTo(call, runStatus, tasks, agents);
    return this.queries.parked(company, page);
  }

  @Post('promote-due')
  @Documented({
    summary: 'Queues every parked run that is due',
    takes: promoteDueRetries.command,
    answers: 'PromotedRetries',
    headers: ['IdempotencyKey', 'Actor'],
  })
  promoteDue(@Call() call: Exchange) {
    refuseIfMatch(call);
    return this.door.send(promoteDueRetries, call);
  }
}
