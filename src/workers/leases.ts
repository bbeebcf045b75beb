import type pg from 'pg';
import type { Claim, ClaimLeases, ClaimRequest, ReadyRun } from '../commands/claim-runs.js';
import type { Lease } from '../commands/decider.js';
import type { TaskId } from '../events/event.js';
import { Gatherer } from '../event-store/gatherer.js';
import { claimsBell, type Bells } from './bells.js';
import { TakeLeases, taking, type Taking } from './take-leases.js';

/** A lease that its worker has outlived, taken from it and to be reported. */
export interface Revoked extends ReadyRun {
  readonly company: string;
  /** its worker was heard of after the claim */
  readonly beaten: boolean;
}

/** A worker still works on a run. */
export interface Beat {
  readonly company: string;
  readonly task: TaskId;
  /** the lease's */
  readonly token: string;
  /** how far the run's output has come, and when it last grew (ISO); what is left out stays as it was */
  readonly outputSeq?: number;
  readonly outputAt?: string;
}

/**
 * Leases on lanes, in Postgres. Claims and revocations commit synchronously, so that no lease is forgotten; beats and removals
 * may be lost in a crash of Postgres: a lost beat is an earlier expiry, a lost removal a later one.
 */
export class PostgresLeases implements ClaimLeases {
  private readonly takings: Gatherer<Taking, Claim[]>;

  constructor(
    private readonly db: pg.Pool,
    /** commits asynchronously */
    private readonly lossy: pg.Pool,
    private readonly bells: Bells,
  ) {
    this.takings = new Gatherer(new TakeLeases(db));
  }

  async of(company: string, task: string): Promise<Lease | undefined> {
    const { rows } = await this.lossy.query<Lease>({
      name: 'lease-of',
      text: `select token, run_id as "runId"
        from lane_leases
        where company = $1
          and task = $2
          and revoked_at is null`,
      values: [company, task],
    });
    return rows[0];
  }

  async granted({ company, agent, workerId, requestId }: ClaimRequest): Promise<Claim[]> {
    const { rows } = await this.lossy.query<Claim>({
      name: 'leases-granted',
      text: `update lane_leases
        set expires_at = ledger_now() + lease_ms * interval '1 ms'
        where company = $1
          and agent = $2
          and worker_id = $3
          and request_id = $4
          and revoked_at is null
        returning task, run_id as "runId", token, lease_ms as "leaseMs"`,
      values: [company, agent, workerId, requestId],
    });
    return rows;
  }

  /** The time that leases are counted in. */
  async now(): Promise<Date> {
    const { rows } = await this.lossy.query<{ now: string }>('select ledger_now() as now');
    return new Date(rows[0]!.now);
  }

  take(request: ClaimRequest, candidates: readonly ReadyRun[], max: number, slots: number): Promise<Claim[]> {
    return this.takings.add(taking(request, candidates, max, slots));
  }

  /** Renews the lease; `undefined` when it is no longer this one's. */
  async beat({ company, task, token, outputSeq, outputAt }: Beat): Promise<{ leaseMs: number } | undefined> {
    const { rows } = await this.lossy.query<{ leaseMs: number; agent: string; workerId: string }>({
      name: 'lease-beat',
      text: `update lane_leases
        set expires_at = ledger_now() + lease_ms * interval '1 ms',
          beaten_at = ledger_now(),
          output_seq = coalesce($4, output_seq),
          output_at = coalesce($5, output_at)
        where company = $1
          and task = $2
          and token = $3
          and revoked_at is null
        returning lease_ms as "leaseMs", agent, worker_id as "workerId"`,
      values: [company, task, token, outputSeq, outputAt],
    });
    const [beaten] = rows;
    if (beaten) await this.heardOf(company, beaten);
    return beaten && { leaseMs: beaten.leaseMs };
  }

  async release(company: string, task: string, token: string): Promise<void> {
    for (const agent of await this.remove(company, task, token)) this.bells.ring(claimsBell(company, agent));
  }

  async giveBack(company: string, task: string, token: string): Promise<void> {
    await this.remove(company, task, token);
  }

  async seen({ company, agent, workerId }: Pick<ClaimRequest, 'company' | 'agent' | 'workerId'>): Promise<void> {
    await this.lossy.query({
      name: 'worker-asked',
      text: `insert into workers as worker (company, agent, worker_id, seen_at, asked_at)
        values ($1, $2, $3, ledger_now(), ledger_now())
        on conflict (company, agent, worker_id) do update
        set seen_at = excluded.seen_at,
          asked_at = excluded.asked_at
        where worker.asked_at is null
          or worker.asked_at < excluded.asked_at - interval '5 s'`,
      values: [company, agent, workerId],
    });
  }

  /**
   * Takes back what has expired, if beats could have arrived for a whole lease since `since`; also what another process took
   * back and did not report within 30 s. Nothing, when it comes late after `now`, which `since` was told by: its sender stood still
   * meanwhile, and took no beats.
   */
  async revoke({ since, now }: { since: Date; now: Date }, limit: number): Promise<Revoked[]> {
    const { rows } = await this.db.query<Revoked>(
      `update lane_leases
       set revoked_at = ledger_now()
       where (company, task) in (
         select company, task
         from lane_leases
         where expires_at < ledger_now()
           and (revoked_at is null or revoked_at < ledger_now() - interval '30 s')
           and $1::timestamptz + lease_ms * interval '1 ms' < ledger_now()
           and $2::timestamptz + interval '5 s' > ledger_now()
         order by expires_at
         limit $3
         for update skip locked
       )
       returning company, task, run_id as "runId", beaten_at is not null as beaten`,
      [since, now, limit],
    );
    return rows;
  }

  /** After the loss was reported: the lane is free again. */
  async forget({ company, task, runId }: Revoked): Promise<void> {
    const { rows } = await this.lossy.query<{ agent: string }>(
      `delete from lane_leases
       where company = $1
         and task = $2
         and run_id = $3
         and revoked_at is not null
       returning agent`,
      [company, task, runId],
    );
    for (const { agent } of rows) this.bells.ring(claimsBell(company, agent));
  }

  /** It works, and does not ask for more. */
  private async heardOf(company: string, { agent, workerId }: { agent: string; workerId: string }): Promise<void> {
    await this.lossy.query({
      name: 'worker-seen',
      text: `insert into workers as worker (company, agent, worker_id, seen_at)
        values ($1, $2, $3, ledger_now())
        on conflict (company, agent, worker_id) do update
        set seen_at = excluded.seen_at
        where worker.seen_at < excluded.seen_at - interval '5 s'`,
      values: [company, agent, workerId],
    });
  }

  /** Answers whose lease it was, if it was there. */
  private async remove(company: string, task: string, token: string): Promise<string[]> {
    const { rows } = await this.lossy.query<{ agent: string }>({
      name: 'lease-release',
      text: `delete from lane_leases
        where company = $1
          and task = $2
          and token = $3
        returning agent`,
      values: [company, task, token],
    });
    return rows.map(({ agent }) => agent);
  }
}
