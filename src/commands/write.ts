import { eventId, type Event, type StreamId } from '../events/event.js';
import { schemaOf } from '../events/upcast.js';
import type { Write } from '../event-store/event-store.js';
import type { CommandContext } from './decider.js';

/** What a decision says becomes a write that may be sent again: its ids follow from the command. */
export function toWrite<E extends Event>(
  stream: StreamId,
  /** of the last event that was known to the decision, -1 for none */
  revision: number,
  events: readonly E[],
  { commandId, actor, causationId = commandId, correlationId = commandId, traceparent }: CommandContext,
  chain: string | undefined,
): Write<E> {
  return {
    stream,
    expectedRevision: revision < 0 ? 'no-stream' : revision,
    events: events.map((event, ordinal) => ({ ...event, id: eventId(commandId, stream, ordinal), schema: schemaOf(event.type) })),
    metadata: { actor, commandId, causationId, correlationId: chain ?? correlationId, ...(traceparent && { traceparent }) },
  };
}
