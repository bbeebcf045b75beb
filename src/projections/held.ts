import { sql, type RawBuilder } from 'kysely';
import type { AgentId, TaskId } from '../events/event.js';
import { holds } from './holds.js';
import type { ReadModels } from './read-models.js';
import { tasks } from './tasks.js';

type Sql = RawBuilder<unknown>;

/**
 * What is held, said in SQL for the queries that need it. Each condition is a set that is found once per statement and asked per row;
 * nothing held costs nothing, and rows are still read in the order of their index.
 */
export interface HeldSql {
  /** stands before the statement, which must not have a `with` of its own */
  readonly withHeld: Sql;
  /** of a lane: its task is held, or one above it with all below, or the company */
  readonly isLaneHeld: (company: Sql, task: Sql) => Sql;
  /** paused, or terminated */
  readonly isAgentHeld: (company: Sql, agent: Sql) => Sql;
  readonly isAgentPaused: (company: Sql, agent: Sql) => Sql;
  readonly isAnythingHeld: Sql;
}

/** `company`: only its own holds are asked about. */
export async function heldSql(readModels: ReadModels, company?: string): Promise<HeldSql> {
  const held = await readModels.table(holds);
  const task = await readModels.table(tasks);
  return {
    // `union` without `all`: parents that form a ring are gone round once.
    withHeld: sql`
      with recursive held_tasks (company, task, subtree) as (
        select company, target, subtree
        from ${held}
        where kind = 'task'
          and ${company === undefined ? sql`true` : sql`company = ${company}`}
        union
        select child.company, child.task, true
        from held_tasks above
        join ${task} child on child.company = above.company and child.parent = above.task
        where above.subtree
      )`,
    isLaneHeld: (company, lane) => sql`(
      ${company} in (select company from ${held} where kind = 'company')
      or (${company}, ${lane}) in (select company, task from held_tasks)
    )`,
    isAgentHeld: (company, agent) => sql`(${company}, ${agent}) in (select company, target from ${held} where kind = 'agent')`,
    isAgentPaused: (company, agent) => sql`(${company}, ${agent}) in (
      select company, target
      from ${held}
      where kind = 'agent'
        and status = 'paused'
    )`,
    isAnythingHeld: sql`exists (select from ${held})`,
  };
}

/** An open demand or run, by its agent and the task that it is on. */
export interface Work {
  readonly agent: AgentId;
  readonly task: TaskId;
}

/**
 * Which of these are held: their agent is paused, or their task, one above it, or the company is held. What is above them is looked at,
 * not what is below all that is held: a page costs as much as it shows.
 */
export async function heldAmong(
  readModels: ReadModels,
  company: string,
  works: readonly Work[],
): Promise<(work: Work) => boolean> {
  if (works.length === 0) return () => false;
  const { isAgentPaused } = await heldSql(readModels);
  const held = await readModels.table(holds);
  const task = await readModels.table(tasks);
  const { rows } = await sql<Work>`
    with recursive work as (
      select *
      from unnest(${works.map(({ task: lane }) => lane)}::text[], ${works.map(({ agent }) => agent)}::text[]) work (task, agent)
    ),
    above (lane, task) as (
      select task, task
      from work
      where exists (select from ${held} where company = ${company} and kind = 'task')
      union
      select above.lane, lane.parent
      from above
      join ${task} lane on lane.company = ${company} and lane.task = above.task
      where lane.parent is not null
    ),
    held_lanes as (
      select above.lane
      from above
      join ${held} hold on hold.company = ${company} and hold.kind = 'task' and hold.target = above.task
      where hold.subtree
        or above.task = above.lane
    )
    select task, agent
    from work
    where exists (select from ${held} where company = ${company} and kind = 'company')
      or task in (select lane from held_lanes)
      or ${isAgentPaused(sql`${company}::text`, sql.ref('work.agent'))}`.execute(readModels.kysely);
  const isHeld = new Set(rows.map(keyOf));
  return (work) => isHeld.has(keyOf(work));
}

const keyOf = ({ task, agent }: Work): string => `${task} ${agent}`;
