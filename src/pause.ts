import { setTimeout as sleep } from 'node:timers/promises';

/** Ends early, and quietly, when `signal` does. */
export const pause = (ms: number, signal?: AbortSignal): Promise<void> => sleep(ms, undefined, { signal }).catch(() => {});

/** How long to wait before the next attempt, in ms: twice as long each time, and never in step with other processes. */
export const backOff = (attempt: number, { firstMs, mostMs }: { firstMs: number; mostMs: number }): number =>
  Math.min(firstMs * 2 ** attempt, mostMs) * (0.5 + Math.random() / 2);
