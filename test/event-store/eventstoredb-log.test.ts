import { EventStoreDbEventStore } from '../../src/event-store/eventstoredb.js';
import { EventStoreDbLog } from '../../src/event-store/eventstoredb-log.js';
import { StoreSealed } from '../../src/event-store/event-store.js';
import type { StoredEvent } from '../../src/event-store/stored-log.js';
import { beginning, type StreamId } from '../../src/events/event.js';
import { ProtocolServer } from './esdb/protocol-server.js';
import { events, metadata, write } from './contract.js';

const lane: StreamId = 'task-acme.ACME-12';
const timeoutMs = 1_000;

interface Place {
  readonly server: ProtocolServer;
  readonly store: EventStoreDbEventStore;
  readonly log: EventStoreDbLog;
}

const places: Place[] = [];

async function open(): Promise<Place> {
  const server = await ProtocolServer.start();
  const { url } = server;
  const place = { server, store: new EventStoreDbEventStore({ url, timeoutMs }), log: new EventStoreDbLog({ url, timeoutMs }) };
  places.push(place);
  return place;
}

afterEach(async () => {
  for (const { server, store, log } of places.splice(0)) {
    await Promise.all([store.close(), log.close()]);
    await server.end();
  }
});

describe('the log', () => {
  it('has an id of its own, the same for all who ask, also at once', async () => {
    const [one, other] = [await open(), await open()];
    const again = new EventStoreDbLog({ url: one.server.url, timeoutMs });
    const ids = await Promise.all([one.log.id(), again.id(), other.log.id(), other.log.id()]);
    await again.close();
    expect(ids[0]).toMatch(/^[\da-f-]{36}$/);
    expect(new Set(ids)).toEqual(new Set([ids[0], ids[2]]));
    expect(ids[0]).not.toBe(ids[2]);
    expect(await one.store.head()).toBe(beginning);
  });

  it('is read as it was written, from a position or from the very first', async () => {
    const { store, log } = await open();
    await store.append([write(lane, 'no-stream', events(3))]);
    const stored = await store.readStream(lane);
    const all = await log.after(undefined, 10);
    expect(all).toEqual(stored.map(({ company: _, subject: __, ...event }) => event));
    expect(await log.after(all[0]!.position, 1)).toEqual([all[1]]);
    expect(await log.head()).toBe(all[2]!.position);
  });
});

describe('taking the events of another log', () => {
  /** Three streams, whose events follow each other in runs of one to four. */
  const runs = [0, 1, 0, 0, 0, 2, 1, 1, 0, 2, 2, 2, 2];
  const asOf = (n: number) => new Date(Date.UTC(2026, 3, 20, 12, 0, n)).toISOString();

  function logOfOthers(): StoredEvent[] {
    const revisions = [-1, -1, -1];
    return runs.map((stream, n) => ({
      position: String(n + 1).padStart(16, '0'),
      stream: `task-acme.T-${stream}`,
      revision: ++revisions[stream]!,
      id: events(1)[0]!.id,
      type: 'OfAnotherTime',
      schema: 7,
      recordedAt: asOf(n),
      metadata: { ...metadata, actor: { ...metadata.actor }, n },
      data: { n, text: '🏃‍♀️' },
    }));
  }

  const places16 = (taken: readonly StoredEvent[]) => taken.map(({ position: _, ...event }) => event);

  it('keeps their order, ids, shapes, metadata and times', async () => {
    const { log, server } = await open();
    const wanted = logOfOthers();
    await log.take(wanted);
    const taken = await log.after(undefined, 100);
    expect(places16(taken)).toEqual(places16(wanted));
    expect(taken.every(({ position }, i) => i === 0 || position > taken[i - 1]!.position)).toBe(true);
    expect(server.appends.received).toBe(7);
  });

  it('takes none twice, however much of them was there and however they come again', async () => {
    const { log, server } = await open();
    const wanted = logOfOthers();
    await log.take(wanted.slice(0, 3));
    server.faults.appends.plan({ then: 'unavailable', written: true, skip: 2 });
    await expect(log.take(wanted)).rejects.toThrow('out of reach');
    await log.take(wanted);
    await log.take(wanted);
    expect(places16(await log.after(undefined, 100))).toEqual(places16(wanted));
  });

  it('refuses to go on in a log that has others in their places, or lacks those before', async () => {
    const { log } = await open();
    await log.take(logOfOthers());
    await expect(log.take(logOfOthers())).rejects.toThrow(/^task-acme\.T-0: revision 0 is another event than /);
    const further = logOfOthers().map((event) => ({ ...event, stream: 'task-acme.NEW', revision: event.revision + 1 }));
    await expect(log.take(further)).rejects.toThrow('task-acme.NEW: revision 1 would leave a hole');
  });
});

describe('sealing', () => {
  it('resolves when no process writes any more, and is undone', async () => {
    const { server, store, log } = await open();
    const elsewhere = new EventStoreDbEventStore({ url: server.discoverUrl, timeoutMs });
    await store.append([write(lane, 'no-stream', events(1))]);
    let n = 0;
    const writeUntilSealed = async (from: EventStoreDbEventStore): Promise<void> => {
      for (;;)
        try {
          n += 1;
          await from.append([write(`task-acme.W-${n}`, 'no-stream', events(1))]);
        } catch (error) {
          if (error instanceof StoreSealed) return;
        }
    };
    const ended = Promise.all([writeUntilSealed(store), writeUntilSealed(elsewhere)]);
    await log.seal();
    const head = await log.head();
    await ended;
    expect(await log.isSealed()).toBe(true);
    await expect(elsewhere.append([write(lane, 0, events(1))])).rejects.toThrow('until ledger store unseal');
    await expect(log.take([])).resolves.toBeUndefined();
    expect(await log.head()).toBe(head);
    await log.unseal();
    await log.unseal();
    expect(await log.isSealed()).toBe(false);
    const again = new EventStoreDbEventStore({ url: `${server.url}&connectionName=again`, timeoutMs });
    expect(await again.append([write(lane, 0, events(1))])).toMatchObject([{ outcome: 'appended' }]);
    await Promise.all([elsewhere.close(), again.close()]);
  });
});
