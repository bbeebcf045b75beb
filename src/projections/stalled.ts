import { openBlockers } from '../events/lane.js';
import type { HoldRow } from './holds.js';
import type { TaskRow } from './tasks.js';

/** Why nothing is done about a task by itself, and what a person could do. */
export interface Stall {
  readonly code:
    'cancelled' | 'task_held' | 'needs_a_person' | 'unassigned' | 'agent_terminated' | 'agent_paused' | 'nobody_at_it';
  readonly sentence: string;
}

/** None of a task that is done, or that waits for others: what stalls it is told of those. */
export function stallOf(row: TaskRow, isHeld: boolean, agent: HoldRow | undefined): Stall | undefined {
  const { task, status, assignee, held, why } = row;
  if (status === 'done') return undefined;
  if (status === 'cancelled')
    return { code: 'cancelled', sentence: `${task} was cancelled, and will not be done; nothing waits for it any more` };
  if (openBlockers(row).length > 0) return undefined;
  if (isHeld) return { code: 'task_held', sentence: held ? `${task} is held: ${held.reason}` : heldFromAbove(task) };
  if (status === 'blocked') return { code: 'needs_a_person', sentence: `${task} is blocked: ${why ?? 'nobody has said why'}` };
  if (assignee === null) return { code: 'unassigned', sentence: `${task} is nobody's: assign it` };
  if (agent?.status === 'terminated')
    return { code: 'agent_terminated', sentence: `${assignee}, whose ${task} is, was terminated: assign it to another agent` };
  if (agent) return { code: 'agent_paused', sentence: `${assignee}, whose ${task} is, is paused: ${agent.reason}` };
  if (row.open_runs > 0) return undefined;
  return { code: 'nobody_at_it', sentence: `${task} is ${status}, and ${assignee} has no run open on it: wake it` };
}

const heldFromAbove = (task: string): string => `${task} is held with a task above it, or with the whole company`;
