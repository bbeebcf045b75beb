import { EventStoreDBClient, FORWARDS, jsonEvent, NO_STREAM, START } from '@eventstore/db-client';
import { sampleEvent, sampleMetadata } from './samples.mjs';

/** The client of EventStoreDB as its manual shows it: no ledger's ids, times or limits, and nothing is checked. */
export async function bareClient(url) {
  const client = EventStoreDBClient.connectionString(url);
  const { serverVersion } = await client.capabilities;
  return {
    serverVersion,
    append(size, stream, revision) {
      const events = Array.from({ length: size }, () => {
        const { id, type, data } = sampleEvent();
        return jsonEvent({ id, type, data, metadata: sampleMetadata() });
      });
      return client.appendToStream(stream, events, { expectedRevision: revision < 0 ? NO_STREAM : BigInt(revision) });
    },
    /** Reads begin with the event at a position, not behind it. */
    async page(after, limit) {
      const from = after ? { fromPosition: positionOf(after), maxCount: limit + 1 } : { fromPosition: START, maxCount: limit };
      const events = [];
      for await (const { event } of client.readAll({ direction: FORWARDS, ...from })) events.push(event);
      return after ? events.slice(1) : events;
    },
    close: () => client.dispose(),
  };
}

/** Also of one that the ledger has written. */
function positionOf(position) {
  if (typeof position !== 'string') return position;
  const [commit, prepare = commit] = position.split('.').map(BigInt);
  return { commit, prepare };
}
