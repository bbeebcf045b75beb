import type { Json, JsonObject } from '../../events/event.js';
import { isObject, type Difference } from './state-diff.js';

/** `runs.ACME-12.3.status: queued → running, workerId: laptop`; without what the sentence and the time of the event say already. */
export function differencesInWords(changes: readonly Difference[]): string {
  let thing = '';
  const parts = changes.filter(isNews).map(({ path, from, to }) => {
    const [before, name] = [thing, path.at(-1)];
    thing = path.slice(0, -1).join('.');
    const isSame = before !== '' && thing === before;
    return `${isSame ? `, ${name}` : `; ${path.join('.')}`}: ${from === null ? '' : `${inShort(from)} → `}${inShort(to)}`;
  });
  return parts.join('').slice(2);
}

const isNews = ({ path }: Difference): boolean => !said.includes(path.at(-1) ?? '');

const said: readonly string[] = ['processRecorded', 'queuedAt', 'startedAt', 'notBefore', 'addedAt', 'wakeupIds'];

/** A line for each thing that there is in a state. */
export const stateInWords = (state: JsonObject): string[] =>
  Object.entries(state).flatMap(([part, of]) => {
    const things = Object.entries(isObject(of) ? of : {});
    return things.map(([name, value]) => `${part}.${name}: ${cut(isObject(value) ? telling(value) : plain(value), 200)}`);
  });

/** What has a status is said by it. */
function inShort(value: Json): string {
  if (!isObject(value)) return cut(plain(value), 60);
  return typeof value.status === 'string' ? value.status : cut(telling(value), 60);
}

/** What in an object is no object itself. */
const telling = (value: JsonObject): string =>
  Object.entries(value)
    .flatMap(([name, of]) => (typeof of === 'object' ? [] : [`${name} ${of}`]))
    .join(', ');

function plain(value: Json): string {
  if (value === null) return 'none';
  return Array.isArray(value) ? value.map(plain).join(' ') : isObject(value) ? telling(value) : String(value);
}

const cut = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
