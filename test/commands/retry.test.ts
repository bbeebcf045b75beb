import { retryNow, scheduleRetry } from '../../src/commands/retry.js';
import {
  assignedTo,
  at,
  chainOf,
  failedRun,
  fact,
  moving,
  movedTo,
  parked,
  parkedRetry,
  promoted,
  queued,
  requested,
  runningRun,
  started,
  succeeded,
  timedOut,
  waitingRun,
  withFixer,
} from '../facts.js';
import { given } from '../given.js';

const run = { company: 'acme', run: 'ACME-12.1' };
const retryRun = { company: 'acme', run: 'ACME-12.2' };
const scheduled = {
  outcome: 'scheduled',
  run: {
    id: 'ACME-12.2',
    status: 'scheduled_retry',
    cause: 'retry',
    retryOf: 'ACME-12.1',
    retryReason: 'transient_failure',
    maxAttempts: 4,
    scheduledRetryAt: '2026-04-20T12:02:00.000Z',
  },
  dueAt: '2026-04-20T12:02:00.000Z',
  attempt: 1,
  maxAttempts: 4,
};
const cancelledRetry = fact('RunCancelled', {
  ...moving(2, 'scheduled_retry'),
  code: 'cancelled',
  reason: 'enough',
  intent: 'stop',
  wakeups: 'cancelled',
  cancelledAt: '2026-04-20T12:01:00.000Z',
});

describe('ScheduleRetry', () => {
  it('waits two minutes before the first retry, and records the whole decision', () =>
    given(...failedRun)
      .when(scheduleRetry, run)
      .answering(scheduled)
      .then(
        { type: 'WakeupRequested', data: { reason: 'transient_failure_retry', payload: { retryOf: 'ACME-12.1', attempt: 1 } } },
        {
          type: 'RetryScheduled',
          data: {
            runId: 'ACME-12.2',
            retryOf: 'ACME-12.1',
            chain: 'ACME-12.1',
            agent: 'fixer',
            attempt: 1,
            maxAttempts: 4,
            reason: 'transient_failure',
            baseDelayMs: 120_000,
            jitter: 0.5,
            delayMs: 120_000,
            dueAt: '2026-04-20T12:02:00.000Z',
            policy: { name: 'default', version: 1 },
            errorFamily: 'unknown',
          },
        },
      ));
  it('takes a run that timed out as well', () =>
    given(...runningRun, timedOut(1))
      .when(scheduleRetry, run)
      .then({ type: 'WakeupRequested' }, { type: 'RetryScheduled' }));
  it('answers from the retry that is there already, parked or at work', () => {
    given(...parkedRetry)
      .when(scheduleRetry, run)
      .answering(scheduled)
      .thenNothing();
    given(...parkedRetry, promoted(2), started(2))
      .when(scheduleRetry, run)
      .answering({ ...scheduled, run: { status: 'running' } })
      .thenNothing();
  });
  it('puts a new retry in the place of one that was cancelled before it began', () =>
    given(...parkedRetry, cancelledRetry)
      .when(scheduleRetry, run)
      .then({ type: 'WakeupRequested' }, { type: 'RetryScheduled', data: { runId: 'ACME-12.3', attempt: 1 } }));
  it('says once that the attempts are used up, and leaves the task to whoever asked', () => {
    given(...chainOf(4))
      .when(scheduleRetry, { ...run, run: 'ACME-12.5' })
      .answering({ outcome: 'retry_exhausted', attempt: 5, maxAttempts: 4 })
      .then({
        type: 'RetryExhausted',
        data: { runId: 'ACME-12.5', attempts: 4, maxAttempts: 4, reason: 'transient_failure' },
      });
    const exhausted = fact('RetryExhausted', {
      runId: 'ACME-12.5',
      agent: 'fixer',
      chain: 'ACME-12.1',
      attempts: 4,
      maxAttempts: 4,
      reason: 'transient_failure',
      exhaustedAt: at('12:00').toISOString(),
    });
    given(...chainOf(4), exhausted)
      .when(scheduleRetry, { ...run, run: 'ACME-12.5' })
      .answering({ outcome: 'retry_exhausted', attempt: 5 })
      .thenNothing();
  });
  it('schedules for a paused agent, whose retry is held when it is due', () =>
    given(...failedRun)
      .when(scheduleRetry, run, { agents: withFixer({ status: 'paused' }) })
      .then({ type: 'WakeupRequested' }, { type: 'RetryScheduled' }));
  it.each([
    ['a queued run', waitingRun, 'run_not_retryable', /queued/],
    ['a run at work', runningRun, 'run_not_retryable', /running/],
    ['a run that succeeded', [...runningRun, succeeded(1)], 'run_not_retryable', /succeeded/],
    ['a run of a closed task', [...failedRun, movedTo('done')], 'issue_terminal_status', /done/],
    ['a run of somebody else’s task', [...failedRun, assignedTo('reviewer')], 'run_not_retryable', /reviewer's by now/],
    [
      'a run whose agent is at other work on the lane',
      [...failedRun, requested(2), queued(2)],
      'run_not_retryable',
      /ACME-12\.2 of fixer is queued/,
    ],
    [
      'a run that was repeated after a loss',
      [
        ...failedRun,
        requested(2),
        queued(2, { cause: 'process_lost', chain: 'ACME-12.1', retryOf: 'ACME-12.1' }),
        started(2),
        succeeded(2),
      ],
      'run_not_retryable',
      /ACME-12\.2 has done/,
    ],
  ] as const)('refuses %s', (_, facts, code, sentence) =>
    given(...facts)
      .when(scheduleRetry, run)
      .refuses(code, sentence),
  );
  it('refuses an unknown run', () =>
    given(...failedRun)
      .when(scheduleRetry, { ...run, run: 'ACME-12.8' })
      .refuses('run_not_found'));
  it('refuses the run of an agent that was terminated', () =>
    given(...failedRun)
      .when(scheduleRetry, run, { agents: withFixer({ status: 'terminated' }) })
      .refuses('agent_terminated'));
});

describe('RetryNow', () => {
  it.each([[run], [retryRun]])('promotes before the time, by the name of either run: %o', (named) =>
    given(...parkedRetry)
      .when(retryNow, named)
      .answering({ outcome: 'promoted', run: { id: 'ACME-12.2', status: 'queued' } })
      .then({ type: 'RetryPromoted', data: { trigger: 'manual' } }),
  );
  it('says that it was promoted already', () =>
    given(...parkedRetry, promoted(2))
      .when(retryNow, run)
      .answering({ outcome: 'already_promoted' })
      .thenNothing());
  it('says that there is none', () => {
    given(...failedRun)
      .when(retryNow, run)
      .answering({ outcome: 'no_scheduled_retry' })
      .thenNothing();
    given(...parkedRetry, cancelledRetry)
      .when(retryNow, run)
      .answering({ outcome: 'no_scheduled_retry' })
      .thenNothing();
  });
  it('says what holds it', () =>
    given(...parkedRetry)
      .when(retryNow, run, { agents: withFixer({ status: 'paused' }) })
      .answering({ outcome: 'gate_suppressed', code: 'agent_not_invokable' })
      .thenNothing());
  it('starts nothing for an agent that was terminated', () =>
    given(...parkedRetry)
      .when(retryNow, run, { agents: withFixer({ status: 'terminated' }) })
      .answering({ outcome: 'gate_suppressed', code: 'agent_terminated' })
      .thenNothing());
  it('refuses an unknown run', () =>
    given(...parkedRetry, parked(3))
      .when(retryNow, { ...run, run: 'ACME-12.9' })
      .refuses('run_not_found'));
});
