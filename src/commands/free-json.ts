import type { Json, JsonObject } from '../events/event.js';

/**
 * Free JSON of a caller as it is kept: strings of at most 16,384 characters, arrays of 50 items, objects of 100 keys, six
 * levels, 64 KiB of UTF-8 in all. What was cut is marked where it was: the former length at the end of a string,
 * `{_truncated, omittedItems}` behind the last item, `_truncated` and `_omittedKeys` among the keys, `{_truncated, type, …}`
 * in place of what lay too deep, `_truncationReason` at the top of what was too big in all. NUL and lone surrogates become
 * U+FFFD. What is no object is kept under `value`.
 */
export function bounded(value: unknown): JsonObject {
  const whole = cutRoot(value, bounds);
  const size = sizeOf(whole);
  if (size <= maxBytes) return whole;
  const mark = { _truncated: true, _truncationReason: 'oversized_json', _sizeBytes: size };
  for (const limits of tighter) {
    const smaller = { ...cutRoot(value, limits), ...mark };
    if (sizeOf(smaller) <= maxBytes) return smaller;
  }
  return mark;
}

/** Text that a process wrote: repaired, and cut to `max` characters with its former length at the end. */
export function processText(text: string, max: number): string {
  const repaired = repairedText(text);
  if (repaired.length <= max) return repaired;
  const mark = `… [cut from ${repaired.length} characters]`.slice(0, max);
  return repaired.slice(0, max - mark.length).replace(/[\uD800-\uDBFF]$/, '') + mark;
}

/**
 * The path of a number that JavaScript cannot give back as it was sent, such as `usage.tokens`: an integer beyond 2^53, or
 * one that overflowed. Undefined if there is none.
 */
export function unsafeNumber(root: unknown): string | undefined {
  const rest: [path: string, value: unknown][] = [['', root]];
  for (let next = rest.pop(); next; next = rest.pop()) {
    const [path, value] = next;
    if (typeof value === 'number' && !survives(value)) return path;
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, child] of Object.entries(value))
      rest.push([path.length < 200 ? `${path}${path && '.'}${key}` : path, child]);
  }
  return undefined;
}

interface Bounds {
  readonly characters: number;
  readonly items: number;
  readonly keys: number;
  readonly levels: number;
}

const maxBytes = 64 * 1024;
const bounds: Bounds = { characters: 16_384, items: 50, keys: 100, levels: 6 };
/** Tried one after another on what is still too big: rather less of everything than nothing of the last things. */
const tighter: readonly Bounds[] = [
  { ...bounds, characters: 4_096 },
  { ...bounds, characters: 1_024 },
  { characters: 500, items: 20, keys: 100, levels: 5 },
  { characters: 200, items: 10, keys: 50, levels: 4 },
  { characters: 100, items: 5, keys: 20, levels: 3 },
  { characters: 100, items: 5, keys: 20, levels: 1 },
];

const sizeOf = (json: Json): number => Buffer.byteLength(JSON.stringify(json));

const survives = (number: number): boolean =>
  Number.isFinite(number) && (!Number.isInteger(number) || Number.isSafeInteger(number));

/** A lone surrogate is all that this class matches in Unicode mode. */
export const repairedText = (text: string): string => text.replace(/[\0\p{Surrogate}]/gu, '\uFFFD');

function cutRoot(value: unknown, limits: Bounds): JsonObject {
  const cut = cutValue(value, limits, 1);
  return typeof cut === 'object' && cut !== null && !Array.isArray(cut) ? cut : { value: cut };
}

function cutValue(value: unknown, limits: Bounds, level: number): Json {
  if (typeof value === 'string') return processText(value, limits.characters);
  if (typeof value === 'boolean') return value;
  // JSON has no -0, and nothing for what is not finite.
  if (typeof value === 'number') return Number.isFinite(value) ? value || 0 : null;
  if (typeof value !== 'object' || value === null) return null;
  if (level > limits.levels) return tooDeep(value, limits);
  return Array.isArray(value) ? cutArray(value, limits, level) : cutObject(value, limits, level);
}

function cutArray(array: readonly unknown[], limits: Bounds, level: number): Json[] {
  const kept = array.slice(0, limits.items).map((item) => cutValue(item, limits, level + 1));
  const omittedItems = array.length - kept.length;
  return omittedItems > 0 ? [...kept, { _truncated: true, omittedItems }] : kept;
}

function cutObject(object: object, limits: Bounds, level: number): JsonObject {
  const present = Object.entries(object).filter(([, value]) => value !== undefined);
  const kept = present
    .slice(0, limits.keys)
    .map(([key, value]): [string, Json] => [processText(key, limits.characters), cutValue(value, limits, level + 1)]);
  const _omittedKeys = present.length - kept.length;
  // fromEntries defines properties, so that a key "__proto__" is a key like all others.
  return Object.fromEntries(_omittedKeys > 0 ? [...kept, ['_truncated', true], ['_omittedKeys', _omittedKeys]] : kept);
}

function tooDeep(value: object, { characters }: Bounds): JsonObject {
  if (Array.isArray(value)) return { _truncated: true, type: 'array', originalLength: value.length };
  const keys = Object.keys(value)
    .slice(0, 20)
    .map((key) => processText(key, characters));
  return { _truncated: true, type: 'object', keys };
}
