import { randomUUID } from 'node:crypto';
import { OutcomeUnknown } from '../commands/decider.js';
import type { Dispatch } from '../commands/dispatch.js';
import { reportSilence, silenceAfter } from '../commands/silence.js';
import { StoreUnavailable } from '../event-store/event-store.js';
import type { Log } from '../log.js';
import { pause } from '../pause.js';
import type { RunStatusQueries, SilentRun } from '../projections/run-queries.js';
import type { Loop } from './loop.js';

const everyMs = 30_000;
const batch = 100;

export interface SilencePorts {
  readonly dispatch: Pick<Dispatch, 'send'>;
  readonly runs: Pick<RunStatusQueries, 'silentRuns'>;
  readonly log: Pick<Log, 'warn'>;
}

/**
 * Points out runs that say nothing. Whether it is news is decided on the run, so that it may be said by several processes, and again
 * at every look; nothing is ended for it. A run of which it cannot be said does not hold up the others; it is tried again.
 */
export const silenceWatch = (ports: SilencePorts): Loop => ({
  name: 'the watch over silent runs',
  async turn(signal) {
    await pause(everyMs, signal);
    await reportSilentRuns(ports, signal);
  },
});

export async function reportSilentRuns({ dispatch, runs, log }: SilencePorts, signal?: AbortSignal): Promise<void> {
  const failures: string[] = [];
  for (let after: SilentRun | undefined, isLast = false; !isLast && !signal?.aborted;) {
    const silent = await runs.silentRuns(silenceAfter.suspicious, batch, after);
    for (const run of silent) failures.push(...(await report(dispatch, run)));
    after = silent.at(-1);
    isLast = silent.length < batch;
  }
  if (failures.length > 0) log.warn(`silent runs that could not be pointed out: ${failures.length}; first ${failures[0]}`);
}

/** Answers a sentence if it failed. */
async function report(dispatch: SilencePorts['dispatch'], { company, runId: run, lastOutputAt }: SilentRun): Promise<string[]> {
  const context = { commandId: randomUUID(), actor: { type: 'system', id: 'silence-watch' } } as const;
  try {
    await dispatch.send(reportSilence, { company, run, lastOutputAt }, context);
    return [];
  } catch (error) {
    // Without the store, none of the others can be pointed out either.
    if (error instanceof StoreUnavailable || error instanceof OutcomeUnknown) throw error;
    return [`${run} of ${company}: ${error instanceof Error ? error.message : String(error)}`];
  }
}
