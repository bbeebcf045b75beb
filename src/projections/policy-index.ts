import { sql, type RawBuilder } from 'kysely';
import type { AgentId, RoutineId, RunId, TaskId } from '../events/event.js';
import type { FireId } from '../events/routine.js';
import { ringThrough } from '../commands/ring.js';
import { PolicyIndex, type BlockerEdge, type Child, type RunningWhere } from '../policies/policy.js';
import { comments } from './comments.js';
import { heldAmong } from './held.js';
import { holds } from './holds.js';
import type { ReadModels } from './read-models.js';
import { routineFires } from './routines/routine-fires.js';
import { runStatus } from './run-status.js';
import { taskGraph } from './task-graph.js';
import { tasks } from './tasks.js';
import { wakeupRequests } from './wakeup-requests.js';

/**
 * Where policies find whom an event concerns, in the read models. One of these is for a few events, all of which the read models have
 * reached: what is asked again and again is remembered as it was the first time.
 */
export class PolicyIndexQueries extends PolicyIndex {
  private readonly known = new Map<string, Promise<boolean>>();

  constructor(private readonly readModels: ReadModels) {
    super();
  }

  async dependentsOf(company: string, blocker: TaskId): Promise<TaskId[]> {
    const graph = await this.readModels.table(taskGraph);
    return this.tasks(sql`
      select task
      from ${graph}
      where company = ${company}
        and blockers <> '[]'
        and blockers @> ${JSON.stringify([{ task: blocker }])}::jsonb
      order by task`);
  }

  async ringThrough(company: string, task: TaskId): Promise<BlockerEdge[] | undefined> {
    const graph = await this.readModels.table(taskGraph);
    const openEdges = sql`
      join ${graph} waiting on waiting.company = ${company} and waiting.task = reached.task
      cross join lateral jsonb_to_recordset(waiting.blockers) as edge (task text, open boolean, "setAt" text)
      where edge.open`;
    // `union` without `all`: whatever is reached in two ways is gone on from once.
    const edges = await this.rows<BlockerEdge>(sql`
      with recursive reached (task) as (
        select ${task}::text collate "C"
        union
        select edge.task collate "C"
        from reached
        ${openEdges}
      )
      select reached.task, edge.task as blocker, edge."setAt"
      from reached
      ${openEdges}
      order by reached.task, edge.task collate "C"`);
    const from = new Map<TaskId, Map<TaskId, BlockerEdge>>();
    for (const edge of edges)
      from.set(edge.task, (from.get(edge.task) ?? new Map<TaskId, BlockerEdge>()).set(edge.blocker, edge));
    const next = (waiting: TaskId) => [...(from.get(waiting)?.keys() ?? [])];
    const ring = ringThrough(task, next(task), next);
    return ring?.map((waiting, at) => from.get(waiting)!.get(ring[(at + 1) % ring.length]!)!);
  }

  async parentOf(company: string, task: TaskId): Promise<TaskId | null> {
    const graph = await this.readModels.table(taskGraph);
    const [row] = await this.rows<{ parent: TaskId | null }>(sql`
      select parent
      from ${graph}
      where company = ${company}
        and task = ${task}`);
    return row?.parent ?? null;
  }

  async childrenOf(company: string, parent: TaskId): Promise<Child[]> {
    const [graph, said] = [await this.readModels.table(taskGraph), await this.readModels.table(comments)];
    return this.rows<Child>(sql`
      select child.task, child.title, child.status, child.moved_at as "movedAt", coalesce(last.body, '') as summary
      from ${graph} child
      left join lateral (
        select body
        from ${said} said
        where said.company = child.company
          and said.task = child.task
          and said.removed_at is null
        order by said.position desc
        limit 1
      ) last on true
      where child.company = ${company}
        and child.parent = ${parent}
      order by child.task`);
  }

  async running(company: string, { agent, task, subtree = false }: RunningWhere): Promise<{ task: TaskId; runId: RunId }[]> {
    const [run, lane] = [await this.readModels.table(runStatus), await this.readModels.table(tasks)];
    // `union` without `all`: parents that form a ring are gone round once.
    return this.rows(sql`
      with recursive meant (task) as (
        select ${task ?? null}::text collate "C"
        union
        select child.task
        from meant
        join ${lane} child on child.company = ${company} and child.parent = meant.task
        where ${subtree}
      )
      select task, run_id as "runId"
      from ${run}
      where company = ${company}
        and status = 'running'
        and (${agent ?? null}::text is null or agent = ${agent ?? null})
        and (${task ?? null}::text is null or task in (select task from meant))
      order by task, run_id`);
  }

  isHeld(company: string, task: TaskId, agent: AgentId): Promise<boolean> {
    return this.once(['held', company, task, agent], async () => {
      if (!(await this.isAnythingHeld(company))) return false;
      return (await heldAmong(this.readModels, company, [{ task, agent }]))({ task, agent });
    });
  }

  isTerminated(company: string, agent: AgentId): Promise<boolean> {
    return this.once(['terminated', company, agent], async () => {
      const held = await this.readModels.table(holds);
      return this.exists(sql`
        select
        from ${held}
        where company = ${company}
          and kind = 'agent'
          and target = ${agent}
          and status = 'terminated'`);
    });
  }

  async lanesOf(company: string, agent: AgentId): Promise<TaskId[]> {
    const [run, demand] = [await this.readModels.table(runStatus), await this.readModels.table(wakeupRequests)];
    return this.tasks(sql`
      select task
      from ${run}
      where company = ${company}
        and agent = ${agent}
        and status in ${open}
      union
      select task
      from ${demand}
      where company = ${company}
        and agent = ${agent}
        and status = 'deferred'
      order by task`);
  }

  async tasksOf(company: string, agent: AgentId): Promise<TaskId[]> {
    const graph = await this.readModels.table(taskGraph);
    return this.tasks(sql`
      select task
      from ${graph}
      where company = ${company}
        and assignee = ${agent}
        and status in ${toBeDone}
      order by task`);
  }

  isIdle(company: string, task: TaskId): Promise<boolean> {
    return this.once(['idle', company, task], async () => {
      const [graph, run, demand] = await Promise.all([
        this.readModels.table(taskGraph),
        this.readModels.table(runStatus),
        this.readModels.table(wakeupRequests),
      ]);
      const ofTask = sql`company = ${company} and task = ${task}`;
      return this.exists(sql`
        select
        from ${graph}
        where ${ofTask}
          and status in ${toBeDone}
          and assignee is not null
          and not exists (select from ${run} where ${ofTask} and status in ${open})
          and not exists (select from ${demand} where ${ofTask} and status = 'deferred')`);
    });
  }

  async isFirePending(company: string, routine: RoutineId, fire: FireId): Promise<boolean> {
    const fires = await this.readModels.table(routineFires);
    return this.exists(sql`
      select
      from ${fires}
      where company = ${company}
        and routine = ${routine}
        and fire = ${fire}
        and outcome = 'pending'`);
  }

  private isAnythingHeld(company: string): Promise<boolean> {
    return this.once(['anything', company], async () => {
      const held = await this.readModels.table(holds);
      return this.exists(sql`
        select
        from ${held}
        where company = ${company}
          and status <> 'terminated'`);
    });
  }

  private once(question: readonly string[], ask: () => Promise<boolean>): Promise<boolean> {
    const key = question.join(' ');
    const answer = this.known.get(key) ?? ask();
    this.known.set(key, answer);
    return answer;
  }

  private async tasks(query: Sql): Promise<TaskId[]> {
    return (await this.rows<{ task: TaskId }>(query)).map(({ task }) => task);
  }

  private async exists(query: Sql): Promise<boolean> {
    const [row] = await this.rows<{ found: boolean }>(sql`select exists (${query}) as found`);
    return row?.found ?? false;
  }

  private async rows<Row>(query: Sql): Promise<Row[]> {
    return (await (query as RawBuilder<Row>).execute(this.readModels.kysely)).rows;
  }
}

type Sql = RawBuilder<unknown>;

const open = sql`('queued', 'running', 'scheduled_retry')`;
const toBeDone = sql`('todo', 'in_progress')`;
