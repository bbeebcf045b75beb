import { policyName } from '../../commands/routines/steps.js';
import { positionInWords } from '../../events/positions.js';
import type { FireFacts } from './facts.js';
import { since, unexplainedMs } from './queued.js';
import type { Reason } from './reason.js';

/** Events that the policy may be behind while it works as it should. */
export const toleratedLag = 1_000;

/** A fire has not come to its task yet, or not back: what keeps whoever would finish it. */
export function pendingReasons(facts: FireFacts): Reason[] {
  const { parked, policy, roles } = facts;
  if (parked) return [stuck(parked)];
  if (!roles.includes('policies')) return [withoutPolicies(facts)];
  return policy && policy.lag > toleratedLag ? [behind(policy)] : [onItsWay(facts)];
}

function stuck({ stream, command, error, parkedAt }: NonNullable<FireFacts['parked']>): Reason {
  return {
    code: 'REACTION_PARKED',
    sentence: `policy ${policyName} could not send ${command ?? 'what follows'} to ${stream}: ${error}`,
    since: parkedAt,
    clearedBy: 'whoever mends that; it is tried again every 30 s',
    action: 'ledger policies parked',
  };
}

const withoutPolicies = ({ fire: { fire, fired_at } }: FireFacts): Reason => ({
  code: 'POLICIES_STOPPED',
  sentence: `no server with the role policies runs, which would finish ${fire}`,
  since: fired_at,
  clearedBy: 'a server with the role policies',
  action: 'ledger serve',
});

const behind = ({ position, head, movedAt }: NonNullable<FireFacts['policy']>): Reason => ({
  code: 'PROJECTION_LAG',
  sentence: `policy ${policyName}, which finishes fires, is at ${positionInWords(position)} of ${positionInWords(head)}`,
  since: movedAt,
  clearedBy: 'the policies',
});

function onItsWay({ fire: { fire, task, fired_at }, now, steadyRoles }: FireFacts): Reason {
  const sentence = `${fire} is on its way to ${task}`;
  if (since(fired_at, now) <= unexplainedMs || !steadyRoles.includes('policies'))
    return { code: 'READY', sentence, since: fired_at, clearedBy: `whoever fired it, or policy ${policyName}` };
  return { code: 'SHOULD_BE_RUNNING', sentence: `${sentence}, and nobody goes with it: the ledger is at fault`, since: fired_at };
}
