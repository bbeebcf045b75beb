import { sql } from 'kysely';
import type { ReadModels } from '../projections/read-models.js';
import { runStatus } from '../projections/run-status.js';
import type { Revoked } from './leases.js';

/** Running runs whose lane nobody holds. A claim takes the lease first, so this is what a lost removal or a lost lease leaves behind. */
export class UnheldRuns {
  constructor(private readonly readModels: ReadModels) {}

  async unheldRuns(limit: number): Promise<Revoked[]> {
    const db = await this.readModels.of(runStatus);
    return db
      .selectFrom('run_status as run')
      .select(['company', 'task', 'run_id as runId', sql<boolean>`true`.as('beaten')])
      .where('status', '=', 'running')
      .where(
        sql<boolean>`not exists (
          select
          from public.lane_leases lease
          where lease.company = run.company
            and lease.task = run.task
        )`,
      )
      .limit(limit)
      .execute();
  }
}
