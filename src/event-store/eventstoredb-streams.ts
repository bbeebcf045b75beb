import type { StreamId } from '../events/event.js';
import { pause } from '../pause.js';
import { StoreUnavailable, type ReadStream } from './event-store.js';
import type { EventStoreDbConnection } from './eventstoredb-connection.js';
import { isStreamMissing, isTombstoned, outOfReach } from './eventstoredb-errors.js';
import { fromWire } from './eventstoredb-wire.js';
import { unstorable } from './prepared-write.js';
import type { StoredEvent } from './stored-log.js';

const maxRevision = 2 ** 31 - 1;
const streamsAtOnce = 64;
const lookAgainMs = 20;

/** Single streams of an EventStoreDB. A stream that lacks its first events is none that decisions could be made on: reading it fails. */
export class EventStoreDbStreams {
  readonly #connection: EventStoreDbConnection;

  constructor(connection: EventStoreDbConnection) {
    this.#connection = connection;
  }

  async read(stream: string, { from, to, direction, limit = Infinity }: ReadStream): Promise<StoredEvent[]> {
    if (unstorable(stream) || stream === '') return [];
    const isBack = direction === 'backwards';
    const [low, high] = isBack ? [within(to ?? 0), from ?? maxRevision] : [within(from ?? 0), to ?? maxRevision];
    const count = Math.min(limit, high - low + 1, maxRevision);
    if (count <= 0) return [];
    const fromRevision = BigInt(isBack ? within(high) : low);
    const found = await this.#ask(stream, { direction: isBack ? 'backwards' : 'forwards', fromRevision, maxCount: count });
    // Beyond the end, a read backwards begins with the last event.
    const events = found.filter(({ revision }) => revision >= low && revision <= high);
    const [first, isCut] = isBack ? [events.at(-1), events.length < count] : [events[0], true];
    if (first && first.revision > low && isCut) throw new Error(incomplete(stream, first.revision));
    return events;
  }

  /** The server knows that the stream is at revision `head`, which it may show a moment later. */
  async readUpTo(head: number, stream: string, options: ReadStream): Promise<StoredEvent[]> {
    const awaited = Math.min(head, options.to ?? head);
    const deadline = performance.now() + this.#connection.timeoutMs;
    while (performance.now() < deadline) {
      const events = await this.read(stream, options);
      if (events.some(({ revision }) => revision >= awaited)) return events;
      await pause(lookAgainMs);
    }
    throw new StoreUnavailable(`${stream}: EventStoreDB has it at revision ${head}, and does not show it`);
  }

  /** Whole streams. */
  async readMany(streams: readonly StreamId[]): Promise<Map<StreamId, StoredEvent[]>> {
    const found = new Map<StreamId, StoredEvent[]>(streams.map((stream) => [stream, []]));
    const rest = found.keys();
    const readRest = async () => {
      for (const stream of rest) found.set(stream, await this.read(stream, {}));
    };
    await Promise.all(Array.from({ length: streamsAtOnce }, readRest));
    return found;
  }

  async #ask(stream: string, options: Parameters<EventStoreDbConnection['readStream']>[1]): Promise<StoredEvent[]> {
    try {
      return (await this.#connection.readStream(stream, options)).flatMap((event) => fromWire(event) ?? []);
    } catch (error) {
      if (isStreamMissing(error)) return [];
      if (isTombstoned(error)) throw new Error(tombstoned(stream), { cause: error });
      throw outOfReach(error);
    }
  }
}

const within = (revision: number): number => Math.max(0, Math.min(revision, maxRevision));

export const tombstoned = (stream: string): string =>
  `${stream}: the stream was ended for good in EventStoreDB (tombstoned): nothing is read from it or written to it any more`;

const incomplete = (stream: string, revision: number): string =>
  `${stream}: EventStoreDB shows it from revision ${revision} on only: it was deleted there, or has a $maxCount, $maxAge or $tb, ` +
  'which streams of the ledger must not have';
