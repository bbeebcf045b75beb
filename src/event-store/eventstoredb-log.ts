import { beginning, type Position } from '../events/event.js';
import { EventStoreDbConnection } from './eventstoredb-connection.js';
import { actualRevision, outOfReach } from './eventstoredb-errors.js';
import { EventStoreDbPages } from './eventstoredb-pages.js';
import { checkPosition } from './eventstoredb-positions.js';
import { EventStoreDbReads } from './eventstoredb-reads.js';
import { EventStoreDbSeal } from './eventstoredb-seal.js';
import { EventStoreDbStreams } from './eventstoredb-streams.js';
import { toWire } from './eventstoredb-wire.js';
import { StoredLog, type StoredEvent } from './stored-log.js';

export interface EventStoreDbLogOptions {
  /** esdb:// or esdb+discover:// */
  readonly url: string;
  readonly timeoutMs?: number;
}

const maxBytes = 1024 * 1024;
const maxEvents = 1_000;

/** The log as an EventStoreDB has it, over the client that the engine of the same address uses. `close` ends what it began. */
export class EventStoreDbLog extends StoredLog {
  readonly #connection: EventStoreDbConnection;
  readonly #pages: EventStoreDbPages;
  readonly #reads: EventStoreDbReads;
  readonly #streams: EventStoreDbStreams;
  readonly #seal: EventStoreDbSeal;

  constructor({ url, timeoutMs = 10_000 }: EventStoreDbLogOptions) {
    super();
    this.#connection = new EventStoreDbConnection(url, timeoutMs);
    this.#pages = new EventStoreDbPages(this.#connection);
    this.#reads = new EventStoreDbReads(this.#pages);
    this.#streams = new EventStoreDbStreams(this.#connection);
    this.#seal = new EventStoreDbSeal(this.#connection);
  }

  id(): Promise<string> {
    return this.#seal.id();
  }

  after(after: Position | undefined, limit: number): Promise<StoredEvent[]> {
    return this.#reads.readAll({ after: checkPosition(after ?? beginning), limit });
  }

  head(): Promise<Position> {
    return this.#pages.head();
  }

  /** Events that follow each other in one stream go in one append, which waits for the one before: so the order stays. */
  async take(events: readonly StoredEvent[]): Promise<void> {
    for (const group of inAppends(events)) {
      await this.#seal.refuse();
      await this.#takeOnce(group);
    }
  }

  seal(): Promise<void> {
    return this.#seal.seal();
  }

  unseal(): Promise<void> {
    return this.#seal.unseal();
  }

  isSealed(): Promise<boolean> {
    return this.#seal.isSealed();
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  async #takeOnce(events: readonly StoredEvent[]): Promise<void> {
    const [first] = events;
    if (!first) return;
    const expected = first.revision === 0 ? 'no_stream' : BigInt(first.revision - 1);
    try {
      await this.#connection.append(first.stream, () => events.map(toWire), expected);
    } catch (error) {
      const actual = actualRevision(error);
      if (actual === undefined) throw outOfReach(error);
      await this.#takeOnce(await this.#missing(events, actual));
    }
  }

  /** Those that are not there yet; the others must be the same. */
  async #missing(events: readonly StoredEvent[], head: number | 'no-stream'): Promise<readonly StoredEvent[]> {
    const [first, last] = [events[0]!, events.at(-1)!];
    if (head === 'no-stream' || head < first.revision)
      throw new Error(`${placeOf(first)} would leave a hole: the log lacks what comes before it`);
    const there = await this.#streams.readUpTo(head, first.stream, { from: first.revision, to: last.revision });
    const other = events.find(({ id }, i) => there[i] && there[i].id !== id);
    if (other) throw new Error(`${placeOf(other)} is another event than ${other.id}: this is not the log that was begun`);
    return events.slice(there.length);
  }
}

const placeOf = ({ stream, revision }: StoredEvent): string => `${stream}: revision ${revision}`;

function* inAppends(events: readonly StoredEvent[]): Generator<StoredEvent[]> {
  let group: StoredEvent[] = [];
  let bytes = 0;
  for (const event of events) {
    const size = Buffer.byteLength(JSON.stringify(event));
    const last = group.at(-1);
    const goesOn = last?.stream === event.stream && last.revision + 1 === event.revision;
    if (last && (!goesOn || bytes + size > maxBytes || group.length === maxEvents)) {
      yield group;
      [group, bytes] = [[], 0];
    }
    group.push(event);
    bytes += size;
  }
  if (group.length > 0) yield group;
}
