import type { AgentStatus } from '../events/agent.js';
import type { AgentId } from '../events/event.js';
import type { Hold } from '../events/hold.js';
import { openBlockers, type Lane } from '../events/lane.js';
import type { RunCause } from '../events/run.js';
import { isClosed } from '../events/task.js';
import type { World } from './decider.js';
import { knownAgent } from './lane.js';

/** What ends work on a lane, or keeps it from going on, for good. */
export type Obstacle = 'agent_terminated' | 'issue_terminal_status' | 'issue_assignee_changed' | 'issue_dependencies_blocked';

export interface Work {
  readonly agent: AgentId;
  /** asked for beside the assignee: it is nobody else's because the task changed hands, and answers also on a closed task */
  readonly mention: boolean;
  /** about a comment: may be answered on a closed or blocked task */
  readonly comment?: boolean;
  /** of work that was done before, nobody waits for the answer once the task is closed */
  readonly repeats?: boolean;
}

/** The first gate that work does not pass, in this order wherever it is asked. Being paused or held is none: that passes. */
export const obstacle = (lane: Lane, work: Work, world: World): Obstacle | undefined =>
  obstacles(lane, work, knownAgent(world, work.agent).status)[0];

/** All gates that it does not pass; `status` is its agent's. */
export function obstacles(lane: Lane, { agent, mention, comment, repeats = false }: Work, status: AgentStatus): Obstacle[] {
  const exempt = mention || comment === true;
  const found: Obstacle[] = [];
  if (status === 'terminated') found.push('agent_terminated');
  if (isClosed(lane.status) && (repeats || !exempt)) found.push('issue_terminal_status');
  if (lane.assignee !== agent && !exempt) found.push('issue_assignee_changed');
  if (openBlockers(lane).length > 0 && !exempt) found.push('issue_dependencies_blocked');
  return found;
}

export function sentenceOf(code: Obstacle, lane: Lane, agent: AgentId): string {
  const { task, status, assignee } = lane;
  switch (code) {
    case 'agent_terminated':
      return `${agent} was terminated`;
    case 'issue_terminal_status':
      return `${task} is ${status}`;
    case 'issue_assignee_changed':
      return `${task} is ${assignee ?? 'nobody'}'s by now, not ${agent}'s`;
    case 'issue_dependencies_blocked':
      return `${task} waits for ${openBlockers(lane).join(', ')}`;
  }
}

const repeats: readonly RunCause[] = ['retry', 'process_lost', 'assignment_recovery', 'continuation_recovery'];
export const isRepeat = (cause: RunCause): boolean => repeats.includes(cause);

/** Where it is asked, World has to know the company and the tasks above. */
export const ofHolds = {
  tasks: (_: object, lane: Lane) => [lane.parent],
  leadsTo: (lane: Lane) => [lane.parent],
};

export interface Holding extends Hold {
  readonly code: 'agent_not_invokable' | 'agent_terminated' | 'task_held' | 'company_held';
  /** what is so */
  readonly said: string;
  readonly remedy: string;
}

/** What keeps a queued or parked run where it is for now; undefined if nothing does. */
export const hold = (lane: Lane, run: { readonly agent: AgentId }, world: World): Holding | undefined =>
  holdsOn(lane, run, world)[0];

/** All that keep it; who asks why is told the first. */
export function holdsOn(lane: Lane, { agent }: { readonly agent: AgentId }, world: World): Holding[] {
  const company = world.company.held;
  const holders = [lane, ...tasksAbove(lane, world)].filter(({ held, task }) => held && (held.subtree || task === lane.task));
  return [
    ...ofAgent(agent, world),
    ...(company ? [{ ...company, code: 'company_held', said: 'the company is held', remedy: 'release it first' } as const] : []),
    ...holders.flatMap(({ held, task }) =>
      held ? [{ ...held, code: 'task_held', said: `${task} is held`, remedy: 'release it first' } as const] : [],
    ),
  ];
}

function ofAgent(agent: AgentId, world: World): Holding[] {
  const { status, since, pause } = knownAgent(world, agent);
  if (status === 'terminated')
    return [
      {
        code: 'agent_terminated',
        said: `${agent} was terminated`,
        remedy: 'ask another agent',
        reason: 'terminated',
        interrupt: true,
        since,
      },
    ];
  return pause ? [{ ...pause, code: 'agent_not_invokable', said: `${agent} is paused`, remedy: 'resume it first' }] : [];
}

/** The parents of a task, nearest first; a ring of parents is gone round once. */
function tasksAbove(lane: Lane, world: World): Lane[] {
  const found: Lane[] = [];
  for (let next = lane.parent; next !== null;) {
    const parent = world.task(next);
    if (!parent || parent.task === lane.task || found.includes(parent)) break;
    found.push(parent);
    next = parent.parent;
  }
  return found;
}
