import { StoreUnavailable } from './event-store.js';

/** Errors of the client all have the name Error: `type` tells them apart, and those of a server that is down have only a code. */
interface ClientError {
  readonly type?: unknown;
  readonly code?: unknown;
  readonly message?: unknown;
  readonly actualVersion?: unknown;
  readonly maxAppendSize?: unknown;
}

const fieldsOf = (error: unknown): ClientError => (typeof error === 'object' && error !== null ? error : {});

const isOf =
  (type: string) =>
  (error: unknown): boolean =>
    fieldsOf(error).type === type;

export const isStreamMissing = isOf('stream-not-found');
export const isTombstoned = isOf('stream-deleted');
export const isNotLeader = isOf('not-leader');
/** A live subscription that fell behind is dropped by the server. */
export const isTooSlow = isOf('timeout');

/** How the server answers a read of all from a position at which no record begins. */
export const isOffRecord = (error: unknown): boolean =>
  isOf('unknown')(error) && fieldsOf(error).code === 2 && String(fieldsOf(error).message).includes('ReadAllResult');

/** The revision of the stream's last event, if the error says that it is not the expected one. */
export function actualRevision(error: unknown): number | 'no-stream' | undefined {
  const { type, actualVersion } = fieldsOf(error);
  if (type !== 'wrong-expected-version') return undefined;
  return typeof actualVersion === 'bigint' && actualVersion >= 0n ? Number(actualVersion) : 'no-stream';
}

/** The most bytes that the server takes in one append, if the error says that they were more. */
export function exceededSize(error: unknown): number | undefined {
  const { type, maxAppendSize } = fieldsOf(error);
  return type === 'maximum-append-size-exceeded' ? Number(maxAppendSize) : undefined;
}

export function outOfReach(error: unknown): StoreUnavailable {
  if (error instanceof StoreUnavailable) return error;
  return new StoreUnavailable(`EventStoreDB is out of reach: ${sentenceOf(error)}`, { cause: error });
}

function sentenceOf(error: unknown): string {
  const { type, message } = fieldsOf(error);
  if (type === 'access-denied') return 'it denies access: check the user and the password in its address';
  return (typeof message === 'string' && message) || (typeof type === 'string' && type) || String(error);
}
