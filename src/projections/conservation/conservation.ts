import type { TaskId } from '../../events/event.js';
import { LaneAccount, type AccountedEvent, type ConservationRow } from './lane-account.js';
import { change, projection, type Change, type Handlers } from '../projection.js';

export const conservation = projection<ConservationRow>({
  name: 'demand_conservation',
  version: 1,
  key: ['company', 'task'],
  keyedBy: 'stream',
  on: {
    WakeupRequested: accounted,
    WakeupCoalesced: accounted,
    WakeupDeferred: accounted,
    WakeupSkipped: accounted,
    WakeupCancelled: accounted,
    RunQueued: accounted,
    RetryScheduled: accounted,
    RetryPromoted: accounted,
    RunStarted: accounted,
    ProcessRecorded: accounted,
    RunDetached: accounted,
    RunReattached: accounted,
    RunWentSilent: accounted,
    SilenceDecided: accounted,
    RunSucceeded: accounted,
    RunFailed: accounted,
    RunTimedOut: accounted,
    RunCancelled: accounted,
    RetrySuperseded: accounted,
  } satisfies Required<Pick<Handlers<ConservationRow>, AccountedEvent['type']>>,
});

function accounted(event: AccountedEvent): Change<ConservationRow> {
  const { company, subject } = event;
  return change([company, subject], (row = unopened(company, subject)) => new LaneAccount(row).record(event).row());
}

export const unopened = (company: string, task: TaskId): ConservationRow => ({
  company,
  task,
  requested: 0,
  delivered: 0,
  coalesced: 0,
  skipped: 0,
  cancelled: 0,
  open: 0,
  demands: {},
  runs: {},
  adrift: {},
  stranded: 0,
  last_run: 0,
  command_id: '',
  violations: 0,
  first_violation: null,
});
