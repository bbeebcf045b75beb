import { tasks } from '../../src/projections/tasks.js';
import { assignedTo, fact, failedRun, movedTo, opened, parkedRetry, requested, runningRun, waitingRun } from '../facts.js';
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

  it('says why it is blocked, for as long as it is', () => {
    const why = 'ACME-12.1 failed, and its 4 retries did not help';
    const moved = movedTo('blocked');
    const blocked = { ...moved, data: { ...moved.data, why } };
    expect(task(opened(), blocked).why).toBe(why);
    expect(task(opened(), blocked, movedTo('todo')).why).toBeNull();
  });

  it('knows what it waits for: what is done stays on the list, what would wait for it in a ring does not', () => {
    const of = { task: 'ACME-12', note: null, resolvedAt: '' };
    const set = fact('BlockersSet', {
      task: 'ACME-12',
      blockers: ['A', 'B', 'C'].map((name) => ({ task: name, open: true })),
      setAt: '',
    });
    const done = fact('BlockerResolved', { ...of, blocker: 'A', how: 'done' });
    const ring = fact('BlockerResolved', { ...of, blocker: 'B', how: 'cycle' });
    const rest = { task: 'C', open: true };
    expect(task(opened(), set, done, ring).blockers).toEqual([{ task: 'A', open: false }, rest]);
    const again = fact('BlockerReopened', { task: 'ACME-12', blocker: 'A', reopenedAt: '' });
    expect(task(opened(), set, done, ring, again).blockers).toEqual([{ task: 'A', open: true }, rest]);
  });

  it('is held from a hold to its release', () => {
    const hold = {
      task: 'ACME-12',
      reason: 'not before Monday',
      subtree: true,
      interrupt: false,
      heldAt: '2026-04-20T11:40:00.000Z',
    };
    const held = fact('TaskHeld', hold);
    expect(task(opened(), held).held).toEqual({ reason: hold.reason, since: hold.heldAt, subtree: true });
    expect(task(opened(), held, fact('TaskReleased', { task: 'ACME-12', reason: 'Monday', releasedAt: '' })).held).toBeNull();
  });

  it('is at the revision of its stream, whatever the last event was about', () => {
    expect(task(opened(), requested(1)).revision).toBe(1);
    expect(task(...parkedRetry).revision).toBe(parkedRetry.length - 1);
  });
});
