import type { WakeupId } from '../events/event.js';
import { commentIdsIn, together, type Comment, type Lane, type LaneEvent } from '../events/lane.js';
import { cancelled, withdrawn } from './cancelling.js';
import type { World } from './decider.js';
import { after } from './lane.js';

/** A demand that is about nothing but comments that were removed is given up; one that carries anything else goes on without them. */
export function withdrawals(lane: Lane, { id, wakeupIds }: Comment, world: World): LaneEvent[] {
  const pending = unitsOf(lane).filter(isAbout(wakeupIds));
  const undelivered = wakeupIds.filter((wakeup) => pending.some(({ parts }) => parts.includes(wakeup)));
  const runIds = lane.open.filter(({ context }) => commentIdsIn(context).includes(id)).map(({ runId }) => runId);
  const about = { wakeupIds: undelivered, ...(runIds.length > 0 && { runIds }) };
  const removal: LaneEvent = {
    type: 'CommentRemoved',
    data: { task: lane.task, commentId: id, ...about, removedAt: world.now.toISOString() },
  };
  const left = after(lane, [removal]);
  const removed = left.comments.filter((comment) => comment.removed).flatMap((comment) => comment.wakeupIds);
  const why = { code: 'comment_removed', reason: `comment ${id} was removed` };
  const empty = unitsOf(left).filter((unit) => isAbout(wakeupIds)(unit) && unit.parts.every((part) => removed.includes(part)));
  return [removal, ...empty.flatMap(({ end }) => end(world, why))];
}

/** Demands that share one fate, and have not been delivered. */
interface Unit {
  readonly parts: readonly WakeupId[];
  readonly end: (world: World, why: { code: string; reason: string }) => LaneEvent[];
}

const isAbout =
  (wakeupIds: readonly WakeupId[]) =>
  ({ parts }: Unit): boolean =>
    parts.some((part) => wakeupIds.includes(part));

function unitsOf({ waiting, open }: Lane): Unit[] {
  return [
    ...waiting.map(together).map((unit): Unit => ({
      parts: unit.map(({ wakeupId }) => wakeupId),
      end: (world, why) => unit.map((demand) => withdrawn(demand, world, why)),
    })),
    ...open
      .filter(({ status }) => status !== 'running')
      .map((run): Unit => ({
        parts: [...run.wakeupIds, ...run.joined],
        end: (world, why) => [cancelled(run, world, { ...why, intent: 'stop', wakeups: 'cancelled' })],
      })),
  ];
}
