import { positionInWords } from '../../events/positions.js';
import type { Facts, LagFact } from './facts.js';
import type { Reason } from './reason.js';

/** What the answer starts from is not what has happened, so it is said first. */
export const laggingReasons = ({ lags, roles }: Pick<Facts, 'lags' | 'roles'>): Reason[] =>
  lags.map((lag) => ({ code: 'PROJECTION_LAG', sentence: lagging(lag), since: lag.movedAt, ...remedy(lag, roles) }));

function lagging({ projection, position, head, trouble, stream }: LagFact): string {
  if (stream !== null) return `${projection} could not fold ${stream} at ${positionInWords(position)}: ${trouble}`;
  return `${projection} is at ${positionInWords(position)} of ${positionInWords(head)}${trouble ? `, and does not go on: ${trouble}` : ''}`;
}

function remedy({ projection, stream }: LagFact, roles: readonly string[]): Pick<Reason, 'clearedBy' | 'action'> {
  if (stream !== null)
    return { clearedBy: 'whoever mends its fold', action: `ledger projections parked ${projection} --retry ${stream}` };
  if (roles.includes('projector')) return { clearedBy: 'the projector' };
  return { clearedBy: 'a server with the role projector; none runs', action: 'ledger serve' };
}
