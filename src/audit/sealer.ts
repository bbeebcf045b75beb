import type { KeyObject } from 'node:crypto';
import type { Position } from '../events/event.js';
import type { StoredLog } from '../event-store/stored-log.js';
import { positionInWords } from '../events/positions.js';
import { beforeAll, chained, placeIn, rangeSize, signed, type Sealed } from './chain.js';
import { leafOf, witnessed } from './leaf.js';
import { treeHash } from './merkle.js';
import type { SealedRanges } from './sealed-ranges.js';

export interface SealerPorts {
  readonly events: StoredLog;
  readonly ranges: SealedRanges;
  /** an Ed25519 private key; without one, ranges are sealed unsigned */
  readonly key: KeyObject | undefined;
}

/** The range that is not complete yet: of what it has read, only hashes are kept. */
interface Open {
  readonly range: number;
  readonly before: string;
  first: Position | undefined;
  after: Position | undefined;
  recordedAt: string;
  readonly leaves: Buffer[];
}

/**
 * Seals the log range by range. Each event is read once; two sealers at once write the same, and notice if they do not. It goes on from
 * the chain that it has made itself, so that a range that is changed behind its back does not fit what follows.
 */
export class Sealer {
  private open: Open | undefined;

  constructor(private readonly ports: SealerPorts) {}

  /** Reads at most what the open range lacks, and seals it when it is complete. False: the log has no more for now. */
  async advance(): Promise<boolean> {
    this.open ??= openAfter(await this.ports.ranges.last());
    const { open } = this;
    for (const event of await this.ports.events.after(open.after, rangeSize - open.leaves.length)) {
      refuseGap(open, event.position);
      open.leaves.push(leafOf(witnessed(event)));
      open.first ??= event.position;
      open.after = event.position;
      open.recordedAt = event.recordedAt;
    }
    if (open.leaves.length < rangeSize) return false;
    this.open = openAfter(await this.seal(open));
    return true;
  }

  /** What it was sure of, it is not any more. */
  reset(): void {
    this.open = undefined;
  }

  private async seal({ range, before, first = '', after: last = '', recordedAt, leaves }: Open): Promise<Sealed> {
    const root = treeHash(leaves).toString('hex');
    const sealed = { range, first, last, root, chain: chained(before, root) };
    const { ranges, key } = this.ports;
    if (!(await ranges.add(key ? signed(sealed, key) : sealed, recordedAt))) refuseOther(sealed, await ranges.get(range));
    return sealed;
  }
}

const openAfter = (last: Sealed | undefined): Open => ({
  range: last ? last.range + 1 : 0,
  before: last?.chain ?? beforeAll,
  first: undefined,
  after: last?.last,
  recordedAt: '',
  leaves: [],
});

/** A gap that was sealed would be there for good. */
function refuseGap({ range, leaves }: Open, position: Position): void {
  const expected = placeIn(range, leaves.length, position);
  if (expected !== undefined && expected !== position)
    throw new Error(
      `the log has position ${positionInWords(position)} where ${positionInWords(expected)} should be, so range ${range} is not sealed: run ledger audit verify`,
    );
}

function refuseOther(own: Sealed, there: Sealed | undefined): void {
  if (there?.chain !== own.chain || there.first !== own.first || there.last !== own.last)
    throw new Error(`range ${own.range} was sealed meanwhile, and not as these events are: run ledger audit verify`);
}
