import { routines } from '../../events/evolve-routine.js';
import { fireId } from '../../events/event.js';
import type { Routine, RoutineEvent, SlotsMissed } from '../../events/routine.js';
import type { World } from '../decider.js';
import { slotsUpTo, type Ticking } from './schedules.js';

/** The routine as it will be once these are recorded. */
export const after = (routine: Routine, events: readonly RoutineEvent[]): Routine =>
  events.reduce(routines.evolve, routine) ?? routine;

/** One after the other, each decided on what the ones before it have left. */
export const inTurn = <T>(routine: Routine, all: readonly T[], decide: (routine: Routine, one: T) => readonly RoutineEvent[]) =>
  all.reduce<RoutineEvent[]>((events, one) => [...events, ...decide(after(routine, events), one)], []);

interface Missed {
  readonly trigger: Ticking;
  readonly slots: readonly string[];
  readonly code: SlotsMissed['data']['code'];
  readonly nextSlot: string | null;
}

/** As one fact. */
export function slotsMissed(routine: Routine, { trigger, slots, code, nextSlot }: Missed, { now }: World): RoutineEvent[] {
  const [first] = slots;
  const last = slots.at(-1);
  if (first === undefined || last === undefined) return [];
  const n = routine.fires + 1;
  const fire = fireId(routine.routine, n);
  const missedAt = now.toISOString();
  const data = {
    routine: routine.routine,
    fire,
    n,
    trigger: trigger.id,
    code,
    count: slots.length,
    first,
    last,
    nextSlot,
    missedAt,
  };
  return [{ type: 'SlotsMissed', data }];
}

/** The slots of these triggers that have passed by now, and were not gone through: nobody will. */
export const passedSlots = (
  routine: Routine,
  triggers: readonly Ticking[],
  code: SlotsMissed['data']['code'],
  world: World,
): RoutineEvent[] =>
  inTurn(routine, triggers, (known, trigger) => {
    const { slots, next } = slotsUpTo(routine, trigger, world.now.toISOString());
    return slotsMissed(known, { trigger, slots, code, nextSlot: next }, world);
  });
