import type { Signing } from '../../src/events/routine.js';
import { authenticated } from '../../src/webhooks/signatures.js';

/*
 * Made with OpenSSL 3.0.19. SECRET, TS and BODY are the constants below:
 *   printf '%s.%s' $TS "$BODY" | openssl dgst -sha256 -hmac $SECRET      → withTime
 *   printf '%s' "$BODY" | openssl dgst -sha256 -hmac $SECRET             → ofBody
 *   printf '%s.%s' $TS "$SPACED" | openssl dgst -sha256 -hmac $SECRET    → withTimeSpaced
 *   printf '%s.' $TS | openssl dgst -sha256 -hmac $SECRET                → withTimeEmpty
 *   printf '%s.5.{}' $TS | openssl dgst -sha256 -hmac $SECRET            → withTwoDots
 */
const secret = '5f8e3c1a9b7d2e4f6a0c8b1d3e5f7a9c2b4d6e8f0a1c3e5d';
const timestamp = '1775030400';
const body = '{"ref":"refs/heads/main","variables":{"branch":"main"}}';
const spaced = '{ "greeting" : "grüße ☀" }';
const withTime = '89140df8dd6bf1e7e2b52d296b4b76e0d0de5e214c84bd743b46c40ef998eb9d';
const ofBody = '6707e2b173988b7569efb7ef30b445c18f224ec09292d2ac9dea1b8c6c0c240e';
const withTimeSpaced = 'd0d57267e50c91eaba5688325955829f3714ecc7aaaa04c6e1d1f97a3e174434';
const withTimeEmpty = '2857563322a49e77f6426d8a06326f4be80777eaca2f002805af1f88671246a1';
const withTwoDots = 'd36a37f19f470d9fa34dcab4286263b85466f8d06d7f4551181cb962970c02a9';

const signedAt = Number(timestamp) * 1_000;
const other = 'ab'.repeat(24);

interface Case {
  readonly headers?: Readonly<Record<string, string>>;
  readonly raw?: string;
  readonly secrets?: readonly string[];
  readonly windowSec?: number;
  /** seconds after the signature */
  readonly after?: number;
}

const check = (signing: Signing, { headers = {}, raw = body, secrets = [secret], windowSec = 300, after = 0 }: Case) =>
  authenticated(
    { header: (name) => headers[name], raw: Buffer.from(raw) },
    { signing, secrets, windowSec, now: new Date(signedAt + after * 1_000) },
  );

describe('hmac_sha256', () => {
  const headers = { 'ledger-timestamp': timestamp, 'ledger-signature': `sha256=${withTime}` };

  it.each([
    ['a body', body, withTime],
    ['a body with spaces and more than ASCII', spaced, withTimeSpaced],
    ['no body', '', withTimeEmpty],
  ])('takes what openssl has signed: %s', (_, raw, hex) => {
    const answer = check('hmac_sha256', { raw, headers: { ...headers, 'ledger-signature': `sha256=${hex}` } });
    expect(answer?.signature?.nonce.toString('hex')).toBe(hex);
  });

  it.each([
    [-301, false],
    [-300, true],
    [300, true],
    [300.001, false],
    [301, false],
  ])('at %s s after it was signed: %s', (after, isTaken) => {
    expect(check('hmac_sha256', { headers, after }) !== undefined).toBe(isTaken);
  });

  it('takes the window of the trigger, and keeps the nonce for as long as the longest window would take the request', () => {
    expect(check('hmac_sha256', { headers, windowSec: 30, after: 31 })).toBeUndefined();
    for (const after of [-30, 0, 30]) {
      const keptMs = check('hmac_sha256', { headers, windowSec: 30, after })?.signature?.keptMs;
      expect(keptMs).toBe((86_400 - after) * 1_000);
    }
  });

  it('takes any of two secrets, and no other', () => {
    expect(check('hmac_sha256', { headers, secrets: [other, secret] })).toBeDefined();
    expect(check('hmac_sha256', { headers, secrets: [secret, other] })).toBeDefined();
    expect(check('hmac_sha256', { headers, secrets: [other] })).toBeUndefined();
    expect(check('hmac_sha256', { headers, secrets: [] })).toBeUndefined();
  });

  it('knows the same signature in capitals as the same', () => {
    const loud = { ...headers, 'ledger-signature': `SHA256=${withTime.toUpperCase()}` };
    expect(check('hmac_sha256', { headers: loud })?.signature?.nonce.toString('hex')).toBe(withTime);
  });

  it.each([
    ['another body', {}, `${body} `],
    ['another timestamp', { 'ledger-timestamp': '1775030401' }, body],
    ['a timestamp in milliseconds', { 'ledger-timestamp': '1775030400000' }, body],
    ['a timestamp with a fraction', { 'ledger-timestamp': '1775030400.0' }, body],
    ['a timestamp with a sign', { 'ledger-timestamp': '+1775030400' }, body],
    ['a timestamp in hex', { 'ledger-timestamp': '0x69ccd400' }, body],
    ['no timestamp', { 'ledger-timestamp': '' }, body],
    ['the signature of the body alone', { 'ledger-signature': `sha256=${ofBody}` }, body],
    ['a bare signature', { 'ledger-signature': withTime }, body],
    ['a short signature', { 'ledger-signature': `sha256=${withTime.slice(2)}` }, body],
    ['a long signature', { 'ledger-signature': `sha256=${withTime}00` }, body],
    ['two signatures', { 'ledger-signature': `sha256=${withTime}, sha256=${withTime}` }, body],
    ['no signature', { 'ledger-signature': '' }, body],
  ])('refuses %s', (_, changed, raw) => {
    expect(check('hmac_sha256', { headers: { ...headers, ...changed }, raw })).toBeUndefined();
  });

  it('does not let the dot between timestamp and body be moved', () => {
    const signed = { ...headers, 'ledger-signature': `sha256=${withTwoDots}` };
    expect(check('hmac_sha256', { headers: signed, raw: '5.{}' })).toBeDefined();
    expect(check('hmac_sha256', { headers: { ...signed, 'ledger-timestamp': `${timestamp}.5` }, raw: '{}' })).toBeUndefined();
  });
});

describe('github_hmac', () => {
  it('takes what openssl has signed, at any time', () => {
    const headers = { 'x-hub-signature-256': `sha256=${ofBody}` };
    const answer = check('github_hmac', { headers, after: 1_000_000 });
    expect(answer).toEqual({ signature: { nonce: Buffer.from(ofBody, 'hex'), keptMs: 24 * 3_600_000 } });
  });

  it('takes the example of the documentation of GitHub', () => {
    const headers = { 'x-hub-signature-256': 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17' };
    expect(check('github_hmac', { headers, raw: 'Hello, World!', secrets: ["It's a Secret to Everybody"] })).toBeDefined();
  });

  it.each([
    ['another body', `sha256=${ofBody}`, `${body}\n`],
    ['the signature with a time', `sha256=${withTime}`, body],
    ['another hash', `sha1=${ofBody}`, body],
    ['nothing', '', body],
  ])('refuses %s', (_, signature, raw) => {
    expect(check('github_hmac', { headers: { 'x-hub-signature-256': signature }, raw })).toBeUndefined();
  });
});

describe('bearer', () => {
  const bearing = (authorization: string) => check('bearer', { headers: { authorization }, secrets: [secret, other] });

  it('takes the secret, and the former one', () => {
    for (const shown of [`Bearer ${secret}`, `bearer ${other}`]) expect(bearing(shown)).toEqual({});
  });

  it.each([
    ['another secret', `Bearer ${secret}0`],
    ['a part of it', `Bearer ${secret.slice(1)}`],
    ['no secret', 'Bearer '],
    ['another scheme', `Basic ${secret}`],
    ['the secret alone', secret],
    ['the secret and more', `Bearer ${secret} ${secret}`],
    ['nothing', ''],
  ])('refuses %s', (_, authorization) => expect(bearing(authorization)).toBeUndefined());
});

describe('none', () => {
  it('asks for nothing where there is no secret', () => expect(check('none', { secrets: [] })).toEqual({}));
  it('refuses where a secret was made for the trigger', () => expect(check('none', {})).toBeUndefined());
});
