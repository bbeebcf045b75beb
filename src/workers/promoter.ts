import { randomUUID } from 'node:crypto';
import type { Dispatch } from '../commands/dispatch.js';
import { promoteDueRetries, type DueRetries } from '../commands/promote-due-retries.js';
import { retriesBell } from './bells.js';
import type { Loop } from './loop.js';
import { sleptUntilDue, type SleepPorts } from './until-due.js';

/** Promotes parked runs at their due time. It sleeps until the next one, and is rung when there may be an earlier one. */
export const promoter = (ports: SleepPorts & { readonly dispatch: Dispatch; readonly dueRetries: DueRetries }): Loop => ({
  name: 'promoter',
  async turn(signal) {
    if (await sleptUntilDue(ports.dueRetries, retriesBell, ports, signal)) return;
    const { answer } = await ports.dispatch.send(
      promoteDueRetries,
      {},
      { commandId: randomUUID(), actor: { type: 'system', id: 'promoter' } },
    );
    // What is due and held, or could not be had this time, is not asked for again at once.
    if (answer.promoted === 0) await ports.bells.wait(retriesBell, 1_000, signal);
  },
});
