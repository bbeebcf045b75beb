import { NewerThanKnown, schemaOf, upcasting, type StepsOf } from '../../src/events/upcast.js';
import { beginning, type Event } from '../../src/events/event.js';
import type { EventStore } from '../../src/event-store/event-store.js';
import { MemoryEventStore } from '../../src/event-store/memory.js';
import { PostgresEventStore } from '../../src/event-store/postgres.js';
import { event, metadata, write } from '../event-store/contract.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';

type Moved = Event<'Moved', { from: string; to: string; why: string | null }>;
type Stayed = Event<'Stayed', { where: string }>;

/** At first it said only where to; then also where from; why, it says since today. */
const steps: StepsOf<Moved | Stayed> = {
  Moved: [
    ({ to }: { to: string }) => ({ to, from: 'somewhere' }),
    (data: { to: string; from: string }) => ({ ...data, why: null }),
  ],
};
const { schemaOf: todaysSchema, upcast } = upcasting(steps);

const kept = (type: string, schema: number, data: object) => ({ type, schema, data, stream: 'task-acme.ACME-12', revision: 4 });

describe('an event that is read', () => {
  it.each([
    ['two steps away', 1, { to: 'Rome' }, { from: 'somewhere', to: 'Rome', why: null }],
    ['one step away', 2, { from: 'Bath', to: 'Rome' }, { from: 'Bath', to: 'Rome', why: null }],
  ])('is of the shape of today, if it was written %s', (_, schema, data, today) => {
    expect(upcast(kept('Moved', schema, data))).toEqual(kept('Moved', 3, today));
  });

  it.each([
    ['today', kept('Moved', 3, { from: 'Bath', to: 'Rome', why: 'the weather' })],
    ['in a shape that never changed', kept('Stayed', 1, { where: 'Rome' })],
    ['by something else', kept('Slept', 1, {})],
  ])('is the very event that was kept, if it was written %s', (_, today) => {
    expect(upcast(today)).toBe(today);
  });

  it.each([
    ['Moved', 4, 3],
    ['Stayed', 2, 1],
  ])('is refused if its shape is newer than the code: %s of schema %i', (type, schema, known) => {
    const read = () => upcast(kept(type, schema, {}));
    expect(read).toThrow(NewerThanKnown);
    expect(read).toThrow(
      `task-acme.ACME-12: ${type} at revision 4 has the schema ${schema}, and this version of the ledger reads it up to ${known}: ` +
        'start the version that wrote it, or a newer one',
    );
  });

  it('was written in the schema that its steps lead to', () => {
    expect([todaysSchema('Moved'), todaysSchema('Stayed')]).toEqual([3, 1]);
  });
});

const lane = 'task-acme.ACME-12';
const newer = schemaOf('RunQueued') + 1;

describe('a log that is ahead of the code', () => {
  let database: TestDatabase;
  let store: EventStore;

  beforeAll(async () => {
    database = await freshDatabase();
    store = new PostgresEventStore({ url: database.url });
    const { id, type, data } = event();
    await database.pool.query('select public.append_one($1, -1, $2, $3)', [
      lane,
      JSON.stringify([{ id, type, schema: newer, data }]),
      JSON.stringify(metadata),
    ]);
  });
  afterAll(async () => {
    await store.close();
    await database.drop();
  });

  const subscribed = async () => {
    for await (const page of store.subscribe({ after: beginning, signal: AbortSignal.timeout(10_000) })) return page;
    throw new Error('there was no page');
  };

  it.each<[string, () => Promise<unknown>]>([
    ['a stream', () => store.readStream(lane)],
    ['a stream from its end', () => store.readStream(lane, { direction: 'backwards' })],
    ['many streams', () => store.readStreams([lane])],
    ['the log', () => store.readAll({ after: beginning, limit: 10 })],
    ['events of a type', () => store.readAll({ after: beginning, limit: 10, types: ['RunQueued'] })],
    ['what comes', subscribed],
  ])('is not misread by who reads %s', async (_, read) => {
    await expect(read()).rejects.toThrow(`${lane}: RunQueued at revision 0 has the schema ${newer}`);
  });
});

it.each([
  ['memory', async () => ({ store: new MemoryEventStore(), end: async () => {} })],
  ['Postgres', onPostgres],
])('nothing is written to %s that this version could not read again', async (_, open) => {
  const { store, end } = await open();
  const [result] = await store.append([write(lane, 'no-stream', [{ ...event(), schema: newer }])]);
  expect(result).toEqual({
    outcome: 'refused',
    reason: `${lane}: RunQueued has the schema ${newer}: today's is ${schemaOf('RunQueued')}`,
  });
  expect(await store.readStream(lane)).toEqual([]);
  await store.close();
  await end();
});

async function onPostgres() {
  const database = await freshDatabase();
  return { store: new PostgresEventStore({ url: database.url }), end: () => database.drop() };
}
