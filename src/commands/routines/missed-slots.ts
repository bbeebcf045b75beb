import { routines } from '../../events/evolve-routine.js';
import { fireId } from '../../events/event.js';
import type { Routine, RoutineEvent, SlotsMissed } from '../../events/routine.js';
import { Rejected, type World } from '../decider.js';
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

/** More than a scheduler that was away for weeks leaves, and as many as one decision can count. */
const mostPassed = 100_000;

/** The slots of these triggers that have passed by now, and were not gone through: nobody will. */
export const passedSlots = (
  routine: Routine,
  triggers: readonly Ticking[],
  code: SlotsMissed['data']['code'],
  world: World,
): RoutineEvent[] =>
  inTurn(routine, triggers, (known, trigger) => {
    const now = world.now.toISOString();
    const { slots, next } = slotsUpTo(routine, trigger, now, Math.floor(mostPassed / triggers.length));
    if (next !== null && next <= now) throw tooManyPassed(trigger, slots.length);
    return slotsMissed(known, { trigger, slots, code, nextSlot: next }, world);
  });

const tooManyPassed = ({ id, nextSlot }: Ticking, most: number): Rejected =>
  new Rejected(
    'too_many',
    `trigger ${id} has more than ${most} slots since ${nextSlot} that nobody has gone through: let the scheduler do that, then ask again`,
  );
