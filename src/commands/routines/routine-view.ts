import type { RoutineId } from '../../events/event.js';
import type { Routine, RoutineDefinition, RoutineEvent, RoutineStatus } from '../../events/routine.js';
import { noSuch, type Outcome } from '../decider.js';

/** A routine as the answer to a command shows it. */
export interface RoutineView extends RoutineDefinition {
  readonly id: RoutineId;
  readonly company: string;
  readonly status: RoutineStatus;
  /** why it is paused or archived */
  readonly reason?: string;
  readonly since: string;
  readonly revision: number;
}

export function routineAnswer(
  { company, routine: id }: { company: string; routine: RoutineId },
  { state, revision }: Outcome<Routine | undefined, RoutineEvent>,
): { routine: RoutineView } {
  if (!state) throw noSuch('routine', id);
  const { routine: _, fires: __, pending: ___, tasks: ____, status, reason, since, ...definition } = state;
  return { routine: { id, company, status, ...(reason !== null && { reason }), since, ...definition, revision } };
}
