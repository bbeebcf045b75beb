import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import type { Claim, ClaimRequest, ReadyRun } from '../commands/claim-runs.js';
import type { Call, Gathered } from '../event-store/gatherer.js';

/** One claim, as it goes into a call together with others. */
export interface Taking extends Gathered {
  readonly request: ClaimRequest;
  readonly candidates: readonly ReadyRun[];
  /** the most leases for this claim, and for its agent at the same time */
  readonly max: number;
  readonly slots: number;
}

/** Only a claim that is sent twice must see what became of it; claims of one agent count each other's leases in the statement. */
export const taking = (request: ClaimRequest, candidates: readonly ReadyRun[], max: number, slots: number): Taking => ({
  stream: JSON.stringify([request.company, request.agent, request.workerId, request.requestId]),
  bytes: 0,
  request,
  candidates,
  max,
  slots,
});

/** Claims of one process in one statement, so that one flush of the disk pays for all. */
export class TakeLeases implements Call<Taking, Claim[]> {
  constructor(private readonly db: pg.Pool) {}

  async send(items: readonly Taking[]): Promise<Claim[][]> {
    const { rows } = await this.db.query<Omit<Claim, 'leaseMs'> & { place: number }>({
      name: 'leases-take',
      text: takeAll,
      values: [JSON.stringify(items.map(rowOf))],
    });
    return items.map(({ request: { leaseMs } }, place) =>
      rows.filter((row) => row.place === place).map(({ task, runId, token }) => ({ task, runId, token, leaseMs })),
    );
  }

  /** Claims are validated: what fails, fails for all of them. */
  refusal(): undefined {
    return undefined;
  }
}

const rowOf = ({ request, candidates, max, slots }: Taking, place: number) => ({
  place,
  company: request.company,
  agent: request.agent,
  worker_id: request.workerId,
  request_id: request.requestId,
  lease_ms: request.leaseMs,
  tasks: candidates.map(({ task }) => task),
  runs: candidates.map(({ runId }) => runId),
  tokens: candidates.map(() => randomBytes(18).toString('base64url')),
  max_runs: max,
  slots,
});

/** Every process locks agents in the same order, so that none waits for another in a circle. */
const takeAll = `
  select claim.place, taken.task, taken.run_id as "runId", taken.token
  from (
    select *
    from jsonb_to_recordset($1) as one (
      place integer, company text, agent text, worker_id text, request_id text, lease_ms integer,
      tasks text[], runs text[], tokens text[], max_runs integer, slots integer
    )
    order by company, agent, place
  ) claim
  cross join lateral take_leases(
    claim.company, claim.agent, claim.worker_id, claim.request_id, claim.lease_ms,
    claim.tasks, claim.runs, claim.tokens, claim.max_runs, claim.slots
  ) taken`;
