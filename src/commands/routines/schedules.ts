import type { RoutineDefinition, Schedule, ScheduleTrigger, Trigger } from '../../events/routine.js';
import { slotsFrom } from '../schedule/schedule.js';

/** When the fires of a routine count: from the first of these on, and before the second. */
export type Window = Pick<RoutineDefinition, 'activeFrom' | 'activeUntil'>;

/** ISO times in UTC, which are compared as text. */
export const isWithin = ({ activeFrom, activeUntil }: Window, time: string): boolean =>
  (activeFrom === null || activeFrom <= time) && (activeUntil === null || time < activeUntil);

/** The slots of a schedule from `first` on that are within the window; made as they are asked for. */
export function* slotsWithin(window: Window, schedule: Schedule, first: string): Generator<string, void> {
  const from = window.activeFrom !== null && window.activeFrom > first ? window.activeFrom : first;
  for (const slot of slotsFrom(schedule, new Date(from))) {
    const at = slot.toISOString();
    if (window.activeUntil !== null && at >= window.activeUntil) return;
    yield at;
  }
}

/** The first slot after `time`; null: none comes. */
export function slotAfter(window: Window, schedule: Schedule, time: string): string | null {
  for (const slot of slotsWithin(window, schedule, time)) if (slot > time) return slot;
  return null;
}

/** A schedule with slots to come. */
export type Ticking = ScheduleTrigger & { readonly nextSlot: string };
export const isTicking = (trigger: Trigger): trigger is Ticking =>
  trigger.kind === 'schedule' && trigger.enabled && trigger.nextSlot !== null;

/**
 * Slots that nobody has gone through yet, the oldest first: at most `most` of those up to `until`, and the one after them. The first is
 * as it was recorded, whatever has become of its zone's rules since.
 */
export function slotsUpTo(
  window: Window,
  trigger: Ticking,
  until: string,
  most = Infinity,
): { slots: string[]; next: string | null } {
  const slots: string[] = [];
  for (const slot of slotsOf(window, trigger)) {
    if (slot > until || slots.length >= most) return { slots, next: slot };
    slots.push(slot);
  }
  return { slots, next: null };
}

function* slotsOf(window: Window, trigger: Ticking): Generator<string, void> {
  yield trigger.nextSlot;
  for (const slot of slotsWithin(window, trigger, trigger.nextSlot)) if (slot > trigger.nextSlot) yield slot;
}
