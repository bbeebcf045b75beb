import { Controller, Get } from '@nestjs/common';
import { WhyQueries } from '../projections/why/why-queries.js';
import { Call, type Exchange } from './call.js';
import { Documented } from './documented.js';
import { OneFire } from './fires.controller.js';
import { readOf } from './query.js';
import { present } from './reads.js';
import { OneRun } from './runs.controller.js';
import { OneTask } from './tasks.controller.js';
import { OneWakeup } from './wakeups.controller.js';

/** Why something does not go on, and what would let it. It waits for the read models by itself, and says when they are behind. */
@Controller('v1/companies/:company')
export class WhyController {
  constructor(private readonly queries: WhyQueries) {}

  @Get('runs/:run/why')
  @Documented({ summary: 'Why a run stands where it stands', takes: OneRun, answers: 'Why', refuses: ['run_not_found'] })
  async run(@Call() call: Exchange) {
    const { company, run } = readOf(OneRun, call);
    return present(await this.queries.run(company, run), { code: 'run_not_found', name: run });
  }

  @Get('tasks/:task/why')
  @Documented({
    summary: 'Why what is asked of a task stands where it stands, or why nothing is',
    takes: OneTask,
    answers: 'Why',
    refuses: ['task_not_found'],
  })
  async task(@Call() call: Exchange) {
    const { company, task } = readOf(OneTask, call);
    return present(await this.queries.task(company, task), { code: 'task_not_found', name: task });
  }

  @Get('wakeups/:wakeup/why')
  @Documented({
    summary: 'Why a demand stands where it stands',
    takes: OneWakeup,
    answers: 'Why',
    refuses: ['wakeup_not_found'],
  })
  async wakeup(@Call() call: Exchange) {
    const { company, wakeup } = readOf(OneWakeup, call);
    return present(await this.queries.wakeup(company, wakeup), { code: 'wakeup_not_found', name: wakeup });
  }

  @Get('routines/:routine/fires/:fire/why')
  @Documented({
    summary: 'Why a fire of a routine came to what it came to, and where what it led to stands',
    takes: OneFire,
    answers: 'Why',
    refuses: ['fire_not_found'],
  })
  async fire(@Call() call: Exchange) {
    const { company, routine, fire } = readOf(OneFire, call);
    return present(await this.queries.fire(company, routine, fire), { code: 'fire_not_found', name: fire });
  }
}
