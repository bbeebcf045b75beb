import { sql } from 'kysely';
import type { AgentId, TaskId } from '../../events/event.js';
import { openBlockers } from '../../events/lane.js';
import { heldSql } from '../held.js';
import { holds, type HoldRow } from '../holds.js';
import type { ReadModels } from '../read-models.js';
import { stallOf } from '../stalled.js';
import { tasks, type TaskRow } from '../tasks.js';
import type { BlockerFact } from './facts.js';

/** What the task still waits for, and whether anything is done about that. */
export async function blockerFacts(readModels: ReadModels, company: string, task: TaskRow | undefined): Promise<BlockerFact[]> {
  const names = task ? openBlockers(task) : [];
  if (names.length === 0) return [];
  const rows = await rowsOf(readModels, company, names);
  const assignees = rows.flatMap(({ assignee }) => assignee ?? []);
  const [held, agents] = await Promise.all([heldTasks(readModels, company, names), heldAgents(readModels, company, assignees)]);
  return names.map((name) => {
    const row = rows.find((one) => one.task === name);
    return { task: name, row, stall: row && stallOf(row, held.has(name), agents.get(row.assignee ?? '')) };
  });
}

async function rowsOf(readModels: ReadModels, company: string, names: readonly TaskId[]): Promise<TaskRow[]> {
  const db = await readModels.of(tasks);
  return db.selectFrom('tasks').selectAll().where('company', '=', company).where('task', 'in', names).execute();
}

async function heldTasks(readModels: ReadModels, company: string, names: readonly TaskId[]): Promise<Set<TaskId>> {
  const { withHeld, isLaneHeld } = await heldSql(readModels, company);
  const { rows } = await sql<{ task: TaskId }>`
    ${withHeld}
    select lane.task
    from unnest(${names}::text[]) as lane (task)
    where ${isLaneHeld(sql`${company}::text`, sql.ref('lane.task'))}`.execute(readModels.kysely);
  return new Set(rows.map(({ task }) => task));
}

async function heldAgents(readModels: ReadModels, company: string, names: readonly AgentId[]): Promise<Map<AgentId, HoldRow>> {
  if (names.length === 0) return new Map();
  const db = await readModels.of(holds);
  const ofAgents = db.selectFrom('holds').selectAll().where('company', '=', company).where('kind', '=', 'agent');
  const rows = await ofAgents.where('target', 'in', names).execute();
  return new Map(rows.map((row) => [row.target, row]));
}
