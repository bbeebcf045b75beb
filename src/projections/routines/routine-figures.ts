import { sql } from 'kysely';
import type { RoutineId } from '../../events/event.js';
import { routineStatuses, type FireId, type RoutineStatus } from '../../events/routine.js';
import type { ReadModels } from '../read-models.js';
import { fireOutcomes, routineFires, type FireOutcome } from './routine-fires.js';
import { routines } from './routines.js';

/** How routines are, in numbers; found without looking at their fires, of which there are ever more. */
export interface RoutineFigures {
  readonly routines: readonly { readonly status: RoutineStatus; readonly count: number }[];
  readonly fires: readonly { readonly outcome: FireOutcome; readonly count: number }[];
  /** how long the first that is due has waited; 0: none is */
  readonly overdueSeconds: number;
}

export async function routineFigures(readModels: ReadModels): Promise<RoutineFigures> {
  const table = await readModels.table(routines);
  const [ofStatus, ofOutcome, overdue] = await Promise.all([
    sql<RoutineFigures['routines'][number]>`
      select status, count(routine)::int as count
      from unnest(${routineStatuses}::text[]) known (status)
      left join ${table} using (status)
      group by status
      order by status`.execute(readModels.kysely),
    sql<Record<FireOutcome, number>>`
      select ${sql.join(fireOutcomes.map(summed))}
      from ${table}`.execute(readModels.kysely),
    sql<{ seconds: number }>`
      select greatest(0, coalesce(extract(epoch from ledger_now() - min(next_due_at)), 0))::float8 as seconds
      from ${table}
      where next_due_at is not null`.execute(readModels.kysely),
  ]);
  const fires = fireOutcomes.map((outcome) => ({ outcome, count: ofOutcome.rows[0]![outcome] }));
  return { routines: ofStatus.rows, fires, overdueSeconds: overdue.rows[0]!.seconds };
}

const summed = (outcome: FireOutcome) => sql`coalesce(sum((outcomes ->> ${outcome})::bigint), 0)::float8 as ${sql.id(outcome)}`;

/** Something late among routines: how many, and the first. */
export interface Late<First> {
  readonly count: number;
  readonly first?: First;
}

/** Fires that have no outcome a minute after they were fired. */
export async function lateFires(readModels: ReadModels): Promise<Late<{ company: string; fire: FireId; at: string }>> {
  const { rows } = await sql<{ company: string; fire: FireId; at: string; count: number }>`
    select company, fire, fired_at as at, count(*) over ()::int as count
    from ${await readModels.table(routineFires)}
    where outcome = 'pending'
      and fired_at < ledger_now() - interval '1 min'
    order by fired_at
    limit 1`.execute(readModels.kysely);
  return { count: rows[0]?.count ?? 0, first: rows[0] };
}

/** Routines whose time came more than a minute ago. */
export async function lateRoutines(readModels: ReadModels): Promise<Late<{ company: string; routine: RoutineId; at: string }>> {
  const { rows } = await sql<{ company: string; routine: RoutineId; at: string; count: number }>`
    select company, routine, next_due_at as at, count(*) over ()::int as count
    from ${await readModels.table(routines)}
    where next_due_at < ledger_now() - interval '1 min'
    order by next_due_at, company, routine
    limit 1`.execute(readModels.kysely);
  return { count: rows[0]?.count ?? 0, first: rows[0] };
}
