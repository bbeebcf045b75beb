import { pause } from '../pause.js';
import type { Loop } from './loop.js';

const everyMs = 60_000;
const batch = 1_000;
const mostBatches = 100;

/** Removes at most so many rows of what is kept for a day only; answers how many. */
type Expire = (limit: number) => Promise<number>;

/** Forgets what has been kept long enough; some at a time, so that nobody waits for it. */
export const expiry = (kinds: readonly Expire[]): Loop => ({
  name: 'the expiry of keys, workers and processes',
  async turn(signal) {
    await pause(everyMs, signal);
    for (const expire of kinds)
      for (let batches = 0; batches < mostBatches && !signal.aborted; batches++) if ((await expire(batch)) < batch) break;
  },
});
