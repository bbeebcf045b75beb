import { randomUUID } from 'node:crypto';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { StatusObject } from '@grpc/grpc-js';
import type { ServerLog } from './log.js';
import { isOnRecord, positionOf, type ReadCall } from './reads.js';
import { forever, type LogRecord } from './records.js';
import * as statuses from './statuses.js';
import { eventMessage, nameOf } from './wire.js';

/** So many events may wait for a subscriber that is live; one more, and the subscription is dropped. */
const buffer = 32;
/** So many more are on their way to it, in nobody's way. */
const onTheWay = 192;
/** Records that are looked at between two checkpoints, when the subscriber asks for no other number. */
const windowOfItsOwn = 32;

/** Answers a subscription: what is there, that it has caught up, then what comes. */
export function answerSubscription(call: ReadCall, log: ServerLog): void {
  const options = call.request.getOptions()!;
  const from = options.hasStream() ? streamFrom(log, options.getStream()!) : logFrom(log, options.getAll()!);
  if ('status' in from) return void call.emit('error', from.status);
  call.write(confirmation());
  new Subscription(call, log, from, filterOf(options.getFilter())).start();
}

interface Beginning {
  readonly isAfter: (record: LogRecord) => boolean;
  /** whether there is a stream to catch up with */
  readonly isThere: boolean;
  /** the stream itself, not one of many, comes to its end with it */
  readonly endsWith: (record: LogRecord) => boolean;
}

type From = Beginning | { readonly status: StatusObject };

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
    endsWith: (record) => record.stream === name && record.type === '$streamDeleted',
  };
}

/** Behind a position, exclusive; one behind the end is the end, one between records is none. */
function logFrom({ records }: ServerLog, asked: streams.ReadReq.Options.AllOptions): From {
  const last = records.at(-1)!.position;
  const given = asked.hasPosition() ? positionOf(asked.getPosition()!) : asked.hasEnd() ? last : 0n;
  if (given === 'impossible') return { status: statuses.thrown() };
  if (given !== 0n && given < last && !isOnRecord(records, given)) return { status: statuses.thrown() };
  const after = given < last ? given : last;
  return { isAfter: ({ position }) => position > after, isThere: true, endsWith: () => false };
}

class Subscription {
  private caughtUp = false;
  private looked = 0;
  private unsent = 0;
  private stop = () => {};

  constructor(
    private readonly call: ReadCall,
    private readonly log: ServerLog,
    private readonly from: Beginning,
    private readonly filter: Filter,
  ) {}

  start(): void {
    this.call.on('cancelled', () => this.stop());
    this.call.on('error', () => this.stop());
    void this.catchUp();
  }

  /** At the pace of the subscriber, however slow that is. */
  private async catchUp(): Promise<void> {
    for (let place = 0; place < this.log.records.length; place += 1)
      for (const message of this.told(this.log.records[place]!)) {
        if (this.call.cancelled) return;
        await new Promise<unknown>((done) => this.call.write(message, done));
      }
    if (this.call.cancelled) return;
    this.stop = this.log.follow((records) => this.hand(records));
    if (this.from.isThere) this.sayCaughtUp();
  }

  private hand(records: readonly LogRecord[]): void {
    for (const record of records) {
      if (this.from.endsWith(record)) return this.drop(statuses.streamDeleted(record.stream));
      for (const message of this.told(record)) if (!this.send(message)) return this.drop(statuses.tooSlow());
    }
  }

  /** The record if it is asked for, and now and then how far the server has looked. */
  private *told(record: LogRecord): Generator<streams.ReadResp> {
    if (!this.from.isAfter(record)) return;
    if (this.filter.matches(record)) yield eventMessage(record);
    this.looked += 1;
    if (this.looked % this.filter.checkpointEvery === 0) yield checkpointAt(record.position, this.caughtUp);
  }

  private send(message: streams.ReadResp): boolean {
    this.unsent += 1;
    this.call.write(message, () => (this.unsent -= 1));
    if (!this.caughtUp) this.sayCaughtUp();
    return this.unsent <= buffer + onTheWay;
  }

  private sayCaughtUp(): void {
    this.caughtUp = true;
    this.call.write(new streams.ReadResp().setCaughtUp(new streams.ReadResp.CaughtUp()));
  }

  private drop(status: StatusObject): void {
    this.stop();
    this.call.emit('error', status);
  }
}

const confirmation = (): streams.ReadResp => {
  const message = new streams.ReadResp.SubscriptionConfirmation();
  return new streams.ReadResp().setConfirmation(message.setSubscriptionId(randomUUID()));
};

/** While it catches up there is no prepare position in it. */
function checkpointAt(position: bigint, isLive: boolean): streams.ReadResp {
  const checkpoint = new streams.ReadResp.Checkpoint().setCommitPosition(String(position));
  return new streams.ReadResp().setCheckpoint(checkpoint.setPreparePosition(isLive ? String(position) : '0'));
}

interface Filter {
  readonly matches: (record: LogRecord) => boolean;
  /** in records that were looked at */
  readonly checkpointEvery: number;
}

/** By the beginning of a stream's name or of a type, or by a regular expression. */
function filterOf(filter: streams.ReadReq.Options.FilterOptions | undefined): Filter {
  if (!filter) return { matches: () => true, checkpointEvery: Infinity };
  const ofStream = filter.getStreamIdentifier();
  const expression = (ofStream ?? filter.getEventType())!;
  const prefixes = expression.getPrefixList();
  const pattern = new RegExp(expression.getRegex());
  const matches = (record: LogRecord) => {
    const text = ofStream ? record.stream : record.type;
    return prefixes.length > 0 ? prefixes.some((prefix) => text.startsWith(prefix)) : pattern.test(text);
  };
  const window = filter.hasMax() ? filter.getMax() : windowOfItsOwn;
  return { matches, checkpointEvery: window * filter.getCheckpointintervalmultiplier() };
}
