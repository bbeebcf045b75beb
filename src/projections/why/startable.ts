import { sql, type RawBuilder } from 'kysely';
import type { HeldSql } from '../held.js';
import type { ReadModels } from '../read-models.js';
import { isLaneFree } from '../ready-runs.js';
import { runStatus } from '../run-status.js';

/** Of a row of `ready_runs`, by the name that a query gives it: a claim would take it, and its start find the lane at rest. */
export async function startable(readModels: ReadModels, held: HeldSql, run: string): Promise<RawBuilder<unknown>> {
  const runs = await readModels.table(runStatus);
  return sql`(
    ${isLaneFree(held, run)}
    and not exists (
      select
      from ${runs} running
      where running.company = ${sql.ref(`${run}.company`)}
        and running.task = ${sql.ref(`${run}.task`)}
        and running.status = 'running'
    )
  )`;
}
