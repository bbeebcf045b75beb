import { nameUuid, routineStream, taskStream, type Appended, type StreamId } from '../../events/event.js';
import type { FireRedirected, RoutineFired } from '../../events/routine.js';
import type { FireTaken } from '../../events/task.js';
import type { CommandContext } from '../decider.js';

/**
 * The steps from a fire to its outcome. Whoever fires takes them at once, and the policy of this name takes them again behind it, under
 * the same ids: so each is taken once, and what a crash has cut off is gone on with.
 */
export const policyName = 'routines';

/** What sends a fire to a task; undefined for a fire that comes to nothing. */
export function taking({ company, data }: Pick<Appended<RoutineFired | FireRedirected>, 'company' | 'data'>) {
  const { routine, fire, order } = data;
  return order && { fields: { company, routine, fire, ...order }, stream: taskStream(company, order.task) };
}

export function settling({ company, data }: Pick<Appended<FireTaken>, 'company' | 'data'>) {
  const { takenAt: _, ...taken } = data;
  return { fields: { company, ...taken }, stream: routineStream(company, data.routine) };
}

/** What a policy's reaction to the event would come with. */
export function stepAfter(event: Appended, stream: StreamId, command: string): CommandContext {
  const { id, metadata } = event;
  const actor = { type: 'system', id: `policy-${policyName}` } as const;
  const commandId = nameUuid(policyName, id, stream, command);
  return { commandId, actor, causationId: id, correlationId: metadata.correlationId };
}
