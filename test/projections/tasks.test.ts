import { tasks } from '../../src/projections/tasks.js';
import { assignedTo, failedRun, movedTo, opened, parkedRetry, requested, runningRun, waitingRun } from '../facts.js';
import { given, only, onTask } from './folded.js';

const task = (...facts: Parameters<typeof onTask>[0][number][]) => only(given(onTask(facts)).folded(tasks));

describe('tasks', () => {
  it('has a task as it was described, assigned and moved last', () => {
    expect(task(opened(), assignedTo('reviewer'), movedTo('in_progress'))).toMatchObject({
      task: 'ACME-12',
      kind: 'issue',
      title: 'Mend the export',
      status: 'in_progress',
      assignee: 'reviewer',
      opened_at: '2026-04-20T11:00:00.000Z',
      changed_at: '2026-04-20T11:30:00.000Z',
    });
  });

  it('says which run holds its lane, and how many are open', () => {
    expect(task(...waitingRun)).toMatchObject({ running: null, open_runs: 1, last_run: 'ACME-12.1' });
    expect(task(...runningRun)).toMatchObject({ running: 'ACME-12.1', open_runs: 1 });
    expect(task(...failedRun)).toMatchObject({ running: null, open_runs: 0, last_run: 'ACME-12.1' });
    expect(task(...parkedRetry)).toMatchObject({ running: null, open_runs: 1, last_run: 'ACME-12.2' });
  });

  it('is at the revision of its stream, whatever the last event was about', () => {
    expect(task(opened(), requested(1)).revision).toBe(1);
    expect(task(...parkedRetry).revision).toBe(parkedRetry.length - 1);
  });
});
