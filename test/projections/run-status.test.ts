import { runStatus } from '../../src/projections/run-status.js';
import {
  chainOf,
  coalesced,
  fact,
  failed,
  failedRun,
  moving,
  parkedRetry,
  promoted,
  queued,
  requested,
  runningRun,
  started,
  succeeded,
  timedOut,
  waitingRun,
} from '../facts.js';
import { given, only, onTask } from './folded.js';

const noon = '2026-04-20T12:00:00.000Z';
const runs = (...facts: Parameters<typeof onTask>[0][number][]) => given(onTask(facts)).folded(runStatus);

describe('run_status', () => {
  it('has a row from the moment in which a run is queued', () => {
    expect(only(runs(...waitingRun))).toMatchObject({
      company: 'acme',
      run_id: 'ACME-12.1',
      task: 'ACME-12',
      n: 1,
      agent: 'fixer',
      status: 'queued',
      chain: 'ACME-12.1',
      attempt: 0,
      source: 'on_demand',
      queued_at: '2026-04-20T11:10:00.000Z',
      started_at: null,
      exhausted: false,
    });
  });

  it('says who runs it, and where', () => {
    const process = { runId: 'ACME-12.1', pid: 4711, pgid: 4711, host: 'laptop', processStartedAt: '', recordedAt: '' };
    expect(only(runs(...runningRun, fact('ProcessRecorded', process)))).toMatchObject({
      status: 'running',
      worker: 'laptop',
      started_at: '2026-04-20T11:15:00.000Z',
      pid: 4711,
      host: 'laptop',
      revision: 4,
    });
  });

  it('says how it ended', () => {
    expect(only(runs(...runningRun, succeeded(1)))).toMatchObject({ status: 'succeeded', exit_code: 0, error: null });
    expect(only(runs(...runningRun, timedOut(1)))).toMatchObject({ status: 'timed_out', error_code: 'timeout' });
    expect(only(runs(...failedRun))).toMatchObject({
      status: 'failed',
      exit_code: 1,
      error: 'the build is broken',
      error_code: 'adapter_failed',
      error_family: 'unknown',
      finished_at: '2026-04-20T12:00:00.000Z',
    });
  });

  it('keeps the code and the reason of a cancellation', () => {
    const cancelled = {
      code: 'issue_done',
      reason: 'the task is done',
      intent: 'stop',
      wakeups: 'cancelled',
      cancelledAt: '2026-04-20T11:40:00.000Z',
    } as const;
    expect(only(runs(...waitingRun, fact('RunCancelled', { ...moving(1, 'queued'), ...cancelled })))).toMatchObject({
      status: 'cancelled',
      error_code: 'issue_done',
      error: 'the task is done',
      finished_at: '2026-04-20T11:40:00.000Z',
    });
  });

  it('has a parked run with its due time and what it retries, also after it was promoted and started', () => {
    const retry = {
      retry_of: 'ACME-12.1',
      retry_reason: 'transient_failure',
      attempt: 1,
      max_attempts: 4,
      scheduled_retry_at: '2026-04-20T12:02:00.000Z',
    };
    expect(runs(...parkedRetry)[1]).toMatchObject({ status: 'scheduled_retry', cause: 'retry', ...retry });
    expect(runs(...parkedRetry, promoted(2))[1]).toMatchObject({ status: 'queued', ...retry });
    expect(runs(...parkedRetry, promoted(2), started(2))[1]).toMatchObject({ status: 'running', ...retry });
  });

  it('says by which run a retry was superseded', () => {
    const superseded = fact('RetrySuperseded', {
      ...moving(2, 'scheduled_retry'),
      by: 'ACME-12.3',
      supersededAt: '2026-04-20T12:01:00.000Z',
    });
    expect(runs(...parkedRetry, superseded, queued(3))[1]).toMatchObject({
      status: 'cancelled',
      error_code: 'superseded',
      superseded_by: 'ACME-12.3',
    });
  });

  it('marks the last run of a chain that has used its attempts', () => {
    const exhausted = {
      runId: 'ACME-12.5',
      agent: 'fixer',
      chain: 'ACME-12.1',
      attempts: 4,
      maxAttempts: 4,
      reason: 'transient_failure',
      exhaustedAt: '',
    };
    const rows = runs(...chainOf(4), fact('RetryExhausted', exhausted));
    expect(rows.map(({ status, exhausted: none }) => [status, none])).toEqual([1, 2, 3, 4, 5].map((n) => ['failed', n === 5]));
  });

  it('shows a running run whose worker is gone, and that it has one again', () => {
    const moved = { runId: 'ACME-12.1', agent: 'fixer' };
    const detached = fact('RunDetached', { ...moved, detachedAt: '' });
    expect(only(runs(...runningRun, detached))).toMatchObject({ status: 'running', detached: true });
    const reattached = fact('RunReattached', { ...moved, reattachedAt: '' });
    expect(only(runs(...runningRun, detached, reattached)).detached).toBe(false);
    expect(only(runs(...runningRun, detached, failed(1))).detached).toBe(false);
  });

  it('shows how silent a run is and what was decided, until output is missed anew or it ends', () => {
    const silent = (level: 'suspicious' | 'critical') =>
      fact('RunWentSilent', { runId: 'ACME-12.1', agent: 'fixer', level, lastOutputAt: noon, silentAt: '' });
    const decision = { runId: 'ACME-12.1', agent: 'fixer', decision: 'snooze', until: noon, reason: 'it compiles' } as const;
    const decided = fact('SilenceDecided', { ...decision, decidedAt: '' });
    const silence = { level: 'suspicious', since: noon };
    expect(only(runs(...runningRun, silent('suspicious'))).silence).toEqual(silence);
    expect(only(runs(...runningRun, silent('suspicious'), decided)).silence).toEqual({
      ...silence,
      decided: 'snooze',
      until: noon,
    });
    expect(only(runs(...runningRun, silent('suspicious'), decided, silent('critical'))).silence).toEqual({
      ...silence,
      level: 'critical',
    });
    expect(only(runs(...runningRun, silent('critical'), failed(1))).silence).toBeNull();
  });

  it('says what its task still waited for when it was started', () => {
    const start = started(1);
    expect(only(runs(...waitingRun, { ...start, data: { ...start.data, blockedBy: ['ACME-9'] } })).blocked_by).toEqual([
      'ACME-9',
    ]);
    expect(only(runs(...runningRun)).blocked_by).toBeNull();
  });

  it('is told of the comments that join it while it waits, and no more of one that is removed', () => {
    const joined = coalesced(2, 1, 1);
    const told = { ...joined, data: { ...joined.data, commentIds: ['c-2', 'c-3'] } };
    const about = queued(1, { context: { source: 'automation', commentIds: ['c-1'] } });
    const removed = { task: 'ACME-12', commentId: 'c-2', wakeupIds: [], runIds: ['ACME-12.1'], removedAt: '' };
    expect(only(runs(about, requested(2), told)).context.commentIds).toEqual(['c-1', 'c-2', 'c-3']);
    expect(only(runs(about, requested(2), told, fact('CommentRemoved', removed))).context.commentIds).toEqual(['c-1', 'c-3']);
  });

  it('does not care for a run that it never saw opened', () => {
    expect(runs(failed(9))).toEqual([]);
  });
});
