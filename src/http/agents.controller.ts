import { Controller, Get, Post, Put } from '@nestjs/common';
import { pauseAgent, putAgent, resumeAgent, terminateAgent } from '../commands/agent.js';
import { Slug } from '../commands/fields.js';
import { AgentsQueries } from '../projections/agent-queries.js';
import { agents } from '../projections/agents.js';
import { Call, type Exchange } from './call.js';
import { CommandDoor } from './command-door.js';
import { ListOfCompany, OfCompany, readOf } from './query.js';
import { one, Reads } from './reads.js';

export class OneAgent extends OfCompany {
  @Slug() agent!: string;
}

@Controller('v1/companies/:company/agents')
export class AgentsController {
  constructor(
    private readonly door: CommandDoor,
    private readonly reads: Reads,
    private readonly queries: AgentsQueries,
  ) {}

  @Get()
  async list(@Call() call: Exchange) {
    const { company, ...page } = readOf(ListOfCompany, call);
    await this.reads.upTo(call, agents);
    return this.queries.list(company, page);
  }

  @Get(':agent')
  async get(@Call() call: Exchange) {
    const { company, agent } = readOf(OneAgent, call);
    await this.reads.upTo(call, agents);
    return one(call, await this.queries.get(company, agent), { code: 'agent_not_found', name: agent });
  }

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

const showAgent = { show: <A>({ agent }: { agent: A }) => agent };
