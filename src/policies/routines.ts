import { isEnd, observeFireTask } from '../commands/routines/observe-fire-task.js';
import { settleFire } from '../commands/routines/settle-fire.js';
import { policyName, settling, taking } from '../commands/routines/steps.js';
import { takeFire } from '../commands/routines/take-fire.js';
import { routineOfTask, routineStream } from '../events/event.js';
import type { Fact } from '../projections/projection.js';
import { reaction, type Policy, type PolicyIndex, type Reaction } from './policy.js';

/**
 * Whenever a routine has fired, the fire goes to its task, and what the task made of it back to the routine; and whenever such a task ends,
 * so does its fire. Whoever fires has taken the first steps already, unless a crash cut that off: this goes on from there.
 */
export const routinesPolicy: Policy = {
  name: policyName,
  indexes: ['routine_fires'],
  on: {
    RoutineFired: take,
    FireRedirected: take,
    FireTaken: async (event, index) => {
      const { fields, stream } = settling(event);
      const { company, routine, fire } = fields;
      return (await index.isFirePending(company, routine, fire)) ? [reaction(settleFire, fields, stream)] : [];
    },
    TaskStatusChanged: ({ company, subject, data: { from, to, why } }) => {
      const routine = routineOfTask(subject);
      if (routine === undefined || !(isEnd(from) || isEnd(to))) return [];
      const fields = { company, routine, task: subject, from, to, why };
      return [reaction(observeFireTask, fields, routineStream(company, routine))];
    },
  },
};

async function take(event: Fact<'RoutineFired' | 'FireRedirected'>, index: PolicyIndex): Promise<Reaction[]> {
  const to = taking(event);
  if (!to) return [];
  const { company, routine, fire } = to.fields;
  return (await index.isFirePending(company, routine, fire)) ? [reaction(takeFire, to.fields, to.stream)] : [];
}
