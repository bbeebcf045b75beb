import type { DstPolicy } from '../../../src/events/routine.js';
import type { Piece } from './zone-changes.js';

/**
 * What crontab(5) and the policy say, done by hand and without a thought for speed: each minute of the zone's clock is looked at,
 * and where it is in time is asked of the zone's pieces.
 */
export function slotsByHand(cron: string, pieces: readonly Piece[], dst: DstPolicy, from: number, to: number): number[] {
  const near = pieces.filter(({ start, end }) => end > from - 3 * day && start < to + 3 * day);
  const slots = new Set(minutesShown(cron, from - 2 * day, to + 2 * day).flatMap((wall) => instantsOf(wall, near, dst)));
  return [...slots].filter((at) => at >= from && at < to).toSorted((a, b) => a - b);
}

/** Midnights of the days, within two instants read as if they were the clock's, whose date fits. */
export function* daysThatFit(cron: string, from: number, to: number): Generator<number> {
  const rule = understood(cron);
  for (let midnight = Math.floor(from / day) * day; midnight < to; midnight += day) if (fitsDay(rule, midnight)) yield midnight;
}

const day = 24 * 60 * 60 * 1_000;

function minutesShown(cron: string, from: number, to: number): number[] {
  const { minutes, hours } = understood(cron);
  const ofDay = [...hours].flatMap((hour) => [...minutes].map((minute) => (hour * 60 + minute) * 60_000));
  return [...daysThatFit(cron, from, to)].flatMap((midnight) => ofDay.map((time) => midnight + time));
}

function instantsOf(wall: number, pieces: readonly Piece[], { gap, overlap }: DstPolicy): number[] {
  const shown = pieces.filter(({ start, end, offset }) => start <= wall - offset && wall - offset < end);
  const instants = shown.map(({ offset }) => wall - offset).toSorted((a, b) => a - b);
  if (instants.length > 0) return overlap === 'once' ? instants.slice(0, 1) : instants;
  const after = pieces.find(
    (piece, n) => n > 0 && wall >= piece.start + pieces[n - 1]!.offset && wall < piece.start + piece.offset,
  );
  return gap === 'shift' && after ? [after.start] : [];
}

interface Rule {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly weekdays: ReadonlySet<number>;
  readonly eitherDay: boolean;
}

const rules = new Map<string, Rule>();

function understood(cron: string): Rule {
  const rule = rules.get(cron) ?? ruleOf(cron);
  rules.set(cron, rule);
  return rule;
}

function ruleOf(cron: string): Rule {
  const [minute, hour, date, month, weekday] = (spelledOut[cron] ?? cron).toLowerCase().split(' ') as [
    string,
    string,
    string,
    string,
    string,
  ];
  return {
    minutes: valuesOf(minute, 0, 59),
    hours: valuesOf(hour, 0, 23),
    days: valuesOf(date, 1, 31),
    months: valuesOf(month, 1, 12, 'jan feb mar apr may jun jul aug sep oct nov dec'),
    weekdays: new Set([...valuesOf(weekday.replace('-sun', '-7'), 0, 7, 'sun mon tue wed thu fri sat')].map((n) => n % 7)),
    eitherDay: !date.startsWith('*') && !weekday.startsWith('*'),
  };
}

const spelledOut: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
};

function valuesOf(field: string, min: number, max: number, names = ''): Set<number> {
  const numbered = names.split(' ').reduce((text, name, n) => (name ? text.replaceAll(name, String(n + min)) : text), field);
  return new Set(
    numbered.split(',').flatMap((part) => {
      const [range = '', step = '1'] = part.split('/');
      const [first = 0, last = first] = range === '*' ? [min, max] : range.split('-').map(Number);
      return everyValue(min, max).filter((value) => value >= first && value <= last && (value - first) % Number(step) === 0);
    }),
  );
}

const everyValue = (min: number, max: number): number[] => Array.from({ length: max - min + 1 }, (_, n) => n + min);

function fitsDay({ days, months, weekdays, eitherDay }: Rule, midnight: number): boolean {
  const date = new Date(midnight);
  const byDate = days.has(date.getUTCDate());
  const byWeekday = weekdays.has(date.getUTCDay());
  return months.has(date.getUTCMonth() + 1) && (eitherDay ? byDate || byWeekday : byDate && byWeekday);
}
