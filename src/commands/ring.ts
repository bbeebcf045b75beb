import type { TaskId } from '../events/event.js';

/**
 * The tasks that lead from one back to itself, beginning with it, each to the next and the last to the first: the shortest such ring.
 * `first`: what the task itself is to lead to; `next`: what others lead to. `undefined` if none of them comes back.
 */
export function ringThrough(
  task: TaskId,
  first: readonly TaskId[],
  next: (task: TaskId) => readonly TaskId[],
): TaskId[] | undefined {
  const cameFrom = new Map(first.map((reached) => [reached, task]));
  // What is reached on the way is gone through as well.
  for (const at of cameFrom.keys()) {
    if (at === task) return wayBack(task, cameFrom);
    for (const further of next(at)) if (!cameFrom.has(further)) cameFrom.set(further, at);
  }
  return undefined;
}

function wayBack(task: TaskId, cameFrom: ReadonlyMap<TaskId, TaskId>): TaskId[] {
  const ring: TaskId[] = [];
  for (let at = cameFrom.get(task); at !== undefined && at !== task; at = cameFrom.get(at)) ring.unshift(at);
  return [task, ...ring];
}

/** A waits for B, B for C, C for A */
export const waitsRound = (ring: readonly TaskId[]): string =>
  ring.map((task, at) => `${task} ${at === 0 ? 'waits for' : 'for'} ${follower(ring, at)}`).join(', ');

/** A is a part of B, B of C, C of A */
export const partsRound = (ring: readonly TaskId[]): string =>
  ring.map((task, at) => `${task} ${at === 0 ? 'is a part of' : 'of'} ${follower(ring, at)}`).join(', ');

const follower = (ring: readonly TaskId[], at: number): TaskId => ring[(at + 1) % ring.length]!;
