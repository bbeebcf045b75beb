import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { sendUnaryData } from '@grpc/grpc-js';
import empty from 'google-protobuf/google/protobuf/empty_pb.js';
import type { Expectation } from './expectations.js';
import type { AppendAnswer, Appended } from './log.js';
import type { Append } from './proposals.js';
import * as statuses from './statuses.js';

export type Answer = AppendAnswer | { readonly outcome: 'bad-request' | 'too-large' | 'too-late' };

export interface AppendLimits {
  /** bytes of the data of all events of one append; metadata is not counted */
  readonly maxAppendSize: number;
}

/** Into the response of its correlation id: an append fails for itself. */
export function inBatch(
  response: streams.BatchAppendResp,
  { stream, expected }: Append,
  answer: Answer,
  { maxAppendSize }: AppendLimits,
): streams.BatchAppendResp {
  switch (answer.outcome) {
    case 'appended':
      return response.setSuccess(successInBatch(answer));
    case 'conflict':
      return response.setError(statuses.batchConflict(expected, answer.actual));
    case 'deleted':
      return response.setError(statuses.batchDeleted(stream));
    case 'too-large':
      return response.setError(statuses.batchTooLarge(maxAppendSize));
    case 'too-late':
      return response.setError(statuses.batchTimedOut());
    case 'bad-request':
      return response.setError(statuses.badRequest('an event needs a stream, a type and an id'));
  }
}

function successInBatch({ revision, position }: Appended): streams.BatchAppendResp.Success {
  const success = new streams.BatchAppendResp.Success().setCurrentRevision(String(revision));
  if (position === undefined) return success.setNoPosition(new empty.Empty());
  const place = new shared.AllStreamPosition();
  return success.setPosition(place.setCommitPosition(String(position)).setPreparePosition(String(position)));
}

/** As the answer or the end of a call of its own. */
export function alone(
  { stream, expected }: Append,
  answer: Answer,
  { maxAppendSize }: AppendLimits,
  tell: sendUnaryData<streams.AppendResp>,
): void {
  switch (answer.outcome) {
    case 'appended':
      return tell(null, new streams.AppendResp().setSuccess(successAlone(answer)));
    case 'conflict':
      return tell(null, new streams.AppendResp().setWrongExpectedVersion(conflictAlone(expected, answer.actual)));
    case 'deleted':
      return tell(statuses.streamDeleted(stream));
    case 'too-large':
      return tell(statuses.appendTooLarge(maxAppendSize));
    case 'too-late':
      return tell(statuses.timedOut());
    case 'bad-request':
      return tell(statuses.thrown());
  }
}

function successAlone({ revision, position }: Appended): streams.AppendResp.Success {
  const success = new streams.AppendResp.Success().setCurrentRevision(String(revision));
  if (position === undefined) return success.setNoPosition(new shared.Empty());
  const place = new streams.AppendResp.Position();
  return success.setPosition(place.setCommitPosition(String(position)).setPreparePosition(String(position)));
}

function conflictAlone(expected: Expectation, actual: bigint | undefined): streams.AppendResp.WrongExpectedVersion {
  const conflict = new streams.AppendResp.WrongExpectedVersion();
  if (actual === undefined) conflict.setCurrentNoStream(new shared.Empty());
  else conflict.setCurrentRevision(String(actual));
  if (expected === 'any') conflict.setExpectedAny(new shared.Empty());
  else if (expected === 'no-stream') conflict.setExpectedNoStream(new shared.Empty());
  else if (expected === 'stream-exists') conflict.setExpectedStreamExists(new shared.Empty());
  else conflict.setExpectedRevision(String(expected));
  return conflict;
}
