import { isDay } from './iso-time.js';

/**
 * The next moment, ms since 1970, at which a clock shows the time of day that a provider names: "resets 4pm
 * (America/Chicago)", "try again at 3:15 PM (UTC)", "resets at 11:30 am America/New_York", "resets Oct 9 at 11am".
 * A time without a zone is taken for UTC, because whose clock the provider meant is not known here. Undefined for what
 * names no such time, or a zone that does not exist.
 */
export function readClockTime(text: string, now: Date): number | undefined {
  const found = clockTime.exec(text)?.groups;
  if (!found) return undefined;
  const zone = zoneOf(found);
  const time = timeOfDay(found);
  if (zone === undefined || time === undefined) return undefined;
  return found.month === undefined ? nextTime(time, zone, now) : nextDate(found, time, zone, now);
}

const clockTime = new RegExp(
  [
    String.raw`\b(?:try again|retry|resets?|available(?: again)?|until)(?: at| on| after)?:?\s{1,3}`,
    String.raw`(?:(?<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.? (?<day>\d{1,2})(?:st|nd|rd|th)?,?(?: (?<year>\d{4}),?)? (?:at )?)?`,
    String.raw`(?<hour>\d{1,2})(?:(?::(?<minute>[0-5]\d))?\s{0,3}(?<half>[ap])\.?m\b\.?|:(?<minutes>[0-5]\d)(?!\d))`,
    String.raw`(?:\s{0,3}\((?<bracketed>[^()\r\n]{1,64})\)|\s{1,3}(?<bare>[A-Za-z_]{1,32}(?:\/[A-Za-z_+-]{1,32}){1,2}|[A-Z]{1,5}\b))?`,
  ].join(''),
  'i',
);

type Groups = Readonly<Record<string, string | undefined>>;

interface TimeOfDay {
  readonly hour: number;
  readonly minute: number;
}

function timeOfDay({ hour, minute, minutes, half }: Groups): TimeOfDay | undefined {
  const given = Number(hour);
  if (half === undefined) return given <= 23 ? { hour: given, minute: Number(minutes) } : undefined;
  if (given < 1 || given > 12) return undefined;
  return { hour: (given % 12) + (half.toLowerCase() === 'p' ? 12 : 0), minute: Number(minute ?? 0) };
}

/** What stands in brackets is meant as a zone; a bare word may just go on with the sentence. */
function zoneOf({ bracketed, bare }: Groups): string | undefined {
  if (bracketed !== undefined) return knownZone(bracketed.trim());
  return bare === undefined ? 'UTC' : (knownZone(bare) ?? 'UTC');
}

/** The place whose clock people mean by EST, PDT or CET. */
export const abbreviatedZone = (name: string): string | undefined => abbreviations[name.toUpperCase()];

function knownZone(name: string): string | undefined {
  const abbreviated = abbreviatedZone(name);
  if (abbreviated) return abbreviated;
  try {
    return name.includes('/') ? new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone : undefined;
  } catch {
    return undefined;
  }
}

/** People write EST in summer too: an abbreviation means the place, not the offset. */
const abbreviations: Readonly<Record<string, string>> = {
  ...names('UTC', 'UTC', 'GMT', 'Z'),
  ...names('America/New_York', 'ET', 'EST', 'EDT'),
  ...names('America/Chicago', 'CT', 'CST', 'CDT'),
  ...names('America/Denver', 'MT', 'MST', 'MDT'),
  ...names('America/Los_Angeles', 'PT', 'PST', 'PDT'),
  ...names('Europe/London', 'BST'),
  ...names('Europe/Berlin', 'CET', 'CEST'),
  ...names('Asia/Tokyo', 'JST'),
};

function names(zone: string, ...short: string[]): Record<string, string> {
  return Object.fromEntries(short.map((name) => [name, zone]));
}

function nextTime({ hour, minute }: TimeOfDay, zone: string, now: Date): number {
  const today = new Date(wallClock(now.getTime(), zone));
  const at = (days: number) =>
    instant(Date.UTC(today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate() + days, hour, minute), zone);
  const next = at(0);
  return next >= now.getTime() ? next : at(1);
}

function nextDate({ year, month = '', day }: Groups, { hour, minute }: TimeOfDay, zone: string, now: Date): number | undefined {
  const monthIndex = monthNames.indexOf(month.toLowerCase());
  const at = (of: number) =>
    isDay(of, monthIndex + 1, Number(day)) ? instant(Date.UTC(of, monthIndex, Number(day), hour, minute), zone) : undefined;
  if (year !== undefined) return at(Number(year));
  const thisYear = new Date(wallClock(now.getTime(), zone)).getUTCFullYear();
  return [at(thisYear), at(thisYear + 1)].find((time) => time !== undefined && time >= now.getTime());
}

const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** The moment at which the zone's clock shows `wall`; if it is skipped when clocks go forward, that much later. */
function instant(wall: number, zone: string): number {
  const before = wall - offset(wall - 24 * 60 * 60 * 1_000, zone);
  const after = wall - offset(before, zone);
  return wallClock(after, zone) === wall ? after : before;
}

const offset = (time: number, zone: string): number => wallClock(time, zone) - Math.floor(time / 1_000) * 1_000;

/** What the zone's clock shows, as if it were UTC. */
function wallClock(time: number, zone: string): number {
  const format = new Intl.DateTimeFormat('en-US', { ...numeric, timeZone: zone });
  const parts = Object.fromEntries(format.formatToParts(new Date(time)).map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(parts.year!, parts.month! - 1, parts.day, parts.hour, parts.minute, parts.second);
}

const numeric = {
  calendar: 'gregory',
  numberingSystem: 'latn',
  hourCycle: 'h23',
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
  minute: 'numeric',
  second: 'numeric',
} as const;
