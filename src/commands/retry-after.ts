import { isDay, readIsoTime } from './iso-time.js';
import { readClockTime } from './clock-time.js';

/**
 * The time, ISO in UTC, before which a provider does not want to be asked again: from the value of a Retry-After field,
 * with or without the field's name. Seconds (RFC 9110; also with a fraction or a unit), an HTTP date in any of its three
 * forms, an ISO time, or words as in `readNotBefore`. Digits alone are always seconds, never a year. Null for what
 * cannot be read, has passed, or lies more than a year ahead.
 */
export function readRetryAfter(value: string, now: Date): string | null {
  const text = value
    .slice(0, longest)
    .trim()
    .replace(/^retry-after\s*:\s*/i, '');
  return believable(readDelay(text, now) ?? readDate(text, now), now) ?? readNotBefore(text, now);
}

/**
 * The same from a sentence: "retry after 20 seconds", "try again in 1h30m", "resets 4pm (America/Chicago)",
 * "try again at 3:15 PM". A time of day without a zone is taken for UTC, one that has passed is tomorrow's.
 */
export function readNotBefore(text: string, now: Date): string | null {
  return (
    believable(readDelayWithin(text, now), now) ??
    believable(readDateWithin(text, now), now) ??
    believable(readClockTime(text, now), now)
  );
}

const longest = 1_000;
const year = 366 * 24 * 60 * 60 * 1_000;

function believable(time: number | undefined, now: Date): string | null {
  return time !== undefined && time >= now.getTime() && time <= now.getTime() + year ? new Date(time).toISOString() : null;
}

const number = String.raw`\d{1,12}(?:\.\d{1,6})?`;
const unit = '(?:milliseconds?|msecs?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d)';
const amount = String.raw`${number}\s{0,3}${unit}(?![a-z])`;
const duration = String.raw`${amount}(?:,?\s{0,3}(?:and\s{1,3})?${amount}){0,4}`;

const wholeDelay = new RegExp(String.raw`^(?:${number}|${duration})$`, 'i');
/** A number without a unit is of seconds, and only behind the name of the field. */
const delayWithin = [
  new RegExp(
    String.raw`\bretry[-_ ]?(?:after|delay)["']?\s{0,3}[:=]?\s{0,3}["']?(${duration}|${number}(?![ \t]{0,3}[\w:/-]|\.\d))`,
    'i',
  ),
  new RegExp(
    String.raw`\b(?:try again|retry|resets?|available(?: again)?|wait)(?:\s{1,3}(?:in|after|for))?(?:\s{1,3}(?:about|approximately|at least))?\s{1,3}(${duration})`,
    'i',
  ),
];

const readDelay = (text: string, now: Date): number | undefined =>
  wholeDelay.test(text) ? now.getTime() + milliseconds(text) : undefined;

function readDelayWithin(text: string, now: Date): number | undefined {
  const found = delayWithin.map((pattern) => pattern.exec(text)?.[1]).find((delay) => delay !== undefined);
  return found === undefined ? undefined : now.getTime() + milliseconds(found);
}

function milliseconds(text: string): number {
  const amounts = [...text.toLowerCase().matchAll(/([\d.]+)\s*([a-z]*)/g)];
  return Math.ceil(amounts.reduce((sum, [, count, name]) => sum + Number(count) * sizeOf(name ?? ''), 0));
}

function sizeOf(name: string): number {
  if (/^m(s|illi)/.test(name)) return 1;
  return sizes[name.charAt(0)] ?? 1_000;
}

const sizes: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000 };

function readDate(text: string, now: Date): number | undefined {
  const iso = readIsoTime(text);
  return Number.isNaN(iso) ? readHttpDate(text, now) : iso;
}

const dateWithin =
  /\b(?:after|until|at|again|resets?)["']?\s{0,3}[:=]?\s{0,3}["']?(\d{4}-\d\d-\d\dT[\d:.]{8,18}(?:Z|[+-]\d\d:\d\d)|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), [\w: ]{17,22} GMT)/;

function readDateWithin(text: string, now: Date): number | undefined {
  const found = dateWithin.exec(text)?.[1];
  return found === undefined ? undefined : readDate(found, now);
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const clock = String.raw`(?<hour>[01]\d|2[0-3]):(?<minute>[0-5]\d):(?<second>[0-5]\d|60)`;
const httpDates = [
  new RegExp(String.raw`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?<day>\d\d) (?<month>[A-Z][a-z]{2}) (?<year>\d{4}) ${clock} GMT$`),
  new RegExp(
    String.raw`^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (?<day>\d\d)-(?<month>[A-Z][a-z]{2})-(?<year>\d\d) ${clock} GMT$`,
  ),
  new RegExp(String.raw`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?<month>[A-Z][a-z]{2}) (?<day>[ \d]\d) ${clock} (?<year>\d{4})$`),
];

/** RFC 9110: IMF-fixdate, and the obsolete forms of RFC 850 and of asctime. */
function readHttpDate(text: string, now: Date): number | undefined {
  const found = httpDates.map((form) => form.exec(text)?.groups).find((groups) => groups !== undefined);
  if (!found) return undefined;
  const month = months.indexOf(found.month ?? '');
  const [full, day] = [fullYear(found.year ?? '', now), Number(found.day)];
  if (month < 0 || !isDay(full, month + 1, day)) return undefined;
  return Date.UTC(full, month, day, Number(found.hour), Number(found.minute), Number(found.second));
}

/** RFC 9110: two digits that seem to be more than fifty years ahead are of the century before. */
function fullYear(digits: string, now: Date): number {
  if (digits.length > 2) return Number(digits);
  const thisYear = now.getUTCFullYear();
  const candidate = thisYear - (thisYear % 100) + Number(digits);
  return candidate > thisYear + 50 ? candidate - 100 : candidate;
}
