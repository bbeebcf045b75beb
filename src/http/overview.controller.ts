import { Controller, Get } from '@nestjs/common';
import { IsOptional } from 'class-validator';
import { SchemaName } from '../commands/operations/as-of.js';
import { CommandPorts } from '../commands/catalogue.js';
import { RunId, Slug, TaskId } from '../commands/fields.js';
import { activity } from '../projections/activity.js';
import { ActivityQueries } from '../projections/activity-queries.js';
import { agentCounts } from '../projections/agent-counts.js';
import { dashboard } from '../projections/dashboard.js';
import { DashboardQueries } from '../projections/dashboard-queries.js';
import { dueRetries } from '../projections/due-retries.js';
import { taskCounts } from '../projections/task-counts.js';
import { Call, type Exchange } from './call.js';
import { Documented } from './documented.js';
import { ListOfCompany, OfCompany, readOf, Several } from './query.js';
import { Reads } from './reads.js';
import { inSchema, SideReads } from './side-reads.js';

export class DashboardRead extends OfCompany {
  /** of a schema of read models as they were */
  @IsOptional() @SchemaName() in?: string;
}

export class ActivityList extends ListOfCompany {
  @Several() @Slug({ each: true }) agent?: string[];
  @Several() @TaskId({ each: true }) task?: string[];
  @Several() @RunId({ each: true }) run?: string[];
  @Several() @Slug({ each: true }) actor?: string[];
  /** of a schema of read models as they were */
  @IsOptional() @SchemaName() in?: string;
}

/** A company at a glance, and what happened in it. */
@Controller('v1/companies/:company')
export class OverviewController {
  constructor(
    private readonly reads: Reads,
    private readonly counters: DashboardQueries,
    private readonly feed: ActivityQueries,
    private readonly sides: SideReads,
    private readonly ports: CommandPorts,
  ) {}

  @Get('dashboard')
  @Documented({ summary: 'Counters of a company', takes: DashboardRead, answers: 'Dashboard', refuses: inSchema })
  async dashboard(@Call() call: Exchange) {
    const { company, in: schema } = readOf(DashboardRead, call);
    if (schema !== undefined) {
      const then = await this.sides.in(call, schema, DashboardQueries);
      return then.get(company, await this.sides.nowIn(schema));
    }
    await this.reads.upTo(call, dashboard, agentCounts, taskCounts, dueRetries);
    return this.counters.get(company, this.ports.clock.now());
  }

  @Get('activity')
  @Documented({
    summary: 'What happened, for people, newest first',
    takes: ActivityList,
    answers: 'Activity[]',
    refuses: inSchema,
  })
  async activity(@Call() call: Exchange) {
    const { company, limit, cursor, in: schema, ...filters } = readOf(ActivityList, call);
    const page = { limit, cursor };
    if (schema !== undefined) return (await this.sides.in(call, schema, ActivityQueries)).list(company, filters, page);
    await this.reads.upTo(call, activity);
    return this.feed.list(company, filters, page);
  }
}
