import { createHash } from 'node:crypto';
import type { RoutineId } from './event.js';
import type { RoutineDefinition, TriggerId } from './routine.js';

/** By how much the slots of one trigger come later, in ms: whole seconds below `spreadSec`, always the same for one trigger. */
export function offsetMs(company: string, routine: RoutineId, trigger: TriggerId, spreadSec: number): number {
  if (spreadSec <= 0) return 0;
  const hash = createHash('sha256').update([company, routine, trigger].join('\n')).digest();
  return (hash.readUInt32BE(0) % spreadSec) * 1_000;
}

/** When a routine is to be looked at next: the earliest slot of its schedules, each with its offset; null where none will come. */
export function nextDueAt(
  company: string,
  { routine, spreadSec, triggers }: Pick<RoutineDefinition, 'spreadSec' | 'triggers'> & { readonly routine: RoutineId },
): string | null {
  const due = triggers.flatMap((trigger) =>
    trigger.kind === 'schedule' && trigger.enabled && trigger.nextSlot !== null
      ? [Date.parse(trigger.nextSlot) + offsetMs(company, routine, trigger.id, spreadSec)]
      : [],
  );
  return due.length > 0 ? new Date(Math.min(...due)).toISOString() : null;
}
