import { setTimeout as delay } from 'node:timers/promises';

/** Asks again until the answer is true; fails when it did not become so in time. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, ms = 10_000): Promise<void> {
  const deadline = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${ms} ms: ${what}`);
    await delay(10);
  }
}
