import { Controller, Post } from '@nestjs/common';
import { promoteDueRetries } from '../commands/promote-due-retries.js';
import { Call, type Exchange } from './call.js';
import { CommandDoor } from './command-door.js';

@Controller('v1/companies/:company/retries')
export class RetriesController {
  constructor(private readonly door: CommandDoor) {}

  @Post('promote-due')
  promoteDue(@Call() call: Exchange) {
    return this.door.send(promoteDueRetries, call);
  }
}
