import { Controller, Post, Put } from '@nestjs/common';
import { pauseAgent, putAgent, resumeAgent, terminateAgent } from '../commands/agent.js';
import { Call, type Exchange } from './call.js';
import { CommandDoor } from './command-door.js';

const showAgent = { show: <A>({ agent }: { agent: A }) => agent };

@Controller('v1/companies/:company/agents')
export class AgentsController {
  constructor(private readonly door: CommandDoor) {}

  @Put(':agent')
  put(@Call() call: Exchange) {
    return this.door.send(putAgent, call, showAgent);
  }

  @Post(':agent/pause')
  pause(@Call() call: Exchange) {
    return this.door.send(pauseAgent, call, showAgent);
  }

  @Post(':agent/resume')
  resume(@Call() call: Exchange) {
    return this.door.send(resumeAgent, call, showAgent);
  }

  @Post(':agent/terminate')
  terminate(@Call() call: Exchange) {
    return this.door.send(terminateAgent, call, showAgent);
  }
}
