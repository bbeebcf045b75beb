import { Controller, Get, Inject, NotFoundException, Put } from '@nestjs/common';
import { IsNumber, IsOptional, Max, Min } from 'class-validator';
import { validated } from '../commands/dispatch.js';
import { IsoTime } from '../commands/fields.js';
import { ManualClock } from '../manual-clock.js';
import { Call, type Exchange } from './call.js';
import { Documented } from './documented.js';

/** What is left out stays as it is. */
export class SetClock {
  @IsOptional() @IsoTime() now?: string;
  @IsOptional() @IsNumber() @Min(0) @Max(1) random?: number;
}

/** Time that is set by hand, in tests; without LEDGER_CLOCK=manual it is not there. */
@Controller('v1/clock')
export class ClockController {
  constructor(@Inject(ManualClock) private readonly clock: ManualClock | undefined) {}

  @Get()
  @Documented({ summary: 'The time that is set by hand', answers: 'Clock' })
  get() {
    return this.manual().read();
  }

  @Put()
  @Documented({ summary: 'Moves the time forward, or sets what stands for chance', takes: SetClock, answers: 'Clock' })
  set(@Call() call: Exchange) {
    return this.manual().set(validated(SetClock, call.fields()));
  }

  private manual(): ManualClock {
    if (!this.clock) throw new NotFoundException('this server follows the real time');
    return this.clock;
  }
}
