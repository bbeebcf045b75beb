import { Controller, Get, Post, Put } from '@nestjs/common';
import { IsOptional } from 'class-validator';
import { SchemaName } from '../commands/operations/as-of.js';
import { pauseAgent, putAgent, resumeAgent, terminateAgent } from '../commands/agent.js';
import { Slug } from '../commands/fields.js';
import { AgentsQueries } from '../projections/agent-queries.js';
import { agents } from '../projections/agents.js';
import { wakeupRequests } from '../projections/wakeup-requests.js';
import { Call, type Exchange } from './call.js';
import { CommandDoor } from './command-door.js';
import { Documented } from './documented.js';
import { ListOfCompany, OfCompany, readOf } from './query.js';
import { one, present, Reads } from './reads.js';
import { inSchema, SideReads } from './side-reads.js';

export class OneAgent extends OfCompany {
  @Slug() agent!: string;
  /** of a schema of read models as they were */
  @IsOptional() @SchemaName() in?: string;
}

export class AgentList extends ListOfCompany {
  /** of a schema of read models as they were */
  @IsOptional() @SchemaName() in?: string;
}

const refuses = ['agent_not_found', 'agent_terminated'] as const;

@Controller('v1/companies/:company/agents')
export class AgentsController {
  constructor(
    private readonly door: CommandDoor,
    private readonly reads: Reads,
    private readonly queries: AgentsQueries,
    private readonly sides: SideReads,
  ) {}

  @Get()
  @Documented({ summary: 'Agents by id', takes: AgentList, answers: 'Agent[]', refuses: inSchema })
  async list(@Call() call: Exchange) {
    const { company, in: schema, ...page } = readOf(AgentList, call);
    if (schema !== undefined) return (await this.sides.in(call, schema, AgentsQueries)).list(company, page);
    await this.reads.upTo(call, agents, wakeupRequests);
    return this.queries.list(company, page);
  }

  @Get(':agent')
  @Documented({
    summary: 'One agent, its policy and its load',
    takes: OneAgent,
    answers: 'Agent',
    refuses: ['agent_not_found', ...inSchema],
  })
  async get(@Call() call: Exchange) {
    const { company, agent, in: schema } = readOf(OneAgent, call);
    const missing = { code: 'agent_not_found', name: agent } as const;
    if (schema !== undefined)
      return present(await (await this.sides.in(call, schema, AgentsQueries)).get(company, agent), missing);
    await this.reads.upTo(call, agents, wakeupRequests);
    return one(call, await this.queries.get(company, agent), missing);
  }

  @Put(':agent')
  @Documented({
    summary: 'Registers an agent, or replaces its description and policy',
    takes: putAgent.command,
    answers: 'Agent',
    refuses: ['agent_terminated'],
  })
  put(@Call() call: Exchange) {
    return this.door.send(putAgent, call, showAgent);
  }

  @Post(':agent/pause')
  @Documented({ summary: 'Holds what an agent has to do', takes: pauseAgent.command, answers: 'Agent', refuses })
  pause(@Call() call: Exchange) {
    return this.door.send(pauseAgent, call, showAgent);
  }

  @Post(':agent/resume')
  @Documented({ summary: 'Lets go on what was held', takes: resumeAgent.command, answers: 'Agent', refuses })
  resume(@Call() call: Exchange) {
    return this.door.send(resumeAgent, call, showAgent);
  }

  @Post(':agent/terminate')
  @Documented({
    summary: 'Ends an agent for good',
    takes: terminateAgent.command,
    answers: 'Agent',
    refuses: ['agent_not_found'],
  })
  terminate(@Call() call: Exchange) {
    return this.door.send(terminateAgent, call, showAgent);
  }
}

const showAgent = { show: <A>({ agent }: { agent: A }) => agent };
