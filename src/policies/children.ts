import { tellChildrenCompleted } from '../commands/children.js';
import { taskStream } from '../events/event.js';
import { isClosed } from '../events/task.js';
import { reaction, type Child, type Policy } from './policy.js';

/** Whenever the last of the tasks under one is closed, the one above is told: once, by the last of the events that closed them. */
export const childrenPolicy: Policy = {
  name: 'children',
  indexes: ['task_graph', 'comments'],
  on: {
    TaskStatusChanged: async ({ company, subject, position, data: { to } }, index) => {
      const parent = isClosed(to) ? await index.parentOf(company, subject) : null;
      if (parent === null) return [];
      const children = inOrder(await index.childrenOf(company, parent));
      if (!children.every(({ status }) => isClosed(status)) || children.at(-1)?.movedAt !== position) return [];
      const told = children.slice(-most).map(({ task, title, status, summary }) => ({ task, title, status, summary }));
      return [reaction(tellChildrenCompleted, { company, task: parent, children: told }, taskStream(company, parent))];
    },
  },
};

/** As many as one decision looks at. */
const most = 2_000;

const inOrder = (children: readonly Child[]): Child[] =>
  children.toSorted((a, b) => (a.movedAt < b.movedAt ? -1 : a.movedAt > b.movedAt ? 1 : 0));
