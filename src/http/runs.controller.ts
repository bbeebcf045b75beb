import { Controller, Post } from '@nestjs/common';
import { retryNow, scheduleRetry } from '../commands/retry.js';
import { cancelRun, finishRun, recordProcess } from '../commands/run.js';
import { nameUuid } from '../events/event.js';
import { Call, type Exchange } from './call.js';
import { CommandDoor } from './command-door.js';

@Controller('v1/companies/:company/runs/:run')
export class RunsController {
  constructor(private readonly door: CommandDoor) {}

  @Post('process')
  process(@Call() call: Exchange) {
    return this.door.send(recordProcess, call);
  }

  /** Reported again under the same lease, it is the same report, with a key or without. */
  @Post('finish')
  finish(@Call() call: Exchange) {
    const { company, run } = call.request.params;
    const commandId = nameUuid('finish', String(company), String(run), String(call.body.lease));
    return this.door.send(finishRun, call, { commandId });
  }

  @Post('cancel')
  cancel(@Call() call: Exchange) {
    return this.door.send(cancelRun, call);
  }

  @Post('schedule-retry')
  scheduleRetry(@Call() call: Exchange) {
    return this.door.send(scheduleRetry, call, { status: ({ outcome }) => (outcome === 'scheduled' ? 201 : 200) });
  }

  @Post('retry-now')
  retryNow(@Call() call: Exchange) {
    return this.door.send(retryNow, call);
  }
}
