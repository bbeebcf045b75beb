import type { Claim, ClaimLeases, ClaimRequest, ReadyRun } from '../src/commands/claim-runs.js';
import type { Lease } from '../src/commands/decider.js';
import type { Clock } from '../src/commands/ledger.js';
import { taskOfRun, type RunId } from '../src/events/event.js';

interface Row extends Lease {
  readonly request: ClaimRequest;
  readonly task: string;
  expiresAt: number;
  beaten: boolean;
  /** taken back, and not reported yet */
  revoked: boolean;
}

export interface Lost {
  readonly company: string;
  readonly run: RunId;
  readonly beaten: boolean;
}

/** Leases on lanes, in memory and on virtual time: one per lane, and as many per agent as it has slots. */
export class VirtualLeases implements ClaimLeases {
  private readonly rows = new Map<string, Row>();
  private tokens = 0;
  /** What happens between a claim's leases and its starts. */
  afterTake: () => Promise<void> = async () => {};

  constructor(private readonly clock: Clock) {}

  async of(company: string, task: string): Promise<Lease | undefined> {
    const row = this.rows.get(laneKey(company, task));
    return row?.revoked ? undefined : row;
  }

  isFree(company: string, task: string): boolean {
    return !this.rows.has(laneKey(company, task));
  }

  async granted({ company, agent, workerId, requestId }: ClaimRequest): Promise<Claim[]> {
    const own = ({ request }: Row) =>
      request.company === company && request.agent === agent && request.workerId === workerId && request.requestId === requestId;
    const rows = [...this.rows.values()].filter((row) => own(row) && !row.revoked);
    for (const row of rows) row.expiresAt = this.clock.now().getTime() + row.request.leaseMs;
    return rows.map(asClaim);
  }

  async take(request: ClaimRequest, candidates: readonly ReadyRun[], max: number, slots: number): Promise<Claim[]> {
    const room = Math.min(max, slots - this.held(request));
    const free = candidates.filter(({ task }) => this.isFree(request.company, task));
    const claims = free.slice(0, Math.max(room, 0)).map((ready) => this.grant(request, ready));
    if (claims.length > 0) await this.afterTake();
    return claims;
  }

  async release(company: string, task: string, token: string): Promise<void> {
    if (this.rows.get(laneKey(company, task))?.token === token) this.rows.delete(laneKey(company, task));
  }

  giveBack(company: string, task: string, token: string): Promise<void> {
    return this.release(company, task, token);
  }

  async seen(): Promise<void> {}

  beat(company: string, task: string): void {
    const row = this.rows.get(laneKey(company, task));
    if (row && !row.revoked) Object.assign(row, { beaten: true, expiresAt: this.clock.now().getTime() + row.request.leaseMs });
  }

  /** Leases whose workers have not been heard of in time, also those that were taken back before; their lanes are not free yet. */
  revoke(): Lost[] {
    const expired = [...this.rows.values()].filter((row) => row.revoked || row.expiresAt < this.clock.now().getTime());
    for (const row of expired) row.revoked = true;
    return expired.map(({ request, runId, beaten }) => ({ company: request.company, run: runId, beaten }));
  }

  /** After the loss was reported: the lane is free again. */
  forget({ company, run }: Lost): void {
    if (this.rows.get(laneKey(company, taskOfRun(run)))?.revoked) this.rows.delete(laneKey(company, taskOfRun(run)));
  }

  private held({ company, agent }: ClaimRequest): number {
    return [...this.rows.values()].filter(({ request }) => request.company === company && request.agent === agent).length;
  }

  private grant(request: ClaimRequest, { task, runId }: ReadyRun): Claim {
    const expiresAt = this.clock.now().getTime() + request.leaseMs;
    const row: Row = { token: `lease-${++this.tokens}`, runId, request, task, expiresAt, beaten: false, revoked: false };
    this.rows.set(laneKey(request.company, task), row);
    return asClaim(row);
  }
}

const laneKey = (company: string, task: string): string => `${company} ${task}`;
const asClaim = ({ token, runId, task, request }: Row): Claim => ({ token, runId, task, leaseMs: request.leaseMs });
