import { activity } from './activity.js';
import { agents } from './agents.js';
import { comments } from './comments.js';
import { conservation } from './conservation.js';
import { dashboard } from './dashboard.js';
import { dueRetries } from './due-retries.js';
import { holds } from './holds.js';
import { installable, type Installable } from './projector/projectors.js';
import { readyRuns } from './ready-runs.js';
import { runStatus } from './run-status.js';
import { taskCounts } from './task-counts.js';
import { taskGraph } from './task-graph.js';
import { tasks } from './tasks.js';
import { wakeupRequests } from './wakeup-requests.js';

/** The read models of the ledger. The first three are what loops wait for, so they come first. */
export const readModelsOfTheLedger: readonly Installable[] = [
  installable(dueRetries),
  installable(readyRuns),
  installable(holds),
  installable(runStatus),
  installable(wakeupRequests),
  installable(agents),
  installable(tasks),
  installable(taskGraph),
  installable(taskCounts),
  installable(comments),
  installable(conservation),
  installable(dashboard),
  installable(activity),
];
