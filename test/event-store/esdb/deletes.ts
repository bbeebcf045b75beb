import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { StatusObject } from '@grpc/grpc-js';
import type { ServerLog } from './log.js';
import * as statuses from './statuses.js';
import { nameOf } from './wire.js';

type Deletable = streams.DeleteReq | streams.TombstoneReq;

/** The position of what says so in the log, or why the stream is left as it is. */
function end(log: ServerLog, request: Deletable, how: 'hide' | 'tombstone'): bigint | StatusObject {
  const options = request.getOptions()!;
  const name = nameOf(options.getStreamIdentifier());
  const stream = log.stream(name);
  if (stream?.tombstoned) return statuses.streamDeleted(name);
  const actual = stream?.records.at(-1)?.revision ?? -1n;
  const expected = options.hasRevision() ? BigInt(options.getRevision()) : options.hasNoStream() ? -1n : -2n;
  const isRight = expected === actual || (expected === -2n && (actual >= 0n || how === 'tombstone'));
  return isRight ? log[how](name) : statuses.wrongDelete(name, expected, actual);
}

export function answerDelete(log: ServerLog, request: streams.DeleteReq): streams.DeleteResp | StatusObject {
  const ended = end(log, request, 'hide');
  if (typeof ended !== 'bigint') return ended;
  const position = new streams.DeleteResp.Position().setCommitPosition(String(ended)).setPreparePosition(String(ended));
  return new streams.DeleteResp().setPosition(position);
}

export function answerTombstone(log: ServerLog, request: streams.TombstoneReq): streams.TombstoneResp | StatusObject {
  const ended = end(log, request, 'tombstone');
  if (typeof ended !== 'bigint') return ended;
  const position = new streams.TombstoneResp.Position().setCommitPosition(String(ended)).setPreparePosition(String(ended));
  return new streams.TombstoneResp().setPosition(position);
}
