import { offsetMs } from '../../events/due-slot.js';
import type { Routine, RoutineEvent } from '../../events/routine.js';
import { decision, type Outcome, type World } from '../decider.js';
import { Slug } from '../fields.js';
import { ofPause } from './fire.js';
import { firesOf, type FireView } from './fire-view.js';
import { after, inTurn, slotsMissed } from './missed-slots.js';
import { firedOrFailed, suppressed } from './order.js';
import { knownRoutine, ofRoutine } from './routine.js';
import { isTicking, slotsUpTo, type Ticking } from './schedules.js';

/**
 * The slots of the routine's schedules that are due by now, each with its offset. Of those that were missed the newest alone is fired,
 * or as many as the cap allows; the others are one fact.
 */
export class FireDueSlots {
  @Slug() company!: string;
  @Slug() routine!: string;
}

export interface FiredSlots {
  readonly fires: readonly FireView[];
  readonly missed: number;
  /** there are more than one decision goes through: ask again */
  readonly more: boolean;
}

export const fireDueSlots = decision({
  command: FireDueSlots,
  ...ofRoutine,
  agents: (_, routine) => [routine?.agent ?? null],
  decide(command: FireDueSlots, known: Routine | undefined, world: World): RoutineEvent[] {
    const routine = knownRoutine(known, command.routine);
    if (routine.status === 'archived') return [];
    const due = routine.triggers.filter(isTicking).filter((trigger) => isDue(command, routine, trigger, world));
    const most = Math.floor(mostSlots / due.length);
    return asManyAsFit(
      inTurn(routine, due, (so, trigger) => catchUp(so, trigger, { until: dueUntil(command, so, trigger, world), most }, world)),
    );
  },
  answer: slotsAnswer,
});

/** As many as one decision goes through. */
const mostSlots = 10_000;
const mostFires = { skip_missed: 1, enqueue_missed_with_cap: 25 };

/** Slots up to then are due: each comes so much later as spreads it. */
const dueUntil = ({ company }: FireDueSlots, { routine, spreadSec }: Routine, { id }: Ticking, { now }: Moment): string =>
  new Date(now.getTime() - offsetMs(company, routine, id, spreadSec)).toISOString();

type Moment = Pick<World, 'now'>;

const isDue = (command: FireDueSlots, routine: Routine, trigger: Ticking, moment: Moment): boolean =>
  trigger.nextSlot <= dueUntil(command, routine, trigger, moment);

/** Half of what one append takes. */
const mostBytes = 512 * 1024;

/** Slots that are left out are due as they were; the first fits in any case. */
function asManyAsFit(events: readonly RoutineEvent[]): RoutineEvent[] {
  let bytes = 0;
  for (const [at, event] of events.entries()) {
    bytes += Buffer.byteLength(JSON.stringify(event));
    if (bytes > mostBytes && at > 0 && isOfSlot(event)) return events.slice(0, at);
  }
  return [...events];
}

/** What comes of a fire at once is behind it, and not parted from it. */
const isOfSlot = ({ type }: RoutineEvent): boolean => type === 'RoutineFired' || type === 'SlotsMissed';

interface Bounds {
  readonly until: string;
  readonly most: number;
}

function catchUp(routine: Routine, trigger: Ticking, { until, most }: Bounds, world: World): RoutineEvent[] {
  const { slots, next } = slotsUpTo(routine, trigger, until, most);
  const cap = mostFires[routine.catchUp];
  const isWhole = next === null || next > until;
  const kept = slots.slice(-cap);
  const [oldest = next] = kept;
  const code = routine.status === 'paused' ? 'routine_paused' : 'missed';
  const missed = slotsMissed(routine, { trigger, slots: slots.slice(0, -cap), code, nextSlot: oldest }, world);
  // Those that are kept may have newer ones behind them that are to be fired in their place.
  return isWhole
    ? [...missed, ...inTurn(after(routine, missed), pairs(kept, next), (so, pair) => fire(so, trigger, pair, world))]
    : missed;
}

interface Pair {
  readonly slot: string;
  readonly nextSlot: string | null;
}
const pairs = (slots: readonly string[], next: string | null): Pair[] =>
  slots.map((slot, at) => ({ slot, nextSlot: slots[at + 1] ?? next }));

function fire(routine: Routine, { id: trigger }: Ticking, pair: Pair, world: World): RoutineEvent[] {
  const asking = { source: 'schedule', trigger, ...pair } as const;
  return routine.status === 'paused'
    ? suppressed(routine, asking, ofPause(routine), world)
    : firedOrFailed(routine, asking, world);
}

function slotsAnswer(command: FireDueSlots, { events, state }: Outcome<Routine | undefined, RoutineEvent>): FiredSlots {
  const counts = events.map((event) => (event.type === 'SlotsMissed' ? event.data.count : 0));
  const now = decidedAt(events);
  return {
    fires: firesOf(command.company, events),
    missed: counts.reduce((sum, count) => sum + count, 0),
    more: now !== undefined && (state?.triggers.filter(isTicking).some((one) => isDue(command, state, one, { now })) ?? false),
  };
}

function decidedAt([first]: readonly RoutineEvent[]): Date | undefined {
  if (first?.type === 'RoutineFired') return new Date(first.data.firedAt);
  return first?.type === 'SlotsMissed' ? new Date(first.data.missedAt) : undefined;
}
