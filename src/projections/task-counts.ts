import { isHeartbeat } from '../events/event.js';
import type { TaskStatus } from '../events/task.js';
import { change, projection, type Change } from './projection.js';

/** How many tasks of a company have a status; agents' own heartbeat lanes are not among them. */
export interface TaskCountRow {
  readonly company: string;
  readonly status: TaskStatus;
  readonly tasks: number;
}

export const taskCounts = projection<TaskCountRow>({
  name: 'task_counts',
  version: 1,
  key: ['company', 'status'],
  keyedBy: 'wider',
  on: {
    TaskOpened: ({ company, data }) => (data.kind === 'heartbeat' ? [] : counted(company, data.status, 1)),
    TaskStatusChanged: ({ company, data }) =>
      isHeartbeat(data.task) ? [] : [counted(company, data.from, -1), counted(company, data.to, 1)],
  },
});

const counted = (company: string, status: TaskStatus, by: number): Change<TaskCountRow> =>
  change([company, status], (row) => ({ company, status, tasks: (row?.tasks ?? 0) + by }));
