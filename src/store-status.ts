import { operations } from './events/evolve-operations.js';
import { operationsStream, type SealedLog } from './events/operations.js';
import type { Position } from './events/event.js';
import type { LedgerProcess } from './ledger-process.js';

/** Which log a ledger has, and how it is. */
export interface StoreStatus {
  readonly log: string;
  readonly events: number;
  readonly head: Position;
  readonly closed: boolean;
  /** who closed it and why, where that was told */
  readonly sealed: SealedLog | null;
  /** the log that the read models of the database belong to; null as long as none has been folded */
  readonly followed: string | null;
}

export async function storeStatus({ storedLog, store, ledger, reads }: LedgerProcess): Promise<StoreStatus> {
  const [log, closed, head] = await Promise.all([storedLog.id(), storedLog.isSealed(), store.head()]);
  const [events, { sealed }, followed] = await Promise.all([
    store.count({ upTo: head }),
    ledger.streams.state(operations, operationsStream, true),
    reads.query<{ id: string }>('select id from followed_log'),
  ]);
  return { log, events, head, closed, sealed: sealed?.log === log ? sealed : null, followed: followed.rows[0]?.id ?? null };
}
