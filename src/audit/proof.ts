import type { JsonObject } from '../events/event.js';
import { positionInWords } from '../events/positions.js';
import { chained, fingerprintOf, isSpan, placeIn, rangeSize, signatureOf, type Sealed } from './chain.js';
import { dataHashOf, leafOf, type Witnessed } from './leaf.js';
import { rootOf } from './merkle.js';

export const proofFormat = 'run-ledger audit proof 1';

/** That an event is in the log, for someone who has neither the log nor its server. Hashes are lower-case hex. */
export interface Proof {
  readonly format: typeof proofFormat;
  /** without `data`, only what they hash to is proven */
  readonly event: Witnessed & { readonly data?: JsonObject };
  /** place in the range, from 0 */
  readonly index: number;
  /** RFC 6962, section 2.1.1: the nearest first */
  readonly path: readonly string[];
  readonly range: Sealed;
  /** of the range before it */
  readonly chainBefore: string;
}

/** A proof that does not hold; the message says where. */
export class Unproven extends Error {
  override readonly name = 'Unproven';
}

/**
 * What a proof proves, as a sentence. `key` is the `publicKey` of who has to have signed. Throws Unproven. Without a signature, a proof
 * shows only that its parts fit each other: whoever made it up could have made up the range as well.
 */
export function checkProof(proof: Proof, key?: string): string {
  const { event, index, range } = proof;
  refuse(event.data !== undefined && dataHashOf(event.data) !== event.dataHash, 'its data do not have the hash that it names');
  refuse(
    !isSpan(range, event.position),
    `range ${range.range} is not about ${positionInWords(range.first)} to ${positionInWords(range.last)}`,
  );
  const place = placeIn(range.range, index, event.position);
  const isThere = place === undefined ? event.position >= range.first && event.position <= range.last : place === event.position;
  refuse(!isThere, `position ${positionInWords(event.position)} is not event ${index} of range ${range.range}`);
  refuse(rootIn(proof) !== range.root, 'the event and its path do not lead to the root of the range');
  refuse(chained(proof.chainBefore, range.root) !== range.chain, 'the root does not lead from the chain before it to its own');
  refuse(signatureOf(range) === 'wrong', 'the signature is not one of this range');
  refuseSigner(range, key);
  return sentence(proof, key);
}

const rootIn = ({ event, index, path }: Proof): string | undefined =>
  rootOf(
    leafOf(event),
    index,
    rangeSize,
    path.map((hash) => Buffer.from(hash, 'hex')),
  )?.toString('hex');

function refuseSigner({ publicKey }: Sealed, key: string | undefined): void {
  if (key === undefined || publicKey === key) return;
  const by = publicKey === undefined ? 'nobody has signed the range' : `the range is signed by ${fingerprintOf(publicKey)}`;
  throw new Unproven(`${by}, and ${fingerprintOf(key)} was expected`);
}

function refuse(isWrong: boolean, sentence: string): void {
  if (isWrong) throw new Unproven(sentence);
}

function sentence({ event, range }: Proof, key: string | undefined): string {
  const { type, id, stream, revision, position, recordedAt } = event;
  const what = event.data === undefined ? `${type} ${id}, of whose data only the hash is given,` : `${type} ${id}`;
  const where = `revision ${revision} of ${stream}, recorded ${recordedAt} at position ${positionInWords(position)}`;
  const sealed = `is in range ${range.range} of the log (${positionInWords(range.first)} to ${positionInWords(range.last)}, chain ${range.chain})`;
  return `${what}, ${where}, ${sealed}. ${worth(range, key)}`;
}

function worth({ publicKey }: Sealed, key: string | undefined): string {
  if (publicKey === undefined)
    return 'Nobody has signed the range: it proves this to those who know from elsewhere that the chain is that of the log.';
  const by = `The range is signed by ${fingerprintOf(publicKey)}`;
  return key === undefined
    ? `${by}, which is worth as much as the trust in that key: --key says whose it should be.`
    : `${by}, as expected.`;
}
