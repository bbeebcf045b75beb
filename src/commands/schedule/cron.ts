import { Cron } from 'croner';
import { quoted, readFields, type CronFields } from './cron-fields.js';
import { ScheduleRefused } from './schedule-refused.js';

/** What a clock on the wall shows, as ms since 1970 read as if it were UTC: the same in every zone. */
export type WallTime = number;

/** The times of the clock that a cron expression names, of no zone. */
export interface CronTimes {
  /** The first of them that is not before `wall`; none before the year 3000: undefined. */
  readonly atOrAfter: (wall: WallTime) => WallTime | undefined;
}

/** @throws ScheduleRefused cron_invalid */
export function readCron(cron: string): CronTimes {
  const fields = readFields(cron);
  const times = new Cron(fields.join(' '), { mode: '5-part', utcOffset: 0, domAndDow: bothDaysCount(fields) });
  return {
    atOrAfter: (wall) => {
      const minute = Math.ceil(wall / 60_000) * 60_000;
      return times.nextRun(new Date(minute - 1_000))?.getTime();
    },
  };
}

/** @throws ScheduleRefused cron_invalid, or cron_never_fires: of 30 February, in all of the calendar's 400 years */
export function refuseNever(cron: string): void {
  if (readCron(cron).atOrAfter(0) !== undefined) return;
  throw new ScheduleRefused('cron_never_fires', `cron is ${quoted(cron)}: it never fires, no month that it names has such a day`);
}

/** Names no hour: it asks for a rhythm, not for times of the day. */
export const isEveryHour = (cron: string): boolean => /^\*(\/1)?$/.test(readFields(cron)[1]);

/** crontab(5): one of the two days will do, unless one of them starts with a star. Croner asks that it be nothing but a star. */
const bothDaysCount = ([, , day, , weekday]: CronFields): boolean => day.startsWith('*') || weekday.startsWith('*');
