import type { NewEvent, Position } from '../events/event.js';
import { StoreUnavailable, type ReadStream, type WriteResult } from './event-store.js';
import type { EventStoreDbConnection } from './eventstoredb-connection.js';
import { actualRevision, exceededSize, isTombstoned, outOfReach } from './eventstoredb-errors.js';
import { positionOfRecord } from './eventstoredb-positions.js';
import type { EventStoreDbSeal } from './eventstoredb-seal.js';
import { tombstoned, type EventStoreDbStreams } from './eventstoredb-streams.js';
import { inStream, toWire, type Unplaced } from './eventstoredb-wire.js';
import { exactly, judge, recentEvents } from './known-events.js';
import type { PreparedWrite } from './prepared-write.js';
import type { StoredEvent } from './stored-log.js';

/** Metadata goes along with each event, and EventStoreDB does not count it; a message of 17 MiB would break the connection. */
const maxBytesSent = 8 * 1024 * 1024;
const lastOnes: ReadStream = { direction: 'backwards', limit: recentEvents };

interface Parts {
  readonly connection: EventStoreDbConnection;
  readonly streams: EventStoreDbStreams;
  readonly seal: EventStoreDbSeal;
  /** the time that the next events are recorded at, ISO 8601 */
  readonly recordedAt: () => string;
}

type Sent = Extract<WriteResult, { outcome: 'appended' | 'refused' }> | { readonly outcome: 'conflict'; readonly actual: number };

/**
 * Writes to an EventStoreDB, always under an exact revision. Every event is sent with a new id, so the server never takes one for
 * another; whether a write was there before is judged by the ledger's own ids, which are in the stream.
 */
export class EventStoreDbAppends {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** One at a time for each stream. */
  async append(write: PreparedWrite): Promise<WriteResult> {
    const bytes = write.bytes + write.metadata.length * (write.ids.length - 1);
    if (bytes > maxBytesSent) return { outcome: 'refused', reason: tooLargeAltogether(write.stream, bytes) };
    await this.#parts.seal.refuse();
    const head = exactly(write.expected);
    if (head === undefined) return this.#appendAtEnd(write);
    const sent = await this.#sendAt(head, write);
    return sent.outcome === 'conflict' ? this.#afterConflict(write, sent.actual) : sent;
  }

  /** Where the writer does not say what the stream is at, it is looked up. */
  async #appendAtEnd(write: PreparedWrite): Promise<WriteResult> {
    const deadline = performance.now() + this.#parts.connection.timeoutMs;
    while (performance.now() < deadline) {
      const stream = await this.#recent(write.stream);
      const head = stream.at(-1)?.revision ?? -1;
      const judgement = judge(stream, head, write);
      if (judgement.outcome !== 'new') return this.#judged(judgement, head);
      const sent = await this.#sendAt(head, write);
      if (sent.outcome !== 'conflict') return sent;
    }
    throw new StoreUnavailable(`${write.stream}: others wrote to it all the time, send the write again`);
  }

  /** Whether these very events are what is in the way. */
  async #afterConflict(write: PreparedWrite, head: number): Promise<WriteResult> {
    if (head < 0) return { outcome: 'conflict', actual: 'no-stream' };
    const stream = (await this.#parts.streams.readUpTo(head, write.stream, lastOnes)).toReversed();
    const from = exactly(write.expected)! + 1;
    const isBehind = from < (stream[0]?.revision ?? 0);
    const place = isBehind
      ? await this.#read(write.stream, from, Math.min(from + write.ids.length, stream[0]!.revision) - 1)
      : [];
    const last = stream.at(-1)?.revision ?? head;
    return this.#judged(judge([...place, ...stream], last, write), last);
  }

  #judged(judgement: ReturnType<typeof judge<StoredEvent>>, head: number): WriteResult {
    if (judgement.outcome === 'replayed') return appended(judgement.events, true);
    return { outcome: 'conflict', actual: head < 0 ? 'no-stream' : head };
  }

  async #sendAt(head: number, write: PreparedWrite): Promise<Sent> {
    const { connection, recordedAt } = this.#parts;
    let events: Unplaced[] = [];
    const toSend = () => (events = unplaced(write, recordedAt())).map(toWire);
    try {
      const { position } = await connection.append(write.stream, toSend, head < 0 ? 'no_stream' : BigInt(head));
      return position ? placed(write.stream, head + 1, events, positionOfRecord(position)) : await this.#written(head, write);
    } catch (error) {
      return failed(write, error);
    }
  }

  /** A server that does not tell where it has written is asked. */
  async #written(head: number, { stream, ids }: PreparedWrite): Promise<Sent> {
    return appended(await this.#read(stream, head + 1, head + ids.length), false);
  }

  async #recent(stream: string): Promise<StoredEvent[]> {
    return (await this.#parts.streams.read(stream, lastOnes)).toReversed();
  }

  #read(stream: string, from: number, to: number): Promise<StoredEvent[]> {
    return this.#parts.streams.read(stream, { from, to });
  }
}

/** Parsed from the text that was checked: what the caller does to its events meanwhile changes nothing. */
function unplaced({ events, metadata }: PreparedWrite, recordedAt: string): Unplaced[] {
  const context = JSON.parse(metadata);
  return (JSON.parse(`[${events.join()}]`) as NewEvent[]).map(
    ({ id, type, schema, data }) => ({ id, type, schema, recordedAt, metadata: context, data }) as Unplaced,
  );
}

/** As they were sent, without reading them back: the server tells the place of the last. */
function placed(stream: string, from: number, sent: readonly Unplaced[], position: Position): Sent {
  const events = sent.map((event, i) => inStream({ ...event, stream, revision: from + i }));
  return { outcome: 'appended', revision: from + sent.length - 1, position, replayed: false, events };
}

function appended(stored: readonly StoredEvent[], replayed: boolean): Extract<WriteResult, { outcome: 'appended' }> {
  const { revision, position } = stored.at(-1)!;
  const events = stored.map(({ position: _, ...event }) => inStream(event));
  return { outcome: 'appended', revision, position, replayed, events };
}

function failed({ stream, bytes }: PreparedWrite, error: unknown): Sent {
  const actual = actualRevision(error);
  if (actual !== undefined) return { outcome: 'conflict', actual: actual === 'no-stream' ? -1 : actual };
  if (isTombstoned(error)) return { outcome: 'refused', reason: tombstoned(stream) };
  const most = exceededSize(error);
  if (most !== undefined) return { outcome: 'refused', reason: tooLargeForServer(stream, bytes, most) };
  throw outOfReach(error);
}

const tooLargeAltogether = (stream: string, bytes: number): string =>
  `${stream}: with the metadata of each event, the write has ${bytes} bytes, at most ${maxBytesSent} are possible: write it in parts`;

const tooLargeForServer = (stream: string, bytes: number, most: number): string =>
  `${stream}: the write has ${bytes} bytes, and this EventStoreDB takes at most ${most} in one append: ` +
  'raise its MaxAppendSize to 1048576, or keep large data elsewhere and name it';
