import type { DstPolicy } from '../../events/routine.js';
import type { CronTimes } from './cron.js';
import type { Instant, Stretch, Zone } from './zone.js';

export interface Slot {
  readonly at: Instant;
  /** the clock has jumped ahead to it over times that were named */
  readonly shifted: boolean;
}

/**
 * The instants, from `first` on, at which the zone's clock shows one of the times, ascending and each once; what becomes of times
 * that the clock skips or shows twice is for the policy to say.
 */
export function* slotsOf(times: CronTimes, zone: Zone, dst: DstPolicy, first: Instant): Generator<Slot, void> {
  let next: Instant | undefined = first;
  while (next !== undefined) {
    const stretch = zone.stretchAt(next);
    yield* slotsWithin(stretch, times, dst, next);
    next = nextWorthwhile(stretch, times);
  }
}

function* slotsWithin(stretch: Stretch, times: CronTimes, dst: DstPolicy, first: Instant): Generator<Slot, void> {
  const { start, end, offset, shownUntil } = stretch;
  const shifted = first <= start && dst.gap === 'shift' && isAnySkipped(stretch, times);
  if (shifted) yield { at: start, shifted };
  const from = Math.max(first, shifted ? start + 1 : start) + offset;
  let wall = times.atOrAfter(dst.overlap === 'once' ? Math.max(from, shownUntil) : from);
  while (wall !== undefined && wall < end + offset) {
    yield { at: wall - offset, shifted: false };
    wall = times.atOrAfter(wall + 1);
  }
}

function isAnySkipped({ start, offset, shownUntil }: Stretch, times: CronTimes): boolean {
  const skipped = shownUntil < start + offset ? times.atOrAfter(shownUntil) : undefined;
  return skipped !== undefined && skipped < start + offset;
}

/** Further than this a clock on the wall is never from UTC, nor is it ever put back so far. */
const twoDays = 2 * 24 * 60 * 60 * 1_000;

/** From where on slots may come after the stretch: the years in which no such time is shown are passed over. */
function nextWorthwhile({ end, offset }: Stretch, times: CronTimes): Instant | undefined {
  const wall = times.atOrAfter(end + offset - twoDays);
  return wall === undefined ? undefined : Math.max(end, wall - twoDays);
}
