import { obstacles } from '../../commands/gates.js';
import type { AgentId } from '../../events/event.js';
import { openBlockers } from '../../events/lane.js';
import { isClosed } from '../../events/task.js';
import { shortened } from '../in-words.js';
import type { RunRow } from '../run-status.js';
import type { Facts } from './facts.js';
import { barringReasons, closed } from './holding.js';
import type { Reason } from './reason.js';

/** How a run ended, and what came of it. What waits now, of what came after it, is told by others. */
export function endedReasons(facts: Facts, run: RunRow): Reason[] {
  const next = afterIt(facts, run)[0];
  if (run.superseded_by !== null) return [{ ...ending(run, 'SUPERSEDED'), sentence: superseded(run, run.superseded_by) }];
  if (run.exhausted) return [{ ...exhausted(facts, run), ...(next && followed(run, next, 'its retries are used up')) }];
  if (next) return [{ ...ending(run, 'DONE'), ...followed(run, next) }];
  switch (run.status) {
    case 'failed':
    case 'timed_out':
      return failed(facts, run);
    case 'cancelled':
      return [stopped(facts, run)];
    default:
      return [{ ...ending(run, 'DONE'), ...asked(facts, run.agent) }];
  }
}

/** Runs of the same agent on this task that were opened after it, the first of them first. */
export const afterIt = ({ runs }: Facts, { agent, n }: RunRow): RunRow[] =>
  runs.filter((run) => run.agent === agent && run.n > n).toSorted((a, b) => a.n - b.n);

function ending(run: RunRow, code: Reason['code']): Reason {
  return { code, sentence: howItEnded(run), since: run.finished_at ?? run.queued_at };
}

function howItEnded({ run_id, status, error_code, error_family, error }: RunRow): string {
  const what = [error_code, error_family !== error_code && error_family].filter(Boolean).join(', ');
  const why = error ? `: ${shortened(error)}` : '';
  switch (status) {
    case 'succeeded':
      return `${run_id} succeeded`;
    case 'cancelled':
      return `${run_id} was cancelled (${what || 'cancelled'})${why}`;
    case 'timed_out':
      return `${run_id} took too long (${what || status})${why}`;
    default:
      return `${run_id} failed (${what || status})${why}`;
  }
}

const superseded = ({ run_id }: RunRow, by: string): string =>
  `${run_id} was not started: ${by} took its place, because a person asked for it`;

const followed = (run: RunRow, next: RunRow, why?: string): Pick<Reason, 'sentence' | 'clearedBy' | 'action'> => ({
  sentence: `${howItEnded(run)}; ${why ? `${why}; ` : ''}${next.run_id} ${
    next.retry_of === run.run_id ? 'does it again' : 'came after it'
  }`,
  clearedBy: undefined,
  action: undefined,
});

const exhausted = (facts: Facts, run: RunRow): Reason => ({
  code: 'EXHAUSTED',
  sentence: `${howItEnded(run)}; its chain has used up its retries: ${run.attempt} of ${run.max_attempts ?? run.attempt}`,
  since: run.finished_at ?? run.queued_at,
  clearedBy: 'a person',
  ...asked(facts, run.agent),
});

/** Nothing came after it, although it failed. */
function failed(facts: Facts, run: RunRow): Reason[] {
  const isPassing = run.status === 'failed' && passing.includes(run.error_family ?? '');
  // What would have passed by itself was kept from being tried again by a gate.
  const work = { agent: run.agent, mention: false, repeats: true };
  if (isPassing) return [ending(run, 'DONE'), ...barringReasons(facts, work, 'what would follow')];
  const { lane, agents } = facts;
  const isOpen = obstacles(lane, work, agents.get(run.agent)?.row.status ?? 'active').length === 0;
  return [
    {
      ...ending(run, 'NON_RETRYABLE'),
      sentence: `${howItEnded(run)}; this does not pass by itself, and nothing tries it again`,
      clearedBy: 'a person',
      ...(isOpen && { action: `ledger runs retry ${run.run_id}` }),
    },
  ];
}

const passing: readonly string[] = ['transient_upstream', 'quota'];

function stopped(facts: Facts, run: RunRow): Reason {
  return { ...ending(run, givenUpAs(run.error_code, 'SKIPPED')), ...asked(facts, run.agent) };
}

/** Of work that was given up: what the code says of the task, the agent or the demand. */
export function givenUpAs(code: string | null, gate: 'SKIPPED' | 'DONE'): Reason['code'] {
  switch (code) {
    case 'issue_done':
    case 'issue_cancelled':
      return 'TASK_CLOSED';
    case 'issue_reassigned':
      return 'TASK_REASSIGNED';
    case 'agent_terminated':
      return 'AGENT_TERMINATED';
    case 'issue_terminal_status':
    case 'issue_assignee_changed':
    case 'issue_dependencies_blocked':
      return gate;
    default:
      return 'DONE';
  }
}

/** How a person asks for more of it. */
export function asked(facts: Facts, agent: AgentId): Pick<Reason, 'clearedBy' | 'action'> {
  const { task, agents, movedAt } = facts;
  const again = 'whoever asks for more';
  if (agents.get(agent)?.row.status === 'terminated') return {};
  if (isClosed(task.status)) return { clearedBy: again, action: closed(task, movedAt).action };
  if (task.status === 'blocked' && openBlockers(task).length === 0)
    return { clearedBy: again, action: `ledger tasks status ${task.task} todo` };
  const where = task.kind === 'heartbeat' ? '' : ` --task ${task.task}`;
  return { clearedBy: again, action: `ledger wakeups request ${agent}${where}` };
}
