import type { Position, StreamId } from '../../events/event.js';
import type { EventStore } from '../../event-store/event-store.js';
import { streamUpTo } from '../as-of/stream-up-to.js';
import type { Fact } from './lane-story.js';

/** Events by their ids, looked for in these streams, one after another, until all are found. An id that is in none is missing. */
export async function eventsIn(
  store: EventStore,
  streams: Iterable<StreamId>,
  ids: ReadonlySet<string>,
  at: Position,
): Promise<Map<string, Fact>> {
  const found = new Map<string, Fact>();
  for (const stream of streams) {
    if (found.size === ids.size) break;
    for await (const events of streamUpTo(store, stream, at))
      for (const event of events) if (ids.has(event.id)) found.set(event.id, event);
  }
  return found;
}
