import { dropBlocker, observeBlockers } from '../commands/blockers.js';
import { waitsRound } from '../commands/ring.js';
import { taskStream, type TaskId } from '../events/event.js';
import { isClosed, type Blocker } from '../events/task.js';
import { reaction, type BlockerEdge, type Policy, type PolicyIndex, type Reaction } from './policy.js';

/**
 * Whenever a task is closed or to be done again, those that wait for it are told; and whenever blockers are set, which may have been
 * closed in that very moment. A ring that changes made at once have closed loses the edge that was set last.
 */
export const blockersPolicy: Policy = {
  name: 'blockers',
  indexes: ['task_graph'],
  on: {
    TaskStatusChanged: async ({ company, subject, data: { from, to } }, index) => {
      if (isClosed(from) === isClosed(to)) return [];
      const dependents = await index.dependentsOf(company, subject);
      return dependents.map((task) => observing(company, task, [subject]));
    },
    BlockersSet: async ({ company, subject, data }, index) => [
      ...(data.blockers.length > 0 ? [observing(company, subject, namesOf(data.blockers))] : []),
      ...(await opening(company, subject, index)),
    ],
    BlockerReopened: ({ company, subject }, index) => opening(company, subject, index),
    // The task may have been part of a second ring.
    BlockerResolved: ({ company, subject, data: { how } }, index) => (how === 'cycle' ? opening(company, subject, index) : []),
  },
};

const namesOf = (blockers: readonly Blocker[]): TaskId[] => blockers.map(({ task }) => task);

const observing = (company: string, task: TaskId, blockers: readonly TaskId[]): Reaction =>
  reaction(observeBlockers, { company, task, blockers }, taskStream(company, task));

async function opening(company: string, through: TaskId, index: PolicyIndex): Promise<Reaction[]> {
  const ring = await index.ringThrough(company, through);
  const last = ring?.reduce((latest, edge) => (edge.setAt > latest.setAt ? edge : latest));
  if (!ring || !last) return [];
  const { task, blocker } = last;
  return [reaction(dropBlocker, { company, task, blocker, note: noteOn(ring, last) }, taskStream(company, task))];
}

const noteOn = (ring: readonly BlockerEdge[], { task, blocker }: BlockerEdge): string =>
  `${waitsRound(ring.map((edge) => edge.task))}: that ${task} waits for ${blocker} was set last, and is dropped`;
