import type { RunRow } from '../run-status.js';
import type { Facts, LeaseFact } from './facts.js';
import type { Reason } from './reason.js';

/** Its worker, and until when that is believed to be at it. */
export function runningReasons({ lease, now, roles }: Facts, run: RunRow): Reason[] {
  const own = lease?.runId === run.run_id ? lease : undefined;
  return own && !isOver(own, now) ? [running(run, own)] : [lost(run, own, roles)];
}

export const isOver = ({ isRevoked, expiresAt }: LeaseFact, now: string): boolean => isRevoked || expiresAt <= now;

function running(run: RunRow, { workerId, expiresAt }: LeaseFact): Reason {
  const { run_id, detached, silence, started_at, queued_at } = run;
  const how = detached ? `the process of ${run_id} goes on without ${workerId}` : `${workerId} is at ${run_id}`;
  return {
    code: 'RUNNING',
    sentence: `${how}; its lease lasts until ${expiresAt}, and longer with every sign of life${silent(run)}`,
    since: started_at ?? queued_at,
    clearedBy: `the end of ${run_id}`,
    ...(silence && !silence.decided && { action: `ledger runs silence ${run_id} continue` }),
  };
}

function silent({ silence }: RunRow): string {
  if (!silence) return '';
  const decided = silence.decided ? `, and may be so${silence.until ? ` until ${silence.until}` : ''} (${silence.decided})` : '';
  return `; it has said nothing since ${silence.since}, which is ${silence.level}${decided}`;
}

const lost = (
  { run_id, worker, started_at, queued_at }: RunRow,
  lease: LeaseFact | undefined,
  roles: readonly string[],
): Reason => ({
  code: 'LEASE_LOST',
  sentence: `nothing was heard of ${worker ?? 'its worker'} for a whole lease: ${run_id} is given up as lost`,
  since: lease?.expiresAt ?? started_at ?? queued_at,
  ...reaping(roles),
});

/** Who ends a lease that is over. */
export const reaping = (roles: readonly string[]): Pick<Reason, 'clearedBy' | 'action'> =>
  roles.includes('reaper')
    ? { clearedBy: 'the reaper' }
    : { clearedBy: 'a server with the role reaper; none runs', action: 'ledger serve' };
