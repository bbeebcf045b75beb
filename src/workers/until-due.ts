import type { Clock } from '../commands/ledger.js';
import type { EventStore } from '../event-store/event-store.js';
import type { Position } from '../events/event.js';
import type { Bells } from './bells.js';

/** A read model of what is due. */
export interface DueTimes {
  /** Waits until it shows the event at this position. Throws ProjectionBehind. */
  caughtUp(position: Position): Promise<void>;
  nextDue(): Promise<string | undefined>;
}

export interface SleepPorts {
  readonly store: Pick<EventStore, 'head'>;
  readonly clock: Clock;
  readonly bells: Bells;
}

/** The longest that a loop relies on its bell: another process may have heard of something, and this one not yet. */
const longestWaitMs = 5_000;

/** Sleeps until the first is due, or `bell` is rung since there may be an earlier one. False: something is due already, and nobody slept. */
export async function sleptUntilDue(
  list: DueTimes,
  bell: string,
  { store, clock, bells }: SleepPorts,
  signal: AbortSignal,
): Promise<boolean> {
  await list.caughtUp(await store.head());
  const next = await list.nextDue();
  const ms = next === undefined ? longestWaitMs : Date.parse(next) - clock.now().getTime();
  if (ms <= 0) return false;
  await bells.wait(bell, Math.min(ms, longestWaitMs), signal);
  return true;
}
