import type { Json, JsonObject } from '../../events/event.js';
import { commentIdsIn, type EndedRun, type Lane, type OpenRun } from '../../events/lane.js';
import { differences, type Difference } from './state-diff.js';

/**
 * What a lane's state says to an operator: all that is in it, under the names that decisions know it by, with its lists by id. What is
 * false, zero or empty is not there. Left out is what only counts (`opened`, `runs`), what is gone by the end of an append (`arriving`), what
 * only answers repeated commands (`withdrawn`), and the free JSON of demands and runs, which their events have.
 */
export function standingOf(lane: Lane): JsonObject {
  return told({ task: ownOf(lane), ...Object.fromEntries(sections.map(({ name, all }) => [name, all(lane)])) });
}

/** What became of a lane's state. Runs and comments that a lane does not remember any more are what they were. */
export const differencesBetween = (before: Lane, after: Lane): Difference[] => [
  ...differences(ownOf(before), ownOf(after), ['task']),
  ...sections.flatMap(({ between }) => between(before, after)),
];

function ownOf({
  opened,
  task: _task,
  runs: _runs,
  open: _open,
  ended: _ended,
  waiting: _waiting,
  arriving: _arriving,
  withdrawn: _withdrawn,
  comments: _comments,
  blockers: _blockers,
  refusals: _refusals,
  ...own
}: Lane): JsonObject | undefined {
  return opened ? told(own) : undefined;
}

interface Section {
  readonly name: string;
  all(lane: Lane): JsonObject;
  between(before: Lane, after: Lane): Difference[];
}

interface Listed<Item> {
  readonly name: string;
  /** the same lists as long as nothing in them has changed */
  readonly of: (lane: Lane) => readonly (readonly Item[])[];
  readonly keyOf: (item: Item) => string;
  readonly show: (item: Item) => Json;
  /** the lane keeps the last of them only */
  readonly isCut?: true;
}

function section<Item>({ name, of, keyOf, show, isCut }: Listed<Item>): Section {
  const byKey = (lane: Lane) => new Map(of(lane).flatMap((list) => list.map((item) => [keyOf(item), item] as const)));
  const all = (lane: Lane) => Object.fromEntries([...byKey(lane)].map(([key, item]) => [key, show(item)]));
  const between = (before: Lane, after: Lane): Difference[] => {
    const [lists, others] = [of(before), of(after)];
    if (lists.every((list, n) => list === others[n])) return [];
    const [was, is] = [byKey(before), byKey(after)];
    const gone = isCut ? [] : [...was.keys()].filter((key) => !is.has(key));
    return [...is.keys(), ...gone].flatMap((key) => {
      const [from, to] = [was.get(key), is.get(key)];
      return from === to ? [] : differences(from && show(from), to && show(to), [name, key]);
    });
  };
  return { name, all, between };
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
  section({
    name: 'refusals',
    of: ({ refusals }) => [Object.entries(refusals)],
    keyOf: ([key]) => key,
    show: ([, refusal]) => told(refusal),
  }),
];

/** Its status first, as that is looked for first. */
function runOf({ runId: _, context, status, ...run }: OpenRun | EndedRun): JsonObject {
  return told({ status, ...run, comments: commentIdsIn(context) });
}

/** Without what is false, zero or empty. */
function told(value: object): JsonObject {
  const entries = Object.entries(value).map(([name, of]) => [name, worthTelling(of)] as const);
  return Object.fromEntries(entries.flatMap(([name, of]) => (of === undefined ? [] : [[name, of]])));
}

function worthTelling(value: unknown): Json | undefined {
  if (value === null || value === undefined || value === false || value === 0) return undefined;
  if (typeof value !== 'object') return value as Json;
  if (Array.isArray(value)) return value.length > 0 ? (value as Json[]) : undefined;
  const inner = told(value);
  return Object.keys(inner).length > 0 ? inner : undefined;
}
