import { runId, type WakeupId } from '../events/event.js';
import { waitingOf, type Demand, type EndedRun, type Lane, type LaneEvent } from '../events/lane.js';
import type { RunCause } from '../events/run.js';
import type { World } from './decider.js';
import { obstacle } from './gates.js';
import { commentIdsOf, demandOf, ownAsk, queuedFor, refusalOfWaiting, requested, skipped, told } from './intake.js';
import { after, knownAgent, placeOf } from './lane.js';
import { isAwaited, type End, type Rule } from './end-of-run.js';
import { continuation, owedComment } from './follow-up.js';
import { escalated, recoveryCause, recoveryReasons } from './recovery.js';
import { parkOrExhaust } from './retry-decision.js';
import { maxAttempts } from './retry-policy.js';

/**
 * What follows the end of a run, in the same append as the end: the first rule that applies, then the demand that still
 * waits. `lane` is the lane after the end. A run that was stopped on purpose has no successor but for what waits.
 */
export function whatFollows(lane: Lane, run: EndedRun, world: World): LaneEvent[] {
  const waiting = waitingOf(lane, run.agent);
  const code = waiting && refusalOfWaiting(lane, waiting, world);
  const joining = code === undefined ? waiting : undefined;
  const next = firstRule({ lane, run, joining, world });
  if (!waiting || next.some((event) => carries(event, waiting))) return next;
  if (code) return [...next, skipped(waiting, code, world)];
  return [...next, queuedFor(after(lane, next), [waiting], 'deferred', world)];
}

const carries = (event: LaneEvent, { wakeupId }: Demand): boolean =>
  (event.type === 'RunQueued' || event.type === 'RetryScheduled') && event.data.wakeupIds.includes(wakeupId);

const rules: readonly Rule[] = [requeue, waitingPerson, retry, repeatLost, owedComment, continuation, recover];

function firstRule(end: End): LaneEvent[] {
  for (const rule of rules) {
    const events = rule(end);
    if (events) return events;
  }
  return [];
}

/** 1: the same attempt again; a person's demand that joins it makes it a chain of its own. */
function requeue(end: End): LaneEvent[] | undefined {
  const { lane, run, joining, world } = end;
  if (run.status !== 'cancelled' || run.intent !== 'requeue') return undefined;
  if (joining?.outside) return [queuedFor(lane, [joining], 'requeued', world, run)];
  return [again(end, 'requeued', run.wakeupIds)];
}

/** 2: what a person asked for meanwhile is done now, and not behind a retry. */
function waitingPerson({ lane, joining, world }: End): LaneEvent[] | undefined {
  return joining?.outside ? [queuedFor(lane, [joining], 'deferred', world)] : undefined;
}

/** 3: a failure that passes by itself is tried again later. 4: attempts that are used up are said, and a person is asked for. */
function retry({ lane, run, joining, world }: End): LaneEvent[] | undefined {
  if (!isRetryable(lane, run, world)) return undefined;
  const events = parkOrExhaust(lane, run, world, { reason: 'transient_failure', joining });
  const isExhausted = events.some(({ type }) => type === 'RetryExhausted');
  return isExhausted && isAwaited(lane, run) ? [...events, ...givenUp(lane, run, world)] : events;
}

/** 5: a process that was lost is repeated once in a chain. */
function repeatLost(end: End): LaneEvent[] | undefined {
  const { lane, run, world } = end;
  if (run.status !== 'failed' || run.family !== 'process_lost' || run.lost || !mayGoOn(lane, run, world)) return undefined;
  const demand = demandOf({ ...ownAsk(run), reason: 'process_lost_retry' }, world);
  return [requested(demand), again(end, 'process_lost', [demand.wakeupId])];
}

/** 7: work that failed for good is taken up once more in a chain; then a person is asked for. */
function recover(end: End): LaneEvent[] | undefined {
  const { lane, run, joining, world } = end;
  if (run.status !== 'failed' && run.status !== 'timed_out') return undefined;
  // What waits for a blocker is woken by its resolution.
  if (!isAwaited(lane, run) || obstacle(lane, { ...run, repeats: true }, world)) return undefined;
  if (run.recovered || run.attempt >= maxAttempts(knownAgent(world, run.agent).policy.retry)) return givenUp(lane, run, world);
  const cause = recoveryCause(lane);
  const demand = demandOf({ ...ownAsk(run), reason: recoveryReasons[cause] }, world);
  const next = { ...run, attempt: run.attempt + 1, outside: joining?.outside === true };
  return [requested(demand), again({ ...end, run: next }, cause, [demand.wakeupId])];
}

function givenUp(lane: Lane, run: EndedRun, world: World): LaneEvent[] {
  const before = run.attempt > 0 || run.recovered ? 'so did what was tried before it' : 'its agent is given no other attempt';
  return escalated(lane, run, `${run.runId} failed (${run.code ?? run.status}), and ${before}`, world);
}

const isRetryable = (lane: Lane, run: EndedRun, world: World): boolean =>
  run.status === 'failed' && (run.family === 'transient_upstream' || run.family === 'quota') && mayGoOn(lane, run, world);

/** Blockers keep work from being started, not from being tried again: the claim asks for them. */
function mayGoOn(lane: Lane, run: EndedRun, world: World): boolean {
  const code = obstacle(lane, { ...run, repeats: true }, world);
  return code === undefined || code === 'issue_dependencies_blocked';
}

/** A run of the same chain, for these demands and the one that has waited. */
function again({ lane, run, joining, world }: End, cause: RunCause, demands: readonly WakeupId[]): LaneEvent {
  const { agent, chain, attempt } = run;
  const wakeupIds = joining ? [...demands, joining.wakeupId] : demands;
  const context = told(run.context, joining ? commentIdsOf(joining) : []);
  const comment = run.comment || joining?.comment === true;
  const carried = { outside: run.outside, mention: run.mention || joining?.mention === true, ...(comment && { comment }) };
  const data = { agent, cause, chain, attempt, retryOf: run.runId, wakeupIds, ...carried, place: placeOf(lane), context };
  return { type: 'RunQueued', data: { runId: runId(lane.task, lane.runs + 1), ...data, queuedAt: world.now.toISOString() } };
}
