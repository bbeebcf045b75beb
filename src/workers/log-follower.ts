import type { Ledger } from '../commands/ledger.js';
import type { EventStore } from '../event-store/event-store.js';
import { isHeartbeat, type Position, type Recorded } from '../events/event.js';
import type { LedgerEvent } from '../events/ledger-event.js';
import { operationsStream } from '../events/operations.js';
import { claimsBell, claimsBells, heartbeatsBell, operationsBell, retriesBell, routinesBell, type Bells } from './bells.js';
import type { Loop } from './loop.js';

/** Keeps what this process knows of streams up to what all processes append, and rings for those who wait for it. */
export function logFollower(ports: { store: EventStore; ledger: Ledger; bells: Bells }, from: Position): Loop {
  const { store, ledger, bells } = ports;
  let after = from;
  return {
    name: 'the follower of the log',
    async turn(signal) {
      for await (const page of store.subscribe<LedgerEvent>({ after, signal })) {
        ledger.streams.follow(page);
        for (const bell of new Set(page.flatMap(bellsOf))) bells.ring(bell);
        if (page.some(({ stream }) => stream === operationsStream)) bells.ring(operationsBell);
        for (const company of new Set(page.flatMap(releasedCompanies))) bells.ringAll(claimsBells(company));
        after = page.at(-1)?.position ?? after;
      }
    },
  };
}

function bellsOf({ company, subject, type, data }: Recorded<LedgerEvent>): string[] {
  switch (type) {
    case 'RetryScheduled':
    case 'CompanyReleased':
    case 'TaskReleased':
    case 'BlockerResolved':
      return [retriesBell];
    case 'AgentResumed':
      return [retriesBell, heartbeatsBell, claimsBell(company, data.agent)];
    case 'AgentRegistered':
    case 'AgentChanged':
      return [heartbeatsBell];
    case 'RunSucceeded':
    case 'RunFailed':
    case 'RunTimedOut':
    case 'RunCancelled':
      // The end of any other run puts the next heartbeat off.
      return isHeartbeat(subject) ? [heartbeatsBell] : [];
    case 'RoutineDefined':
    case 'RoutineChanged':
      return [routinesBell];
    case 'RunQueued':
    case 'RetryPromoted':
      return [claimsBell(company, data.agent)];
    default:
      return [];
  }
}

/** Whose runs, any of them, may be there to be claimed. */
function releasedCompanies({ company, type }: Recorded<LedgerEvent>): string[] {
  switch (type) {
    case 'CompanyReleased':
    case 'TaskReleased':
    case 'BlockerResolved':
      return [company];
    default:
      return [];
  }
}
