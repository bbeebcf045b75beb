import type { AgentId } from '../events/event.js';
import type { Lane } from '../events/lane.js';
import type { RunCause } from '../events/run.js';
import { isClosed } from '../events/task.js';
import type { World } from './decider.js';
import { knownAgent } from './lane.js';

/** What ends work on a lane, or keeps it from going on, for good. */
export type Obstacle = 'agent_terminated' | 'issue_terminal_status' | 'issue_assignee_changed';

export interface Work {
  readonly agent: AgentId;
  /** asked for beside the assignee: it is nobody else's because the task changed hands, and answers also on a closed task */
  readonly mention: boolean;
  /** of work that was done before, nobody waits for the answer once the task is closed */
  readonly repeats?: boolean;
}

/** The first gate that work does not pass, in this order wherever it is asked. Being paused or held is none: that passes. */
export function obstacle(lane: Lane, { agent, mention, repeats = false }: Work, world: World): Obstacle | undefined {
  if (knownAgent(world, agent).status === 'terminated') return 'agent_terminated';
  if (isClosed(lane.status) && (repeats || !mention)) return 'issue_terminal_status';
  if (lane.assignee !== agent && !mention) return 'issue_assignee_changed';
  // The place of the next gate to come, blockers that are open: `issue_dependencies_blocked`.
  return undefined;
}

export function sentenceOf(code: Obstacle, { task, status, assignee }: Lane, agent: AgentId): string {
  switch (code) {
    case 'agent_terminated':
      return `${agent} was terminated`;
    case 'issue_terminal_status':
      return `${task} is ${status}`;
    case 'issue_assignee_changed':
      return `${task} is ${assignee ?? 'nobody'}'s by now, not ${agent}'s`;
  }
}

export const isRepeat = (cause: RunCause): boolean => cause === 'retry' || cause === 'process_lost';

/** What keeps a queued or parked run where it is for now; undefined if nothing does. */
export function hold(
  { agent }: { readonly agent: AgentId },
  world: World,
): 'agent_not_invokable' | 'agent_terminated' | undefined {
  const { status } = knownAgent(world, agent);
  if (status === 'terminated') return 'agent_terminated';
  return status === 'paused' ? 'agent_not_invokable' : undefined;
}
