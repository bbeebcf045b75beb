import { readyRuns } from '../../src/projections/ready-runs.js';
import { fact, moving, parkedRetry, promoted, queued, started, waitingRun } from '../facts.js';
import { given, only, onTask } from './folded.js';

const ready = (...facts: Parameters<typeof onTask>[0][number][]) => given(onTask(facts)).folded(readyRuns);

describe('ready_runs', () => {
  it('has a run as long as it is queued', () => {
    const end = { code: 'issue_done', reason: '', intent: 'stop', wakeups: 'cancelled', cancelledAt: '' } as const;
    expect(only(ready(...waitingRun))).toEqual({
      company: 'acme',
      run_id: 'ACME-12.1',
      task: 'ACME-12',
      n: 1,
      agent: 'fixer',
      kind: 'issue',
      rank: 1,
      priority: 2,
      ready_at: '2026-04-20T11:10:00.000Z',
    });
    expect(ready(...waitingRun, started(1))).toEqual([]);
    expect(ready(...waitingRun, fact('RunCancelled', { ...moving(1, 'queued'), ...end }))).toEqual([]);
  });

  it('has a retry from its promotion on', () => {
    expect(ready(...parkedRetry)).toEqual([]);
    expect(only(ready(...parkedRetry, promoted(2)))).toMatchObject({ run_id: 'ACME-12.2', ready_at: '2026-04-20T12:02:00.000Z' });
  });

  it.each([
    ['work in progress', { kind: 'issue', taskStatus: 'in_progress', priority: 'medium' }, 0],
    ['other work', { kind: 'routine', taskStatus: 'todo', priority: 'medium' }, 1],
    ["an agent's own lane", { kind: 'heartbeat', taskStatus: 'in_progress', priority: 'medium' }, 2],
    ['blocked work', { kind: 'issue', taskStatus: 'blocked', priority: 'medium' }, 3],
  ] as const)('ranks %s', (_, place, rank) => {
    expect(only(ready(queued(1, { place }))).rank).toBe(rank);
  });

  it('moves a queued run when its task changes', () => {
    const changed = {
      task: 'ACME-12',
      title: '',
      priority: 'critical',
      parent: null,
      labels: [],
      queuedRuns: ['ACME-12.1'],
      changedAt: '',
    } as const;
    const moved = {
      task: 'ACME-12',
      from: 'todo',
      to: 'in_progress',
      why: null,
      queuedRuns: ['ACME-12.1'],
      changedAt: '',
    } as const;
    expect(only(ready(...waitingRun, fact('TaskChanged', changed), fact('TaskStatusChanged', moved)))).toMatchObject({
      rank: 0,
      priority: 0,
    });
  });
});
