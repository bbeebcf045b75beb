import { recoverTask } from '../commands/recovery.js';
import { taskStream, type TaskId } from '../events/event.js';
import type { LaneEvent } from '../events/lane.js';
import type { Fact } from '../projections/projection.js';
import { reaction, type Policy, type PolicyIndex, type Reaction } from './policy.js';

/**
 * Whenever something ends on a task, or changes what it is, and nothing is open on it any more: look whether it was left without a next
 * step. The end of a run has one of its own; this is for what a race, or a change of somebody else, has let slip.
 */
export const strandedPolicy: Policy = {
  name: 'stranded',
  indexes: ['task_graph', 'run_status', 'wakeup_requests'],
  on: {
    // The end of somebody else's run: what happened to the assignee's meanwhile was not looked at behind it.
    RunSucceeded: look,
    RunFailed: look,
    RunTimedOut: look,
    RunCancelled: look,
    WakeupSkipped: look,
    WakeupCancelled: look,
    TaskAssigned: look,
    TaskStatusChanged: look,
    BlockersSet: look,
    BlockerResolved: look,
    AgentTerminated: async ({ company, data: { agent } }, index) =>
      (await index.tasksOf(company, agent)).map((task) => recovering(company, task)),
  },
};

async function look({ company, subject }: Fact<LaneEvent['type']>, index: PolicyIndex): Promise<Reaction[]> {
  return (await index.isIdle(company, subject)) ? [recovering(company, subject)] : [];
}

const recovering = (company: string, task: TaskId): Reaction =>
  reaction(recoverTask, { company, task }, taskStream(company, task));
