import type { JsonObject, Recorded, RunId, WakeupId } from '../../events/event.js';
import type { Fact } from './lane-story.js';

/** The fields by which events of a lane name runs and demands. */
const naming = ['runId', 'retryOf', 'by', 'wakeupId', 'into'] as const;

/** A run's own events, those of the demands that it carries, and of the runs that retry it or take its place. */
export function concerning(run: RunId, wakeups: readonly WakeupId[]): (event: Recorded) => boolean {
  const names = new Set<unknown>([run, ...wakeups]);
  return ({ data }) => {
    const named: Readonly<Partial<Record<(typeof naming)[number], unknown>>> = data;
    return naming.some((name) => names.has(named[name]));
  };
}

/** The demands that a run carries from the event on that it begins with. */
export const carriedBy = (event: Fact): readonly WakeupId[] =>
  event.type === 'RunQueued' || event.type === 'RetryScheduled' ? event.data.wakeupIds : [];

/** Of a task's state, what is said of a run, and of those that go on with what it was at. */
export const runIn =
  (run: RunId) =>
  ({ runs }: JsonObject): JsonObject => {
    const all = Object.entries((runs ?? {}) as JsonObject);
    return { runs: Object.fromEntries(all.filter(([id, of]) => id === run || (of as JsonObject).retryOf === run)) };
  };
