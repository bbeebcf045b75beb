import type { Log } from '../log.js';
import { backOff, pause } from '../pause.js';

/** Something that a process does again and again until it is told to end. */
export interface Loop {
  readonly name: string;
  /** One round; it waits by itself for the next one to be of use. */
  turn(signal: AbortSignal): Promise<void>;
  /** After a round failed, and before the first: what it was sure of, it is not any more. */
  reset?(): void;
}

const waits = { firstMs: 100, mostMs: 5_000 };

/** Runs a loop until `signal`. What goes wrong is said once, tried again with growing pauses, and said again when it is well. */
export async function runLoop(loop: Loop, signal: AbortSignal, log: Log): Promise<void> {
  let failures = 0;
  loop.reset?.();
  while (!signal.aborted) {
    try {
      await loop.turn(signal);
      if (failures > 0) log.info(`${loop.name} goes on after ${failures} failed rounds`);
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      if (failures++ === 0)
        log.warn(`${loop.name} does not get on and tries again: ${error instanceof Error ? error.message : String(error)}`);
      loop.reset?.();
      await pause(backOff(failures, waits), signal);
    }
  }
}
