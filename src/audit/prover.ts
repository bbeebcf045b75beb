import type { Position } from '../events/event.js';
import type { StoredLog } from '../event-store/stored-log.js';
import { positionInWords } from '../events/positions.js';
import { beforeAll, rangeSize, type Sealed } from './chain.js';
import { leafOf, witnessed } from './leaf.js';
import { auditPath } from './merkle.js';
import { checkProof, proofFormat, Unproven, type Proof } from './proof.js';
import type { SealedRanges } from './sealed-ranges.js';

export type Proving =
  | { readonly outcome: 'proved'; readonly proof: Proof }
  /** no event is there · none that was sealed yet · the events of its range are not as they were sealed */
  | { readonly outcome: 'nowhere' | 'unsealed' | 'broken'; readonly sentence: string };

/** Makes proofs of events. */
export class Prover {
  constructor(
    private readonly events: StoredLog,
    private readonly ranges: SealedRanges,
  ) {}

  async prove(position: Position): Promise<Proving> {
    const range = await this.ranges.covering(position);
    return range ? this.proveIn(range, position) : this.explain(position);
  }

  private async proveIn(range: Sealed, position: Position): Promise<Proving> {
    const before = range.range > 0 ? await this.ranges.get(range.range - 1) : undefined;
    const events = await this.events.after(before?.last, rangeSize);
    const index = events.findIndex((event) => event.position === position);
    const event = events[index];
    if (!event) return broken(range, `no event is at position ${positionInWords(position)}`);
    const leaves = events.map((each) => leafOf(witnessed(each)));
    const path = auditPath(index, leaves).map((hash) => hash.toString('hex'));
    const shownEvent = { ...witnessed(event), data: event.data };
    return checked({ format: proofFormat, event: shownEvent, index, path, range, chainBefore: before?.chain ?? beforeAll });
  }

  private async explain(position: Position): Promise<Proving> {
    const head = await this.events.head();
    const last = await this.ranges.last();
    const at = positionInWords(position);
    if (position > head)
      return { outcome: 'nowhere', sentence: `there is no position ${at}: the log ends at ${positionInWords(head)}` };
    if (last && position <= last.last)
      return { outcome: 'broken', sentence: `no row is about position ${at}: run ledger audit verify` };
    const sealed = last ? `up to position ${positionInWords(last.last)}` : 'not at all yet';
    const sentence = `position ${at} is in no sealed range: the log is sealed ${sealed}, each ${rangeSize.toLocaleString('en')} events; ask again when there are more`;
    return { outcome: 'unsealed', sentence };
  }
}

/** What a third party would refuse is not handed out. */
function checked(proof: Proof): Proving {
  try {
    checkProof(proof);
    return { outcome: 'proved', proof };
  } catch (error) {
    if (error instanceof Unproven) return broken(proof.range, error.message);
    throw error;
  }
}

const broken = ({ range, first, last }: Sealed, why: string): Proving => ({
  outcome: 'broken',
  sentence: `range ${range} (${positionInWords(first)} to ${positionInWords(last)}) is not as it was sealed: ${why}; run ledger audit verify`,
});
