import { sql } from 'kysely';
import type { AgentId, TaskId } from '../events/event.js';
import type { Blocker, TaskStatus } from '../events/task.js';
import { heldSql } from './held.js';
import { holds, type HoldRow } from './holds.js';
import type { ReadModels } from './read-models.js';
import { stallOf, type Stall } from './stalled.js';
import { tasks, type TaskRow } from './tasks.js';

/** The tasks around one: those that it waits for, and those that wait for it. */
export interface BlockerGraph {
  readonly task: TaskId;
  readonly nodes: readonly GraphNode[];
  /** there are more, beyond 8 steps or 2,000 tasks */
  readonly truncated?: true;
}

export interface GraphNode {
  readonly task: TaskId;
  readonly title: string;
  readonly status: TaskStatus;
  readonly assignee?: AgentId;
  /** 0: the task itself; 1, 2 …: what it waits for; -1, -2 …: what waits for it */
  readonly depth: number;
  readonly blockedBy: readonly Blocker[];
  /** why nothing is done about it, if nothing is */
  readonly stalled?: Stall;
}

/** A task and those below it, each before its own children. */
export interface TreeNode extends GraphNode {
  readonly parent?: TaskId;
}

const deepest = 8;
const mostNodes = 2_000;
/** one more than fit, so that it is known when something is left out */
const mostRead = mostNodes + 1;

export class BlockerGraphQueries {
  constructor(private readonly readModels: ReadModels) {}

  async around(company: string, task: TaskId): Promise<BlockerGraph | undefined> {
    const [start] = await this.named(company, [task]);
    if (!start) return undefined;
    const found = new Found(start);
    await this.spread(found, 1, (rows) =>
      this.named(
        company,
        namesIn(rows).filter((name) => !found.has(name)),
      ),
    );
    await this.spread(found, -1, (rows) => this.waitingFor(company, namesOf(rows)));
    return { task, nodes: await this.shown(company, found), truncated: found.isCut || undefined };
  }

  /** The task with those below it, up to 8 deep. */
  async below(company: string, task: TaskId): Promise<{ nodes: readonly TreeNode[]; truncated?: true } | undefined> {
    const [start] = await this.named(company, [task]);
    if (!start) return undefined;
    const found = new Found(start);
    await this.spread(found, 1, (rows) => this.childrenOf(company, namesOf(rows)));
    const parents = new Map(found.rows.map((row) => [row.task, row.parent]));
    const nodes = await this.shown(company, found);
    const placed = nodes.map((node): TreeNode => ({ ...node, parent: parents.get(node.task) ?? undefined }));
    return { nodes: beforeTheirChildren(placed), truncated: found.isCut || undefined };
  }

  /** Step by step in one direction, until there is nothing new, or too much. */
  private async spread(found: Found, direction: 1 | -1, next: (rows: readonly TaskRow[]) => Promise<TaskRow[]>) {
    let rows = [found.start];
    for (let step = 1; rows.length > 0; step++) {
      const reached = await next(rows);
      rows = step > deepest ? found.leave(reached) : found.add(reached, direction * step);
    }
  }

  private async named(company: string, names: readonly TaskId[]): Promise<TaskRow[]> {
    const table = await this.readModels.table(tasks);
    const { rows } = await sql<TaskRow>`
      select *
      from ${table}
      where company = ${company}
        and task = any(${names.slice(0, mostRead)}::text[])
      order by task`.execute(this.readModels.kysely);
    return rows;
  }

  private async childrenOf(company: string, parents: readonly TaskId[]): Promise<TaskRow[]> {
    const table = await this.readModels.table(tasks);
    const { rows } = await sql<TaskRow>`
      select *
      from ${table}
      where company = ${company}
        and parent is not null
        and parent collate "C" = any(${parents}::text[])
      order by opened_at, task
      limit ${mostRead}`.execute(this.readModels.kysely);
    return rows;
  }

  private async waitingFor(company: string, names: readonly TaskId[]): Promise<TaskRow[]> {
    const table = await this.readModels.table(tasks);
    const { rows } = await sql<TaskRow>`
      select waiting.*
      from unnest(${names}::text[]) as blocker (task)
      cross join lateral (
        select *
        from ${table}
        where company = ${company}
          and blockers <> '[]'
          and blockers @> jsonb_build_array(jsonb_build_object('task', blocker.task))
        order by task
        limit ${mostRead}
      ) waiting
      limit ${mostRead}`.execute(this.readModels.kysely);
    return rows;
  }

  private async shown(company: string, { rows, depths }: Found): Promise<GraphNode[]> {
    const [held, agents] = await Promise.all([this.heldAmong(company, rows), this.agentsHeld(company)]);
    return rows.map((row) => ({
      task: row.task,
      title: row.title,
      status: row.status,
      assignee: row.assignee ?? undefined,
      depth: depths.get(row.task)!,
      blockedBy: row.blockers,
      stalled: stallOf(row, held.has(row.task), agents.get(row.assignee ?? '')),
    }));
  }

  private async heldAmong(company: string, rows: readonly TaskRow[]): Promise<Set<TaskId>> {
    const { withHeld, isLaneHeld } = await heldSql(this.readModels);
    const { rows: held } = await sql<{ task: TaskId }>`
      ${withHeld}
      select lane.task
      from unnest(${namesOf(rows)}::text[]) as lane (task)
      where ${isLaneHeld(sql`${company}::text`, sql.ref('lane.task'))}`.execute(this.readModels.kysely);
    return new Set(held.map(({ task }) => task));
  }

  private async agentsHeld(company: string): Promise<Map<AgentId, HoldRow>> {
    const db = await this.readModels.of(holds);
    const rows = await db.selectFrom('holds').selectAll().where('company', '=', company).where('kind', '=', 'agent').execute();
    return new Map(rows.map((row) => [row.target, row]));
  }
}

/** What a walk has come by; each task once, where it was reached first. */
class Found {
  readonly rows: TaskRow[];
  readonly depths: Map<TaskId, number>;
  isCut = false;

  constructor(readonly start: TaskRow) {
    this.rows = [start];
    this.depths = new Map([[start.task, 0]]);
  }

  has(task: TaskId): boolean {
    return this.depths.has(task);
  }

  /** Those that were not there before. */
  add(reached: readonly TaskRow[], depth: number): TaskRow[] {
    const fresh = [...new Map(reached.map((row) => [row.task, row])).values()].filter(({ task }) => !this.has(task));
    const taken = fresh.slice(0, mostNodes - this.rows.length);
    this.isCut ||= taken.length < fresh.length;
    this.rows.push(...taken);
    for (const { task } of taken) this.depths.set(task, depth);
    return taken;
  }

  leave(reached: readonly TaskRow[]): [] {
    this.isCut ||= reached.some(({ task }) => !this.has(task));
    return [];
  }
}

const namesOf = (rows: readonly TaskRow[]): TaskId[] => rows.map(({ task }) => task);
const namesIn = (rows: readonly TaskRow[]): TaskId[] => [
  ...new Set(rows.flatMap(({ blockers }) => blockers.map(({ task }) => task))),
];

/** They come by depth, and in the order in which they are to be shown beside each other. */
function beforeTheirChildren(nodes: readonly TreeNode[]): TreeNode[] {
  const children = new Map<TaskId | undefined, TreeNode[]>();
  for (const node of nodes.slice(1)) children.set(node.parent, [...(children.get(node.parent) ?? []), node]);
  const withThoseBelow = (node: TreeNode): TreeNode[] => [node, ...(children.get(node.task) ?? []).flatMap(withThoseBelow)];
  return nodes.slice(0, 1).flatMap(withThoseBelow);
}
