import { nameUuid } from '../events/event.js';
import type { Dispatch } from '../commands/dispatch.js';
import type { Clock } from '../commands/ledger.js';
import { reportRunLost } from '../commands/run.js';
import { pause, type Loop } from './loop.js';
import type { PostgresLeases, Revoked } from './leases.js';
import type { UnheldRuns } from './unheld-runs.js';

const everyMs = 1_000;
const batch = 100;
const standstillMs = 5_000;
/** Runs without any lease are rare, and a list of all that run is read for them. */
const unheldEvery = 10;

/**
 * Finds the runs of workers that are not heard of any more. A lease is revoked before its loss is reported, and removed after, so that
 * no successor starts beside a worker that may still report. After a start, a standstill, and an outage of the database, nobody is lost until
 * a beat could have come for one whole lease.
 */
export function reaper(ports: { dispatch: Dispatch; leases: PostgresLeases; runs: UnheldRuns; clock: Clock }): Loop {
  const { dispatch, leases, runs, clock } = ports;
  let since = clock.now();
  let turns = 0;
  let lastTurn = performance.now();
  // A process that stood still, with its machine or by a signal, took no beats either.
  const startAnewAfterStandstill = () => {
    if (performance.now() - lastTurn > standstillMs) since = clock.now();
    lastTurn = performance.now();
  };
  const report = async (lost: Revoked) => {
    const { company, runId: run, beaten } = lost;
    const commandId = nameUuid('lost', company, run);
    await dispatch.send(reportRunLost, { company, run, beaten }, { commandId, actor: { type: 'system', id: 'reaper' } });
  };
  return {
    name: 'reaper',
    reset: () => (since = clock.now()),
    async turn(signal) {
      startAnewAfterStandstill();
      const revoked = await leases.revoke(since, batch);
      for (const lost of revoked) {
        await report(lost);
        await leases.forget(lost);
      }
      const isSure = clock.now().getTime() - since.getTime() > 30_000;
      if (isSure && turns++ % unheldEvery === 0) for (const lost of await runs.unheldRuns(batch)) await report(lost);
      if (revoked.length < batch) await pause(everyMs, signal);
    },
  };
}
