import { EventStoreDbEventStore } from '../../src/event-store/eventstoredb.js';
import { StoreUnavailable } from '../../src/event-store/event-store.js';
import { beginning, type StreamId } from '../../src/events/event.js';
import { ProtocolServer } from './esdb/protocol-server.js';
import { collect, event, events, settle, write } from './contract.js';

const lane: StreamId = 'task-acme.ACME-12';

let server: ProtocolServer;
let said: string[];
const stores: EventStoreDbEventStore[] = [];
/** What would have ended the process. */
const uncaught: unknown[] = [];
const hear = (error: unknown) => void uncaught.push(error);

function open(url: string, timeoutMs?: number): EventStoreDbEventStore {
  const say = (sentence: string) => void said.push(sentence);
  const store = new EventStoreDbEventStore({ url, log: { warn: say, info: say }, ...(timeoutMs && { timeoutMs }) });
  stores.push(store);
  return store;
}

beforeEach(async () => {
  server = await ProtocolServer.start();
  said = [];
  uncaught.length = 0;
  process.on('uncaughtException', hear).on('unhandledRejection', hear);
});
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
  await server.end();
  process.off('uncaughtException', hear).off('unhandledRejection', hear);
  expect(uncaught).toEqual([]);
});

const lanes = (count: number, bytes = 10) =>
  Array.from({ length: count }, (_, i) => write(`task-acme.L-${i}`, 'no-stream', [event({ text: 'x'.repeat(bytes) })]));

const outcomeOf = (appending: Promise<unknown>) =>
  appending.then(
    () => 'answered',
    (error: unknown) => error,
  );

describe('the process lives on', () => {
  it('when an answer comes to an append that was given up because another server was lost', async () => {
    const other = await ProtocolServer.start();
    const [here, there] = [open(server.url), open(other.url)];
    await Promise.all([here.append(lanes(1)), there.append(lanes(1))]);
    server.faults.delayMs = 100;
    const pending = outcomeOf(here.append([write(lane, 'no-stream', events(1))]));
    other.faults.appends.plan({ then: 'unavailable', written: false });
    await expect(there.append([write(lane, 'no-stream', events(1))])).rejects.toThrow(StoreUnavailable);
    expect(await pending).toBeInstanceOf(StoreUnavailable);
    server.faults.clear();
    await new Promise((done) => setTimeout(done, 150));
    expect(await here.readStream(lane)).toHaveLength(1);
    await other.end();
  });

  it('when an append is answered twice', async () => {
    const store = open(server.url);
    server.faults.appends.plan({ then: 'answered-twice', written: true });
    const [result] = await store.append([write(lane, 'no-stream', events(1))]);
    expect(result).toMatchObject({ outcome: 'appended' });
    expect(await store.readStream(lane)).toHaveLength(1);
  });

  it('when the connection breaks while more waits to be sent than it takes', async () => {
    const store = open(server.url, 2_000);
    await store.append(lanes(1));
    server.freeze();
    const writes = lanes(24, 300_000).map((one) => ({ ...one, stream: `${one.stream}b` as StreamId }));
    const pending = Promise.all(writes.map((one) => outcomeOf(store.append([one]))));
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
    server.cut();
    server.thaw();
    expect(await pending).toContainEqual(expect.any(StoreUnavailable));
    for (const one of writes) expect(await settle(store, one)).toMatchObject({ outcome: 'appended', revision: 0 });
  });

  it('when the nodes of a cluster cannot be found, and goes on by itself once they are there', async () => {
    const store = open(`${server.discoverUrl}&maxDiscoverAttempts=2&discoveryInterval=20`);
    const ending = new AbortController();
    const seen = collect(store.subscribe({ after: beginning, signal: ending.signal }), ending, 41);
    await store.append(lanes(1));
    // The subscription is still on the old connection when the nodes are looked for, and breaks before they are given up.
    server.faults.appends.plan({ then: 'unavailable', written: false });
    await expect(store.append([write(lane, 'no-stream', events(1))])).rejects.toThrow(StoreUnavailable);
    const looking = outcomeOf(store.append([write(lane, 'no-stream', events(1))]));
    await server.stop();
    expect(await looking).toBeInstanceOf(StoreUnavailable);
    const appending = lanes(40).map((one) => settlePatiently(store, { ...one, stream: `${one.stream}c` as StreamId }));
    await expect(store.head()).rejects.toThrow(StoreUnavailable);
    await expect(store.append([write(lane, 'no-stream', events(1))])).rejects.toThrow(StoreUnavailable);
    await new Promise((done) => setTimeout(done, 300));
    await server.restart();
    expect(new Set((await Promise.all(appending)).map(({ outcome }) => outcome))).toEqual(new Set(['appended']));
    expect(await seen).toHaveLength(41);
  });
});

async function settlePatiently(store: EventStoreDbEventStore, written: Parameters<typeof settle>[1]) {
  for (;;)
    try {
      return (await store.append([written]))[0]!;
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      await new Promise((done) => setTimeout(done, 20));
    }
}

describe('a subscription', () => {
  it('hears at once of what another process appends', async () => {
    const [reader, writer] = [open(server.url), open(server.discoverUrl)];
    const ending = new AbortController();
    const seen: number[] = [];
    const following = (async () => {
      for await (const page of reader.subscribe({ after: beginning, signal: ending.signal }))
        for (const _ of page) seen.push(performance.now());
    })();
    const written: number[] = [];
    for (let i = 0; i < 20; i += 1) {
      await writer.append([write(`task-acme.H-${i}`, 'no-stream', events(1))]);
      written.push(performance.now());
      await until(() => seen.length > i);
    }
    ending.abort();
    await following;
    const lags = written.map((at, i) => seen[i]! - at).sort((a, b) => a - b);
    // The poll alone would take 125 ms on average.
    expect(lags[10]).toBeLessThan(60);
  });

  it('goes on when the server was away or frozen, and says once that it is lost and once that it is back', async () => {
    const store = open(server.url, 300);
    const ending = new AbortController();
    const seen = collect(store.subscribe({ after: beginning, signal: ending.signal }), ending, 4);
    const outages = [
      async () => {
        await server.stop();
        await until(() => said.length === 1);
        await server.restart();
      },
      async () => {
        server.freeze();
        await until(() => said.length === 3);
        server.thaw();
      },
    ];
    await settlePatiently(store, write(lane, 'no-stream', events(1)));
    for (const [round, outage] of outages.entries()) {
      await outage();
      await until(() => said.length === 2 * round + 2);
      await settlePatiently(store, write(lane, round, events(1)));
    }
    await settlePatiently(store, write(lane, 2, events(1)));
    expect((await seen).map(({ revision }) => revision)).toEqual([0, 1, 2, 3]);
    expect(said).toEqual([
      expect.stringMatching(/^Readers of the event store lost EventStoreDB and keep trying: /),
      expect.stringMatching(/^Readers of the event store have EventStoreDB back after \d+ ms$/),
      expect.stringMatching(/lost EventStoreDB/),
      expect.stringMatching(/EventStoreDB back/),
    ]);
  });
});

async function until(look: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!look()) {
    if (Date.now() > deadline) throw new Error('what the test waits for did not happen within 20 s');
    await new Promise((done) => setTimeout(done, 2));
  }
}
