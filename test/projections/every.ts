import type { Projection } from '../../src/projections/projection.js';
import { activity } from '../../src/projections/activity.js';
import { agents } from '../../src/projections/agents.js';
import { dashboard } from '../../src/projections/dashboard.js';
import { dueRetries } from '../../src/projections/due-retries.js';
import { readyRuns } from '../../src/projections/ready-runs.js';
import { runStatus } from '../../src/projections/run-status.js';
import { taskCounts } from '../../src/projections/task-counts.js';
import { tasks } from '../../src/projections/tasks.js';
import { wakeupRequests } from '../../src/projections/wakeup-requests.js';

/** A projection of any rows. */
export type AnyProjection = Projection<object>;

export const everyProjection = [
  runStatus,
  wakeupRequests,
  dashboard,
  agents,
  tasks,
  taskCounts,
  activity,
  dueRetries,
  readyRuns,
] as readonly object[] as readonly AnyProjection[];
