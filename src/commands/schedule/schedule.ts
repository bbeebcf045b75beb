import type { DstPolicy, Schedule } from '../../events/routine.js';
import { isEveryHour, readCron, refuseNever } from './cron.js';
import { slotsOf, type Slot } from './slots.js';
import { zoneNamed, type Instant, type Zone } from './zone.js';

/** @throws ScheduleRefused for an expression that cannot be read or never fires, and for a zone that there is not */
export function refuseUnfit({ cron, zone }: Schedule): void {
  refuseNever(cron);
  zoneNamed(zone);
}

/** Ascending, each instant once, `first` included if it is one; made as they are asked for. @throws ScheduleRefused */
export function* slotsFrom(schedule: Schedule, first: Date): Generator<Date, void> {
  for (const { at } of slotsOf(readCron(schedule.cron), zoneNamed(schedule.zone), schedule.dst, first.getTime()))
    yield new Date(at);
}

/**
 * Where a definition says nothing of daylight saving: a time that is skipped comes as soon as the clock goes on, one that is shown
 * twice comes once. An expression that names no hour asks for a rhythm, and keeps it: one of each minute would be silent for an hour
 * each autumn otherwise.
 * @throws ScheduleRefused cron_invalid
 */
export const usualDst = (cron: string): DstPolicy =>
  isEveryHour(cron) ? { gap: 'skip', overlap: 'twice' } : { gap: 'shift', overlap: 'once' };

export interface UpcomingSlot {
  /** ISO 8601 in UTC */
  readonly at: string;
  /** what the zone's clock shows then, with its offset: `2026-03-29T03:00:00+02:00` */
  readonly local: string;
  /**
   * `shifted`: the clock has jumped to it over a time that was asked for. The others: the clock shows this time twice. None: an
   * ordinary slot.
   */
  readonly dst?: DstMark;
}

export const dstMarks = ['shifted', 'first of two', 'second of two'] as const;
export type DstMark = (typeof dstMarks)[number];

/** The next `count` slots after an instant, fewer where no more come. @throws ScheduleRefused */
export function upcoming(schedule: Schedule, after: Date, count: number): UpcomingSlot[] {
  const zone = zoneNamed(schedule.zone);
  const slots: UpcomingSlot[] = [];
  for (const slot of slotsOf(readCron(schedule.cron), zone, schedule.dst, after.getTime() + 1)) {
    if (slots.length === count) break;
    slots.push(shown(slot, zone));
  }
  return slots;
}

function shown(slot: Slot, zone: Zone): UpcomingSlot {
  const mark = slot.shifted ? 'shifted' : repeatOf(slot.at, zone);
  const at = new Date(slot.at).toISOString();
  return { at, local: localTime(slot.at, zone), ...(mark && { dst: mark }) };
}

function repeatOf(at: Instant, zone: Zone): DstMark | undefined {
  const { offset, shownUntil, end } = zone.stretchAt(at);
  if (at + offset < shownUntil) return 'second of two';
  return at + offset >= end + zone.stretchAt(end).offset ? 'first of two' : undefined;
}

function localTime(at: Instant, zone: Zone): string {
  const { offset } = zone.stretchAt(at);
  return new Date(at + offset).toISOString().slice(0, 19) + writtenOffset(offset / 1_000);
}

/** `+05:45`; of former times also `-00:44:30` */
function writtenOffset(seconds: number): string {
  const size = Math.abs(seconds);
  const parts = [Math.trunc(size / 3_600), Math.trunc(size / 60) % 60, ...(size % 60 === 0 ? [] : [size % 60])];
  return (seconds < 0 ? '-' : '+') + parts.map((part) => String(part).padStart(2, '0')).join(':');
}
