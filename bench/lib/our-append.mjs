import { PostgresEventStore } from '../../dist/event-store/postgres.js';
import { newStream, sampleEvent, sampleMetadata } from './samples.mjs';

/** Our event store, asked for the same as `plainAppend`. */
export function ourAppend(url) {
  const store = new PostgresEventStore({ url });
  const write = (size) => ({
    stream: newStream(),
    expectedRevision: 'no-stream',
    events: Array.from({ length: size }, sampleEvent),
    metadata: sampleMetadata(),
  });
  const append = async (writes) => {
    const results = await store.append(writes);
    if (results.some(({ outcome }) => outcome !== 'appended')) throw new Error(`not appended: ${JSON.stringify(results)}`);
  };
  return {
    one: () => append([write(1)]),
    batch: (size) => append([write(size)]),
    spread: (size) => append(Array.from({ length: size }, () => write(1))),
    close: () => store.close(),
  };
}
