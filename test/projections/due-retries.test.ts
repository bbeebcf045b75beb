import { dueRetries } from '../../src/projections/due-retries.js';
import { fact, moving, parked, parkedRetry, promoted, requested, wakeup } from '../facts.js';
import { given, only, onTask } from './folded.js';

const lanes = (...facts: Parameters<typeof onTask>[0][number][]) => given(onTask(facts)).folded(dueRetries);
const reviewers = parked(3, { agent: 'reviewer', dueAt: '2026-04-20T12:01:00.000Z', wakeupIds: [wakeup(3)] });

describe('due_retries', () => {
  it('has a lane with all that a promotion says of its parked run', () => {
    expect(only(lanes(...parkedRetry))).toEqual({
      company: 'acme',
      task: 'ACME-12',
      revision: parkedRetry.length - 1,
      due_at: '2026-04-20T12:02:00.000Z',
      parked: [
        {
          runId: 'ACME-12.2',
          agent: 'fixer',
          chain: 'ACME-12.1',
          attempt: 1,
          dueAt: '2026-04-20T12:02:00.000Z',
          queuedAt: '2026-04-20T12:00:00.000Z',
          wakeupIds: [wakeup(2)],
          place: { kind: 'issue', taskStatus: 'todo', priority: 'medium' },
        },
      ],
    });
  });

  it('has the runs of a lane by due time, and the lane by the first of them', () => {
    const lane = only(lanes(...parkedRetry, reviewers));
    expect(lane.due_at).toBe('2026-04-20T12:01:00.000Z');
    expect(lane.parked.map(({ runId }) => runId)).toEqual(['ACME-12.3', 'ACME-12.2']);
  });

  it('moves along with whatever happens on the lane, so that a promotion is appended at its end', () => {
    expect(only(lanes(...parkedRetry, requested(9))).revision).toBe(parkedRetry.length);
  });

  it('keeps the place of a parked run up to date with its task', () => {
    const blocked = fact('TaskStatusChanged', {
      task: 'ACME-12',
      from: 'todo',
      to: 'blocked',
      why: null,
      queuedRuns: [],
      changedAt: '',
    });
    const changed = fact('TaskChanged', {
      task: 'ACME-12',
      title: '',
      priority: 'high',
      parent: null,
      labels: [],
      queuedRuns: [],
      changedAt: '',
    });
    const [run] = only(lanes(...parkedRetry, blocked, changed)).parked;
    expect(run?.place).toEqual({ kind: 'issue', taskStatus: 'blocked', priority: 'high' });
  });

  it('forgets a withdrawn demand', () => {
    const withdrawn = fact('WakeupCancelled', {
      wakeupId: wakeup(2),
      agent: 'fixer',
      code: 'cancelled',
      reason: 'no need',
      cancelledAt: '',
    });
    expect(only(lanes(...parkedRetry, withdrawn)).parked[0]?.wakeupIds).toEqual([]);
  });

  it('has no lane once its last parked run was promoted, superseded or cancelled', () => {
    const superseded = fact('RetrySuperseded', { ...moving(2, 'scheduled_retry'), by: 'ACME-12.3', supersededAt: '' });
    const end = { code: 'issue_done', reason: '', intent: 'stop', wakeups: 'cancelled', cancelledAt: '' } as const;
    expect(lanes(...parkedRetry, promoted(2))).toEqual([]);
    expect(lanes(...parkedRetry, superseded)).toEqual([]);
    expect(lanes(...parkedRetry, fact('RunCancelled', { ...moving(2, 'scheduled_retry'), ...end }))).toEqual([]);
    expect(only(lanes(...parkedRetry, reviewers, promoted(2))).due_at).toBe('2026-04-20T12:01:00.000Z');
  });
});
