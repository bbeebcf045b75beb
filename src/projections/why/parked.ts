import type { RunRow } from '../run-status.js';
import type { Facts } from './facts.js';
import { heldReasons } from './holding.js';
import { barring, since, unexplainedMs } from './queued.js';
import type { Reason } from './reason.js';

/** A retry that waits for its time: what would keep it beyond that, and the time. */
export function parkedReasons(facts: Facts, run: RunRow): Reason[] {
  const held = heldReasons(facts, run.agent);
  return [...held, ...barring(facts, run), ...waiting(facts, run, held.length > 0)];
}

function waiting({ now, roles, steadyRoles }: Facts, run: RunRow, isHeld: boolean): Reason[] {
  const { run_id, queued_at, scheduled_retry_at } = run;
  const dueAt = scheduled_retry_at ?? queued_at;
  const stopped = roles.includes('promoter') ? [] : [promoterStopped(run, dueAt <= now ? dueAt : undefined)];
  if (dueAt > now) return [dueLater(run, dueAt), ...stopped];
  if (stopped.length > 0 || isHeld) return stopped;
  if (since(dueAt, now) <= unexplainedMs || !steadyRoles.includes('promoter'))
    return [{ code: 'READY', sentence: `${run_id} is due, and about to be queued`, since: dueAt, clearedBy: 'the promoter' }];
  return [
    { code: 'SHOULD_BE_RUNNING', sentence: `${run_id} is due, and the promoter leaves it: the ledger is at fault`, since: dueAt },
  ];
}

const dueLater = ({ run_id, retry_of, attempt, max_attempts, queued_at }: RunRow, dueAt: string): Reason => ({
  code: 'DUE_LATER',
  sentence: `${run_id} tries ${retry_of ?? 'it'} again when it is due: attempt ${attempt} of ${max_attempts ?? 'many'}`,
  since: queued_at,
  clearedBy: 'the promoter, at that time',
  clearsAt: dueAt,
  action: `ledger runs retry-now ${run_id}`,
});

/** `dueAt`: it is due. */
const promoterStopped = ({ run_id, queued_at }: RunRow, dueAt: string | undefined): Reason => ({
  code: 'PROMOTER_STOPPED',
  sentence: `no server with the role promoter runs, which would queue ${run_id}${dueAt ? '' : ' when it is due'}`,
  since: dueAt ?? queued_at,
  clearedBy: 'a server with the role promoter',
  action: dueAt ? 'ledger retries promote' : 'ledger serve',
});
