import type { WallTime } from './cron.js';
import { ScheduleRefused } from './schedule-refused.js';
import { isZone, zonesLike } from './zone-names.js';
import { quoted } from './cron-fields.js';

/** An instant, ms since 1970. */
export type Instant = number;

/** A time within one year of UTC in which a zone's clock goes on without a jump. */
export interface Stretch {
  readonly start: Instant;
  /** not within it any more */
  readonly end: Instant;
  /** what is added to an instant to have what the clock shows, ms */
  readonly offset: number;
  /**
   * The clock has shown all before this when the stretch starts. Where it has jumped ahead, this is before `start + offset`: what
   * lies between is never shown. Where it was put back, it is later: what lies between is shown a second time.
   */
  readonly shownUntil: WallTime;
}

export interface Zone {
  /** The stretch that the instant lies in. */
  readonly stretchAt: (at: Instant) => Stretch;
}

/** By its IANA name, or an alias of it. @throws ScheduleRefused zone_unknown, with the nearest that there are */
export function zoneNamed(name: string): Zone {
  const known = zones.get(name.toLowerCase());
  if (known) return known;
  if (!isZone(name)) throw unknown(name);
  const zone = zoneBy(offsetsOf(name));
  zones.set(name.toLowerCase(), zone);
  return zone;
}

const zones = new Map<string, Zone>();

function unknown(name: string): ScheduleRefused {
  const like = zonesLike(name);
  const instead = like.length > 0 ? `did you mean ${like.join(' or ')}?` : 'write one as Europe/Berlin, or UTC';
  return new ScheduleRefused('zone_unknown', `zone is ${quoted(name)}, which is no IANA time zone: ${instead}`);
}

type OffsetAt = (at: Instant) => number;

/** Makes the stretches of a year when they are first asked for. */
function zoneBy(offsetAt: OffsetAt): Zone {
  const years = new Map<number, readonly Stretch[]>();
  const ofYear = (year: number): readonly Stretch[] => {
    const known = years.get(year) ?? stretchesOf(year, offsetAt);
    years.set(year, known);
    return known;
  };
  return { stretchAt: (at) => ofYear(new Date(at).getUTCFullYear()).findLast(({ start }) => start <= at)! };
}

const day = 24 * 60 * 60 * 1_000;

/** A change shortly before the year reaches into it: what the clock shows twice may be on both sides of New Year. */
function stretchesOf(year: number, offsetAt: OffsetAt): Stretch[] {
  const [newYear, end] = [Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1)];
  const stretches: Stretch[] = [];
  let start = newYear - 2 * day;
  let shownUntil = start + offsetAt(start);
  for (const change of [...changesWithin(start, end, offsetAt), end]) {
    const offset = offsetAt(start);
    stretches.push({ start, end: change, offset, shownUntil });
    shownUntil = Math.max(shownUntil, change + offset);
    start = change;
  }
  return stretches.filter((one) => one.end > newYear).map((one) => begunAt(newYear, one));
}

const begunAt = (start: Instant, stretch: Stretch): Stretch =>
  stretch.start >= start ? stretch : { ...stretch, start, shownUntil: Math.max(stretch.shownUntil, start + stretch.offset) };

/** No zone has changed its offset and gone back to it within three days since 1900. */
const probe = 3 * day;

function changesWithin(start: Instant, end: Instant, offsetAt: OffsetAt): Instant[] {
  const changes: Instant[] = [];
  for (let at = start; at < end; at += probe) {
    const next = Math.min(at + probe, end);
    if (offsetAt(at) !== offsetAt(next)) changes.push(changeWithin(at, next, offsetAt));
  }
  return changes;
}

/** Clocks are changed on a whole second. */
function changeWithin(before: Instant, after: Instant, offsetAt: OffsetAt): Instant {
  let [low, high] = [before, after];
  while (high - low > 1_000) {
    const middle = low + Math.floor((high - low) / 2_000) * 1_000;
    if (offsetAt(middle) === offsetAt(before)) low = middle;
    else high = middle;
  }
  return high;
}

/** Intl writes an offset as `GMT`, `GMT+05:45`, and in former times `GMT-00:44:30`. */
function offsetsOf(zone: string): OffsetAt {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
  return (at) => {
    const [, sign, hours, minutes, seconds = '0'] = offsetWritten.exec(format.format(at)) ?? [];
    if (sign === undefined) return 0;
    return (sign === '-' ? -1_000 : 1_000) * (Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds));
  };
}

const offsetWritten = /GMT([+-])(\d\d):(\d\d)(?::(\d\d))?$/;
