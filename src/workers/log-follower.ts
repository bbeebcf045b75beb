import type { Ledger } from '../commands/ledger.js';
import type { EventStore } from '../event-store/event-store.js';
import type { Recorded } from '../events/event.js';
import type { LedgerEvent } from '../events/ledger-event.js';
import { claimsBell, retriesBell, type Bells } from './bells.js';

/** Keeps what this process knows of streams up to what all processes append, and rings for those who wait for it. */
export async function followLog(ports: { store: EventStore; ledger: Ledger; bells: Bells }, signal: AbortSignal): Promise<void> {
  const { store, ledger, bells } = ports;
  for await (const page of store.subscribe<Recorded<LedgerEvent>>({ after: await store.head(), signal })) {
    ledger.follow(page);
    for (const bell of new Set(page.flatMap(bellsOf))) bells.ring(bell);
  }
}

function bellsOf({ company, type, data }: Recorded<LedgerEvent>): string[] {
  switch (type) {
    case 'RetryScheduled':
      return [retriesBell];
    case 'AgentResumed':
      return [retriesBell, claimsBell(company, data.agent)];
    case 'RunQueued':
    case 'RetryPromoted':
      return [claimsBell(company, data.agent)];
    default:
      return [];
  }
}
