import { randomUUID } from 'node:crypto';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { ServerLog } from './log.js';
import { isOnRecord, positionOf, type ReadCall } from './reads.js';
import { forever, type LogRecord } from './records.js';
import * as statuses from './statuses.js';
import { eventMessage, nameOf } from './wire.js';

/** So many events may wait for a subscriber that is live; one more, and the subscription is dropped. */
const buffer = 32;
/** So many more are on their way to it, in nobody's way. */
const onTheWay = 192;

/** Answers a subscription: what is there, that it has caught up, then what comes. */
export async function answerSubscription(call: ReadCall, log: ServerLog): Promise<void> {
  const options = call.request.getOptions()!;
  const from = options.hasStream() ? streamFrom(log, options.getStream()!) : logFrom(log, options.getAll()!);
  if ('status' in from) return void call.emit('error', from.status);
  const isAsked = filterOf(options.getFilter());
  const wanted = (record: LogRecord) => from.isAfter(record) && isAsked(record);
  call.write(confirmation());
  new Subscription(call, log, wanted, from.isThere).start();
}

type From =
  | { readonly isAfter: (record: LogRecord) => boolean; readonly isThere: boolean }
  | { readonly status: ReturnType<typeof statuses.thrown> };

/** Behind a revision, exclusive. A stream that is not there has caught up with nothing until something comes. */
function streamFrom(log: ServerLog, asked: streams.ReadReq.Options.StreamOptions): From {
  const name = nameOf(asked.getStreamIdentifier());
  const stream = log.stream(name);
  if (stream?.tombstoned) return { status: statuses.streamDeleted(name) };
  const last = stream?.records.at(-1)?.revision ?? -1n;
  const after = asked.hasEnd() ? last : asked.hasRevision() ? BigInt(asked.getRevision()) : -1n;
  return {
    isAfter: (record) =>
      record.stream === name && record.revision > after && record.revision >= (log.stream(name)?.hiddenBefore ?? 0n),
    isThere: stream !== undefined && stream.hiddenBefore !== forever,
  };
}

/** Behind a position, exclusive; one behind the end is the end, one between records is none. */
function logFrom({ records }: ServerLog, asked: streams.ReadReq.Options.AllOptions): From {
  const last = records.at(-1)!.position;
  const given = asked.hasPosition() ? positionOf(asked.getPosition()!) : asked.hasEnd() ? last : 0n;
  if (given === 'impossible') return { status: statuses.thrown() };
  if (given !== 0n && given < last && !isOnRecord(records, given)) return { status: statuses.thrown() };
  const after = given < last ? given : last;
  return { isAfter: ({ position }) => position > after, isThere: true };
}

class Subscription {
  private caughtUp = false;
  private unsent = 0;
  private stop = () => {};

  constructor(
    private readonly call: ReadCall,
    private readonly log: ServerLog,
    private readonly wanted: (record: LogRecord) => boolean,
    private readonly isThere: boolean,
  ) {}

  start(): void {
    this.call.on('cancelled', () => this.end());
    this.call.on('error', () => this.end());
    void this.catchUp();
  }

  /** At the pace of the subscriber, however slow that is. */
  private async catchUp(): Promise<void> {
    let place = 0;
    for (; place < this.log.records.length; place += 1) {
      const record = this.log.records[place]!;
      if (this.call.cancelled) return;
      if (this.wanted(record)) await new Promise<unknown>((done) => this.call.write(eventMessage(record), done));
    }
    this.stop = this.log.follow((records) => this.hand(records));
    if (this.isThere) this.sayCaughtUp();
  }

  private hand(records: readonly LogRecord[]): void {
    for (const record of records) {
      if (record.type === '$streamDeleted' && this.wanted(record)) return this.drop(statuses.streamDeleted(record.stream));
      if (this.wanted(record) && !this.send(record)) return this.drop(statuses.tooSlow());
    }
  }

  private send(record: LogRecord): boolean {
    this.unsent += 1;
    this.call.write(eventMessage(record), () => (this.unsent -= 1));
    if (!this.caughtUp) this.sayCaughtUp();
    return this.unsent <= buffer + onTheWay;
  }

  private sayCaughtUp(): void {
    this.caughtUp = true;
    this.call.write(new streams.ReadResp().setCaughtUp(new streams.ReadResp.CaughtUp()));
  }

  private drop(status: ReturnType<typeof statuses.thrown>): void {
    this.end();
    this.call.emit('error', status);
  }

  private end(): void {
    this.stop();
  }
}

const confirmation = (): streams.ReadResp => {
  const message = new streams.ReadResp.SubscriptionConfirmation();
  return new streams.ReadResp().setConfirmation(message.setSubscriptionId(randomUUID()));
};

/** By the beginning of a stream's name or a type, or by a regular expression; without checkpoints. */
function filterOf(filter: streams.ReadReq.Options.FilterOptions | undefined): (record: LogRecord) => boolean {
  const ofStream = filter?.getStreamIdentifier();
  const expression = ofStream ?? filter?.getEventType();
  if (!expression) return () => true;
  const prefixes = expression.getPrefixList();
  const pattern = new RegExp(expression.getRegex());
  return (record) => {
    const text = ofStream ? record.stream : record.type;
    return prefixes.length > 0 ? prefixes.some((prefix) => text.startsWith(prefix)) : pattern.test(text);
  };
}
