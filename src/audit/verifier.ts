import type { Position } from '../events/event.js';
import type { StoredLog } from '../event-store/stored-log.js';
import { fingerprintOf, placeIn, rangeSize, type Sealed } from './chain.js';
import type { SealedRanges } from './sealed-ranges.js';
import { bad, judge, misplacedIn, type Bad } from './verdict.js';

export interface Verification {
  readonly ok: boolean;
  /** the first range that was looked at, and how many */
  readonly from: number;
  readonly ranges: number;
  /** how many there are */
  readonly sealed: number;
  /** where to go on; absent when all that was sealed has been looked at, or something was found */
  readonly next?: number;
  /** the position of the last event of the log */
  readonly head: Position;
  /** of the last range that was found good: kept elsewhere, it tells later whether the log up to there is still the same */
  readonly chain?: string;
  /** by whom the ranges are signed that were looked at; `null`: by nobody */
  readonly signers: readonly { readonly key: string | null; readonly ranges: number }[];
  /** what no range holds yet, and so nothing is proven of; absent while there is a `next` */
  readonly tail?: { readonly after: Position; readonly events: number; readonly orMore: boolean };
  readonly firstBad?: Bad;
}

export interface Wanted {
  /** the first range to look at; default 0. What lies before it is taken for good. */
  readonly from?: number;
  /** at most so many; default all */
  readonly limit?: number;
  /** `publicKey` of who has to have signed */
  readonly key?: string;
  /** ends the look early, as `limit` does */
  readonly signal?: AbortSignal;
}

const pageSize = 64;

/** Compares the log with what was sealed of it, from the events up; stops at the first range that is not as it was. */
export class Verifier {
  constructor(
    private readonly events: StoredLog,
    private readonly ranges: SealedRanges,
  ) {}

  /** About 30 s for a million events. Throws NoSuchRange. */
  async verify({ from = 0, limit = Infinity, key, signal }: Wanted = {}): Promise<Verification> {
    const sealed = ((await this.ranges.last())?.range ?? -1) + 1;
    if (from > sealed) throw new NoSuchRange(from, sealed);
    const seen = await this.look({ from, to: Math.min(from + limit, sealed), key, signal });
    const { last, firstBad = seen.next === sealed ? await this.lookBehind(last, sealed) : undefined } = seen;
    return {
      ok: firstBad === undefined,
      from,
      ranges: seen.next - from,
      sealed,
      ...(!firstBad && seen.next < sealed && { next: seen.next }),
      head: await this.events.head(),
      ...(last && { chain: last.chain }),
      signers: [...seen.signers].map(([signer, count]) => ({ key: signer, ranges: count })),
      ...(seen.next === sealed && { tail: await this.tail(last) }),
      ...(firstBad && { firstBad }),
    };
  }

  private async look({ from, to, key, signal }: Looked): Promise<Seen> {
    const seen: Seen = { next: from, last: from > 0 ? await this.ranges.get(from - 1) : undefined, signers: new Map() };
    if (from > 0 && !seen.last) return { ...seen, firstBad: missing(from - 1, await this.events.head()) };
    while (seen.next < to) {
      for (const sealed of await this.page(seen.next, to)) {
        if (signal?.aborted) return seen;
        const firstBad = sealed.range === seen.next ? await this.judge(sealed, seen.last, key) : missing(seen.next, sealed.first);
        if (firstBad) return { ...seen, firstBad };
        const signer = sealed.publicKey === undefined ? null : fingerprintOf(sealed.publicKey);
        seen.signers.set(signer, (seen.signers.get(signer) ?? 0) + 1);
        seen.last = sealed;
        seen.next++;
      }
    }
    return seen;
  }

  /** Never empty below `to`: the last range is there, or was a moment ago. */
  private async page(from: number, to: number): Promise<Sealed[]> {
    const found = await this.ranges.from(from, Math.min(pageSize, to - from));
    if (found.length === 0) throw new Error(`range ${from} was removed while the ranges were read: ask again`);
    return found;
  }

  private async judge(sealed: Sealed, before: Sealed | undefined, key: string | undefined): Promise<Bad | undefined> {
    return judge({ sealed, before, events: await this.events.after(before?.last, rangeSize), key });
  }

  /** Nothing is sealed there, but a hole is one all the same. */
  private async lookBehind(last: Sealed | undefined, range: number): Promise<Bad | undefined> {
    const events = await this.events.after(last?.last, rangeSize);
    const found = misplacedIn(range, events);
    return found && bad({ range, first: events[0]?.position ?? '', last: events.at(-1)?.position ?? '' }, ...found);
  }

  private async tail(last: Sealed | undefined): Promise<Verification['tail']> {
    const events = (await this.events.after(last?.last, rangeSize)).length;
    return { after: last?.last ?? '', events, orMore: events === rangeSize };
  }
}

interface Looked extends Pick<Wanted, 'key' | 'signal'> {
  readonly from: number;
  /** exclusive */
  readonly to: number;
}

interface Seen {
  next: number;
  last: Sealed | undefined;
  readonly signers: Map<string | null, number>;
  readonly firstBad?: Bad;
}

/** `like`: any position of the log. */
const missing = (range: number, like: Position): Bad =>
  bad(
    { range, first: placeIn(range, 0, like) ?? '', last: placeIn(range, rangeSize - 1, like) ?? '' },
    'row_missing',
    'its row is gone, and there are later ones',
  );

/** There is no range of that number to begin with. */
export class NoSuchRange extends Error {
  override readonly name = 'NoSuchRange';
  constructor(range: number, sealed: number) {
    super(`from is ${range}, and ${sealed} ranges are sealed: give a range from 0 to ${sealed}`);
  }
}
