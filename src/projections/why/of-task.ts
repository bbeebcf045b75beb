import { isClosed } from '../../events/task.js';
import type { RunRow } from '../run-status.js';
import { asked } from './ended.js';
import type { Facts } from './facts.js';
import { asideReasons, blockingReasons, closed, heldReasons } from './holding.js';
import { reasonsOfDemand } from './of-demand.js';
import { reasonsOfRun } from './of-run.js';
import type { Reason } from './reason.js';

const order = ['running', 'queued', 'scheduled_retry'];

/** Each run that is open on it and each demand that waits; or why there is none. */
export function reasonsOfTask(facts: Facts): Reason[] {
  const open = facts.runs
    .filter(({ status }) => order.includes(status))
    .toSorted((a, b) => order.indexOf(a.status) - order.indexOf(b.status) || a.n - b.n);
  const waiting = facts.demands.filter(({ status }) => status === 'deferred');
  if (open.length + waiting.length === 0) return idle(facts);
  return [...open.flatMap((run) => reasonsOfRun(facts, run)), ...waiting.flatMap((demand) => reasonsOfDemand(facts, demand))];
}

function idle(facts: Facts): Reason[] {
  const { task, movedAt } = facts;
  if (isClosed(task.status)) return [closed(task, movedAt)];
  const held = heldReasons(facts, task.assignee ?? '');
  const blocking = blockingReasons(facts);
  if (task.assignee === null) return [...held, ...blocking, unassigned(facts)];
  return [...held, ...blocking, ...(blocking.length > 0 ? [] : soFar(facts))];
}

const unassigned = ({ task: { task, changed_at } }: Facts): Reason => ({
  code: 'UNASSIGNED',
  sentence: `${task} is nobody's`,
  since: changed_at,
  clearedBy: 'whoever assigns it',
  action: `ledger tasks assign ${task} <agent>`,
});

/** What came of the last run; or that it was put aside, or that nobody has asked for anything. */
function soFar(facts: Facts): Reason[] {
  const last = lastRunOf(facts);
  if (last) return reasonsOfRun(facts, last);
  const aside = asideReasons(facts);
  return aside.length > 0 ? aside : [nothingAsked(facts)];
}

const lastRunOf = ({ runs, task }: Facts): RunRow | undefined =>
  runs.filter(({ agent }) => agent === task.assignee).toSorted((a, b) => b.n - a.n)[0];

const nothingAsked = (facts: Facts): Reason => ({
  code: 'NOTHING_ASKED',
  sentence: `${facts.task.task} is ${facts.task.status}, and nothing has been asked of ${facts.task.assignee} on it`,
  since: facts.task.changed_at,
  ...asked(facts, facts.task.assignee ?? ''),
});
