import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keyBytes, SecretKey, SecretsLocked } from '../../src/webhooks/secret-key.js';

let home: string;
let file: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'secret-key-'));
  file = join(home, 'secret.key');
});
afterEach(() => rmSync(home, { recursive: true }));

const ofHook = 'acme/nightly/push';
const given = () => new SecretKey(Buffer.alloc(32, 1), undefined);

it('opens what it has sealed, and shows nothing of it before', () => {
  const sealed = given().seal('tell nobody', ofHook);
  expect(sealed.includes('tell')).toBe(false);
  expect(given().open(sealed, ofHook)).toBe('tell nobody');
});

it('seals the same differently each time', () => {
  const [one, other] = [given().seal('tell nobody', ofHook), given().seal('tell nobody', ofHook)];
  expect(one.equals(other)).toBe(false);
  expect(one.subarray(0, 12).equals(other.subarray(0, 12))).toBe(false);
});

it.each([
  ['under another key', (sealed: Buffer) => new SecretKey(Buffer.alloc(32, 2), undefined).open(sealed, ofHook)],
  ['in the place of another', (sealed: Buffer) => given().open(sealed, 'acme/nightly/pull')],
  ['when it was changed', (sealed: Buffer) => given().open(Buffer.from(sealed).fill(sealed[20]! ^ 1, 20, 21), ofHook)],
  ['when it was cut', (sealed: Buffer) => given().open(sealed.subarray(0, -1), ofHook)],
  ['when nearly nothing is left of it', (sealed: Buffer) => given().open(sealed.subarray(0, 20), ofHook)],
])('opens nothing %s, and says what would help', (_, open) => {
  const sealed = given().seal('tell nobody', ofHook);
  expect(() => open(sealed)).toThrow(SecretsLocked);
  expect(() => open(sealed)).toThrow(
    /secret of acme\/nightly\/pu.* was sealed under another key, or was changed: .*LEDGER_SECRET_KEY/,
  );
});

it('makes a key when something is sealed for the first time, for its owner only', () => {
  const key = new SecretKey(undefined, home);
  expect(existsSync(file)).toBe(false);
  const sealed = key.seal('tell nobody', ofHook);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(file, 'utf8')).toMatch(/^[0-9a-f]{64}\n$/);
  expect(new SecretKey(undefined, home).open(sealed, ofHook)).toBe('tell nobody');
});

it('makes its folder, too', () => {
  new SecretKey(undefined, join(home, 'of', 'its', 'own')).seal('x', ofHook);
  expect(existsSync(join(home, 'of', 'its', 'own', 'secret.key'))).toBe(true);
});

it('takes the key that another process has made a moment ago', () => {
  const [one, other] = [new SecretKey(undefined, home), new SecretKey(undefined, home)];
  const sealed = one.seal('tell nobody', ofHook);
  other.seal('something else', ofHook);
  expect(other.open(sealed, ofHook)).toBe('tell nobody');
});

it('makes no key to open something with', () => {
  const sealed = given().seal('tell nobody', ofHook);
  expect(() => new SecretKey(undefined, home).open(sealed, ofHook)).toThrow(`${file} is not there`);
  expect(existsSync(file)).toBe(false);
});

it.each([0o640, 0o604, 0o660, 0o620])('refuses a key that others can reach: mode %o', (mode) => {
  new SecretKey(undefined, home).seal('x', ofHook);
  chmodSync(file, mode);
  const reading = () => new SecretKey(undefined, home).seal('x', ofHook);
  expect(reading).toThrow(SecretsLocked);
  expect(reading).toThrow(`its mode is ${mode.toString(8)}): chmod 600 it`);
  chmodSync(file, 0o600);
  expect(reading).not.toThrow();
});

it('refuses a file with no key in it, and leaves it', () => {
  writeFileSync(file, 'short', { mode: 0o600 });
  expect(() => new SecretKey(undefined, home).seal('x', ofHook)).toThrow(`${file} holds no key`);
  expect(readFileSync(file, 'utf8')).toBe('short');
});

it('says what would do where neither a key nor a folder was given', () => {
  expect(() => new SecretKey(undefined, undefined).seal('x', ofHook)).toThrow('set LEDGER_SECRET_KEY');
});

it.each([
  ['hex', 'ff'.repeat(32)],
  ['hex in capitals', 'FF'.repeat(32)],
  ['base64', Buffer.alloc(32, 255).toString('base64')],
  ['base64 for URLs', Buffer.alloc(32, 255).toString('base64url')],
])('reads 32 bytes in %s', (_, text) => expect(keyBytes(text)).toEqual(Buffer.alloc(32, 255)));

it.each(['', 'ff'.repeat(31), 'ff'.repeat(33), Buffer.alloc(24).toString('base64'), 'x'.repeat(64), 'pass phrase'])(
  'takes %j for no key',
  (text) => expect(keyBytes(text)).toBeUndefined(),
);
