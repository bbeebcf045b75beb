import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { WebhookTrigger } from '../events/routine.js';

/** What a sender has sent. `header` answers a header's value by its name in lower case. */
export interface Sent {
  readonly header: (name: string) => string | undefined;
  /** the body, byte for byte */
  readonly raw: Buffer;
}

/** A request that comes from who knows the secret. */
export interface Authentic {
  /** none: it carries the secret itself, or its address is the secret */
  readonly signature?: Signature;
}

/** What is seen once only. */
export interface Signature {
  readonly nonce: Buffer;
  /** how long the same request could be sent again, and so how long its nonce is kept */
  readonly keptMs: number;
}

type Terms = Pick<WebhookTrigger, 'signing' | 'windowSec'> & { readonly secrets: readonly string[]; readonly now: Date };

/**
 * Undefined: it may come from anybody. A signature is `sha256=<hex>`, of HMAC-SHA-256 under any of the secrets: hmac_sha256 signs
 * `<timestamp>.<body>`, with `Ledger-Timestamp` in seconds at most `windowSec` away from now; github_hmac signs the body.
 */
export function authenticated(sent: Sent, terms: Terms): Authentic | undefined {
  switch (terms.signing) {
    case 'none':
      return terms.secrets.length === 0 ? {} : undefined;
    case 'bearer':
      return bearsSecret(sent, terms) ? {} : undefined;
    case 'hmac_sha256':
      return signedWithTime(sent, terms);
    case 'github_hmac':
      return signed(sent.header('x-hub-signature-256'), [sent.raw], terms.secrets, day);
  }
}

const day = 24 * 60 * 60 * 1_000;
/** The window of a trigger may be made as long, when what came within a shorter one is over. */
const longestWindow = day;

function bearsSecret({ header }: Sent, { secrets }: Terms): boolean {
  const [, shown] = /^bearer +(\S+)$/i.exec(header('authorization') ?? '') ?? [];
  return shown !== undefined && isOneOf(sha256(shown), secrets.map(sha256));
}

/** A timestamp is digits only: where it ends and the body begins, nobody can move. The sender's clock may be ahead as far as behind. */
function signedWithTime({ header, raw }: Sent, { secrets, windowSec, now }: Terms): Authentic | undefined {
  const timestamp = header('ledger-timestamp') ?? '';
  const age = now.getTime() - Number(timestamp) * 1_000;
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(age) > windowSec * 1_000) return undefined;
  return signed(header('ledger-signature'), [`${timestamp}.`, raw], secrets, longestWindow - age);
}

function signed(
  signature: string | undefined,
  parts: readonly (string | Buffer)[],
  secrets: readonly string[],
  keptMs: number,
): Authentic | undefined {
  const [, hex] = /^sha256=([0-9a-f]{64})$/i.exec(signature ?? '') ?? [];
  if (hex === undefined) return undefined;
  // Its bytes, because the same hex can be written in many ways.
  const nonce = Buffer.from(hex, 'hex');
  const right = secrets.map((secret) => parts.reduce((hmac, part) => hmac.update(part), createHmac('sha256', secret)).digest());
  return isOneOf(nonce, right) ? { signature: { nonce, keptMs } } : undefined;
}

/** Takes as long for one that is wrong in its first byte as in its last, and for the first of several as for the last. */
const isOneOf = (shown: Buffer, right: readonly Buffer[]): boolean =>
  right.map((one) => timingSafeEqual(one, shown)).includes(true);

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
