import type { Json } from './event.js';

/**
 * The one text of a JSON value, whatever order its keys came in: RFC 8785 (JSON Canonicalization Scheme). Keys are sorted by their
 * UTF-16 code units; numbers and strings are written as ECMAScript's `JSON.stringify` does, which is what that RFC asks for. Postgres
 * keeps the keys of jsonb in an order of its own, so what is read back has to be put in order before it is hashed.
 */
export function canonicalJson(value: Json): string {
  // JSON.parse makes infinity of 1e999, which is not to be taken for null.
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  let members = '';
  for (const key of Object.keys(value).sort()) members += `,${JSON.stringify(key)}:${canonicalJson(value[key]!)}`;
  return `{${members.slice(1)}}`;
}
