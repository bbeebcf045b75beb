import type { RunQueued } from '../events/run.js';
import type { WakeupSkipped } from '../events/wakeup.js';

/** Why an agent is asked to run, to be said behind "because". Whoever asks may write a reason of their own. */
export const reasonInWords = (reason: string): string => reasons[reason] ?? `of "${shortened(reason)}"`;

const reasons: Readonly<Record<string, string>> = {
  requested: 'somebody asked for it',
  issue_assigned: 'the task is assigned to it',
  issue_status_changed: 'the task is to be worked on again',
  issue_commented: 'there is a comment on its task',
  issue_comment_mentioned: 'a comment mentions it',
  issue_reopened_via_comment: 'a comment takes the task up again',
  issue_blockers_resolved: 'nothing stands before the task any more',
  issue_children_completed: 'every task below this one is closed',
  issue_assignment_recovery: 'the task is not begun, and the run for it failed',
  issue_continuation_needed: 'the task is not done, and the run for it failed',
  process_lost_retry: 'its process was lost',
  transient_failure_retry: 'its run failed in a way that may pass',
  missing_issue_comment: 'it has said nothing on the task',
  run_liveness_continuation: 'it has only planned, or done nothing',
  routine_fired: 'a routine was fired for it',
  heartbeat_timer: 'its time has come',
};

/** Why a run was opened. */
export function causeInWords({ cause, retryOf, context: { reason } }: RunQueued['data']): string {
  const before = retryOf ?? 'the run before it';
  switch (cause) {
    case 'requested':
      return `because ${askedBy(reason)}`;
    case 'deferred':
      return `now that it is free, because ${askedBy(reason)}`;
    case 'superseding':
      return `in place of the run that waited, because ${askedBy(reason)}`;
    case 'requeued':
      return retryOf ? `to do what ${retryOf} was at` : 'to do what was handed back, and what was asked for meanwhile';
    case 'process_lost':
      return `because the process of ${before} was lost`;
    case 'retry':
      return `because ${before} failed in a way that may pass`;
    case 'missing_issue_comment':
      return `because ${before} succeeded without a word on the task`;
    case 'continuation':
      return `because ${before} has only planned, or done nothing`;
    case 'assignment_recovery':
    case 'continuation_recovery':
      return `because ${before} failed and the task is not done`;
  }
}

const askedBy = (reason: unknown): string => (typeof reason === 'string' ? reasonInWords(reason) : 'somebody asked for it');

type Refusal = Pick<WakeupSkipped['data'], 'agent' | 'code' | 'blockers'>;

/** Why nothing comes of a demand. */
export function refusalInWords({ agent, code, blockers = [] }: Refusal): string {
  if (code === 'issue_dependencies_blocked' && blockers.length > 0) return `the task waits for ${listed(blockers)}`;
  return (refusals[code] ?? ((): string => code))(agent);
}

/** Why nothing comes of a fire of a routine on its task. */
export const fireRefusalInWords = (code: string): string =>
  code === 'task_active' ? 'it is at work already' : refusalInWords({ agent: 'its agent', code });

const refusals: Readonly<Record<string, (agent: string) => string>> = {
  agent_not_invokable: (agent) => `${agent} is paused, or was terminated`,
  agent_terminated: (agent) => `${agent} was terminated`,
  heartbeat_disabled: (agent) => `${agent} is not to be woken by the clock`,
  wake_on_demand_disabled: (agent) => `${agent} is woken by the clock only`,
  issue_terminal_status: () => 'the task is closed',
  issue_assignee_changed: (agent) => `the task is not ${agent}'s any more`,
  issue_dependencies_blocked: () => 'the task waits for others',
  comment_loop: () => 'agents have answered each other for too long: a person has to say something first',
};

const mostListed = 5;

export function listed(names: readonly string[]): string {
  const rest = names.length - mostListed;
  const shown = rest > 0 ? [...names.slice(0, mostListed), `${rest} more`] : names;
  return shown.length > 1 ? `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}` : (shown[0] ?? 'nothing');
}

export function shortened(text: string): string {
  const line = text.trim().replaceAll(/\s+/g, ' ');
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
}

/** "2026-04-20 12:02:06 UTC" */
export const utc = (iso: string): string => iso.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?Z$/, '$1 $2 UTC');
