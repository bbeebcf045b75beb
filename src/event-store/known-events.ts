import type { ExpectedRevision } from './event-store.js';

interface Placed {
  readonly id: string;
  readonly revision: number;
}

interface Asked {
  readonly expected: ExpectedRevision;
  readonly ids: readonly string[];
}

/** How many of a stream's last events are looked through for ids that a writer may have written before. */
export const recentEvents = 100;

/** What becomes of a write whose expectation is not the revision of its stream. */
export type Judgement<E> =
  { readonly outcome: 'new' | 'conflict' } | { readonly outcome: 'replayed'; readonly events: readonly E[] };

/**
 * Ids are looked for where the expectation would put them, and among the stream's last events; `stream` has at least those, in order.
 * `head` is the revision of the last one, -1 when there is no stream.
 */
export function judge<E extends Placed>(stream: readonly E[], head: number, write: Asked): Judgement<E> {
  const known = stream.filter(({ id, revision }) => isLookedAt(revision, head, write) && write.ids.includes(id));
  if (known.length > 0) return areWhole(known, write.ids) ? { outcome: 'replayed', events: known } : { outcome: 'conflict' };
  return { outcome: holds(write.expected, head) ? 'new' : 'conflict' };
}

function isLookedAt(revision: number, head: number, { expected, ids }: Asked): boolean {
  const from = (exactly(expected) ?? Infinity) + 1;
  return revision > head - recentEvents || (revision >= from && revision < from + ids.length);
}

/** All of the ids, one after another and in their order. */
const areWhole = (known: readonly Placed[], ids: readonly string[]): boolean =>
  known.length === ids.length && known.every(({ id, revision }, i) => id === ids[i] && revision === known[0]!.revision + i);

/** The revision that a writer knows the stream to have, -1 for none; undefined when it does not say. */
export const exactly = (expected: ExpectedRevision): number | undefined => {
  if (expected === 'no-stream') return -1;
  return typeof expected === 'number' ? expected : undefined;
};

const holds = (expected: ExpectedRevision, head: number): boolean =>
  expected === 'any' || (expected === 'stream-exists' && head >= 0);
