import type pg from 'pg';
import type { ReadModels } from '../projections/read-models.js';
import { runStatus } from '../projections/run-status.js';
import type { Revoked } from './leases.js';

/** Running runs whose lane nobody holds. A claim takes the lease first, so this is what a lost removal or a lost lease leaves behind. */
export class UnheldRuns {
  constructor(
    private readonly db: pg.Pool,
    private readonly readModels: ReadModels,
  ) {}

  async unheldRuns(limit: number): Promise<Revoked[]> {
    const readModel = await this.readModels.nameOf(runStatus.name);
    const { rows } = await this.db.query<Revoked>(
      `select company, task, run_id as "runId", true as beaten
       from ${readModel}.${runStatus.name} run
       where status = 'running'
         and not exists (
           select
           from lane_leases lease
           where lease.company = run.company
             and lease.task = run.task
         )
       limit $1`,
      [limit],
    );
    return rows;
  }
}
