import { offsetMs } from '../../events/due-slot.js';
import type { RoutineId } from '../../events/event.js';
import type { RoutineDefinition, RoutineStatus, Schedule, ScheduleTrigger, TriggerId } from '../../events/routine.js';
import { upcoming, type UpcomingSlot } from '../schedule/schedule.js';

/** When a routine is due next by each of its schedules, those excepted that are switched off. */
export interface NextTimes {
  readonly routine: RoutineId;
  /** of what is not active, these times are suppressed */
  readonly status: RoutineStatus;
  readonly schedules: readonly NextOfSchedule[];
}

export interface NextOfSchedule extends Pick<Schedule, 'cron' | 'zone'> {
  readonly trigger: TriggerId;
  /** by how much each of them is fired later, so that not all routines are due at once */
  readonly offsetSec: number;
  readonly times: readonly UpcomingSlot[];
}

type Defined = Partial<Pick<RoutineDefinition, 'activeUntil'>> &
  Pick<RoutineDefinition, 'triggers' | 'spreadSec'> & {
    readonly company: string;
    readonly id: RoutineId;
    readonly status: RoutineStatus;
  };

/** `count` of each schedule that are not due yet at `now`, while the routine is to be active; an archived one is not due any more. */
export function nextTimes(routine: Defined, now: Date, count: number): NextTimes {
  const { id, status, triggers } = routine;
  const schedules = triggers.filter((trigger) => trigger.kind === 'schedule').filter(({ enabled }) => enabled);
  return {
    routine: id,
    status,
    schedules: status === 'archived' ? [] : schedules.map((schedule) => timesOf(routine, schedule, now, count)),
  };
}

function timesOf(routine: Defined, schedule: ScheduleTrigger, now: Date, count: number): NextOfSchedule {
  const { id: trigger, cron, zone } = schedule;
  const offset = offsetMs(routine.company, routine.id, trigger, routine.spreadSec);
  return {
    trigger,
    cron,
    zone,
    offsetSec: offset / 1_000,
    times: timesAfter(new Date(now.getTime() - offset), routine, schedule, count),
  };
}

/** A slot whose offset is not over is still to come, unless it was gone through already. */
function timesAfter(passed: Date, { activeUntil }: Defined, schedule: ScheduleTrigger, count: number): UpcomingSlot[] {
  if (schedule.nextSlot === null) return [];
  const after = new Date(Math.max(passed.getTime(), Date.parse(schedule.nextSlot) - 1));
  return upcoming(schedule, after, count).filter(({ at }) => !activeUntil || Date.parse(at) < Date.parse(activeUntil));
}
