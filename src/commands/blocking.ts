import type { TaskId } from '../events/event.js';
import { openBlockers, type Lane, type LaneEvent } from '../events/lane.js';
import { isClosed, type Blocker } from '../events/task.js';
import { noSuch, Rejected, type World } from './decider.js';
import { ringThrough, waitsRound } from './ring.js';

const mostBlockers = 500;

/** The blockers that World is to know of, each once; more than there may be are not even looked at. */
export function askedBlockers(blockedBy: readonly TaskId[] = []): readonly TaskId[] {
  const asked = new Set(blockedBy);
  return asked.size > mostBlockers ? [] : [...asked];
}

/**
 * These, and no others, stand before the task from now on. World has to know them, and all that they wait for. One that stood there
 * before stands as the task knows it: what came of it since is told by the policy, once.
 */
export function blockedFromNowOn(lane: Lane, blockedBy: readonly TaskId[], world: World): LaneEvent[] {
  const names = [...new Set(blockedBy)];
  refuseTooMany(lane, names);
  refuseRing(lane, names, world);
  refuseUnknown(names, world);
  if (isSame(names, lane.blockers)) return [];
  const blockers = names.map((task) => lane.blockers.find((known) => known.task === task) ?? asItIs(task, world));
  return [{ type: 'BlockersSet', data: { task: lane.task, blockers, setAt: world.now.toISOString() } }];
}

const asItIs = (task: TaskId, world: World): Blocker => ({ task, open: !isClosed(world.task(task)?.status ?? 'todo') });

const isSame = (names: readonly TaskId[], blockers: readonly Blocker[]): boolean =>
  names.length === blockers.length && blockers.every(({ task }) => names.includes(task));

function refuseTooMany({ task }: Lane, { length }: readonly TaskId[]): void {
  if (length > mostBlockers)
    throw new Rejected(
      'too_many',
      `${length} tasks are to stand before ${task}: give at most ${mostBlockers}, or a task that waits for some of them`,
    );
}

function refuseUnknown(names: readonly TaskId[], world: World): void {
  const [first, ...others] = names.filter((name) => !world.task(name));
  if (first === undefined) return;
  if (others.length === 0) throw noSuch('task', first);
  throw new Rejected('task_not_found', `there are no tasks ${[first, ...others].join(', ')}; open them first`);
}

function refuseRing({ task }: Lane, names: readonly TaskId[], world: World): void {
  const ring = ringOfWaiting(task, names, world);
  if (ring)
    throw new Rejected('blocker_cycle', `${task} cannot wait for itself: ${waitsRound(ring)}; leave ${ring[1] ?? task} out`);
}

/** Whether a task would wait for itself if it waited for these: along blockers that are not closed yet. */
export const ringOfWaiting = (task: TaskId, names: readonly TaskId[], world: World): TaskId[] | undefined =>
  ringThrough(task, names, (at) => waitedForBy(world.task(at)));

const waitedForBy = (lane: Lane | undefined): readonly TaskId[] => (lane ? openBlockers(lane) : []);
