import codes from '@eventstore/db-client/generated/code_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import rpc from '@eventstore/db-client/generated/status_pb.js';
import { Metadata, status, type StatusObject } from '@grpc/grpc-js';
import anys from 'google-protobuf/google/protobuf/any_pb.js';
import empty from 'google-protobuf/google/protobuf/empty_pb.js';
import type { Expectation } from './expectations.js';
import { identifierOf } from './wire.js';

/** How a call ends that fails: what the client knows it by is in the trailers. */
const failure = (code: status, details: string, trailers: Readonly<Record<string, string>> = {}): StatusObject => {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(trailers)) metadata.set(key, value);
  return { code, details, metadata };
};

export const unavailable = () => failure(status.UNAVAILABLE, 'Server Is Not Ready');
export const timedOut = () => failure(status.DEADLINE_EXCEEDED, 'Operation timed out');
export const broken = () => failure(status.INTERNAL, 'Received RST_STREAM with code 0');
export const thrown = () => failure(status.UNKNOWN, 'Exception was thrown by handler.');
export const unreadableStream = () => failure(status.UNKNOWN, 'Unexpected ReadStreamResult: Error');
export const unreadableLog = () => failure(status.UNKNOWN, 'Unexpected ReadAllResult: Error');
export const tooSlow = () =>
  failure(status.ABORTED, 'Operation timed out: Consumer too slow to handle event while live. Client resubscription required.');

export const streamDeleted = (name: string) =>
  failure(status.FAILED_PRECONDITION, `Event stream '${name}' is deleted.`, { exception: 'stream-deleted', 'stream-name': name });

export const appendTooLarge = (limit: number) =>
  failure(status.INVALID_ARGUMENT, `Maximum Append Size of ${limit} Exceeded.`, {
    exception: 'maximum-append-size-exceeded',
    'maximum-append-size': String(limit),
  });

/** The client goes to the leader with its next call. */
export const notLeader = (port: number) =>
  failure(status.NOT_FOUND, 'Leader info available', {
    exception: 'not-leader',
    'leader-endpoint-host': '127.0.0.1',
    'leader-endpoint-port': String(port),
  });

export const wrongDelete = (name: string, expected: bigint, actual: bigint) =>
  failure(status.FAILED_PRECONDITION, `Delete failed: ${name} is at ${actual}, not at ${expected}`, {
    exception: 'wrong-expected-version',
    'stream-name': name,
    'expected-version': String(expected),
    'actual-version': String(actual),
  });

type Packed = { serializeBinary(): Uint8Array };

/** An append of a batch fails for itself: its answer holds why, in a message of its own. */
const refusal = (code: codes.Code, kind: string, message: Packed): rpc.Status => {
  const details = new anys.Any();
  details.pack(message.serializeBinary(), `event_store.client.${kind}`);
  return new rpc.Status().setCode(code).setMessage(kind).setDetails(details);
};

export const batchTimedOut = () => refusal(codes.Code.DEADLINE_EXCEEDED, 'Timeout', new shared.Timeout());
export const badRequest = (why: string) =>
  refusal(codes.Code.INVALID_ARGUMENT, 'BadRequest', new shared.BadRequest().setMessage(why));
export const batchTooLarge = (limit: number) =>
  refusal(
    codes.Code.INVALID_ARGUMENT,
    'MaximumAppendSizeExceeded',
    new shared.MaximumAppendSizeExceeded().setMaxappendsize(limit),
  );
export const batchDeleted = (name: string) =>
  refusal(codes.Code.FAILED_PRECONDITION, 'StreamDeleted', new shared.StreamDeleted().setStreamIdentifier(identifierOf(name)));

export function batchConflict(expected: Expectation, actual: bigint | undefined): rpc.Status {
  const conflict = new shared.WrongExpectedVersion();
  if (actual === undefined) conflict.setCurrentNoStream(new empty.Empty());
  else conflict.setCurrentStreamRevision(String(actual));
  if (expected === 'any') conflict.setExpectedAny(new empty.Empty());
  else if (expected === 'no-stream') conflict.setExpectedNoStream(new empty.Empty());
  else if (expected === 'stream-exists') conflict.setExpectedStreamExists(new empty.Empty());
  else conflict.setExpectedStreamPosition(String(expected));
  return refusal(codes.Code.FAILED_PRECONDITION, 'WrongExpectedVersion', conflict);
}
