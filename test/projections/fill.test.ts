import { beginning } from '../../src/events/event.js';
import { MemoryEventStore } from '../../src/event-store/memory.js';
import { PostgresEventStore } from '../../src/event-store/postgres.js';
import { projectionsOfTheLedger } from '../../src/projections/all.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { appendAll, byKey, filled, foldedUpTo, rowsOf, wholeLog } from './filled.js';
import { History, seeded } from './history.js';

let database: TestDatabase;
beforeEach(async () => {
  database = await freshDatabase();
});
afterEach(() => database.drop());

const seed = Date.now() % 2 ** 31;
beforeAll(() => console.log(`seed ${seed}`));

describe('a fill', () => {
  it('writes the rows that the log folds to, up to a position, whatever happened', async () => {
    const draw = seeded(seed);
    for (const store of [new MemoryEventStore(), new PostgresEventStore({ url: database.url })]) {
      const history = new History(draw, { agents: 4, tasks: 30 });
      for (let n = 0; n < 500; n++) await appendAll(store, history.step());
      const log = await wholeLog(store);
      const [name, upTos] = [
        store.constructor.name.toLowerCase(),
        [beginning, log[draw(log.length)]!.position, await store.head()],
      ];
      for (const [n, upTo] of upTos.entries())
        for (const projection of projectionsOfTheLedger) {
          const schema = `${projection.name}_${name}_${n}`;
          const came = await filled(database.pool, store, projection, schema, upTo);
          const expected = foldedUpTo(projection, log, upTo);
          expect(byKey(projection, await rowsOf(database.pool, projection, schema))).toEqual(byKey(projection, expected));
          expect(came).toEqual({
            events: log.filter(({ type, position }) => type in projection.on && position <= upTo).length,
            rows: expected.length,
          });
        }
      await store.close();
    }
  });
});
