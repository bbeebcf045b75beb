import { agentCounts } from '../agent-counts.js';
import { agents } from '../agents.js';
import { dashboard } from '../dashboard.js';
import { dueRetries } from '../due-retries.js';
import { holds } from '../holds.js';
import { routineFires } from '../routines/routine-fires.js';
import { routines } from '../routines/routines.js';
import { runStatus } from '../run-status.js';
import { taskCounts } from '../task-counts.js';
import { tasks } from '../tasks.js';
import { wakeupRequests } from '../wakeup-requests.js';

interface Named {
  readonly name: string;
}

/** What the queries of a page ask besides the projection that the page is called by. */
const besides: Readonly<Record<string, readonly Named[]>> = {
  [dashboard.name]: [agentCounts, taskCounts, dueRetries],
  [runStatus.name]: [tasks, holds],
  [wakeupRequests.name]: [tasks, holds],
  [agents.name]: [runStatus, wakeupRequests, tasks, holds],
  [dueRetries.name]: [tasks, holds],
  [routineFires.name]: [routines],
};

/** A projection, and those without which its pages cannot be shown. */
export const shownWith = (projection: string): string[] => [projection, ...(besides[projection] ?? []).map(({ name }) => name)];
