import { sql } from 'kysely';
import type { AgentId, RunId } from '../../events/event.js';
import { agents, type AgentRow } from '../agents.js';
import { heldSql } from '../held.js';
import type { ReadModels } from '../read-models.js';
import { readyRuns } from '../ready-runs.js';
import type { AgentFacts, ReadyFact, WorkerFact } from './facts.js';
import { startable } from './startable.js';

export async function agentFacts(
  readModels: ReadModels,
  company: string,
  names: readonly AgentId[],
): Promise<Map<AgentId, AgentFacts>> {
  if (names.length === 0) return new Map();
  const db = await readModels.of(agents);
  const rows = await db.selectFrom('agents').selectAll().where('company', '=', company).where('agent', 'in', names).execute();
  return new Map(await Promise.all(rows.map(async (row) => [row.agent, await loadOf(readModels, row)] as const)));
}

async function loadOf(readModels: ReadModels, row: AgentRow): Promise<AgentFacts> {
  const [leases, workers] = await Promise.all([
    sql<AgentFacts['leases'][number]>`
      select run_id as "runId", worker_id as "workerId"
      from lane_leases
      where company = ${row.company}
        and agent = ${row.agent}
      order by run_id`.execute(readModels.kysely),
    sql<WorkerFact>`
      select worker_id as "workerId", seen_at as "seenAt", coalesce(asked_at, seen_at) as "askedAt"
      from workers
      where company = ${row.company}
        and agent = ${row.agent}
      order by seen_at desc
      limit 20`.execute(readModels.kysely),
  ]);
  return { row, leases: leases.rows, workers: workers.rows };
}

/** How queued runs stand among those of their agent. */
export async function readyFacts(
  readModels: ReadModels,
  company: string,
  runs: readonly RunId[],
): Promise<Map<RunId, ReadyFact>> {
  if (runs.length === 0) return new Map();
  const table = await readModels.table(readyRuns);
  const held = await heldSql(readModels, company);
  const { rows } = await sql<ReadyFact & { runId: RunId }>`
    ${held.withHeld}
    select run.run_id as "runId", run.ready_at as since, ahead.count as ahead, ahead.first
    from ${table} run
    cross join lateral (
      select count(*)::int as count, (array_agg(run_id order by rank, priority, ready_at, n))[1] as first
      from (
        select run_id, rank, priority, ready_at, n
        from ${table} other
        where other.company = run.company
          and other.agent = run.agent
          and (other.rank, other.priority, other.ready_at, other.n) < (run.rank, run.priority, run.ready_at, run.n)
          and ${await startable(readModels, held, 'other')}
        order by rank, priority, ready_at, n
        limit 100
      ) before
    ) ahead
    where run.company = ${company}
      and run.run_id = any(${runs}::text[])`.execute(readModels.kysely);
  return new Map(rows.map(({ runId: id, ...ready }) => [id, ready]));
}
