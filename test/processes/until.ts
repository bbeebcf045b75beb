import { setTimeout as pause } from 'node:timers/promises';

/** Waits until `look` answers something, and answers that. Fails, saying what was waited for, after `ms`. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  ms = 30_000,
): Promise<T> {
  const deadline = performance.now() + ms;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${ms} ms`);
    await pause(20);
  }
}
