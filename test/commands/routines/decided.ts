import type { Event } from '../../../src/events/event.js';
import type { RoutineEvent } from '../../../src/events/routine.js';

/** What was decided about a routine; `given` does not tell which kind of events a decision makes. */
export const eventsOf = (decided: { events(): readonly Event[] }): readonly RoutineEvent[] =>
  decided.events() as readonly RoutineEvent[];
