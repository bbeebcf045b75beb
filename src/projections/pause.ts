import { setTimeout as delay } from 'node:timers/promises';

/** Ends early, and quietly, when `signal` does. */
export const pause = (milliseconds: number, signal?: AbortSignal): Promise<void> =>
  delay(milliseconds, undefined, { signal, ref: false }).catch(() => {});
