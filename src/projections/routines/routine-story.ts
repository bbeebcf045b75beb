import type { Recorded } from '../../events/event.js';
import type { RoutineEvent } from '../../events/routine.js';

/** What became of routines and their fires, as sentences like those of `story`. */
export function routineStory({ type, subject }: Recorded<RoutineEvent>): string {
  return `${subject}: ${type}`;
}
