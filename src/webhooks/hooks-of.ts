import type { Streams } from '../commands/streams.js';
import { routineStream, type RoutineId } from '../events/event.js';
import { routines } from '../events/evolve-routine.js';
import type { WebhookTrigger } from '../events/routine.js';

export interface RoutineName {
  readonly company: string;
  readonly routine: RoutineId;
}

/** The webhooks of a routine as it is defined at the head of its stream; none where there is no such routine. */
export async function hooksOf(streams: Pick<Streams, 'state'>, { company, routine }: RoutineName): Promise<WebhookTrigger[]> {
  const defined = await streams.state(routines, routineStream(company, routine), true);
  return (defined?.triggers ?? []).filter((trigger) => trigger.kind === 'webhook');
}
