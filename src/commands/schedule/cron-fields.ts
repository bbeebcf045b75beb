import { ScheduleRefused } from './schedule-refused.js';

/** Minute, hour, day of the month, month and day of the week, each as it was written. */
export type CronFields = readonly [minute: string, hour: string, day: string, month: string, weekday: string];

/**
 * The five fields of a cron expression as crontab(5) has them: `*`, values, ranges, lists and steps (`*` and ranges with `/5`); months and
 * days of the week also by name, and Sunday as 0 or 7; or one of `@hourly` to `@yearly`.
 * @throws ScheduleRefused cron_invalid, with what is wrong and how it would be right
 */
export function readFields(cron: string): CronFields {
  const text = nickname(cron) ?? cron;
  const written: readonly string[] = text.trim().split(/\s+/);
  if (written.length !== 5) throw invalid(cron, wrongCount(cron, written));
  written.forEach((field, n) => refuseField(cron, field, fields[n]!));
  return written as CronFields;
}

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names: readonly string[];
  /** values that there are: 0 and 7 are both Sunday */
  readonly size: number;
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const fields: readonly Field[] = [
  { name: 'minute', min: 0, max: 59, names: [], size: 60 },
  { name: 'hour', min: 0, max: 23, names: [], size: 24 },
  { name: 'day of the month', min: 1, max: 31, names: [], size: 31 },
  { name: 'month', min: 1, max: 12, names: months, size: 12 },
  { name: 'day of the week', min: 0, max: 7, names: weekdays, size: 7 },
];

const nicknames: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
};

function nickname(cron: string): string | undefined {
  const name = cron.trim().toLowerCase();
  if (!name.startsWith('@')) return undefined;
  const meant = nicknames[name];
  if (meant !== undefined) return meant;
  throw invalid(cron, `a name is one of ${Object.keys(nicknames).join(', ')}`);
}

function wrongCount(cron: string, written: readonly string[]): string {
  if (cron.trim() === '') return 'it needs five fields: minute, hour, day of the month, month and day of the week';
  const more = written.length > 5 ? '; seconds and years are not taken' : '';
  return `it has ${written.length} ${written.length === 1 ? 'field' : 'fields'}, not five: minute, hour, day of the month, month and day of the week${more}`;
}

function refuseField(cron: string, written: string, field: Field): void {
  for (const part of written.split(',')) {
    const wrong = part === '' ? `${field.name} ${written} has an empty place in its list` : wrongWith(part, field);
    if (wrong) throw invalid(cron, wrong);
  }
}

const form = /^(?:\*|(?<from>[a-z0-9]+)(?:-(?<to>[a-z0-9]+))?)(?:\/(?<step>\d+))?$/i;

type Part = Readonly<Record<'from' | 'to' | 'step', string | undefined>>;

function wrongWith(written: string, field: Field): string | undefined {
  const part = form.exec(written)?.groups as Part | undefined;
  if (!part) return malformed(written, field);
  return wrongValue(part.from, field) ?? wrongValue(part.to, field) ?? wrongOrder(part, field) ?? wrongStep(written, part, field);
}

function malformed(part: string, { name }: Field): string {
  const mark = /[?#LW]/i.exec(part)?.[0].toUpperCase();
  const unknown = mark ? `; ${mark} is of other dialects of cron, and not taken` : '';
  return `${name} ${part} is no value, range, list or step${unknown}`;
}

function wrongValue(written: string | undefined, field: Field): string | undefined {
  if (written === undefined) return undefined;
  const value = valueOf(written, field);
  if (value !== undefined) return value >= field.min && value <= field.max ? undefined : outside(written, field);
  const names = field.names.length > 0 ? `, nor one of ${field.names.join(', ')}` : '';
  const other = /^(\d+|)(l|w|lw)$/i.test(written) ? '; L and W are of other dialects of cron, and not taken' : '';
  return `${field.name} ${written} is not a number${names}${other}`;
}

const outside = (written: string, { name, min, max }: Field): string => `${name} ${written} is not within ${min}-${max}`;

function valueOf(written: string, { names, min }: Field): number | undefined {
  if (/^\d+$/.test(written)) return Number(written);
  const place = names.indexOf(written.toLowerCase());
  return place < 0 ? undefined : place + min;
}

/** Sunday may end a range by its name: `fri-sun` is 5-7. Whether `sun-sun` is one day or all seven, nobody can know. */
function wrongOrder({ from, to, step }: Part, field: Field): string | undefined {
  if (from === undefined || to === undefined) return undefined;
  const [first, bySunday] = [valueOf(from, field)!, to.toLowerCase() === 'sun'];
  const last = bySunday ? 7 : valueOf(to, field)!;
  if (bySunday && first === 0) return `${field.name} ${from}-${to} begins where it ends: write sun, or * for each day`;
  if (first <= last) return undefined;
  const instead = step === undefined ? `: write ${span(first, field.max)},${span(field.min, last)}` : '';
  return `${field.name} ${from}-${to} ends before it begins${instead}`;
}

const span = (from: number, to: number): string => (from === to ? `${from}` : `${from}-${to}`);

function wrongStep(written: string, { from, to, step }: Part, field: Field): string | undefined {
  if (step === undefined) return undefined;
  if (from !== undefined && to === undefined)
    return `${field.name} ${written} is a step without a range: write ${from}-${field.max}/${step}`;
  const size = Number(step);
  return size >= 1 && size <= field.size ? undefined : `${field.name} ${written} has a step that is not within 1-${field.size}`;
}

const invalid = (cron: string, wrong: string): ScheduleRefused =>
  new ScheduleRefused('cron_invalid', `cron is ${quoted(cron)}: ${wrong}`);

/** As a person would see it, and no longer than a line. */
export const quoted = (text: string): string => JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
