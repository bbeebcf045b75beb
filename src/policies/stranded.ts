import { recoverTask } from '../commands/recovery.js';
import { taskStream, type TaskId } from '../events/event.js';
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
    RunSucceeded: (event, index) => look(event, index),
    RunFailed: (event, index) => look(event, index),
    RunTimedOut: (event, index) => look(event, index),
    RunCancelled: (event, index) => look(event, index),
    WakeupSkipped: (event, index) => look(event, index),
    WakeupCancelled: (event, index) => look(event, index),
    TaskAssigned: (event, index) => look(event, index),
    TaskStatusChanged: (event, index) => look(event, index),
    BlockersSet: (event, index) => look(event, index),
    BlockerResolved: (event, index) => look(event, index),
    AgentTerminated: async ({ company, data: { agent } }, index) =>
      (await index.tasksOf(company, agent)).map((task) => recovering(company, task)),
  },
};

const look = async ({ company, subject }: OfTask, index: PolicyIndex): Promise<Reaction[]> =>
  (await index.isIdle(company, subject)) ? [recovering(company, subject)] : [];

interface OfTask {
  readonly company: string;
  readonly subject: TaskId;
}

const recovering = (company: string, task: TaskId): Reaction =>
  reaction(recoverTask, { company, task }, taskStream(company, task));
