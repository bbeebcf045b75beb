import type { Json, JsonObject } from '../events/event.js';

/**
 * The same JSON without secrets: strings under keys that name one, at any depth beneath them, and whatever in other strings
 * looks like one. Redacted before it is cut, so that no half of a secret is left: `bounded(redact(json))`.
 */
export function redact(json: Readonly<Record<string, unknown>>): JsonObject {
  return redactObject(json, false, 1);
}

/**
 * The same text without what looks like a secret: JSON web tokens, `sk-…` keys, GitHub tokens, credentials of
 * authorization and cookie headers, passwords in addresses, and the values of `NAME=secret` and `"name": "secret"`.
 */
export function redactText(text: string): string {
  return tokens
    .reduce((rest, [pattern, replacement]) => rest.replace(pattern, replacement), text)
    .replace(assignment, (whole: string, name: string, between: string, value: string) =>
      namesSecret(name) ? name + between + inQuotesOf(value) : whole,
    );
}

const mark = '***REDACTED***';

/** Each begins where a word begins and never looks back over what it has read: a text takes time in proportion to its length. */
const tokens: readonly (readonly [RegExp, string])[] = [
  [/(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?/g, mark],
  [/(?<![\w-])sk[-_][\w-]{8,}/g, mark],
  [/(?<![\w-])(?:gh[opusr]_[A-Za-z0-9]{16,}|github_pat_\w{16,})/g, mark],
  [/\b(authorization["']?\s{0,4}[:=]\s{0,4}["']?)((?:(?:basic|bearer|digest|token)\s{1,4})?)[^\s"',;]+/gi, `$1$2${mark}`],
  [/\b((?:set-)?cookie["']?\s{0,4}:\s{0,4}["']?)[^\r\n"']+/gi, `$1${mark}`],
  [/\b(bearer\s{1,4})[^\s"',;]{6,}/gi, `$1${mark}`],
  [/(:\/\/[^\s:@/"']{0,200}:)[^\s@/"']{1,200}(?=@)/g, `$1${mark}`],
];

const assignment =
  /(?<![\w.-])([A-Za-z_][\w-]*)(\s{0,2}=\s{0,2}|["']\s{0,4}:\s{0,4}(?=["']))("[^"]*(?:"|$)|'[^']*(?:'|$)|[^\s"',;&]+)/g;

const inQuotesOf = (value: string): string => (/^["']/.test(value) ? value.charAt(0) + mark + value.charAt(0) : mark);

/** Whether a key's or variable's words name a secret: `apiKey`, `X-Auth-Token`, `DB_PASSWORD`; not `inputTokens`. */
function namesSecret(name: string): boolean {
  const words = name
    .slice(0, 200)
    .split(/[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/)
    .map((word) => word.toLowerCase());
  return words.some((word, at) => secretWord.test(word) || secretPairs.has(`${words[at - 1]} ${word}`));
}

const secretWord = /(?:apikey|token|authorization|passwords?|passwd|passphrase|secrets?|cookies?|credentials?)$/;
const secretPairs: ReadonlySet<string> = new Set([
  'api key',
  'access key',
  'private key',
  'api keys',
  'access keys',
  'private keys',
]);

/** Nobody nests as deep on purpose, and what is not looked at is not let through. */
const deepest = 64;

function redactObject(object: object, secret: boolean, level: number): JsonObject {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [key, redactValue(value, secret || namesSecret(key), level + 1)]));
}

function redactValue(value: unknown, secret: boolean, level: number): Json {
  if (typeof value === 'string') return secret && value !== '' ? mark : redactText(value);
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value !== 'object' || value === null) return null;
  if (level > deepest) return mark;
  return Array.isArray(value) ? value.map((item) => redactValue(item, secret, level + 1)) : redactObject(value, secret, level);
}
