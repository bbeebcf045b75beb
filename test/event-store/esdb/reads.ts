import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { ServerWritableStream, StatusObject } from '@grpc/grpc-js';
import type { Faults } from './faults.js';
import type { ServerLog } from './log.js';
import { forever, type LogRecord } from './records.js';
import * as statuses from './statuses.js';
import { eventMessage, nameOf } from './wire.js';

export type ReadCall = ServerWritableStream<streams.ReadReq, streams.ReadResp>;

/** What a read finds: events, or why there are none. `endless`: a read of nothing that never ends. */
type Found = readonly LogRecord[] | { readonly status: StatusObject } | 'not-found' | 'endless';

interface Asked {
  readonly backwards: boolean;
  readonly count: number;
}

/** Answers a read of a stream or of the whole log. */
export async function answerRead(call: ReadCall, log: ServerLog, faults: Faults, cut: () => void): Promise<void> {
  const options = call.request.getOptions()!;
  const asked = { backwards: options.getReadDirection() === 1, count: Number(options.getCount()) };
  const fault = faults.reads.next();
  const found = options.hasStream() ? ofStream(log, options.getStream()!, asked) : ofLog(log, options.getAll()!, asked);
  await faults.delay();
  if (call.cancelled || found === 'endless') return;
  if (typeof found === 'object' && 'status' in found) return void call.emit('error', found.status);
  if (found === 'not-found') return end(call, [notFound(options.getStream()!)]);
  const sent = fault ? found.slice(0, fault.afterEvents ?? 0) : found;
  faults.eventsRead += sent.length;
  if (!fault) return end(call, sent.map(eventMessage));
  for (const record of sent) call.write(eventMessage(record));
  if (fault.then === 'cut') cut();
  else if (fault.then !== 'silence') call.emit('error', fault.then === 'unknown' ? statuses.broken() : statuses.unavailable());
}

function end(call: ReadCall, messages: readonly streams.ReadResp[]): void {
  for (const message of messages) call.write(message);
  call.end();
}

/** Both ends inclusive. From behind the end there is nothing to come, and backwards everything. */
function ofStream(log: ServerLog, asked: streams.ReadReq.Options.StreamOptions, { backwards, count }: Asked): Found {
  const name = nameOf(asked.getStreamIdentifier());
  const stream = log.stream(name);
  if (stream?.tombstoned) return { status: statuses.streamDeleted(name) };
  if (count === 0 || (asked.hasEnd() && !backwards)) return { status: statuses.unreadableStream() };
  if (!stream || stream.hiddenBefore === forever) return 'not-found';
  const from = asked.hasEnd() ? forever : asked.hasRevision() ? BigInt(asked.getRevision()) : 0n;
  const there = log.visible(name).filter(({ revision }) => (backwards ? revision <= from : revision >= from));
  return (backwards ? there.toReversed() : there).slice(0, count);
}

/** Forwards from a position begins with the event that is there, backwards with the one before it. */
function ofLog(log: ServerLog, asked: streams.ReadReq.Options.AllOptions, { backwards, count }: Asked): Found {
  if (count === 0) return 'endless';
  const { records } = log;
  const from = asked.hasPosition() ? positionOf(asked.getPosition()!) : undefined;
  if (from === 'impossible') return { status: statuses.thrown() };
  if (from !== undefined && !isReadable(log, from, backwards)) return { status: statuses.unreadableLog() };
  const at = asked.hasEnd() ? records.length : from === undefined ? 0 : placeOf(records, from);
  return backwards ? records.slice(Math.max(0, at - count), at).toReversed() : records.slice(at, at + count);
}

/** A commit position cannot lie before its prepare position, which does not matter otherwise. */
export function positionOf(position: streams.ReadReq.Options.Position): bigint | 'impossible' {
  const commit = BigInt(position.getCommitPosition());
  return commit < BigInt(position.getPreparePosition()) ? 'impossible' : commit;
}

/** 0, where a record is, and forwards also what lies behind the last one. */
function isReadable({ records }: ServerLog, position: bigint, backwards: boolean): boolean {
  if (position === 0n) return true;
  if (position > records.at(-1)!.position) return !backwards;
  return isOnRecord(records, position);
}

export const isOnRecord = (records: readonly LogRecord[], position: bigint): boolean =>
  records[placeOf(records, position)]?.position === position;

/** The index of the first record that is not before a position. */
export function placeOf(records: readonly LogRecord[], position: bigint): number {
  let low = 0;
  let high = records.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (records[middle]!.position < position) low = middle + 1;
    else high = middle;
  }
  return low;
}

function notFound(asked: streams.ReadReq.Options.StreamOptions): streams.ReadResp {
  const message = new streams.ReadResp.StreamNotFound();
  return new streams.ReadResp().setStreamNotFound(message.setStreamIdentifier(asked.getStreamIdentifier()));
}
