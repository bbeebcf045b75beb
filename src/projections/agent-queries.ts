import { sql } from 'kysely';
import type { AgentPolicy, AgentStatus } from '../events/agent.js';
import type { AgentId, RunId } from '../events/event.js';
import { agents, type AgentRow } from './agents.js';
import { heldSql } from './held.js';
import { holds } from './holds.js';
import { cursorAt, keyIn, limitOf, type Page, type PageRequest } from './paging.js';
import type { ReadModels } from './read-models.js';
import { runStatus } from './run-status.js';
import { wakeupRequests } from './wakeup-requests.js';

/** An agent as every door shows it. */
export interface Agent {
  readonly id: AgentId;
  readonly company: string;
  readonly name: string;
  readonly adapter: string;
  readonly manager?: AgentId;
  readonly policy: AgentPolicy;
  readonly status: AgentStatus;
  readonly since: string;
  readonly reason?: string;
  /** `deferred` are demands, the others runs; `held`: those that wait, and will not go on before it is resumed, or their task or company released */
  readonly counts: {
    readonly running: number;
    readonly queued: number;
    readonly parked: number;
    readonly deferred: number;
    readonly held: number;
  };
  readonly lastRun?: RunId;
  readonly lastRunAt?: string;
  /** when a worker last asked for its runs or renewed a lease; absent when that was more than a day ago */
  readonly workerSeenAt?: string;
  /** what `If-Match` is compared with */
  readonly revision: number;
}

export class AgentsQueries {
  constructor(private readonly readModels: ReadModels) {}

  async get(company: string, agent: AgentId): Promise<Agent | undefined> {
    return (await this.read(company, { from: agent, inclusive: true, limit: 1 })).find(({ id }) => id === agent);
  }

  /** By id. @throws InvalidCursor */
  async list(company: string, page: PageRequest): Promise<Page<Agent>> {
    const limit = limitOf(page);
    const [from = ''] = page.cursor === undefined ? [] : keyIn('agents', 1, page.cursor);
    const found = await this.read(company, { from, inclusive: false, limit: limit + 1 });
    const items = found.slice(0, limit);
    return { items, next: found.length > limit ? cursorAt('agents', [items.at(-1)!.id]) : undefined };
  }

  private async read(
    company: string,
    { from, inclusive, limit }: { from: string; inclusive: boolean; limit: number },
  ): Promise<Agent[]> {
    const table = await this.readModels.table(agents);
    const wakeups = await this.readModels.table(wakeupRequests);
    const runs = await this.readModels.table(runStatus);
    const holding = await this.readModels.table(holds);
    const { withHeld } = await heldSql(this.readModels, company);
    // What is held is found from what holds it: as long as nothing does, no run is looked at, however many wait. An agent has at most one
    // deferred demand on a lane, behind a run of its own, so there are few.
    const { rows } = await sql<AgentRow & Seen>`
      ${withHeld},
      held_lanes as (
        select distinct task
        from held_tasks
      ),
      held_work as materialized (
        select agent, count(*)::int as held
        from (
          select run.agent
          from held_lanes
          cross join lateral (
            select agent
            from ${runs}
            where company = ${company}
              and task = held_lanes.task
              and status in ('queued', 'scheduled_retry')
            -- lane by lane, however few the planner thinks there are
            offset 0
          ) run
          union all
          select agent
          from ${wakeups}
          where company = ${company}
            and status = 'deferred'
            and task in (select task from held_lanes)
        ) work
        group by agent
      )
      select
        agent.*,
        (
          select count(*)::int
          from ${wakeups} demand
          where demand.company = agent.company
            and demand.agent = agent.agent
            and demand.status = 'deferred'
        ) as deferred,
        coalesce((select held from held_work where held_work.agent = agent.agent), 0) as held,
        exists (
          select
          from ${holding} held
          where held.company = agent.company
            and held.kind = 'company'
        ) as company_held,
        (
          select max(seen_at)
          from workers
          where workers.company = agent.company
            and workers.agent = agent.agent
        ) as seen_at
      from ${table} agent
      where company = ${company}
        and ${inclusive ? sql`agent >= ${from}` : sql`agent > ${from}`}
      order by agent
      limit ${limit}`.execute(this.readModels.kysely);
    return rows.map(shown);
  }
}

interface Seen {
  readonly deferred: number;
  /** on tasks that are held, whatever the agent's own status */
  readonly held: number;
  readonly company_held: boolean;
  readonly seen_at: string | null;
}

function shown(row: AgentRow & Seen): Agent {
  const { running, queued, parked, deferred } = row;
  const isAllHeld = row.status === 'paused' || row.company_held;
  return {
    id: row.agent,
    company: row.company,
    name: row.name,
    adapter: row.adapter,
    manager: row.manager ?? undefined,
    policy: row.policy,
    status: row.status,
    since: row.since,
    reason: row.reason ?? undefined,
    counts: { running, queued, parked, deferred, held: isAllHeld ? queued + parked + deferred : row.held },
    lastRun: row.last_run ?? undefined,
    lastRunAt: row.last_run_at ?? undefined,
    workerSeenAt: row.seen_at ?? undefined,
    revision: row.revision,
  };
}
