import { randomUUID } from 'node:crypto';
import type { Dispatch } from '../commands/dispatch.js';
import { reportSilence, silenceAfter } from '../commands/silence.js';
import { pause } from '../pause.js';
import type { RunStatusQueries, SilentRun } from '../projections/run-queries.js';
import type { Loop } from './loop.js';

const everyMs = 30_000;
const batch = 100;

/** Points out runs that say nothing. Whether it is news, and to whom, is decided on the run; nothing is ended for it. */
export const silenceWatch = (ports: {
  readonly dispatch: Pick<Dispatch, 'send'>;
  readonly runs: Pick<RunStatusQueries, 'silentRuns'>;
}): Loop => ({
  name: 'the watch over silent runs',
  async turn(signal) {
    await pause(everyMs, signal);
    if (!signal.aborted) await reportSilentRuns(ports);
  },
});

export async function reportSilentRuns({ dispatch, runs }: Parameters<typeof silenceWatch>[0]): Promise<void> {
  for (let after: SilentRun | undefined; ;) {
    const silent = await runs.silentRuns(silenceAfter.suspicious, batch, after);
    for (const { company, runId: run, lastOutputAt } of silent) {
      const context = { commandId: randomUUID(), actor: { type: 'system', id: 'silence-watch' } } as const;
      await dispatch.send(reportSilence, { company, run, lastOutputAt }, context);
    }
    after = silent.at(-1);
    if (silent.length < batch) return;
  }
}
