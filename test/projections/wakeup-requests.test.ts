import { wakeupRequests } from '../../src/projections/wakeup-requests.js';
import {
  coalesced,
  deferred,
  fact,
  failed,
  moving,
  parkedRetry,
  queued,
  requested,
  runningRun,
  started,
  succeeded,
  waitingRun,
  wakeup,
} from '../facts.js';
import { given, only, onTask } from './folded.js';

const wakeups = (...facts: Parameters<typeof onTask>[0][number][]) => given(onTask(facts)).folded(wakeupRequests);
const cancelled = {
  ...moving(1, 'queued'),
  code: 'issue_done',
  reason: 'done',
  intent: 'stop',
  cancelledAt: '2026-04-20T11:40:00.000Z',
} as const;

describe('wakeup_requests', () => {
  it('shows who asked for what, and the run that it got', () => {
    expect(only(wakeups(...waitingRun))).toMatchObject({
      wakeup_id: wakeup(1),
      agent: 'fixer',
      task: 'ACME-12',
      source: 'on_demand',
      status: 'queued',
      run: 'ACME-12.1',
      requested_by: 'user:ada',
      requested_at: '2026-04-20T11:10:00.000Z',
    });
  });

  it('is delivered when its run starts, and ends as its run does', () => {
    expect(only(wakeups(...runningRun))).toMatchObject({ status: 'claimed', claimed_at: '2026-04-20T11:15:00.000Z' });
    expect(only(wakeups(...runningRun, succeeded(1)))).toMatchObject({
      status: 'completed',
      finished_at: '2026-04-20T12:00:00.000Z',
    });
    expect(only(wakeups(...runningRun, failed(1)))).toMatchObject({ status: 'failed' });
  });

  it('names the demand that it joined, which counts it', () => {
    const [lead, joined] = wakeups(...waitingRun, requested(2), coalesced(2, 1, 1));
    expect(joined).toMatchObject({ status: 'coalesced', coalesced_into: wakeup(1), run: null });
    expect(lead).toMatchObject({ status: 'queued', coalesced_count: 1 });
  });

  it('waits while its agent runs, and is carried by the run after', () => {
    const waiting = [...runningRun, requested(2), deferred(2, 1)];
    expect(wakeups(...waiting)[1]).toMatchObject({ status: 'deferred', run: null });
    expect(wakeups(...waiting, succeeded(1), queued(2))[1]).toMatchObject({ status: 'queued', run: 'ACME-12.2' });
  });

  it('keeps the code of a refusal', () => {
    const skipped = fact('WakeupSkipped', {
      wakeupId: wakeup(1),
      agent: 'fixer',
      code: 'heartbeat_disabled',
      skippedAt: '2026-04-20T11:11:00.000Z',
    });
    expect(only(wakeups(requested(1), skipped))).toMatchObject({ status: 'skipped', code: 'heartbeat_disabled' });
  });

  it('is skipped or cancelled with its run, or passes on to the next one', () => {
    expect(only(wakeups(...waitingRun, fact('RunCancelled', { ...cancelled, wakeups: 'skipped' })))).toMatchObject({
      status: 'skipped',
      code: 'issue_done',
    });
    expect(only(wakeups(...waitingRun, fact('RunCancelled', { ...cancelled, wakeups: 'cancelled' })))).toMatchObject({
      status: 'cancelled',
    });
    const requeued = [
      fact('RunCancelled', { ...cancelled, ...moving(1, 'running'), wakeups: 'passed' }),
      queued(2, { wakeupIds: [wakeup(1)] }),
    ];
    expect(only(wakeups(...runningRun, ...requeued))).toMatchObject({ status: 'queued', run: 'ACME-12.2', claimed_at: null });
  });

  it('has the demand of a retry beside that of the failed run', () => {
    expect(wakeups(...parkedRetry).map(({ status, run }) => [status, run])).toEqual([
      ['failed', 'ACME-12.1'],
      ['queued', 'ACME-12.2'],
    ]);
  });

  it('finds the comments that a demand is about', () => {
    expect(only(wakeups(requested(1, { payload: { commentIds: ['c1', 'c2'] } }))).comment_ids).toEqual(['c1', 'c2']);
    expect(only(wakeups(requested(1, { payload: { commentId: 'c1' } }))).comment_ids).toEqual(['c1']);
    expect(only(wakeups(requested(1))).comment_ids).toEqual([]);
  });

  it('is about a comment no more once that is removed', () => {
    const about = requested(1, { payload: { commentIds: ['c1', 'c2'] } });
    const removed = { task: 'ACME-12', commentId: 'c1', wakeupIds: [wakeup(1)], removedAt: '' };
    expect(only(wakeups(about, fact('CommentRemoved', removed))).comment_ids).toEqual(['c2']);
  });

  it('does not care for the demands of a run that it never saw', () => {
    expect(wakeups(started(1))).toEqual([]);
  });
});
