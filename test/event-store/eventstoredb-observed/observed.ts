import { randomUUID } from 'node:crypto';
import { EventStoreDBClient, jsonEvent, type AppendExpectedRevision, type EventData } from '@eventstore/db-client';
import type { ProtocolServer } from '../esdb/protocol-server.js';
import { testedServers, type TestedServer } from '../esdb/servers.js';

/** The client itself, without our engine, and the server that it talks to. One client at a time: what befalls one is felt by all. */
export interface Observed {
  readonly client: EventStoreDBClient;
  readonly server: TestedServer;
}

/** Rows of the table of what was observed, which the engine counts on: true of the server of the test tree, and of a real one. */
export function onEveryServer(rows: (observed: Observed) => void): void {
  describe.each(testedServers)('on %s', (_, open) => rows(opened(open)));
}

/** Rows in which the server does wrong what a real one cannot be told to do. */
export function onTheProtocolServer(rows: (observed: Observed & { readonly protocol: ProtocolServer }) => void): void {
  const [, open] = testedServers[0]!;
  describe('on the protocol server only', () => {
    const observed = opened(open);
    rows({
      get client() {
        return observed.client;
      },
      get server() {
        return observed.server;
      },
      get protocol() {
        return observed.server.protocol!;
      },
    });
  });
}

function opened(open: () => Promise<TestedServer>): Observed {
  const observed: { client?: EventStoreDBClient; server?: TestedServer } = {};
  beforeAll(async () => {
    observed.server = await open();
    observed.client = EventStoreDBClient.connectionString(observed.server.url);
  });
  afterAll(async () => {
    await observed.client?.dispose();
    await observed.server?.end();
  });
  return observed as Observed;
}

export const newStream = (): string => `observed-${randomUUID()}`;

export const event = (data: object = { n: 1 }, id: string = randomUUID()): EventData =>
  jsonEvent({ id, type: 'Observed', data: { ...data }, metadata: { of: 'a test' } });

export const events = (count: number): EventData[] => Array.from({ length: count }, () => event());

/** A new stream with so many events in it. */
export async function streamOf(client: EventStoreDBClient, count: number): Promise<string> {
  const stream = newStream();
  if (count > 0) await append(client, stream, 'no_stream', events(count));
  return stream;
}

export const append = (
  client: EventStoreDBClient,
  stream: string,
  expectedRevision: AppendExpectedRevision,
  written: readonly EventData[] = events(1),
) => client.appendToStream(stream, [...written], { expectedRevision });

export async function all<T>(read: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of read) found.push(one);
  return found;
}

export const revisions = async (read: AsyncIterable<{ event?: { revision: bigint } }>): Promise<(bigint | undefined)[]> =>
  (await all(read)).map((found) => found.event?.revision);

/** What a failed call says: errors of the client are told apart by these alone. */
export async function failureOf(call: Promise<unknown>): Promise<object> {
  const error: unknown = await call.then(
    (answer) => new Error(`it was answered: ${String(answer)}`),
    (thrown: unknown) => thrown,
  );
  const { type, code, message, actualVersion, expectedVersion, maxAppendSize, streamName } = error as Record<string, unknown>;
  return { type, code, message, actualVersion, expectedVersion, maxAppendSize, streamName };
}
