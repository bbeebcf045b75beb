import type { Json, JsonObject } from '../../events/event.js';
import { commentIdsIn, unopened, type EndedRun, type Lane, type OpenRun } from '../../events/lane.js';
import { differences, type Difference } from './state-diff.js';

/**
 * What a lane's state says to an operator: all that is in it, under the names that decisions know it by, with its lists by id. What is
 * false, zero or empty is not there, nor is the free JSON of demands and runs, which their events have.
 */
export function standingOf(lane: Lane): JsonObject {
  return told({ task: ownOf(lane), ...Object.fromEntries(sections.map(({ name, all }) => [name, all(lane)])) });
}

/** What became of a lane's state. Runs and comments that a lane does not remember any more are what they were. */
export const differencesBetween = (before: Lane, after: Lane): Difference[] => [
  ...(isOwnChanged(before, after) ? differences(ownOf(before), ownOf(after), ['task']) : []),
  ...sections.flatMap(({ between }) => between(before, after)),
];

/**
 * What are parts of their own; that it is there, and its name; a count; what is gone by the end of an append; what only answers commands
 * that are sent again.
 */
const notOwn: readonly (keyof Lane)[] = [
  'open',
  'ended',
  'waiting',
  'comments',
  'blockers',
  'opened',
  'task',
  'runs',
  'arriving',
  'withdrawn',
];
const ownFields = Object.keys(unopened).filter((field): field is keyof Lane => !notOwn.some((other) => other === field));

const isOwnChanged = (before: Lane, after: Lane): boolean =>
  before.opened !== after.opened || ownFields.some((field) => before[field] !== after[field]);

const ownOf = (lane: Lane): JsonObject | undefined =>
  lane.opened ? told(Object.fromEntries(ownFields.map((field) => [field, lane[field]]))) : undefined;

interface Section {
  readonly name: string;
  all(lane: Lane): JsonObject;
  between(before: Lane, after: Lane): Difference[];
}

interface Listed<Item> {
  readonly name: string;
  /** the same lists, with the same items, as far as nothing has changed */
  readonly of: (lane: Lane) => readonly (readonly Item[])[];
  readonly keyOf: (item: Item) => string;
  readonly show: (item: Item) => Json;
  /** the lane keeps the last of them only */
  readonly isCut?: true;
}

function section<Item extends object>({ name, of, keyOf, show, isCut }: Listed<Item>): Section {
  const all = (lane: Lane) =>
    Object.fromEntries(of(lane).flatMap((list) => list.map((item) => [keyOf(item), show(item)] as const)));
  const find = (lane: Lane, key: string): Item | undefined => {
    for (const list of of(lane)) for (const item of list) if (keyOf(item) === key) return item;
    return undefined;
  };
  const between = (before: Lane, after: Lane): Difference[] => {
    const lists = of(before);
    const changed = of(after).flatMap((list, n) => changedIn(lists[n] ?? [], list).map(keyOf));
    const gone = isCut ? [] : lists.flatMap((list) => list.map(keyOf).filter((key) => !find(after, key)));
    return [...changed, ...gone].flatMap((key) => {
      const [from, to] = [find(before, key), find(after, key)];
      return differences(from && show(from), to && show(to), [name, key]);
    });
  };
  return { name, all, between };
}

/** Items that were not there, or are not the same; lists lose items at their beginning and get others at their end. */
function changedIn<Item>(before: readonly Item[], after: readonly Item[]): Item[] {
  if (before === after) return [];
  const lost = after[0] === undefined ? 0 : Math.max(0, before.indexOf(after[0]));
  return after.filter((item, n) => item !== before[n + lost]);
}

const sections: readonly Section[] = [
  section({
    name: 'blockers',
    of: ({ blockers }) => [blockers],
    keyOf: ({ task }) => task,
    show: ({ open }) => (open ? 'open' : 'resolved'),
  }),
  section({ name: 'runs', of: ({ open, ended }) => [open, ended], keyOf: ({ runId }) => runId, show: runOf, isCut: true }),
  section({
    name: 'waiting',
    of: ({ waiting }) => [waiting],
    keyOf: ({ wakeupId }) => wakeupId,
    show: ({ wakeupId: _, payload, joined, ...demand }) =>
      told({ ...demand, joined: joined.map((other) => other.wakeupId), comments: commentIdsIn(payload) }),
  }),
  section({
    name: 'comments',
    of: ({ comments }) => [comments],
    keyOf: ({ id }) => id,
    show: ({ id: _, author, ...comment }) => told({ author: `${author.type}:${author.id}`, ...comment }),
    isCut: true,
  }),
];

/** Its status first, as that is looked for first. */
function runOf({ runId: _, context, status, ...run }: OpenRun | EndedRun): JsonObject {
  return told({ status, ...run, comments: commentIdsIn(context) });
}

/** Without what is false, zero or empty. */
function told(value: object): JsonObject {
  const shown: JsonObject = {};
  for (const [name, of] of Object.entries(value)) {
    const worth = worthTelling(of);
    if (worth !== undefined) shown[name] = worth;
  }
  return shown;
}

function worthTelling(value: unknown): Json | undefined {
  if (value === null || value === undefined || value === false || value === 0) return undefined;
  if (typeof value !== 'object') return value as Json;
  if (Array.isArray(value)) return value.length > 0 ? (value as Json[]) : undefined;
  const inner = told(value);
  return Object.keys(inner).length > 0 ? inner : undefined;
}
