import { activity } from '../../src/projections/activity.js';
import { agents } from '../../src/projections/agents.js';
import { comments } from '../../src/projections/comments.js';
import { conservation } from '../../src/projections/conservation.js';
import { dashboard } from '../../src/projections/dashboard.js';
import { dueRetries } from '../../src/projections/due-retries.js';
import { holds } from '../../src/projections/holds.js';
import type { Projection } from '../../src/projections/projection.js';
import { readyRuns } from '../../src/projections/ready-runs.js';
import { runStatus } from '../../src/projections/run-status.js';
import { taskCounts } from '../../src/projections/task-counts.js';
import { taskGraph } from '../../src/projections/task-graph.js';
import { tasks } from '../../src/projections/tasks.js';
import { wakeupRequests } from '../../src/projections/wakeup-requests.js';

/** A projection, whatever its rows are. */
export type AnyProjection = Projection<Record<string, unknown>>;

/** What a fold is typed with matters to nobody who only runs it. */
export const anyProjection = (projection: object) => projection as AnyProjection;

export const everyProjection: readonly AnyProjection[] = [
  runStatus,
  wakeupRequests,
  dashboard,
  agents,
  tasks,
  taskGraph,
  taskCounts,
  activity,
  dueRetries,
  readyRuns,
  holds,
  comments,
  conservation,
].map(anyProjection);
