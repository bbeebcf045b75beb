import { judge, type Expectation, type Judgement } from './expectations.js';
import { forever, type LogRecord, type Proposed, type Stream } from './records.js';

/** `revision` and `position` of the last event; no position where the server gives none. */
export type Appended = { readonly outcome: 'appended'; readonly revision: bigint; readonly position: bigint | undefined };
export type AppendAnswer = Appended | Exclude<Judgement, { outcome: 'known' | 'write' }>;

const firstRecordAt = 548n;
const bytesOfARecord = 90;
/** More than so many later events and the server no longer knows an id that came with `any`. */
const idsRemembered = 100_000;

/** The log of an EventStoreDB, in memory: streams, and one order over all of them. */
export class ServerLog {
  readonly records: LogRecord[] = [];
  /** What becomes the time of records: a test may set it. */
  now: () => Date = () => new Date();
  private readonly streams = new Map<string, Stream>();
  private readonly remembered = new Map<string, LogRecord>();
  private readonly followers = new Set<(records: readonly LogRecord[]) => void>();
  private end = firstRecordAt;

  constructor() {
    this.write('$$$scavenges', [metadataEvent('00000000-0000-4000-8000-000000000001', '{"$maxAge":2592000}')]);
  }

  append(name: string, expected: Expectation, events: readonly Proposed[]): AppendAnswer {
    const stream = this.streams.get(name);
    const ids = events.map(({ id }) => id);
    const verdict = judge(stream, expected, ids, (id) => this.remembered.get(`${name} ${id}`));
    if (verdict.outcome === 'known') return { ...verdict, outcome: 'appended' };
    if (verdict.outcome !== 'write') return verdict;
    return events.length === 0 ? this.writeNothing(name) : this.writeVisibly(name, events);
  }

  /** The stream as its readers know it; undefined when it never was. */
  stream(name: string): Stream | undefined {
    return this.streams.get(name);
  }

  /** What a reader of the stream gets to see. */
  visible(name: string): readonly LogRecord[] {
    const stream = this.streams.get(name);
    return stream ? stream.records.filter(({ revision }) => revision >= stream.hiddenBefore) : [];
  }

  /** Hides what is in the stream; who writes to it goes on with its numbers. */
  hide(name: string): bigint {
    return this.setHiddenBefore(name, forever);
  }

  /** Ends the stream for good. */
  tombstone(name: string): bigint {
    const id = idOfSystemEvent(this.end);
    const nothing = new Uint8Array();
    const event = { id, type: '$streamDeleted', contentType: 'application/octet-stream', data: nothing, metadata: nothing };
    const [written] = this.write(name, [event], forever);
    this.streams.get(name)!.tombstoned = true;
    return written!.position;
  }

  /** As after a restart: what was written is there, the ids that came with `any` are forgotten. */
  forget(): void {
    this.remembered.clear();
  }

  /** Calls for each append with what it wrote; returns how to end that. */
  follow(follower: (records: readonly LogRecord[]) => void): () => void {
    this.followers.add(follower);
    return () => void this.followers.delete(follower);
  }

  private writeVisibly(name: string, events: readonly Proposed[]): Appended {
    const wasHidden = this.streams.get(name)?.hiddenBefore === forever;
    const written = this.write(name, events);
    const { revision, position } = written.at(-1)!;
    if (wasHidden) this.setHiddenBefore(name, written[0]!.revision);
    return { outcome: 'appended', revision, position };
  }

  /** An append of no events takes a place in the log, and says 0 where there is no stream. */
  private writeNothing(name: string): Appended {
    const revision = this.streams.get(name)?.records.at(-1)?.revision ?? 0n;
    return { outcome: 'appended', revision, position: this.take(bytesOfARecord + Buffer.byteLength(name)) };
  }

  private setHiddenBefore(name: string, revision: bigint): bigint {
    this.streams.get(name)!.hiddenBefore = revision;
    const event = metadataEvent(idOfSystemEvent(this.end), `{"$tb":${revision}}`);
    return this.write(`$$${name}`, [event])[0]!.position;
  }

  private write(name: string, events: readonly Proposed[], revision?: bigint): LogRecord[] {
    const stream = this.streams.get(name) ?? { records: [], hiddenBefore: 0n, tombstoned: false };
    this.streams.set(name, stream);
    const created = BigInt(this.now().getTime()) * 10_000n;
    const written = events.map((event, i) => {
      const number = revision ?? BigInt(stream.records.length + i);
      return { ...event, stream: name, revision: number, position: this.take(bytesOf(name, event)), created };
    });
    stream.records.push(...written);
    this.records.push(...written);
    this.remember(written);
    for (const follower of this.followers) follower(written);
    return written;
  }

  private take(bytes: number): bigint {
    const at = this.end;
    this.end += BigInt(bytes);
    return at;
  }

  private remember(written: readonly LogRecord[]): void {
    for (const record of written) this.remembered.set(`${record.stream} ${record.id}`, record);
    for (const oldest of this.remembered.keys()) {
      if (this.remembered.size <= idsRemembered) return;
      this.remembered.delete(oldest);
    }
  }
}

const bytesOf = (stream: string, { type, data, metadata }: Proposed): number =>
  bytesOfARecord + Buffer.byteLength(stream) + Buffer.byteLength(type) + data.length + metadata.length;

const metadataEvent = (id: string, json: string): Proposed => ({
  id,
  type: '$metadata',
  contentType: 'application/json',
  data: Buffer.from(json),
  metadata: new Uint8Array(),
});

const idOfSystemEvent = (position: bigint): string => `00000000-0000-4000-8001-${position.toString(16).padStart(12, '0')}`;
