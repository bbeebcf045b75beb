import { interruptRun } from '../commands/interrupt.js';
import { taskStream, type RunId } from '../events/event.js';
import { reaction, type Policy, type PolicyIndex, type Reaction, type RunningWhere } from './policy.js';

/**
 * Whenever work comes to be held, what runs of it is handed back; and whenever a run starts whose hold its start did not know of yet.
 * Whether a hold interrupts is asked at the head, so that one who was resumed meanwhile is left alone.
 */
export const holdsPolicy: Policy = {
  name: 'holds',
  indexes: ['holds', 'tasks', 'run_status'],
  on: {
    AgentPaused: ({ company, data: { agent, interrupt } }, index) => (interrupt ? interruptAll(company, index, { agent }) : []),
    TaskHeld: ({ company, data: { task, subtree, interrupt } }, index) =>
      interrupt ? interruptAll(company, index, { task, subtree }) : [],
    CompanyHeld: ({ company, data: { interrupt } }, index) => (interrupt ? interruptAll(company, index, {}) : []),
    RunStarted: async ({ company, subject, data: { agent, runId } }, index) =>
      (await index.isHeld(company, subject, agent)) ? [interrupting(company, subject, runId)] : [],
    // It may have been put under a task that is held, and those below it with it.
    TaskChanged: ({ company, data: { task, parent } }, index) =>
      parent === null ? [] : interruptAll(company, index, { task, subtree: true }),
  },
};

async function interruptAll(company: string, index: PolicyIndex, where: RunningWhere): Promise<Reaction[]> {
  const running = await index.running(company, where);
  return running.map(({ task, runId }) => interrupting(company, task, runId));
}

const interrupting = (company: string, task: string, run: RunId): Reaction =>
  reaction(interruptRun, { company, run }, taskStream(company, task));
