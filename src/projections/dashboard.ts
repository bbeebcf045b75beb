import type { OpenStatus, RunStatus } from '../events/run.js';
import { change, projection, type Change } from './projection.js';

/** How the runs that were opened on one UTC day stand now. */
export interface DashboardRow {
  readonly company: string;
  /** `2026-04-20` */
  readonly day: string;
  readonly queued: number;
  readonly running: number;
  readonly parked: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly timed_out: number;
  readonly cancelled: number;
}

export const dashboard = projection<DashboardRow>({
  name: 'dashboard',
  version: 1,
  key: ['company', 'day'],
  keyedBy: 'wider',
  on: {
    RunQueued: ({ company, data }) => opened(company, data.queuedAt, 'queued'),
    RetryScheduled: ({ company, data }) => opened(company, data.queuedAt, 'scheduled_retry'),
    RetryPromoted: ({ company, data }) => moved(company, data, 'queued'),
    RunStarted: ({ company, data }) => moved(company, data, 'running'),
    RunSucceeded: ({ company, data }) => moved(company, data, 'succeeded'),
    RunFailed: ({ company, data }) => moved(company, data, 'failed'),
    RunTimedOut: ({ company, data }) => moved(company, data, 'timed_out'),
    RunCancelled: ({ company, data }) => moved(company, data, 'cancelled'),
    RetrySuperseded: ({ company, data }) => moved(company, data, 'cancelled'),
  },
});

const columns = {
  queued: 'queued',
  scheduled_retry: 'parked',
  running: 'running',
  succeeded: 'succeeded',
  failed: 'failed',
  timed_out: 'timed_out',
  cancelled: 'cancelled',
} as const satisfies Record<RunStatus, keyof DashboardRow>;

const emptyDay = { queued: 0, running: 0, parked: 0, succeeded: 0, failed: 0, timed_out: 0, cancelled: 0 };

function opened(company: string, at: string, to: OpenStatus): Change<DashboardRow> {
  const day = at.slice(0, 10);
  return change([company, day], (row = { company, day, ...emptyDay }) => ({ ...row, [columns[to]]: row[columns[to]] + 1 }));
}

/** A run stays with the day on which it was opened, however long it takes. */
function moved(company: string, { queuedAt, from }: { queuedAt: string; from: OpenStatus }, to: RunStatus): Change<DashboardRow> {
  const day = queuedAt.slice(0, 10);
  return change([company, day], (row = { company, day, ...emptyDay }) => {
    const left = { ...row, [columns[from]]: row[columns[from]] - 1 };
    return { ...left, [columns[to]]: left[columns[to]] + 1 };
  });
}
