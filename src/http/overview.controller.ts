import { Controller, Get } from '@nestjs/common';
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

export class ActivityList extends ListOfCompany {
  @Several() @Slug({ each: true }) agent?: string[];
  @Several() @TaskId({ each: true }) task?: string[];
  @Several() @RunId({ each: true }) run?: string[];
  @Several() @Slug({ each: true }) actor?: string[];
}

/** A company at a glance, and what happened in it. */
@Controller('v1/companies/:company')
export class OverviewController {
  constructor(
    private readonly reads: Reads,
    private readonly counters: DashboardQueries,
    private readonly feed: ActivityQueries,
    private readonly ports: CommandPorts,
  ) {}

  @Get('dashboard')
  @Documented({ summary: 'Counters of a company', takes: OfCompany, answers: 'Dashboard' })
  async dashboard(@Call() call: Exchange) {
    const { company } = readOf(OfCompany, call);
    await this.reads.upTo(call, dashboard, agentCounts, taskCounts, dueRetries);
    return this.counters.get(company, this.ports.clock.now());
  }

  @Get('activity')
  @Documented({ summary: 'What happened, for people, newest first', takes: ActivityList, answers: 'Activity[]' })
  async activity(@Call() call: Exchange) {
    const { company, limit, cursor, ...filters } = readOf(ActivityList, call);
    await this.reads.upTo(call, activity);
    return this.feed.list(company, filters, { limit, cursor });
  }
}
