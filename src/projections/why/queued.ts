import { isRepeat } from '../../commands/gates.js';
import type { AgentId, RunId } from '../../events/event.js';
import { listed } from '../in-words.js';
import type { RunRow } from '../run-status.js';
import type { AgentFacts, Facts, LeaseFact, WorkerFact } from './facts.js';
import { barringReasons, heldReasons } from './holding.js';
import type { Reason } from './reason.js';
import { isOver, reaping } from './running.js';

/** A worker that did not ask for so long is not there to be given a run, in ms. */
export const askedLatelyMs = 30_000;
/** What nothing has explained for so long is a defect, in ms. */
export const unexplainedMs = 10_000;
/** Whoever asked so soon after something may have asked before it, by another clock, in ms. */
export const doubtMs = 2_000;

/** Ready, and not started: what keeps it where it is, or, if nothing does, that it is about to be taken. */
export function queuedReasons(facts: Facts, run: RunRow): Reason[] {
  const held = heldReasons(facts, run.agent);
  const busy = [...onLane(facts, run), ...ofAgent(facts, run)];
  const barred = barring(facts, run);
  const line = held.length + busy.length > 0 ? [] : [inLine(facts, run)];
  // What bars it is said, and then it is no news that it is about to be taken, and given up.
  return [...held, ...barred, ...busy, ...line.filter(({ code }) => code !== 'READY' || barred.length === 0)];
}

/** It is given up when it starts. */
export function barring(facts: Facts, { run_id }: RunRow): Reason[] {
  const run = facts.lane.open.find(({ runId }) => runId === run_id);
  return run ? barringReasons(facts, { ...run, repeats: isRepeat(run.cause) }, run_id) : [];
}

/** A lane has one run at a time, and one worker. */
function onLane({ runs, lease, roles, now }: Facts, { run_id }: RunRow): Reason[] {
  const running = runs.find(({ status }) => status === 'running');
  if (running) return [behindRunning(running)];
  if (!lease) return [];
  const left = runs.find((run) => run.run_id === lease.runId);
  const sentence =
    lease.runId === run_id
      ? `${lease.workerId} has taken ${run_id}, and is about to start it`
      : `${lease.workerId} was at ${lease.runId}, which is ${left?.status ?? 'over'}, and has not said yet that it stopped`;
  const held = { code: 'LEASE_HELD', sentence, since: left?.finished_at ?? lease.beatenAt ?? takenAt(lease) } as const;
  if (isOver(lease, now)) return [{ ...held, ...reaping(roles) }];
  return [{ ...held, clearedBy: `${lease.workerId}, or the end of its lease`, clearsAt: lease.expiresAt }];
}

/** Of a lease that was never renewed. */
const takenAt = ({ expiresAt, leaseMs }: LeaseFact): string => new Date(Date.parse(expiresAt) - leaseMs).toISOString();

export const behindRunning = ({ run_id, agent, started_at, queued_at }: RunRow): Reason => ({
  code: 'BEHIND_RUN',
  sentence: `${run_id} of ${agent} is running on the same task, and one runs at a time`,
  since: started_at ?? queued_at,
  clearedBy: `the end of ${run_id}`,
  action: `ledger runs cancel ${run_id}`,
});

function ofAgent(facts: Facts, run: RunRow): Reason[] {
  const agent = facts.agents.get(run.agent);
  return agent ? [...atItsLimit(agent), ...withoutWorker(facts, run, agent)] : [];
}

function atItsLimit({ row, leases }: AgentFacts): Reason[] {
  const { agent, policy, last_run_at, since } = row;
  const most = policy.maxConcurrentRuns;
  if (leases.length < most) return [];
  return [
    {
      code: 'AGENT_CONCURRENCY',
      sentence: `${agent} is at ${listed(leases.map(({ runId }) => runId))}, and takes ${most} at a time`,
      since: last_run_at ?? since,
      clearedBy: 'the end of one of these',
      ...(most < 10 && { action: `ledger agents set ${agent} --max-concurrent ${most + 1}` }),
    },
  ];
}

function withoutWorker(facts: Facts, run: RunRow, agent: AgentFacts): Reason[] {
  if (agent.workers.some((worker) => isAsking(facts.now, agent, worker))) return [];
  return [
    {
      code: 'NO_WORKER',
      ...absence(agent, readySince(facts, run)),
      clearedBy: `a worker of ${run.agent}`,
      action: `ledger worker --agent ${run.agent} -- <command>`,
    },
  ];
}

/** It was told lately that there is nothing, and not given something since: it has hands free. */
function isAsking(now: string, { row, leases }: AgentFacts, { workerId, askedAt }: WorkerFact): boolean {
  const isAtWork = leases.some((lease) => lease.workerId === workerId);
  return since(askedAt, now) <= askedLatelyMs && (!isAtWork || isAfter(askedAt, row.last_run_at ?? row.since));
}

function absence({ row, leases, workers }: AgentFacts, readyAt: string): Pick<Reason, 'sentence' | 'since'> {
  const { agent, last_run } = row;
  if (workers.length === 0)
    return { sentence: `no worker of ${agent} has been heard of ${last_run === null ? 'yet' : 'for a day'}`, since: readyAt };
  if (leases.length > 0) {
    const work = leases.map(({ workerId, runId }) => `${workerId} at ${runId}`);
    return { sentence: `no worker of ${agent} asks for more: ${listed(work)}`, since: latest(workers.map((one) => one.askedAt)) };
  }
  const seenAt = latest(workers.map((worker) => worker.seenAt));
  return { sentence: `no worker of ${agent} is there; the last one was ${workers[0]?.workerId ?? 'unknown'}`, since: seenAt };
}

/** Nothing keeps it but those before it. */
function inLine(facts: Facts, run: RunRow): Reason {
  const { run_id, agent } = run;
  const { ahead = 0, first = null } = facts.ready.get(run_id) ?? {};
  const readyAt = readySince(facts, run);
  if (first !== null) return behindOthers(agent, ahead, first, readyAt);
  const from = unexplainedSince(facts, agent, readyAt);
  const sentence = `nothing keeps ${run_id}, and a worker of ${agent}`;
  if (from === undefined)
    return { code: 'READY', sentence: `${sentence} is about to take it`, since: readyAt, clearedBy: `a worker of ${agent}` };
  return { code: 'SHOULD_BE_RUNNING', sentence: `${sentence} asks for runs in vain: the ledger is at fault`, since: from };
}

function behindOthers(agent: AgentId, ahead: number, first: RunId, readyAt: string): Reason {
  const more = ahead > 1 ? ` and ${ahead > 99 ? 'at least ' : ''}${ahead - 1} more` : '';
  const sentence = `${first}${more} of ${agent} ${ahead > 1 ? 'come' : 'comes'} before it`;
  return { code: 'BEHIND_RUN', sentence, since: readyAt, clearedBy: `the start of ${first}` };
}

/** The agent's workers asked when nothing kept it any more, and it was not given to them, nor anything else. */
function unexplainedSince({ agents, now }: Facts, agent: AgentId, readyAt: string): string | undefined {
  const known = agents.get(agent);
  if (!known) return undefined;
  const from = latest([readyAt, known.row.since, known.row.last_run_at ?? '']);
  return since(from, now) > unexplainedMs && known.workers.some(({ askedAt }) => isAfter(askedAt, from)) ? from : undefined;
}

const readySince = ({ ready }: Facts, { run_id, queued_at }: RunRow): string => ready.get(run_id)?.since ?? queued_at;

const isAfter = (askedAt: string, time: string): boolean => since(time, askedAt) > doubtMs;

/** How long ago, in ms. */
export const since = (time: string, now: string): number => Date.parse(now) - Date.parse(time);
const latest = (times: readonly string[]): string => times.toSorted().at(-1) ?? '';
