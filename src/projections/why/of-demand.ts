import { refusalInWords } from '../in-words.js';
import type { WakeupRow } from '../wakeup-requests.js';
import { asked, givenUpAs } from './ended.js';
import type { Facts } from './facts.js';
import { barringReasons, heldReasons } from './holding.js';
import { since, unexplainedMs } from './queued.js';
import { reasonsOfRun } from './of-run.js';
import type { Reason } from './reason.js';

/** Why a demand stands where it stands: mostly it shares the fate of a run. */
export function reasonsOfDemand(facts: Facts, demand: WakeupRow): Reason[] {
  switch (demand.status) {
    case 'coalesced':
      return coalesced(facts, demand);
    case 'deferred':
      return deferred(facts, demand);
    case 'skipped':
      return [skipped(facts, demand)];
    case 'cancelled':
      return [withdrawn(facts, demand)];
    default: {
      const run = facts.runs.find(({ run_id }) => run_id === demand.run);
      return run ? reasonsOfRun(facts, run) : [];
    }
  }
}

function coalesced(facts: Facts, demand: WakeupRow): Reason[] {
  const lead = facts.demands.find(({ wakeup_id }) => wakeup_id === demand.coalesced_into);
  const joined: Reason = {
    code: 'COALESCED_INTO',
    sentence: `it joined the demand ${demand.coalesced_into}${lead?.run ? `, which ${lead.run} carries` : ', and waits with it'}`,
    since: demand.requested_at,
    ...(lead?.run && { clearedBy: lead.run }),
  };
  return [joined, ...(lead && lead !== demand ? reasonsOfDemand(facts, lead) : [])];
}

/** Its agent is at work on this very lane, and goes on with it afterwards. */
function deferred(facts: Facts, demand: WakeupRow): Reason[] {
  const { wakeup_id, agent, requested_at } = demand;
  const running = facts.runs.find((run) => run.status === 'running' && run.agent === agent);
  const waiting = facts.lane.waiting.find(({ wakeupId }) => wakeupId === wakeup_id);
  const barring = waiting ? barringReasons(facts, waiting, `the demand ${wakeup_id}`) : [];
  const turn = running ? behind(running.run_id, agent, requested_at) : passedOver(facts, demand);
  return [...heldReasons(facts, agent), ...barring, turn];
}

/** The end of that run has not taken it up. */
function passedOver({ now }: Facts, { wakeup_id, agent, requested_at }: WakeupRow): Reason {
  const sentence = `the demand ${wakeup_id} waits for ${agent}, which is not at work on the task`;
  if (since(requested_at, now) <= unexplainedMs) return { code: 'READY', sentence, since: requested_at };
  return { code: 'SHOULD_BE_RUNNING', sentence: `${sentence}: the ledger is at fault`, since: requested_at };
}

const behind = (run: string, agent: string, requestedAt: string): Reason => ({
  code: 'BEHIND_RUN',
  sentence: `${agent} is at ${run} on this task, and goes on with the demand afterwards`,
  since: requestedAt,
  clearedBy: `the end of ${run}`,
  action: `ledger runs cancel ${run}`,
});

function skipped(facts: Facts, { agent, code, finished_at, requested_at }: WakeupRow): Reason {
  return {
    code: 'SKIPPED',
    sentence: `nothing comes of it (${code ?? 'skipped'}): ${refusalInWords({ agent, code: code ?? 'skipped' })}`,
    since: finished_at ?? requested_at,
    ...remedy(facts, agent, code),
  };
}

/** What has to be so before it can be asked for again. */
function remedy(facts: Facts, agent: string, code: string | null): Pick<Reason, 'clearedBy' | 'action'> {
  const { task } = facts.task;
  switch (code) {
    case 'agent_not_invokable':
      return facts.agents.get(agent)?.row.status === 'paused'
        ? { clearedBy: `whoever resumes ${agent}, and asks again`, action: `ledger agents resume ${agent}` }
        : asked(facts, agent);
    case 'heartbeat_disabled':
      return { clearedBy: 'whoever switches it on', action: `ledger agents set ${agent} --heartbeat <interval>` };
    case 'wake_on_demand_disabled':
      return { clearedBy: 'whoever switches it on', action: `ledger agents set ${agent} --wake-on-demand` };
    case 'issue_assignee_changed':
      return { clearedBy: `whoever gives it back to ${agent}`, action: `ledger tasks assign ${task} ${agent}` };
    case 'comment_loop':
      return { clearedBy: 'a comment of a person', action: `ledger tasks comment ${task} <text>` };
    case 'issue_dependencies_blocked':
      return { clearedBy: 'the end of what it waits for, which wakes its assignee' };
    default:
      return asked(facts, agent);
  }
}

const withdrawn = (facts: Facts, { agent, code, finished_at, requested_at }: WakeupRow): Reason => ({
  code: givenUpAs(code, 'DONE'),
  sentence: `the demand was given up (${code ?? 'cancelled'})`,
  since: finished_at ?? requested_at,
  ...asked(facts, agent),
});
