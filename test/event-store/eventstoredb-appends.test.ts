import { EventStoreDbEventStore } from '../../src/event-store/eventstoredb.js';
import { StoreUnavailable, type WriteResult } from '../../src/event-store/event-store.js';
import { beginning, type StreamId } from '../../src/events/event.js';
import type { AppendFault } from './esdb/faults.js';
import { ProtocolServer } from './esdb/protocol-server.js';
import { event, events, metadata, settle, withoutPosition, write } from './contract.js';

const lane: StreamId = 'task-acme.ACME-12';

let server: ProtocolServer;
let store: EventStoreDbEventStore;

const open = (options: Partial<ConstructorParameters<typeof EventStoreDbEventStore>[0]> = {}) =>
  new EventStoreDbEventStore({ url: server.url, ...options });

beforeEach(async () => {
  server = await ProtocolServer.start();
  store = open();
});
afterEach(async () => {
  await store.close();
  await server.end();
});

const append = async (...written: Parameters<typeof write>): Promise<WriteResult> =>
  (await store.append([write(...written)]))[0]!;

describe('an append of unknown outcome', () => {
  const endings: AppendFault['then'][] = ['silence', 'cut', 'deadline-exceeded', 'unavailable', 'unknown'];
  const faults = endings.flatMap((then) => [true, false].map((written) => ({ then, written })));

  it.each(faults)('is settled by the identical write: $then, written: $written', async ({ then, written }) => {
    const hasty = open({ timeoutMs: 300 });
    for (const count of [1, 3]) {
      const next = write(lane, 'no-stream', events(count));
      const wanted = { ...next, stream: `${lane}-${count}` as StreamId };
      server.faults.appends.plan({ then, written });
      await expect(hasty.append([wanted])).rejects.toThrow(StoreUnavailable);
      const result = await settle(store, wanted);
      const stored = await store.readStream(wanted.stream);
      const { revision, position } = stored.at(-1)!;
      expect(result).toEqual({ outcome: 'appended', revision, position, replayed: written, events: stored.map(withoutPosition) });
      expect(stored.map(({ id }) => id)).toEqual(wanted.events.map(({ id }) => id));
    }
    await hasty.close();
  });

  it('leaves its neighbours as they are: each is stored once, whatever they were told', async () => {
    server.faults.delayMs = 20;
    server.faults.appends.plan({ then: 'cut', written: true, skip: 20 });
    const writes = Array.from({ length: 40 }, (_, i) => write(`task-acme.N-${i}`, 'no-stream', events(1)));
    const results = await Promise.all(writes.map((one) => settle(store, one)));
    const log = await store.readAll({ after: beginning, limit: 100 });
    expect(log.map(({ id }) => id).sort()).toEqual(writes.map((one) => one.events[0]!.id).sort());
    const stored = new Map(log.map((one) => [one.id, withoutPosition(one)]));
    for (const result of results)
      expect(result).toMatchObject({ outcome: 'appended', events: [stored.get((result as never as Stored).events[0]!.id)] });
  });
});

describe('an append by a process whose clock is minutes behind', () => {
  it('is not too late for the server, which is told by that clock until when it has time', async () => {
    await append(lane, 'no-stream', events(1));
    const { now } = Date;
    Date.now = () => now() - 4 * 60_000;
    const appending = append(lane, 0, events(1));
    // Sent by then, and not yet received.
    for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
    Date.now = now;
    expect(await appending).toMatchObject({ outcome: 'appended' });
  });
});

type Stored = Extract<WriteResult, { outcome: 'appended' }>;

describe('two processes that decide the same', () => {
  it('and write it differently: the second is given what the first has written', async () => {
    const other = open({ now: () => new Date('2026-04-20T12:00:00.000Z') });
    const [first, second] = [{ by: 'first' }, { by: 'second' }].map((data) =>
      event(data, '6f9619ff-8b86-4d01-b42d-00cf4fc964ff'),
    );
    const results = await Promise.all([
      store.append([write(lane, 'no-stream', [first!])]),
      other.append([write(lane, 'no-stream', [second!])]),
    ]);
    const [stored] = await store.readStream(lane);
    const answered = [withoutPosition(stored!)];
    expect(results.flat().map((result) => result.outcome === 'appended' && result.events)).toEqual([answered, answered]);
    expect(results.flat().filter((result) => result.outcome === 'appended' && result.replayed)).toHaveLength(1);
    await other.close();
  });
});

describe('what EventStoreDB does not take', () => {
  it('for its size is refused with both sizes', async () => {
    const small = await ProtocolServer.start({ maxAppendSize: 1_000 });
    const choosy = new EventStoreDbEventStore({ url: small.url });
    expect(await choosy.append([write(lane, 'any', [event({ text: 'x'.repeat(2_000) })])])).toEqual([
      {
        outcome: 'refused',
        reason: expect.stringMatching(/^task-acme\.ACME-12: .* has 2\d\d\d bytes, .* at most 1000 in one append/),
      },
    ]);
    await choosy.close();
    await small.end();
  });

  it('for its metadata, which go along with each event, is refused before it is sent', async () => {
    const talkative = { ...metadata, traceparent: 'x'.repeat(10_000) };
    const [result] = await store.append([{ ...write(lane, 'any', events(1_000)), metadata: talkative }]);
    expect(result).toMatchObject({ outcome: 'refused', reason: expect.stringMatching(/at most 8388608/) });
    expect(server.appends.received).toBe(0);
  });

  it('because the stream has ended there is refused, and reading it says so', async () => {
    await append(lane, 'no-stream', events(1));
    server.log.tombstone(lane);
    expect(await append(lane, 0, events(1))).toMatchObject({ outcome: 'refused', reason: expect.stringMatching(/tombstoned/) });
    await expect(store.readStream(lane)).rejects.toThrow('the stream was ended for good in EventStoreDB');
  });
});

describe('a stream that lacks its first events', () => {
  it('is not read as if it began there', async () => {
    await append(lane, 'no-stream', events(3));
    server.log.hide(lane);
    expect(await store.readStream(lane)).toEqual([]);
    await append(lane, 2, events(1));
    const reason = 'EventStoreDB shows it from revision 3 on only';
    await expect(store.readStream(lane)).rejects.toThrow(reason);
    await expect(store.readStream(lane, { from: 1, limit: 1 })).rejects.toThrow(reason);
    await expect(store.readStream(lane, { direction: 'backwards' })).rejects.toThrow(reason);
    expect(await store.readStream(lane, { direction: 'backwards', limit: 1 })).toMatchObject([{ revision: 3 }]);
  });
});

describe('an address', () => {
  it.each([
    ['nodePreference=follower', 'prefers a follower'],
    ['throwOnAppendFailure=false', 'throwOnAppendFailure=false'],
  ])('with %s is refused', (setting, reason) => {
    expect(() => open({ url: `${server.url}&${setting}` })).toThrow(reason);
  });
});
