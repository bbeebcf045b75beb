import type { Facts } from './facts.js';
import type { Reason } from './reason.js';

/** What the answer starts from is not what has happened, so it is said first. */
export const laggingReasons = ({ lags, roles }: Pick<Facts, 'lags' | 'roles'>): Reason[] =>
  lags.map(({ projection, position, head, movedAt, trouble }) => ({
    code: 'PROJECTION_LAG',
    sentence: `${projection} is at ${shown(position)} of ${shown(head)}${trouble ? `, and does not go on: ${trouble}` : ''}`,
    since: movedAt,
    ...(roles.includes('projector')
      ? { clearedBy: 'the projector' }
      : { clearedBy: 'a server with the role projector; none runs', action: 'ledger serve' }),
  }));

const shown = (position: string): string => (position === '' ? 'the beginning' : String(Number(position)));
