import { nameUuid, type Metadata, type StreamId } from '../../src/events/event.js';
import type { EventStore, Write } from '../../src/event-store/event-store.js';
import { EventStoreDbLog } from '../../src/event-store/eventstoredb-log.js';
import { EventStoreDbEventStore } from '../../src/event-store/eventstoredb.js';
import { PostgresLog } from '../../src/event-store/postgres-log.js';
import { PostgresEventStore } from '../../src/event-store/postgres.js';
import type { StoredEvent, StoredLog } from '../../src/event-store/stored-log.js';
import { ProtocolServer } from '../event-store/esdb/protocol-server.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';

/** An empty log in a store of its own, and the engine that writes to it. */
export interface TestLog {
  readonly url: string;
  readonly log: StoredLog;
  readonly store: EventStore;
  end(): Promise<void>;
}

export async function postgresLog(): Promise<TestLog & { readonly database: TestDatabase }> {
  const database = await freshDatabase();
  const store = new PostgresEventStore({ url: database.url });
  const end = async () => {
    await store.close();
    await database.drop();
  };
  return { database, url: database.url, log: new PostgresLog(database.pool), store, end };
}

export async function eventStoreDbLog(): Promise<TestLog & { readonly server: ProtocolServer }> {
  const server = await ProtocolServer.start();
  const { url } = server;
  const [log, store] = [new EventStoreDbLog({ url }), new EventStoreDbEventStore({ url })];
  const end = async () => {
    await Promise.all([store.close(), log.close()]);
    await server.end();
  };
  return { server, url, log, store, end };
}

export const engines: readonly [name: string, open: () => Promise<TestLog>][] = [
  ['Postgres', postgresLog],
  ['EventStoreDB', eventStoreDbLog],
];

const cause = (n: number): Metadata => ({
  actor: { type: 'user', id: n % 2 ? 'ada' : 'grace' },
  correlationId: `chain-${n}`,
  causationId: `command-${n}`,
  commandId: `command-${n}`,
  ...(n % 3 === 0 && { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }),
});

const streams = 101;
const awkward = { text: 'grün 🌱 "quoted" \\ \n', numbers: [0.1, 1e21, -(2 ** 53), 0], z: null, a: { b: true, 2: [], 10: {} } };

/** The nth write, of one to seven events, with all that data may have in it. */
export function nthWrite(n: number): Write {
  const stream: StreamId = `task-acme.ACME-${n % streams}`;
  const events = Array.from({ length: 1 + (n % 7) }, (_, i) => ({
    id: nameUuid('event of a log', n, i),
    type: i === 0 ? 'RunQueued' : 'RunStarted',
    schema: 1,
    data: { n, ...awkward },
  }));
  return { stream, expectedRevision: 'any', events, metadata: cause(n) };
}

/** The writes from one number to another, in no strict order. */
export async function filled(store: EventStore, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n += streams)
    await store.append(Array.from({ length: Math.min(streams, to - n) }, (_, i) => nthWrite(n + i)));
}

export async function wholeLog(log: Pick<StoredLog, 'after'>): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (;;) {
    const page = await log.after(events.at(-1)?.position, 1_000);
    events.push(...page);
    if (page.length < 1_000) return events;
  }
}

/** All that a copy keeps: positions are each store's own. */
export const keptOf = async (log: Pick<StoredLog, 'after'>) => (await wholeLog(log)).map(({ position: _, ...event }) => event);
