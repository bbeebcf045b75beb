import type { RunRow } from '../run-status.js';
import { afterIt, endedReasons } from './ended.js';
import type { Facts } from './facts.js';
import { asideReasons } from './holding.js';
import { parkedReasons } from './parked.js';
import { queuedReasons } from './queued.js';
import type { Reason } from './reason.js';
import { runningReasons } from './running.js';

/** Why a run stands where it stands; of one that is over, also what keeps the one that goes on with it. */
export function reasonsOfRun(facts: Facts, run: RunRow): Reason[] {
  switch (run.status) {
    case 'queued':
      return queuedReasons(facts, run);
    case 'scheduled_retry':
      return parkedReasons(facts, run);
    case 'running':
      return runningReasons(facts, run);
    default: {
      const last = afterIt(facts, run).at(-1);
      return [...endedReasons(facts, run), ...(last ? reasonsOfRun(facts, last) : asideReasons(facts))];
    }
  }
}
