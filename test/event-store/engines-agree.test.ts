import fc from 'fast-check';
import type { Appended, Position, StreamId } from '../../src/events/event.js';
import { nameUuid } from '../../src/events/event.js';
import type { EventStore, ExpectedRevision, WriteResult } from '../../src/event-store/event-store.js';
import { MemoryEventStore } from '../../src/event-store/memory.js';
import { PostgresEventStore } from '../../src/event-store/postgres.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { event, write } from './contract.js';

/** Few streams, few ids and low revisions, so that conflicts, replays and half replays are common. */
const anyWrite = fc.record({
  lane: fc.integer({ min: 0, max: 2 }),
  expected: fc.oneof(fc.constantFrom<ExpectedRevision>('no-stream', 'stream-exists', 'any'), fc.integer({ min: 0, max: 6 })),
  ids: fc.uniqueArray(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 3 }),
});
const calls = fc.array(fc.array(anyWrite, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 12 });

describe('the memory and the Postgres engine', () => {
  let database: TestDatabase;
  let postgres: PostgresEventStore;

  beforeAll(async () => {
    database = await freshDatabase();
    postgres = new PostgresEventStore({ url: database.url });
  });
  afterAll(async () => {
    await postgres.close();
    await database.drop();
  });

  it('answer alike to random writes with random expectations', async () => {
    let history = 0;
    const seed = Date.now() % 2 ** 31;
    console.log(`seed ${seed}`);
    const alike = fc.asyncProperty(calls, async (batches) => {
      history += 1;
      const memory = new MemoryEventStore();
      for (const batch of batches) {
        const writes = batch.map(({ lane, expected, ids }) =>
          write(
            streamOf(history, lane),
            expected,
            ids.map((id) => event({ id }, nameUuid('event', history, id))),
          ),
        );
        expect((await postgres.append(writes)).map(comparable)).toEqual((await memory.append(writes)).map(comparable));
      }
      expect(await contents(postgres, history)).toEqual(await contents(memory, history));
    });
    await fc.assert(alike, { numRuns: 150, seed });
  });
});

const streamOf = (history: number, lane: number): StreamId => `task-acme.H${history}-${lane}`;

/** Two logs differ in time and, because of earlier histories, in positions. */
const comparable = (result: WriteResult) =>
  result.outcome === 'appended' ? { ...result, position: undefined, events: result.events.map(timeless) } : result;

const timeless = ({ position: _, recordedAt: __, ...event }: Appended & { readonly position?: Position }) => event;

async function contents(store: EventStore, history: number) {
  const streams = await store.readStreams([0, 1, 2].map((lane) => streamOf(history, lane)));
  return [...streams.values()].map((stream) => stream.map(timeless));
}
