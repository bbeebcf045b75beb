import { nameUuid } from '../events/event.js';
import type { Dispatch } from '../commands/dispatch.js';
import type { Clock } from '../commands/ledger.js';
import { reportRunLost } from '../commands/run.js';
import { pause, type Loop } from './loop.js';
import type { PostgresLeases, Revoked } from './leases.js';

/** Running runs whose lane nobody holds: the list is a moment old, the decision is not. */
export interface Unheld {
  unheldRuns(limit: number): Promise<Revoked[]>;
}

const everyMs = 1_000;
const batch = 100;

/**
 * Finds the runs of workers that are not heard of any more. A lease is revoked before its loss is reported, and removed after, so that
 * no successor starts beside a worker that may still report. After a start, and after the database was away, nobody is lost until
 * a beat could have come for one whole lease.
 */
export function reaper(ports: { dispatch: Dispatch; leases: PostgresLeases; runs: Unheld; clock: Clock }): Loop {
  const { dispatch, leases, runs, clock } = ports;
  let since = clock.now();
  const report = async (lost: Revoked) => {
    const { company, runId: run, beaten } = lost;
    const commandId = nameUuid('lost', company, run);
    await dispatch.send(reportRunLost, { company, run, beaten }, { commandId, actor: { type: 'system', id: 'reaper' } });
  };
  return {
    name: 'reaper',
    reset: () => (since = clock.now()),
    async turn(signal) {
      const revoked = await leases.revoke(since, batch);
      for (const lost of revoked) {
        await report(lost);
        await leases.forget(lost);
      }
      if (clock.now().getTime() - since.getTime() > 30_000) for (const lost of await runs.unheldRuns(batch)) await report(lost);
      if (revoked.length < batch) await pause(everyMs, signal);
    },
  };
}
