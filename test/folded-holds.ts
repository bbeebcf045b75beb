import type { Recorded } from '../src/events/event.js';
import type { LedgerEvent } from '../src/events/ledger-event.js';
import { holds, type HoldRow } from '../src/projections/holds.js';
import { foldLog } from '../src/projections/projector/fold.js';
import { tasks, type TaskRow } from '../src/projections/tasks.js';

/** What `held.ts` says in SQL. */
export const heldIn = (log: readonly Recorded<LedgerEvent>[]) => heldBy(foldLog(holds, log), foldLog(tasks, log));

export function heldBy(held: readonly HoldRow[], lanes: readonly Pick<TaskRow, 'company' | 'task' | 'parent'>[]) {
  const parents = new Map(lanes.map(({ company, task, parent }) => [`${company} ${task}`, parent]));
  const isTaskHeld = (company: string, task: string | null, isAbove = false, passed: readonly string[] = []): boolean => {
    if (task === null || passed.includes(task)) return false;
    const own = held.find((row) => row.kind === 'task' && row.company === company && row.target === task);
    if (own && (own.subtree || !isAbove)) return true;
    return isTaskHeld(company, parents.get(`${company} ${task}`) ?? null, true, [...passed, task]);
  };
  const agentsHold = ({ company, agent }: { company: string; agent: string }) =>
    held.find((row) => row.kind === 'agent' && row.company === company && row.target === agent);
  return {
    lane: ({ company, task }: { company: string; task: string }): boolean =>
      held.some((row) => row.kind === 'company' && row.company === company) || isTaskHeld(company, task),
    agent: (of: { company: string; agent: string }): boolean => agentsHold(of) !== undefined,
    isTerminated: (of: { company: string; agent: string }): boolean => agentsHold(of)?.status === 'terminated',
  };
}
