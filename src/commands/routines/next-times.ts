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

type Defined = Partial<Pick<RoutineDefinition, 'activeFrom' | 'activeUntil'>> &
  Pick<RoutineDefinition, 'triggers' | 'spreadSec'> & {
    readonly company: string;
    readonly id: RoutineId;
    readonly status: RoutineStatus;
  };

/** `count` of each schedule, after `now` and while the routine is to be active; an archived one is not due any more. */
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
  const { company, id, spreadSec, activeFrom, activeUntil } = routine;
  const { id: trigger, cron, zone } = schedule;
  const first = new Date(Math.max(now.getTime(), activeFrom ? Date.parse(activeFrom) - 1 : -Infinity));
  const isActive = ({ at }: UpcomingSlot) => !activeUntil || Date.parse(at) < Date.parse(activeUntil);
  return {
    trigger,
    cron,
    zone,
    offsetSec: offsetMs(company, id, trigger, spreadSec) / 1_000,
    times: upcoming(schedule, first, count).filter(isActive),
  };
}
