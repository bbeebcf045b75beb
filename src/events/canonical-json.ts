import type { Json } from './event.js';

/**
 * The one text of a JSON value, whatever order its keys came in: RFC 8785 (JSON Canonicalization Scheme). Keys are sorted by their
 * UTF-16 code units; numbers and strings are written as ECMAScript's `JSON.stringify` does, which is what that RFC asks for, and a
 * surrogate without its other half as an escape. Postgres keeps the keys of jsonb in an order of its own, so what is read back has
 * to be put in order before it is hashed. As deep as a value may be, it does not run out of stack.
 */
export const canonicalJson = (value: Json): string => nested(value, 0);

/** Calling itself is ten times as fast, and what is deeper than this is rare. */
const quickDepth = 100;

function nested(value: Json, depth: number): string {
  if (typeof value !== 'object' || value === null) return written(value);
  if (depth === quickDepth) return bottomless(value);
  let text = '';
  if (Array.isArray(value)) {
    for (const item of value) text += `${text && ','}${nested(item, depth + 1)}`;
    return `[${text}]`;
  }
  for (const key of Object.keys(value).sort()) text += `${text && ','}${quoted(key)}:${nested(value[key]!, depth + 1)}`;
  return `{${text}}`;
}

function bottomless(root: Json): string {
  let text = '';
  const rest: Piece[] = [['', root]];
  for (let next = rest.pop(); next; next = rest.pop()) {
    const [before, value] = next;
    text += before;
    if (value === undefined) continue;
    if (typeof value !== 'object' || value === null) text += written(value);
    else for (const piece of piecesOf(value).reverse()) rest.push(piece);
  }
  return text;
}

/** Text, and the value that is to be written behind it. */
type Piece = readonly [before: string, value?: Json];

function piecesOf(value: Json[] | { [key: string]: Json }): Piece[] {
  const separator = (at: number, opening: string) => (at === 0 ? opening : ',');
  if (Array.isArray(value)) {
    const items = value.map((item, at): Piece => [separator(at, '['), item]);
    return [...items, [items.length === 0 ? '[]' : ']']];
  }
  const keys = Object.keys(value).sort();
  const members = keys.map((key, at): Piece => [`${separator(at, '{')}${JSON.stringify(key)}:`, value[key]!]);
  return [...members, [members.length === 0 ? '{}' : '}']];
}

/** JSON.parse makes infinity of 1e999, which is not to be taken for null. */
function written(value: string | number | boolean | null): string {
  if (typeof value === 'string') return quoted(value);
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : JSON.stringify(value);
}

const quoted = (text: string): string => (plainText.test(text) ? `"${text}"` : JSON.stringify(text));
/** Nothing in it is escaped. */
const plainText = /^[ !#-[\]-~]*$/;
