import type { TaskFact } from '../../src/events/task.js';
import { taskGraph } from '../../src/projections/task-graph.js';
import { assignedTo, fact, movedTo, opened } from '../facts.js';
import { given, only, onTask } from './folded.js';

const task = 'ACME-12';
const row = (...facts: TaskFact[]) => only(given(onTask(facts)).folded(taskGraph));
const place = (n: number) => String(n).padStart(16, '0');
const waitsFor = (...blockers: string[]) =>
  fact('BlockersSet', { task, blockers: blockers.map((blocker) => ({ task: blocker, open: true })), setAt: '' });
const resolved = (blocker: string, how: 'done' | 'cycle') =>
  fact('BlockerResolved', { task, blocker, how, note: null, resolvedAt: '' });

describe('the graph of tasks', () => {
  it('has a task under its parent, as it was described and given last', () => {
    const { title, priority, labels } = opened().data;
    const moved = fact('TaskChanged', { task, title, priority, labels, parent: 'ACME-1', queuedRuns: [], changedAt: '' });
    expect(row(opened(), moved, assignedTo('reviewer'))).toMatchObject({ parent: 'ACME-1', assignee: 'reviewer', title });
  });

  it('moved when it was opened, then with each change of its status, and with nothing else', () => {
    expect(row(opened()).moved_at).toBe(place(1));
    expect(row(opened(), movedTo('done')).moved_at).toBe(place(2));
    expect(row(opened(), movedTo('done'), assignedTo('reviewer'), waitsFor('A')).moved_at).toBe(place(2));
  });

  it('waits for each blocker since it was set first, and for no other than was set last', () =>
    expect(row(opened(), waitsFor('A', 'B'), waitsFor('B', 'C')).blockers).toEqual([
      { task: 'B', open: true, setAt: place(2) },
      { task: 'C', open: true, setAt: place(3) },
    ]));

  it('waits no more for what is done until that is to be done again, and forgets what closed a ring', () => {
    const facts = [opened(), waitsFor('A', 'B'), resolved('A', 'done'), resolved('B', 'cycle')] as const;
    expect(row(...facts).blockers).toEqual([{ task: 'A', open: false, setAt: place(2) }]);
    const again = fact('BlockerReopened', { task, blocker: 'A', reopenedAt: '' });
    expect(row(...facts, again).blockers).toEqual([{ task: 'A', open: true, setAt: place(2) }]);
  });
});
