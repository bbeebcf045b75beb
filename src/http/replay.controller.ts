import { Controller, Get } from '@nestjs/common';
import { IsOptional } from 'class-validator';
import { RunId, TaskId } from '../commands/fields.js';
import { ReplayQueries } from '../projections/replay/replay-queries.js';
import { AsOf, TimeOrPosition } from './as-of.js';
import { Call, type Exchange } from './call.js';
import { Documented } from './documented.js';
import { ListOfCompany, readOf } from './query.js';
import { present } from './reads.js';

export class TaskReplay extends ListOfCompany {
  @TaskId() task!: string;
  /** the story until then: a time, or a position of the log */
  @IsOptional() @TimeOrPosition() at?: string;
}

export class RunReplay extends ListOfCompany {
  @RunId() run!: string;
  /** the story until then: a time, or a position of the log */
  @IsOptional() @TimeOrPosition() at?: string;
}

/** What happened, told from the log itself: no read model has to have come so far. */
@Controller('v1/companies/:company')
export class ReplayController {
  constructor(
    private readonly queries: ReplayQueries,
    private readonly asOf: AsOf,
  ) {}

  @Get('tasks/:task/replay')
  @Documented({
    summary: 'The story of a task, oldest first: what happened, by whom, what led to it and what it changed',
    takes: TaskReplay,
    answers: 'Replay',
    refuses: ['task_not_found', 'not_yet'],
  })
  async ofTask(@Call() call: Exchange) {
    const { company, task, at, limit, cursor } = readOf(TaskReplay, call);
    const until = await this.asOf.at(call, at);
    const told = await this.queries.task(company, task, { limit, cursor }, until);
    return present(told, { code: 'task_not_found', name: task });
  }

  @Get('runs/:run/replay')
  @Documented({
    summary: 'The story of a run, of the demands that it carries and of the runs that go on with it',
    takes: RunReplay,
    answers: 'Replay',
    refuses: ['run_not_found', 'not_yet'],
  })
  async ofRun(@Call() call: Exchange) {
    const { company, run, at, limit, cursor } = readOf(RunReplay, call);
    const until = await this.asOf.at(call, at);
    const told = await this.queries.run(company, run, { limit, cursor }, until);
    return present(told, { code: 'run_not_found', name: run });
  }
}
