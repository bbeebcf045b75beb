import { isDeepStrictEqual } from 'node:util';
import type { Json, JsonObject } from '../../events/event.js';

/** What became of one value of a state; `null` is none. A segment of the path may have dots in it, as runs have. */
export interface Difference {
  readonly path: readonly string[];
  readonly from: Json;
  readonly to: Json;
}

/** The smallest values that differ; an object that comes or goes is one of them. */
export function differences(from: Json | undefined, to: Json | undefined, path: readonly string[] = []): Difference[] {
  if (isObject(from) && isObject(to)) {
    const names = new Set([...Object.keys(from), ...Object.keys(to)]);
    return [...names].flatMap((name) => differences(from[name], to[name], [...path, name]));
  }
  return isDeepStrictEqual(from ?? null, to ?? null) ? [] : [{ path, from: from ?? null, to: to ?? null }];
}

/** Changes `state` to what it is behind the differences; nothing is left of what nothing is in. */
export function apply(state: JsonObject, changes: readonly Difference[]): void {
  for (const { path, to } of changes) set(state, path, to);
}

/** Nothing but what is taken away can leave nothing, so only then it is looked for: a state may have thousands of runs. */
function set(state: JsonObject, [name, ...rest]: readonly string[], to: Json): void {
  if (name === undefined) return;
  if (rest.length > 0) set(innerOf(state, name), rest, to);
  else if (to === null) delete state[name];
  else state[name] = copyOf(to);
  if (to === null && isEmpty(state[name])) delete state[name];
}

function innerOf(state: JsonObject, name: string): JsonObject {
  const known = state[name];
  if (isObject(known)) return known;
  const inner: JsonObject = {};
  state[name] = inner;
  return inner;
}

/** Of what may be changed in its place; lists are not. */
const copyOf = (value: Json): Json =>
  isObject(value) ? Object.fromEntries(Object.entries(value).map(([name, of]) => [name, copyOf(of)])) : value;

const isEmpty = (value: Json | undefined): boolean => isObject(value) && Object.keys(value).length === 0;

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
