import { pause } from '../pause.js';
import type { Pace } from '../projections/rebuild/log-of-part.js';

/** How long a change of the rate may go unnoticed, in ms. */
const sliceMs = 200;

/** Keeps a fill to so many events per second, all of its parts together. The rate may change while it waits. */
export class RatePace implements Pace {
  private last: Promise<void> = Promise.resolve();

  /** null: as fast as it can */
  constructor(public eventsPerSecond: number | null) {}

  take(events: number, signal: AbortSignal): Promise<void> {
    return (this.last = this.last.then(() => this.wait(events, signal)));
  }

  private async wait(events: number, signal: AbortSignal): Promise<void> {
    for (let left = events; left > 0 && this.eventsPerSecond !== null && !signal.aborted;) {
      const perMs = this.eventsPerSecond / 1_000;
      const started = performance.now();
      await pause(Math.min(sliceMs, left / perMs), signal);
      left -= (performance.now() - started) * perMs;
    }
  }
}
