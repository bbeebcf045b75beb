import type { Actor, AgentId, JsonObject, TaskId } from '../events/event.js';
import { commentIdsIn, openBlockers, runningRun, type Comment, type Lane, type LaneEvent } from '../events/lane.js';
import { isClosed, type CommentId, type TaskStatus } from '../events/task.js';
import type { World } from './decider.js';
import { commentIdsOf, takeIn } from './intake.js';

/**
 * What a change of a task asks of its assignee, once the task is to be worked on: one demand at most, however much was changed at once.
 * `before` is the task as it was, `now` as the change leaves it.
 */
export function wakeOfChange(before: Lane, now: Lane, world: World): LaneEvent[] {
  if (now.assignee !== before.assignee) return wakeOfAssignment(before, now, world);
  if (isToBeDoneAgain(before.status, now.status))
    return wake(now, { reason: 'issue_status_changed', outside: isPerson(world.actor) }, world);
  return wakeOfFreedom(before, now, world);
}

const isToBeDoneAgain = (from: TaskStatus, to: TaskStatus): boolean =>
  from !== to && (from === 'backlog' || isClosed(from) || (from === 'blocked' && (to === 'todo' || to === 'in_progress')));

/** What was still to be told to the former assignee is told to the new one, even on a task that is closed; a person's goes on as such. */
function wakeOfAssignment(before: Lane, now: Lane, world: World): LaneEvent[] {
  const own = commentsOf(({ author }) => author.type === 'agent' && author.id === now.assignee, now);
  const told = [...untold(now, before.assignee), ...untold(now, now.assignee), ...own];
  const left = untold(before, before.assignee).filter((id) => !told.includes(id));
  const byPeople = commentsOf(({ author }) => isPerson(author), now);
  const outside = isPerson(world.actor) || left.some((id) => byPeople.includes(id));
  return wake(
    now,
    { reason: 'issue_assigned', outside, ...(left.length > 0 && { payload: { commentIds: [...new Set(left)] } }) },
    world,
  );
}

const isPerson = ({ type }: Actor): boolean => type === 'user';

const commentsOf = (isMeant: (comment: Comment) => boolean, { comments }: Lane): CommentId[] =>
  comments.filter(isMeant).map(({ id }) => id);

/** The comments that the agent is still to be told of. */
const untold = ({ open, waiting }: Lane, to: AgentId | null): CommentId[] => [
  ...open.filter(({ agent, status }) => agent === to && status !== 'running').flatMap(({ context }) => commentIdsIn(context)),
  ...waiting.filter(({ agent }) => agent === to).flatMap(commentIdsOf),
];

/** The last of its blockers does not stand before the task any more, however it went. */
export function wakeOfFreedom(before: Lane, now: Lane, world: World, more: JsonObject = {}): LaneEvent[] {
  if (openBlockers(before).length === 0 || openBlockers(now).length > 0) return [];
  const blockers = before.blockers.map(({ task }) => task);
  const note = noteOn(before, now, world);
  return wake(now, { reason: 'issue_blockers_resolved', payload: { blockers, ...(note && { note }), ...more } }, world);
}

/** Says of what the task waited for and was not done. */
function noteOn(before: Lane, now: Lane, world: World): string {
  const removed = openBlockers(before).filter((task) => !now.blockers.some((kept) => kept.task === task));
  const cancelled = now.blockers.filter(({ task }) => world.task(task)?.status === 'cancelled').map(({ task }) => task);
  return [...said(removed, 'removed'), ...said(cancelled, 'cancelled')].join('; ');
}

const said = (tasks: readonly TaskId[], what: string): string[] => {
  const named = tasks.length > 10 ? `${tasks.slice(0, 10).join(', ')} and ${tasks.length - 10} others` : tasks.join(', ');
  return tasks.length > 0 ? [`${named} ${tasks.length > 1 ? 'were' : 'was'} ${what}, not done`] : [];
};

interface Told {
  readonly reason: 'issue_assigned' | 'issue_status_changed' | 'issue_blockers_resolved' | 'issue_children_completed';
  readonly payload?: JsonObject;
  /** a person asks for it */
  readonly outside?: boolean;
}

/** The assignee is woken by what others do to its task; with comments that are to be answered, whatever becomes of the task. */
export function wake(lane: Lane, { reason, payload = {}, outside = false }: Told, world: World): LaneEvent[] {
  const { assignee, status } = lane;
  const comment = commentIdsIn(payload).length > 0;
  const isIdle = status === 'backlog' || isClosed(status) || isOwnDoing(lane, reason, world);
  if (assignee === null || (isIdle && !comment)) return [];
  const source = reason === 'issue_assigned' ? 'assignment' : 'automation';
  const ask = { agent: assignee, source, trigger: 'system', reason, payload, outside, mention: false } as const;
  return takeIn(lane, { ...ask, ...(comment && { comment: true as const }) }, world, { explicit: false });
}

/** An agent knows what it does itself; but work that was refused while it was blocked is asked for again, unless it is at it. */
function isOwnDoing(lane: Lane, reason: Told['reason'], { actor }: World): boolean {
  if (actor.type !== 'agent' || actor.id !== lane.assignee) return false;
  return reason !== 'issue_blockers_resolved' || runningRun(lane)?.agent === actor.id;
}
