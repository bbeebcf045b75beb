import type { Position, Recorded, StreamId } from '../../events/event.js';
import type { LedgerEvent } from '../../events/ledger-event.js';
import type { EventStore } from '../../event-store/event-store.js';

/** What was early on a long stream is not to cost a large page. */
const pageSizes = { first: 200, most: 1_000 };

/** What a stream had at a position, in order and in pages, so that a long one is never in memory as a whole. */
export async function* streamUpTo(
  store: EventStore,
  stream: StreamId,
  position: Position,
): AsyncGenerator<readonly Recorded<LedgerEvent>[]> {
  for (let from = 0, limit = pageSizes.first; ; from += limit, limit = Math.min(limit * 2, pageSizes.most)) {
    const events = await store.readStream<LedgerEvent>(stream, { from, limit });
    const past = events.filter((event) => event.position <= position);
    if (past.length > 0) yield past;
    if (past.length < limit) return;
  }
}
