import { endAgentWork } from '../commands/interrupt.js';
import { taskStream, type AgentId, type TaskId } from '../events/event.js';
import type { Fact } from '../projections/projection.js';
import { reaction, type Policy, type PolicyIndex, type Reaction } from './policy.js';

/** Whenever an agent is terminated, what it had to do ends; and whatever was given to it by somebody who did not know of that yet. */
export const terminationPolicy: Policy = {
  name: 'termination',
  indexes: ['holds', 'run_status', 'wakeup_requests'],
  on: {
    AgentTerminated: async ({ company, data: { agent } }, index) => {
      const lanes = await index.lanesOf(company, agent);
      return lanes.map((task) => ending(company, task, agent));
    },
    RunQueued: late,
    RetryScheduled: late,
    RunStarted: late,
    WakeupDeferred: late,
  },
};

type Given = Fact<'RunQueued' | 'RetryScheduled' | 'RunStarted' | 'WakeupDeferred'>;

async function late({ company, subject, data: { agent } }: Given, index: PolicyIndex): Promise<Reaction[]> {
  return (await index.isTerminated(company, agent)) ? [ending(company, subject, agent)] : [];
}

const ending = (company: string, task: TaskId, agent: AgentId): Reaction =>
  reaction(endAgentWork, { company, task, agent }, taskStream(company, task));
