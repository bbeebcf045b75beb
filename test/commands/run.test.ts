import { cancelRun, finishRun, recordProcess, reportRunLost, startRun } from '../../src/commands/run.js';
import {
  assignedTo,
  deferred,
  fact,
  failedRun,
  moving,
  movedTo,
  opened,
  parkedRetry,
  queued,
  requested,
  runningRun,
  started,
  succeeded,
  wakeup,
  waitingRun,
  withFixer,
} from '../facts.js';
import { given } from '../given.js';

const run = { company: 'acme', run: 'ACME-12.1' };
const lease = { token: 'secret', runId: 'ACME-12.1' };
const held = { ...run, lease: 'secret' };
const process = fact('ProcessRecorded', {
  runId: 'ACME-12.1',
  pid: 4_711,
  pgid: null,
  host: 'laptop',
  processStartedAt: '2026-04-20T11:15:00Z',
  recordedAt: '2026-04-20T11:15:01.000Z',
});
const cancelled = fact('RunCancelled', {
  ...moving(1, 'running'),
  code: 'cancelled',
  reason: 'enough',
  intent: 'stop',
  wakeups: 'cancelled',
  cancelledAt: '2026-04-20T11:50:00.000Z',
});

describe('StartRun', () => {
  const start = { ...run, workerId: 'laptop', leaseMs: 30_000 };
  it('starts a queued run, which delivers its demand', () =>
    given(...waitingRun)
      .when(startRun, start)
      .answering({
        started: true,
        run: {
          id: 'ACME-12.1',
          status: 'running',
          cause: 'requested',
          source: 'on_demand',
          wakeups: [wakeup(1)],
          startedAt: '2026-04-20T12:00:00.000Z',
          worker: 'laptop',
          exhausted: false,
          revision: 3,
          context: { reason: 'requested' },
        },
      })
      .then({
        type: 'RunStarted',
        data: { runId: 'ACME-12.1', from: 'queued', workerId: 'laptop', leaseMs: 30_000, wakeupIds: [wakeup(1)] },
      }));
  it('starts a run once', () =>
    given(...runningRun)
      .when(startRun, start)
      .refuses('run_not_queued', /running/));
  it('leaves a run queued behind the one at work on its lane', () =>
    given(...runningRun, requested(2, { agent: 'reviewer', mention: true }), queued(2, { agent: 'reviewer', mention: true }))
      .when(startRun, { ...start, run: 'ACME-12.2' })
      .refuses('lane_busy', /ACME-12\.2 waits for ACME-12\.1/));
  it('leaves the run of a paused agent queued', () =>
    given(...waitingRun)
      .when(startRun, start, { agents: withFixer({ status: 'paused' }) })
      .refuses('agent_not_invokable'));
  it.each([
    ['the task was closed', movedTo('done'), 'issue_terminal_status'],
    ['the task is somebody else’s', assignedTo('reviewer'), 'issue_assignee_changed'],
  ])('ends a run instead when %s', (_, since, code) =>
    given(...waitingRun, since)
      .when(startRun, start)
      .answering({ started: false, run: { status: 'cancelled' } })
      .then({ type: 'RunCancelled', data: { code, intent: 'stop', wakeups: 'skipped' } }),
  );
  it('ends a run of an agent that was terminated', () =>
    given(...waitingRun)
      .when(startRun, start, { agents: withFixer({ status: 'terminated' }) })
      .then({ type: 'RunCancelled', data: { code: 'agent_terminated', reason: 'fixer was terminated' } }));
  it('starts what was asked for beside the assignee all the same', () =>
    given(opened(), requested(1, { mention: true }), queued(1, { mention: true }), movedTo('done'), assignedTo(null))
      .when(startRun, start)
      .then({ type: 'RunStarted' }));
  it('refuses an unknown run', () =>
    given(...waitingRun)
      .when(startRun, { ...start, run: 'ACME-12.9' })
      .refuses('run_not_found', /ACME-12\.1/));
  it('refuses a parked run', () =>
    given(...parkedRetry)
      .when(startRun, { ...start, run: 'ACME-12.2' })
      .refuses('run_not_queued', /scheduled_retry/));
});

describe('RecordProcess', () => {
  const recording = { ...held, pid: 4_711, host: 'laptop', startedAt: '2026-04-20T11:15:00Z' };
  it('records the process once', () => {
    given(...runningRun)
      .when(recordProcess, recording, { lease })
      .then({ type: 'ProcessRecorded', data: { runId: 'ACME-12.1', pid: 4_711, pgid: null, host: 'laptop' } });
    given(...runningRun, process)
      .when(recordProcess, recording, { lease })
      .thenNothing();
  });
  it('refuses another lease', () => {
    given(...runningRun)
      .when(recordProcess, recording)
      .refuses('stale_lease');
    given(...runningRun)
      .when(recordProcess, recording, { lease: { ...lease, token: 'another' } })
      .refuses('stale_lease', /ACME-12\.1 holds the lane/);
  });
});

describe('FinishRun', () => {
  it('says that a run succeeded', () =>
    given(...runningRun)
      .when(finishRun, { ...held, outcome: 'succeeded', exitCode: 0, result: { apiKey: 'abc', pages: 3 } }, { lease })
      .answering({ run: { status: 'succeeded' } })
      .then({
        type: 'RunSucceeded',
        data: { from: 'running', exitCode: 0, result: { apiKey: '***REDACTED***', pages: 3 }, wakeupIds: [wakeup(1)] },
      }));
  it('parks a retry in the same append as a failure that passes', () =>
    given(...runningRun)
      .when(finishRun, { ...held, outcome: 'failed', exitCode: 1, error: '429 rate limited' }, { lease })
      .answering({
        run: { status: 'failed' },
        next: { kind: 'retry_scheduled', run: 'ACME-12.2', dueAt: '2026-04-20T12:02:00.000Z', attempt: 1, maxAttempts: 4 },
      })
      .then(
        { type: 'RunFailed', data: { errorFamily: 'transient_upstream', errorCode: 'adapter_failed' } },
        { type: 'WakeupRequested', data: { reason: 'transient_failure_retry', source: 'automation', outside: false } },
        { type: 'RetryScheduled', data: { retryOf: 'ACME-12.1', chain: 'ACME-12.1', attempt: 1, reason: 'transient_failure' } },
      ));
  it('hands a run back', () =>
    given(...runningRun)
      .when(finishRun, { ...held, outcome: 'cancelled', intent: 'requeue' }, { lease })
      .then(
        { type: 'RunCancelled', data: { intent: 'requeue', wakeups: 'passed' } },
        { type: 'RunQueued', data: { cause: 'requeued', wakeupIds: [wakeup(1)] } },
      ));
  it('gives a run to a mention that has waited, also on a task that was closed meanwhile', () =>
    given(
      opened({ assignee: 'reviewer' }),
      requested(1, { mention: true }),
      queued(1, { mention: true }),
      started(1),
      requested(2, { mention: true }),
      deferred(2, 1),
      movedTo('done'),
    )
      .when(finishRun, { ...held, outcome: 'succeeded' }, { lease })
      .then({ type: 'RunSucceeded' }, { type: 'RunQueued', data: { cause: 'deferred', wakeupIds: [wakeup(2)] } }));
  it('changes nothing of a run that was cancelled meanwhile', () =>
    given(...runningRun, cancelled)
      .when(finishRun, { ...held, outcome: 'succeeded' }, { lease })
      .answering({ run: { status: 'cancelled' } })
      .thenNothing());
  it('answers the same of such a run when its lease is over, and its lane another’s', () => {
    for (const now of [undefined, { token: 'another', runId: 'ACME-12.2' }])
      given(...runningRun, cancelled)
        .when(finishRun, { ...held, outcome: 'succeeded' }, { lease: now })
        .answering({ run: { status: 'cancelled' } })
        .thenNothing();
    given(...runningRun, cancelled)
      .when(finishRun, { ...held, lease: 'another', outcome: 'succeeded' }, { lease })
      .refuses('stale_lease');
  });
  it('refuses a lease that was taken away before the run began', () =>
    given(...runningRun, fact('RunCancelled', { ...cancelled.data, code: 'start_lost', intent: 'requeue', wakeups: 'passed' }))
      .when(finishRun, { ...held, outcome: 'succeeded' })
      .refuses('stale_lease'));
  it('refuses another lease', () =>
    given(...runningRun)
      .when(finishRun, { ...held, outcome: 'succeeded' })
      .refuses('stale_lease', /stop the work/));
  it('refuses a lease on another run of the lane', () =>
    given(...runningRun)
      .when(finishRun, { ...held, outcome: 'succeeded' }, { lease: { ...lease, runId: 'ACME-12.2' } })
      .refuses('stale_lease'));
});

describe('CancelRun', () => {
  const cancel = { ...run, reason: 'enough' };
  it.each([
    ['queued', waitingRun],
    ['running', runningRun],
  ] as const)('ends a %s run for good', (from, facts) =>
    given(...facts)
      .when(cancelRun, cancel)
      .answering({ run: { status: 'cancelled' } })
      .then({ type: 'RunCancelled', data: { from, code: 'cancelled', reason: 'enough', intent: 'stop', wakeups: 'cancelled' } }),
  );
  it('has a running run done again', () =>
    given(...runningRun)
      .when(cancelRun, { ...cancel, intent: 'requeue' })
      .then(
        { type: 'RunCancelled', data: { wakeups: 'passed' } },
        { type: 'RunQueued', data: { runId: 'ACME-12.2', attempt: 0, chain: 'ACME-12.1' } },
      ));
  it('gives what waited for it a run', () =>
    given(...runningRun, requested(2), deferred(2, 1))
      .when(cancelRun, cancel)
      .then({ type: 'RunCancelled' }, { type: 'RunQueued', data: { cause: 'deferred', wakeupIds: [wakeup(2)] } }));
  it('leaves a terminal run as it is', () => {
    given(...failedRun)
      .when(cancelRun, cancel)
      .answering({ run: { status: 'failed' } })
      .thenNothing();
    given(...runningRun, succeeded(1))
      .when(cancelRun, cancel)
      .thenNothing();
  });
  it('refuses to do again what has not begun', () =>
    given(...waitingRun)
      .when(cancelRun, { ...cancel, intent: 'requeue' })
      .refuses('run_not_running'));
  it('refuses an unknown run', () =>
    given(...waitingRun)
      .when(cancelRun, { ...cancel, run: 'ACME-12.2' })
      .refuses('run_not_found'));
});

/** Run n has taken the place of the one before it, which was handed back, and is started. */
const startLostBefore = (n: number, code = 'start_lost') => [
  fact('RunCancelled', {
    ...moving(n - 1, 'running', { wakeupIds: [wakeup(1)] }),
    code,
    reason: 'laptop never began it',
    intent: 'requeue',
    wakeups: 'passed',
    cancelledAt: '2026-04-20T11:50:00.000Z',
  }),
  queued(n, { cause: 'requeued', chain: 'ACME-12.1', retryOf: `ACME-12.${n - 1}`, wakeupIds: [wakeup(1)] }),
  started(n, { wakeupIds: [wakeup(1)] }),
];

describe('ReportRunLost', () => {
  it('fails a run that was at work, and has it done again once', () =>
    given(...runningRun)
      .when(reportRunLost, { ...run, beaten: true })
      .then(
        { type: 'RunFailed', data: { errorCode: 'process_lost', errorFamily: 'process_lost' } },
        { type: 'WakeupRequested', data: { reason: 'process_lost_retry' } },
        { type: 'RunQueued', data: { cause: 'process_lost', attempt: 0, chain: 'ACME-12.1' } },
      ));
  it('counts a recorded process as work', () =>
    given(...runningRun, process)
      .when(reportRunLost, { ...run, beaten: false })
      .then({ type: 'RunFailed' }, { type: 'WakeupRequested' }, { type: 'RunQueued' }));
  it('requeues a run that never began, which is no loss', () =>
    given(...runningRun)
      .when(reportRunLost, { ...run, beaten: false })
      .then(
        { type: 'RunCancelled', data: { code: 'start_lost', intent: 'requeue' } },
        { type: 'RunQueued', data: { cause: 'requeued' } },
      ));
  it('counts it as a loss when it never began four times in a row', () => {
    const third = [...runningRun, ...startLostBefore(2), ...startLostBefore(3)] as const;
    given(...third)
      .when(reportRunLost, { ...run, run: 'ACME-12.3', beaten: false })
      .then({ type: 'RunCancelled' }, { type: 'RunQueued' });
    given(...third, ...startLostBefore(4))
      .when(reportRunLost, { ...run, run: 'ACME-12.4', beaten: false })
      .then(
        { type: 'RunFailed', data: { errorCode: 'process_lost' } },
        { type: 'WakeupRequested' },
        { type: 'RunQueued', data: { cause: 'process_lost', chain: 'ACME-12.1' } },
      );
  });
  it('begins to count anew once a run has begun', () =>
    given(
      ...runningRun,
      ...startLostBefore(2),
      ...startLostBefore(3),
      { ...process, data: { ...process.data, runId: 'ACME-12.3' } },
      ...startLostBefore(4, 'agent_paused'),
    )
      .when(reportRunLost, { ...run, run: 'ACME-12.4', beaten: false })
      .then({ type: 'RunCancelled', data: { code: 'start_lost' } }, { type: 'RunQueued' }));
  it('does nothing for a run that is not at work', () => {
    given(...failedRun)
      .when(reportRunLost, { ...run, beaten: true })
      .thenNothing();
    given(...waitingRun)
      .when(reportRunLost, { ...run, beaten: true })
      .thenNothing();
  });
  it('refuses an unknown run', () =>
    given(...waitingRun, started(1))
      .when(reportRunLost, { ...run, run: 'ACME-12.7', beaten: true })
      .refuses('run_not_found'));
});
