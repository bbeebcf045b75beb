import type { Position } from '../events/event.js';
import { positionInWords } from '../events/positions.js';
import { beforeAll, chained, fingerprintOf, isSpan, placeIn, rangeSize, signatureOf, type Sealed } from './chain.js';
import type { StoredEvent } from '../event-store/stored-log.js';
import { leafOf, witnessed } from './leaf.js';
import { treeHash } from './merkle.js';

export const flaws = [
  'row_missing',
  'row_changed',
  'events_missing',
  'events_inserted',
  'events_changed',
  'signature_wrong',
  'unsigned',
  'signed_by_another',
] as const;
export type Flaw = (typeof flaws)[number];

/** What is wrong with a range. */
export interface Bad {
  readonly range: number;
  /** of the events that the range is about; `''` where no row says so */
  readonly first: Position;
  readonly last: Position;
  readonly code: Flaw;
  /** what is so, and what it was compared with */
  readonly sentence: string;
}

/** A range as it was sealed, what the one before it says, and the events that the log has there by now. */
export interface Examined {
  readonly sealed: Sealed;
  readonly before: Sealed | undefined;
  /** those after the last position of the range before, in order, at most `rangeSize` */
  readonly events: readonly StoredEvent[];
  /** `publicKey` of who is expected to have signed it; without one, whoever has will do */
  readonly key: string | undefined;
}

/** The first flaw of a range; undefined if it is as it was sealed. */
export function judge(examined: Examined): Bad | undefined {
  const found = misnamed(examined) ?? misplaced(examined) ?? miscounted(examined) ?? unlike(examined) ?? badlySigned(examined);
  return found && bad(examined.sealed, ...found);
}

export const bad = ({ range, first, last }: Pick<Sealed, 'range' | 'first' | 'last'>, code: Flaw, sentence: string): Bad => ({
  range,
  first,
  last,
  code,
  sentence,
});

type Found = readonly [code: Flaw, sentence: string];

function misnamed({ sealed, events }: Examined): Found | undefined {
  const { first, last } = sealed;
  return isSpan(sealed, events[0]?.position ?? first)
    ? undefined
    : ['row_changed', `it is said to be about ${positionInWords(first)} to ${positionInWords(last)}, which no range is`];
}

/** Where positions count 1, 2, 3 …, an event that is not in its place tells what has happened before it. */
function misplaced({ sealed, events }: Examined): Found | undefined {
  return misplacedIn(
    sealed.range,
    events.filter(({ position }) => position <= sealed.last),
  );
}

export function misplacedIn(range: number, events: readonly StoredEvent[]): Found | undefined {
  for (const [index, { position }] of events.entries()) {
    const expected = placeIn(range, index, position);
    if (expected === undefined || expected === position) continue;
    const stands = `position ${positionInWords(position)} stands where ${positionInWords(expected)} should be`;
    return position > expected
      ? ['events_missing', `${stands}: the events between them were removed`]
      : ['events_inserted', `${stands}: an event was put in`];
  }
  return undefined;
}

function miscounted({ sealed, events }: Examined): Found | undefined {
  const { first, last } = sealed;
  const count = events.filter(({ position }) => position <= last).length;
  const there = `${count} of ${rangeSize} events are there up to position ${positionInWords(last)}`;
  if (count < events.length) return ['events_missing', there];
  if (count < rangeSize) return ['events_missing', `${there}: the log ends before it`];
  if (events.at(-1)?.position !== last)
    return ['events_inserted', `more than ${rangeSize} events lie before position ${positionInWords(last)}`];
  return events[0]?.position === first
    ? undefined
    : [
        'row_changed',
        `it is said to begin at ${positionInWords(first)}, and begins at ${positionInWords(events[0]?.position ?? '')}`,
      ];
}

/** The chain holds every root before it, so that it tells which side of an inequality was changed. */
function unlike({ sealed, before, events }: Examined): Found | undefined {
  const root = treeHash(events.map((event) => leafOf(witnessed(event)))).toString('hex');
  const chain = before?.chain ?? beforeAll;
  if (root === sealed.root)
    return chained(chain, root) === sealed.chain
      ? undefined
      : ['row_changed', 'its events are as they were sealed, but its chain does not follow from the range before'];
  if (chained(chain, root) === sealed.chain)
    return ['row_changed', 'its events are as they were sealed, but the root in its row is another'];
  return ['events_changed', `its events do not have the root that was sealed: ${strangeness(events)}`];
}

/** What can be told of changed events without knowing what they were. */
function strangeness(events: readonly StoredEvent[]): string {
  const revisions = new Map<string, number>();
  let time = '';
  for (const { position, stream, revision, recordedAt } of events) {
    const before = revisions.get(stream);
    if (before !== undefined && revision !== before + 1)
      return `at position ${positionInWords(position)}, ${stream} has revision ${revision} after ${before}, so events were swapped or replaced`;
    if (recordedAt < time)
      return `position ${positionInWords(position)} was recorded before the one ahead of it, so events were swapped or changed`;
    revisions.set(stream, revision);
    time = recordedAt;
  }
  return 'one or more of them were changed; which, a proof or a copy from before can tell';
}

function badlySigned({ sealed, key }: Examined): Found | undefined {
  const signature = signatureOf(sealed);
  if (signature === 'wrong') return ['signature_wrong', 'its signature is not one of what the row says'];
  if (key === undefined || sealed.publicKey === key) return undefined;
  return sealed.publicKey === undefined
    ? ['unsigned', `nobody has signed it, and ${fingerprintOf(key)} was expected to`]
    : ['signed_by_another', `it is signed by ${fingerprintOf(sealed.publicKey)}, and not by ${fingerprintOf(key)}`];
}
