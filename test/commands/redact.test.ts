import fc from 'fast-check';
import { redact, redactText } from '../../src/commands/redact.js';

const hidden = '***REDACTED***';
const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U';

describe('a key that names a secret', () => {
  it.each([
    'apiKey',
    'api_key',
    'API_KEY',
    'APIKey',
    'apikey',
    'x-api-key',
    'token',
    'accessToken',
    'github_token',
    'authtoken',
    'authorization',
    'Authorization',
    'password',
    'DB_PASSWORD',
    'clientSecret',
    'secret',
    'cookie',
    'Set-Cookie',
    'cookies',
    'privateKey',
    'credentials',
  ])('hides its value: %s', (key) => expect(redact({ [key]: 'hunter2' })).toEqual({ [key]: hidden }));

  it.each([
    'inputTokens',
    'output_tokens',
    'tokens',
    'maxTokensPerRun',
    'key',
    'idempotencyKey',
    'author',
    'secretary',
    'keyboard',
    'passenger',
  ])('is not %s', (key) => expect(redact({ [key]: 'many' })).toEqual({ [key]: 'many' }));

  it('hides all text beneath it, and no numbers', () =>
    expect(redact({ auth: { token: { value: 'a', parts: ['b', { c: 'd' }], expiresIn: 60, live: true, none: null } } })).toEqual({
      auth: { token: { value: hidden, parts: [hidden, { c: hidden }], expiresIn: 60, live: true, none: null } },
    }));

  it('keeps a key named __proto__ as a key', () =>
    expect(JSON.stringify(redact(JSON.parse('{"__proto__":{"token":"a"}}')))).toBe(`{"__proto__":{"token":"${hidden}"}}`));
});

describe('a text', () => {
  it.each([
    [`token was ${jwt}.`, `token was ${hidden}.`],
    ['using sk-proj-abcdefgh12345678', `using ${hidden}`],
    [`ghp_${'a1'.repeat(18)} pushed`, `${hidden} pushed`],
    [`github_pat_${'a1_'.repeat(20)}`, hidden],
    ['Authorization: Bearer abc.def-123', `Authorization: Bearer ${hidden}`],
    ['authorization: Basic dXNlcjpwYXNz', `authorization: Basic ${hidden}`],
    ["curl -H 'authorization: abc123' x", `curl -H 'authorization: ${hidden}' x`],
    ['sent bearer abcdef123', `sent bearer ${hidden}`],
    ['Cookie: session=abc; theme=dark\nnext', `Cookie: ${hidden}\nnext`],
    ['postgres://ada:s3cret@db/ledger', `postgres://ada:${hidden}@db/ledger`],
    ['API_KEY=abc123 node x', `API_KEY=${hidden} node x`],
    ['export DB_PASSWORD="a b c"; ls', `export DB_PASSWORD="${hidden}"; ls`],
    ['DB_PASSWORD="hunter2 and its quote was cut off', `DB_PASSWORD="${hidden}"`],
    ['PRIVATE_KEY="-----BEGIN\nabc\n-----END"; ls', `PRIVATE_KEY="${hidden}"; ls`],
    ["client-secret='a b'", `client-secret='${hidden}'`],
    ['GET /?access_token=abc&x=1', `GET /?access_token=${hidden}&x=1`],
    ['{"apiKey": "abc", "n": 1}', `{"apiKey": "${hidden}", "n": 1}`],
  ])('loses its secrets: %j', (text, safe) => expect(redactText(text)).toBe(safe));

  it.each([
    '429 rate limited, retry after 5 seconds',
    'inputTokens=500 output_tokens=20',
    'token expired, log in again',
    'a task-list, a disk-usage, a sk-1',
    'NAME=value OTHER="a b"',
    'http://127.0.0.1:4100/v1?at=2026-04-20T12:00:00Z',
    'bearer of bad news',
  ])('keeps what is none: %j', (text) => expect(redactText(text)).toBe(text));

  it('is found within JSON too', () => expect(redact({ log: [`x ${jwt}`] })).toEqual({ log: [`x ${hidden}`] }));
});

it('has nothing left to hide the second time', () => {
  const pieces = [
    'token=',
    'API_KEY = ',
    '"secret": "',
    '"',
    "'",
    ' ',
    'bearer ',
    'Authorization: ',
    'basic ',
    'cookie: ',
    jwt,
    'sk-abcdefgh1',
    '://u:p@h',
    ';',
    '&',
    '=',
    '\n',
    'abc',
    '-',
    hidden,
  ];
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('token', 'log')), text), (json) => {
      const once = redact(json);
      expect(redact(once)).toEqual(once);
    }),
    { numRuns: 2_000 },
  );
});

it.each([
  'a',
  '-',
  '=',
  '"',
  "'",
  ' ',
  'eyJaaaaaaaaaa-',
  'eyJaaaaaaaaaa.',
  'sk-',
  'sk-a',
  'ghp_',
  'authorization:',
  'authorization ',
  'bearer ',
  'cookie: ',
  '://',
  '://a:',
  'token',
  'token-',
  'TOKEN=',
  'a="',
  `a='b="`,
  '"a": ',
  'aA',
  'a-A_',
])('takes time in proportion to the text for a megabyte of %j', (piece) => {
  const text = piece.repeat(1_048_576 / piece.length);
  const started = performance.now();
  redactText(text);
  redact({ [text]: text });
  expect(performance.now() - started).toBeLessThan(2_000);
});
