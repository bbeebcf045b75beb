/** Something that a process does again and again until it is told to end. */
export interface Loop {
  readonly name: string;
  /** One round; it waits by itself for the next one to be of use. */
  turn(signal: AbortSignal): Promise<void>;
  /** After a round failed, and before the first: what it was sure of, it is not any more. */
  reset?(): void;
}

export interface LoopLog {
  warn(sentence: string): void;
  info(sentence: string): void;
}

const longestPauseMs = 5_000;

/** Runs a loop until `signal`. What goes wrong is said once, tried again with growing pauses, and said again when it is well. */
export async function runLoop(loop: Loop, signal: AbortSignal, log: LoopLog): Promise<void> {
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
      await pause(Math.min(100 * 2 ** failures, longestPauseMs) * (0.5 + Math.random() / 2), signal);
    }
  }
}

export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
