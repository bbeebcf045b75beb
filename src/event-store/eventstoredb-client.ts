import { EventStoreDBClient } from '@eventstore/db-client';
import type { Duplex } from 'node:stream';

/**
 * What the client keeps to itself. Its version is pinned; the tests that break connections tell whether this still fits.
 * https://github.com/EventStore/EventStore-Client-NodeJS/tree/v6.2.1/packages/db-client/src
 */
interface Inside {
  /** of the server; the first question for them opens the connection */
  readonly capabilities: Promise<unknown>;
  GRPCStreamCreator: StreamCreator;
  handleError(client: object, error: Error): Promise<void>;
  getChannel(): Promise<{ close(): void }>;
}

type StreamCreator = (
  service: object,
  call: string,
  create: (client: object) => unknown,
  cache?: WeakMap<object, unknown>,
) => () => Promise<unknown>;

const inside = (client: EventStoreDBClient): Inside => client as unknown as Inside;

/** A client that cannot end the process: three of its faults come up where nobody can catch them. */
export function createClient(url: string): EventStoreDBClient {
  const client = EventStoreDBClient.connectionString(url);
  const within = inside(client);
  const { GRPCStreamCreator: open, handleError } = within;
  within.GRPCStreamCreator = (service, call, create, cache) =>
    open(service, call, call === 'appendToStream' ? (grpc) => mended(create(grpc) as Duplex) : create, cache);
  // Nobody waits for it, and it fails when the nodes of a cluster cannot be found.
  within.handleError = (grpc, error) => handleError(grpc, error).catch(() => {});
  return client;
}

/**
 * The one stream that all appends go through, and their answers come back on.
 * Answers: the client throws at one that it does not expect, such as that to an append which it has already failed, because it fails
 * those of all its streams when one of them breaks. Writes: those that wait until the stream drains are failed where nobody hears it
 * when the stream breaks, so they are told not to wait; who appends keeps few in flight.
 */
function mended(stream: Duplex): Duplex {
  const write = stream.write.bind(stream) as (message: unknown) => boolean;
  stream.write = (message: unknown) => write(message) || true;
  const [answered] = stream.listeners('data') as ((answer: unknown) => void)[];
  stream.on('data', (answer) => {
    try {
      answered?.(answer);
    } catch {
      // Whoever sent it was told that the outcome is unknown.
    }
  });
  if (answered) stream.off('data', answered);
  return stream;
}

/** Resolves when the server has answered; what it throws once, the client throws for ever, so it is to be replaced then. */
export async function connect(client: EventStoreDBClient): Promise<void> {
  await inside(client).capabilities;
}

/** Ends what is under way, and the connection. */
export async function endClient(client: EventStoreDBClient): Promise<void> {
  await client.dispose();
  await forgetClient(client);
}

/** Leaves what is under way to end by itself. */
export async function forgetClient(client: EventStoreDBClient): Promise<void> {
  const channel = await inside(client)
    .getChannel()
    .catch(() => undefined);
  channel?.close();
}
