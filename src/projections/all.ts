import { activity } from './activity.js';
import { agentCounts } from './agent-counts.js';
import { agents } from './agents.js';
import { comments } from './comments.js';
import { conservation } from './conservation/conservation.js';
import { dashboard } from './dashboard.js';
import { dueHeartbeats } from './due-heartbeats.js';
import { dueRetries } from './due-retries.js';
import { holds } from './holds.js';
import { anyProjection, type AnyProjection } from './projection.js';
import { readyRuns } from './ready-runs.js';
import { rebuilds } from './operations/rebuilds.js';
import { routineFires } from './routines/routine-fires.js';
import { routines } from './routines/routines.js';
import { runStatus } from './run-status.js';
import { taskCounts } from './task-counts.js';
import { taskGraph } from './task-graph.js';
import { tasks } from './tasks.js';
import { wakeupRequests } from './wakeup-requests.js';

/**
 * Every projection that this version of the ledger can follow. Of one that has changed, both stand here: the new version, and the former
 * one under its number until it is dropped. The first five are what loops wait for, so they come first.
 */
export const projectionsOfTheLedger: readonly AnyProjection[] = [
  anyProjection(dueRetries),
  anyProjection(readyRuns),
  anyProjection(holds),
  anyProjection(routines),
  anyProjection(dueHeartbeats),
  anyProjection(runStatus),
  anyProjection(wakeupRequests),
  anyProjection(agents),
  anyProjection(agentCounts),
  anyProjection(tasks),
  anyProjection(taskGraph),
  anyProjection(taskCounts),
  anyProjection(comments),
  anyProjection(routineFires),
  anyProjection(conservation),
  anyProjection(dashboard),
  anyProjection(activity),
  anyProjection(rebuilds),
];
