import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { EventStoreDbEventStore } from '../../src/event-store/eventstoredb.js';
import { EventStoreDbLog } from '../../src/event-store/eventstoredb-log.js';
import { checkPosition, positionOfRecord, recordAt } from '../../src/event-store/eventstoredb-positions.js';
import type { LogMarks } from '../../src/event-store/log-marks.js';
import { beginning, type Recorded } from '../../src/events/event.js';
import { justBefore } from '../../src/events/positions.js';
import { ProtocolServer } from './esdb/protocol-server.js';
import { events, write } from './contract.js';

let server: ProtocolServer;
let store: EventStoreDbEventStore;
let others: EventStoreDBClient;
const marked: EventStoreDbEventStore[] = [];

beforeEach(async () => {
  server = await ProtocolServer.start();
  store = new EventStoreDbEventStore({ url: server.url, timeoutMs: 5_000 });
  others = EventStoreDBClient.connectionString(server.url);
});
afterEach(async () => {
  for (const one of marked.splice(0)) await one.close();
  await store.close();
  await others.dispose();
  await server.end();
});

const byOthers = (count: number, metadata?: object) =>
  others.appendToStream(
    'orders-7',
    Array.from({ length: count }, () =>
      jsonEvent({
        type: 'OrderPlaced',
        data: { order: 7 },
        ...(metadata && { metadata: Buffer.isBuffer(metadata) ? new Uint8Array(metadata) : { ...metadata } }),
      }),
    ),
  );

async function append(count: number): Promise<Recorded[]> {
  const stream = `task-acme.T-${server.log.records.length}` as const;
  await store.append([write(stream, 'no-stream', events(count))]);
  return store.readStream(stream);
}

/** A store that knows the log at these events, the nth of the log by n. */
function withMarks(log: readonly Recorded[], places: readonly number[]): EventStoreDbEventStore {
  const marks = places.map((events) => ({ events, ...log[events - 1]! }));
  const known: LogMarks = {
    upTo: async (position) => marks.findLast((mark) => mark.position <= position),
    before: async (time) => marks.findLast(({ recordedAt }) => recordedAt <= time),
  };
  const one = new EventStoreDbEventStore({ url: server.url, marks: known, timeoutMs: 5_000 });
  marked.push(one);
  return one;
}

/** How many events the server sent meanwhile. */
async function eventsRead(work: () => Promise<unknown>): Promise<number> {
  const before = server.faults.eventsRead;
  await work();
  return server.faults.eventsRead - before;
}

const whole = () => store.readAll({ after: beginning, limit: 10_000 });

describe('events of others in the same EventStoreDB', () => {
  it('are in no page, which is full nevertheless, and in no count; the head is before them', async () => {
    await byOthers(5);
    const ours = await append(3);
    await byOthers(200, { ledger: 'no' });
    ours.push(...(await append(3)));
    await byOthers(300, { ledger: { id: 7 } });
    for (const odd of ['null', '[]', '"text"', '{"ledger":null}', 'no JSON']) await byOthers(1, Buffer.from(odd));
    expect(await store.readAll({ after: beginning, limit: 4 })).toEqual(ours.slice(0, 4));
    expect(await store.readAll({ after: ours[3]!.position, limit: 4 })).toEqual(ours.slice(4));
    expect(await store.head()).toBe(ours[5]!.position);
    expect(await store.count({ upTo: await store.head() })).toBe(6);
    expect(await store.positionAt('2099-01-01T00:00:00.000Z')).toBe(ours[5]!.position);
  });

  it('are passed once by who waits behind them', async () => {
    const [, last] = await append(2);
    await byOthers(3_000);
    const look = () => store.readAll({ after: last!.position, limit: 10 });
    expect(await eventsRead(look)).toBeGreaterThan(3_000);
    expect(await eventsRead(look)).toBe(1);
    expect(await eventsRead(() => store.head())).toBeLessThan(10);
    const next = await append(1);
    expect(await look()).toEqual(next);
    expect(await store.head()).toBe(next[0]!.position);
  });

  it('do not hide that the log was restored from a backup that ends before them', async () => {
    const ours = await append(2);
    await byOthers(20);
    expect(await store.readAll({ after: ours[1]!.position, limit: 10 })).toEqual([]);
    server.log.records.splice(server.log.records.findIndex(({ stream }) => stream === 'orders-7'));
    server.cut();
    // Lost and found again.
    await store.head().catch(() => beginning);
    expect(await store.head()).toBe(ours[1]!.position);
    expect(await store.readAll({ after: ours[0]!.position, limit: 10 })).toEqual([ours[1]]);
  });
});

describe('a position that no event has', () => {
  it('is the place between those around it: the one before an event, or any other', async () => {
    await append(5);
    const log = await whole();
    const [, second, third] = log;
    expect(await store.readAll({ after: justBefore(third!.position), limit: 1 })).toEqual([third]);
    const between = justBefore(justBefore(third!.position));
    expect(between > second!.position).toBe(true);
    for (const one of [store, withMarks(log, [1]), withMarks(log, [4])])
      expect(await one.readAll({ after: between, limit: 2 })).toEqual(log.slice(2, 4));
    expect(await store.count({ upTo: between })).toBe(2);
    expect(await store.readAll({ after: '99999999999999999999', limit: 1 })).toEqual([]);
  });

  it.each(['0000000000000007', 'yesterday', '7', '00000000000000000007.7'])(
    'is refused if it is none of an EventStoreDB: %s',
    async (text) => {
      const reason = `"${text}" is not a position of this store`;
      await expect(store.readAll({ after: text, limit: 1 })).rejects.toThrow(reason);
      await expect(store.readAll({ after: beginning, upTo: text, limit: 1 })).rejects.toThrow(reason);
      await expect(store.count({ upTo: text })).rejects.toThrow(reason);
      expect(() => store.subscribe({ after: text, signal: new AbortController().signal })).toThrow(reason);
    },
  );
});

describe('positions', () => {
  it('sort as the records do, also those of one transaction, and are read back', () => {
    const records = [
      { commit: 9n, prepare: 9n },
      { commit: 100n, prepare: 20n },
      { commit: 100n, prepare: 30n },
      { commit: 101n, prepare: 101n },
      { commit: 2n ** 63n, prepare: 2n ** 63n },
    ];
    const positions = records.map(positionOfRecord);
    expect(positions.toSorted()).toEqual(positions);
    expect(positions.map((position) => recordAt(checkPosition(position)))).toEqual(records);
    expect(positions[1]).toBe('00000000000000000100.00000000000000000020');
    expect(recordAt(beginning)).toBe('start');
  });
});

describe('marks', () => {
  it('are where counting begins, and what was counted is another', async () => {
    for (let i = 0; i < 5; i += 1) await append(100);
    const log = await whole();
    const one = withMarks(log, [200, 400]);
    const count = (n: number) => async () => expect(await one.count({ upTo: log[n - 1]!.position })).toBe(n);
    expect(await eventsRead(count(450))).toBe(101);
    expect(await eventsRead(count(500))).toBe(51);
    expect(await eventsRead(count(450))).toBe(0);
    await append(1);
    log.push(...(await whole()).slice(-1));
    expect(await eventsRead(count(501))).toBe(2);
    expect(await eventsRead(count(250))).toBeLessThan(310);
  });

  it('are where a time is looked for, so far before it that no clock matters', async () => {
    const log: Recorded[] = [];
    const started = Date.UTC(2026, 3, 20, 12);
    let now = started;
    const writer = new EventStoreDbEventStore({ url: server.url, now: () => new Date(now) });
    for (let i = 0; i < 10; i += 1) {
      now = started + i * 60_000;
      await writer.append([write(`task-acme.C-${i}`, 'no-stream', events(100))]);
    }
    await writer.close();
    log.push(...(await whole()));
    const one = withMarks(log, [300, 600, 900]);
    const find = (ms: number, n: number) => async () =>
      expect(await one.positionAt(new Date(started + ms).toISOString())).toBe(log[n - 1]?.position ?? beginning);
    expect(await eventsRead(find(8 * 60_000, 900))).toBe(401);
    expect(await eventsRead(find(8 * 60_000 - 1, 800))).toBe(401);
    await find(-1, 0)();
    await find(3_600_000, 1_000)();
  });
});

describe('the time of an event', () => {
  it('is that of the process that wrote it, never before what that has seen; without it, when EventStoreDB has written it', async () => {
    let now = new Date('2026-04-20T12:00:00.000Z');
    const behind = new EventStoreDbEventStore({ url: server.url, now: () => now });
    const [there] = await append(1);
    await behind.readAll({ after: beginning, limit: 1 });
    const [result] = await behind.append([write('task-acme.LATE', 'no-stream', events(1))]);
    expect(result).toMatchObject({ events: [{ recordedAt: there!.recordedAt }] });
    await behind.close();
    now = new Date();
    await byOthers(1, { ...there!.metadata, ledger: { id: there!.id, schema: 1 } });
    const last = (await whole()).at(-1)!;
    expect(last).toMatchObject({ id: there!.id, stream: 'orders-7', metadata: there!.metadata });
    expect(Math.abs(Date.parse(last.recordedAt) - now.getTime())).toBeLessThan(5_000);
  });
});

it('the log and its engine read the same', async () => {
  await append(3);
  const log = new EventStoreDbLog({ url: server.url });
  expect((await log.after(undefined, 10)).map(({ id }) => id)).toEqual((await whole()).map(({ id }) => id));
  await log.close();
});
