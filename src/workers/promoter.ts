import { randomUUID } from 'node:crypto';
import type { Dispatch } from '../commands/dispatch.js';
import type { Clock } from '../commands/ledger.js';
import { promoteDueRetries, type DueRetries } from '../commands/promote-due-retries.js';
import type { EventStore } from '../event-store/event-store.js';
import { retriesBell, type Bells } from './bells.js';
import type { Loop } from './loop.js';

/** The longest that a promoter relies on its bell: another process may have parked a run and this one not have heard of it. */
const longestWaitMs = 5_000;

/** Promotes parked runs at their due time. It sleeps until the next one, and is rung when there may be an earlier one. */
export function promoter(ports: {
  dispatch: Dispatch;
  dueRetries: DueRetries;
  store: EventStore;
  clock: Clock;
  bells: Bells;
}): Loop {
  const { dispatch, dueRetries, store, clock, bells } = ports;
  return {
    name: 'promoter',
    async turn(signal) {
      await dueRetries.caughtUp(await store.head());
      const next = await dueRetries.nextDue();
      const ms = next === undefined ? longestWaitMs : Date.parse(next) - clock.now().getTime();
      if (ms > 0) return bells.wait(retriesBell, Math.min(ms, longestWaitMs), signal);
      const { answer } = await dispatch.send(
        promoteDueRetries,
        {},
        { commandId: randomUUID(), actor: { type: 'system', id: 'promoter' } },
      );
      // What is due and held, or could not be had this time, is not asked for again at once.
      if (answer.promoted === 0) await bells.wait(retriesBell, 1_000, signal);
    },
  };
}
