import { createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import type { Position } from '../events/event.js';
import { canonicalJson } from '../events/canonical-json.js';
import { sha256 } from './merkle.js';

/** Events of a range, counted in the order of the log. */
export const rangeSize = 1_024;

/** A range of the log under one hash. Hashes, signature and key are lower-case hex. */
export interface Sealed {
  /** 0, 1, 2 …; range r holds the events r·1,024 + 1 to (r + 1)·1,024 of the log */
  readonly range: number;
  readonly first: Position;
  readonly last: Position;
  /** of the Merkle tree (RFC 6962) whose leaves are the events */
  readonly root: string;
  /** SHA-256 of the 32 bytes of the chain before it, `beforeAll` for range 0, and the 32 bytes of its root */
  readonly chain: string;
  /** Ed25519 over `signedText`, where a key was configured */
  readonly signature?: string;
  /** of that key: SubjectPublicKeyInfo in DER (RFC 8410) */
  readonly publicKey?: string;
}

export const beforeAll = '00'.repeat(32);

export const chained = (before: string, root: string): string => sha256(bytes(before), bytes(root)).toString('hex');

/**
 * What a signature is over, in UTF-8: the canonical JSON of these six fields,
 * `{"chain":"…","first":"…","format":"run-ledger audit range 1","last":"…","range":0,"root":"…"}`.
 */
const signedText = ({ range, first, last, root, chain }: Sealed): Buffer =>
  Buffer.from(canonicalJson({ chain, first, format: 'run-ledger audit range 1', last, range, root }));

export function signed(sealed: Sealed, key: KeyObject): Sealed {
  const signature = sign(null, signedText(sealed), key).toString('hex');
  return { ...sealed, signature, publicKey: publicKeyOf(key) };
}

export type Signature = 'unsigned' | 'wrong' | 'right';

/** Whether the signature is that of the range, by the key that is kept with it. */
export function signatureOf(sealed: Sealed): Signature {
  const { signature, publicKey } = sealed;
  if (signature === undefined || publicKey === undefined) return 'unsigned';
  const key = keyIn(bytes(publicKey));
  return key && verify(null, signedText(sealed), key, bytes(signature)) ? 'right' : 'wrong';
}

/** `publicKey` of ranges that are signed with this key, which may be either half of the pair. */
export const publicKeyOf = (key: KeyObject): string =>
  (key.type === 'public' ? key : createPublicKey(key)).export({ type: 'spki', format: 'der' }).toString('hex');

/** How a key is called: the SHA-256 of its public half, as OpenSSL's `dgst` gives it for the DER file. */
export const fingerprintOf = (publicKey: string): string => `sha256:${sha256(bytes(publicKey)).toString('hex')}`;

/** From PEM, or as `publicKey` is written; undefined if it is no Ed25519 key. */
export function readPublicKey(text: string): string | undefined {
  const key = /^[0-9a-f]{88}$/.test(text) ? keyIn(bytes(text)) : keyIn(text);
  return key && publicKeyOf(key);
}

function keyIn(source: Buffer | string): KeyObject | undefined {
  try {
    const key = createPublicKey(typeof source === 'string' ? source : { key: source, type: 'spki', format: 'der' });
    return key.asymmetricKeyType === 'ed25519' ? key : undefined;
  } catch {
    return undefined;
  }
}

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');

/**
 * Where an event has to stand whose place in its range is `index`; undefined where positions have gaps. Those that look like `like`, of
 * sixteen digits, count 1, 2, 3 …
 */
export const placeIn = (range: number, index: number, like: Position): Position | undefined =>
  /^[\d-]{16}$/.test(like) ? String(range * rangeSize + index + 1).padStart(16, '0') : undefined;

/** Whether a range can be about these positions. */
export const isSpan = ({ range, first, last }: Pick<Sealed, 'range' | 'first' | 'last'>, like: Position): boolean =>
  (placeIn(range, 0, like) ?? first) === first && (placeIn(range, rangeSize - 1, like) ?? last) === last;
