import type { Event, Json } from '../../src/events/event.js';

/** Of all data of one type and schema: the kinds of values at each path, and the paths that are never left out. */
export interface Shape {
  readonly kinds: Map<string, Set<string>>;
  readonly optional: Set<string>;
}

/** Given by others, and of no shape of ours. */
const free = new Set(['payload', 'context', 'result', 'usage']);

/** By type and schema. */
export function shapesOf(events: readonly Sample[]): Map<string, Shape> {
  const shapes = new Map<string, Shape>();
  for (const event of events) {
    const shape = shapes.get(nameOf(event));
    if (shape) widen(shape, event);
    else shapes.set(nameOf(event), { kinds: kindsIn(event), optional: new Set() });
  }
  return shapes;
}

type Sample = Event & { readonly schema: number };
export const nameOf = ({ type, schema }: Pick<Sample, 'type' | 'schema'>): string => `${type} ${schema}`;

function widen({ kinds, optional }: Shape, event: Sample): void {
  const others = kindsIn(event);
  const missing = [...kinds.keys()].filter((path) => isMissing(path, others));
  const added = [...others.keys()].filter((path) => isMissing(path, kinds));
  for (const path of [...missing, ...added]) optional.add(path);
  for (const [path, found] of others) kinds.set(path, new Set([...(kinds.get(path) ?? []), ...found]));
}

/** How the event's data is not of that shape; undefined if it is. */
export function unlike(event: Sample, shape: Shape | undefined): string | undefined {
  if (!shape) return `there is no ${nameOf(event)}`;
  const found = kindsIn(event);
  for (const [path, kinds] of found) {
    const known = shape.kinds.get(path);
    if (!known) return `${nameOf(event)} has ${path}`;
    for (const kind of kinds) if (!known.has(kind)) return `${nameOf(event)} has ${kind} as ${path}`;
  }
  const missing = [...shape.kinds.keys()].find((path) => !shape.optional.has(path) && isMissing(path, found));
  return missing && `${nameOf(event)} has no ${missing}`;
}

/** Where its parent is there; a list may be empty. */
const isMissing = (path: string, found: Map<string, Set<string>>): boolean =>
  !found.has(path) && !path.endsWith('[]') && found.get(parentOf(path))?.has('object') === true;

const parentOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf('.'), 0));

const kindsIn = ({ data }: Sample): Map<string, Set<string>> => {
  const kinds = new Map<string, Set<string>>();
  // Data of events is JSON.
  note(kinds, '', data as Json);
  return kinds;
};

function note(kinds: Map<string, Set<string>>, path: string, value: Json): void {
  kinds.set(path, (kinds.get(path) ?? new Set()).add(kindOf(value)));
  if (Array.isArray(value)) for (const item of value) note(kinds, `${path}[]`, item);
  else if (typeof value === 'object' && value !== null)
    for (const [key, inner] of Object.entries(value)) {
      if (inner === undefined) continue;
      if (free.has(key)) kinds.set(`${path}.${key}`, new Set(['free JSON']));
      else note(kinds, `${path}.${key}`, inner);
    }
}

const kindOf = (value: Json): string => (value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value);
