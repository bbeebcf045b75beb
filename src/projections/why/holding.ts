import { obstacles, type Work } from '../../commands/gates.js';
import type { AgentId, TaskId } from '../../events/event.js';
import { openBlockers } from '../../events/lane.js';
import type { HoldRow } from '../holds.js';
import { listed } from '../in-words.js';
import type { TaskRow } from '../tasks.js';
import type { BlockerFact, Facts } from './facts.js';
import type { Reason } from './reason.js';

/** What is paused or held keeps work where it is, in the order in which a start asks for it. */
export function heldReasons({ agents, holds, task }: Facts, agent: AgentId): Reason[] {
  const known = agents.get(agent)?.row;
  const ofHolds = holds.map((hold) => (hold.kind === 'company' ? companyHeld(hold) : taskHeld(hold, task.task)));
  if (known?.status === 'terminated') return [terminated(agent, known.since, task), ...ofHolds];
  if (known?.status !== 'paused') return ofHolds;
  return [
    {
      code: 'AGENT_PAUSED',
      sentence: `${agent} is paused: ${known.reason ?? 'nobody has said why'}`,
      since: known.since,
      clearedBy: `whoever resumes ${agent}`,
      action: `ledger agents resume ${agent}`,
    },
    ...ofHolds,
  ];
}

const terminated = (agent: AgentId, since: string, { task, kind }: TaskRow): Reason => ({
  code: 'AGENT_TERMINATED',
  sentence: `${agent} was terminated, and what it had to do ends with it`,
  since,
  ...(kind !== 'heartbeat' && { clearedBy: 'another agent', action: `ledger tasks assign ${task} <agent>` }),
});

const companyHeld = ({ target, reason, since }: HoldRow): Reason => ({
  code: 'COMPANY_HELD',
  sentence: `${target} is held: ${reason}`,
  since,
  clearedBy: `whoever releases ${target}`,
  action: `ledger companies release ${target}`,
});

const taskHeld = ({ target, reason, since }: HoldRow, task: TaskId): Reason => ({
  code: 'TASK_HELD',
  sentence:
    target === task ? `${task} is held: ${reason}` : `${target}, which ${task} is below, is held with all below it: ${reason}`,
  since,
  clearedBy: `whoever releases ${target}`,
  action: `ledger tasks release ${target}`,
});

/** The gates that it would not pass if it were to start now; `name` is the run's or the demand's. */
export function barringReasons(facts: Facts, work: Work, name: string): Reason[] {
  const { lane, agents, task, movedAt } = facts;
  return obstacles(lane, work, agents.get(work.agent)?.row.status ?? 'active').flatMap((code): Reason[] => {
    switch (code) {
      case 'agent_terminated':
        return [];
      case 'issue_terminal_status':
        return [{ ...closed(task, movedAt), sentence: `${task.task} is ${lane.status}: ${name} is given up at its start` }];
      case 'issue_assignee_changed':
        return [reassigned(facts, work.agent, name)];
      case 'issue_dependencies_blocked':
        return blockingReasons(facts);
    }
  });
}

export const closed = ({ task, status }: TaskRow, since: string): Reason => ({
  code: 'TASK_CLOSED',
  sentence: `${task} is ${status}`,
  since,
  clearedBy: 'whoever takes it up again',
  action: `ledger tasks status ${task} todo`,
});

const reassigned = ({ task, lane }: Facts, agent: AgentId, name: string): Reason => ({
  code: 'TASK_REASSIGNED',
  sentence: `${task.task} is ${lane.assignee ?? 'nobody'}'s by now: ${name} of ${agent} is given up at its start`,
  since: task.changed_at,
  clearedBy: `whoever gives it back to ${agent}`,
  action: `ledger tasks assign ${task.task} ${agent}`,
});

/** One for each task that has to be done first. */
export const blockingReasons = ({ task, blockers, blockedAt }: Facts): Reason[] =>
  blockers.map((blocker) => ({
    code: 'BLOCKED_BY',
    sentence: `${task.task} waits for ${blocker.task}, ${standing(blocker)}`,
    since: blockedAt,
    clearedBy: blocker.stall || !blocker.row ? 'a person' : `the end of ${blocker.task}`,
    action: without(
      task.task,
      blockers.filter((other) => other !== blocker).map((other) => other.task),
    ),
  }));

/** Of a task that waits for nothing but for a person who says that it goes on. */
export function asideReasons({ task: row, movedAt }: Facts): Reason[] {
  const { task, status, why } = row;
  if (status !== 'blocked' || openBlockers(row).length > 0) return [];
  return [
    {
      code: 'BLOCKED_BY',
      sentence: `${task} is blocked: ${why ?? 'nobody has said why'}`,
      since: movedAt,
      clearedBy: 'a person',
      action: `ledger tasks status ${task} todo`,
    },
  ];
}

/** Whether it moves by itself. */
function standing({ row, stall }: BlockerFact): string {
  if (!row) return 'which was never opened';
  const is = `which is ${row.status}`;
  if (stall) return `${is} and does not move by itself: ${stall.sentence}`;
  const others = openBlockers(row);
  if (others.length > 0) return `${is}, and waits for ${listed(others)} itself`;
  return `${is}, and moves by itself: ${row.running ?? row.last_run ?? 'a run'} is open on it`;
}

/** What it would wait for then; a list too long to be typed is none. */
const without = (task: TaskId, others: readonly TaskId[]): string | undefined =>
  others.length > 10 ? undefined : ['ledger tasks block', task, ...others].join(' ');
