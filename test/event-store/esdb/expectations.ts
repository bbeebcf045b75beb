import { forever, type LogRecord, type Stream } from './records.js';

/** A revision, or what the protocol has words for. */
export type Expectation = bigint | 'no-stream' | 'any' | 'stream-exists';

export type Judgement =
  | { readonly outcome: 'write' }
  /** these very events were there: the answer of then */
  | { readonly outcome: 'known'; readonly revision: bigint; readonly position: bigint | undefined }
  /** `actual` is the revision of the last event, undefined when there is no stream */
  | { readonly outcome: 'conflict'; readonly actual: bigint | undefined }
  | { readonly outcome: 'deleted' };

type Remembered = (id: string) => LogRecord | undefined;

/** What the server makes of an append: the table of idempotency, as observed. */
export function judge(
  stream: Stream | undefined,
  expected: Expectation,
  ids: readonly string[],
  remembered: Remembered,
): Judgement {
  if (stream?.tombstoned) return { outcome: 'deleted' };
  const judgement = isLoose(expected) ? loosely(stream, expected, ids, remembered) : exactly(stream, revisionOf(expected), ids);
  if (judgement.outcome !== 'known' || stream?.hiddenBefore !== forever) return judgement;
  return { ...judgement, position: undefined };
}

const isLoose = (expected: Expectation): expected is 'any' | 'stream-exists' =>
  expected === 'any' || expected === 'stream-exists';

const revisionOf = (expected: bigint | 'no-stream'): bigint => (expected === 'no-stream' ? -1n : expected);

/** Ids are looked up wherever they lie in the stream, as long as the server remembers them; only the first decides whether they are new. */
function loosely(stream: Stream | undefined, expected: Expectation, ids: readonly string[], remembered: Remembered): Judgement {
  if (expected === 'stream-exists' && !stream) return conflict(stream);
  if (expected === 'stream-exists' && stream?.hiddenBefore === forever) return { outcome: 'deleted' };
  const found = ids.map(remembered);
  if (!found[0]) return { outcome: 'write' };
  return found.every((record) => record !== undefined) ? known(found.at(-1)!) : conflict(stream);
}

/** Under the current revision everything is new. Under a former one the ids must be those that lie behind it. */
function exactly(stream: Stream | undefined, expected: bigint, ids: readonly string[]): Judgement {
  const current = lastRevision(stream);
  if (expected === current) return { outcome: 'write' };
  const there = stream?.records.slice(Number(expected) + 1, Number(expected) + 1 + ids.length) ?? [];
  if (there.length > 0 && ids.every((id, i) => there[i]?.id === id)) return known(there.at(-1)!);
  return expected === -1n && stream?.hiddenBefore === forever ? { outcome: 'write' } : conflict(stream);
}

const lastRevision = (stream: Stream | undefined): bigint => stream?.records.at(-1)?.revision ?? -1n;

const known = ({ revision, position }: LogRecord): Judgement => ({ outcome: 'known', revision, position });

const conflict = (stream: Stream | undefined): Judgement => ({ outcome: 'conflict', actual: stream?.records.at(-1)?.revision });
