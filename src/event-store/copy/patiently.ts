import { backOff, pause } from '../../pause.js';
import { StoreSealed, StoreUnavailable } from '../event-store.js';

const forMs = 60_000;
const waits = { firstMs: 100, mostMs: 2_000 };

/** Does again, for a minute, what fails because a store is away. Only for what may be done twice. */
export async function patiently<T>(work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      const isAway = error instanceof StoreUnavailable && !(error instanceof StoreSealed);
      if (!isAway || performance.now() - started > forMs) throw error;
      await pause(backOff(attempt, waits));
    }
  }
}
