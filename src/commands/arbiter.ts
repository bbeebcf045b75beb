import { runId, type WakeupId } from '../events/event.js';
import { waitingOf, type Demand, type EndedRun, type Lane, type LaneEvent, type Waiting } from '../events/lane.js';
import type { RunCause } from '../events/run.js';
import type { World } from './decider.js';
import { obstacle } from './gates.js';
import { demandOf, ownAsk, queuedFor, refusalOfWaiting, requested, skipped } from './intake.js';
import { after, movedTo, placeOf } from './lane.js';
import { parkOrExhaust } from './retry-decision.js';

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

/** `joining`: the demand of the same agent that has waited for this end, and is carried by whatever run a rule opens. */
interface End {
  readonly lane: Lane;
  readonly run: EndedRun;
  readonly joining: Waiting | undefined;
  readonly world: World;
}

type Rule = (end: End) => LaneEvent[] | undefined;

const rules: readonly Rule[] = [
  requeue,
  waitingPerson,
  retry,
  repeatLost,
  // The places of the next rules to come. 6: a comment that is owed, a continuation that the agent's policy allows.
  // 7: recovery of work that failed for good.
];

function firstRule(end: End): LaneEvent[] {
  for (const rule of rules) {
    const events = rule(end);
    if (events) return events;
  }
  return [];
}

/** 1: the same attempt again; a person's demand that joins it makes it a chain of its own. */
function requeue({ lane, run, joining, world }: End): LaneEvent[] | undefined {
  if (run.status !== 'cancelled' || run.intent !== 'requeue') return undefined;
  if (joining?.outside) return [queuedFor(lane, [joining], 'requeued', world, run)];
  return [again(lane, run, 'requeued', [...run.wakeupIds, ...idsOf(joining)], joining, world)];
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
  return isExhausted && isAwaited(lane, run) ? [...events, ...escalate(lane, run, world)] : events;
}

/** 5: a process that was lost is repeated once in a chain. */
function repeatLost({ lane, run, joining, world }: End): LaneEvent[] | undefined {
  if (run.status !== 'failed' || run.family !== 'process_lost' || run.lost || !mayGoOn(lane, run, world)) return undefined;
  const demand = demandOf({ ...ownAsk(run), reason: 'process_lost_retry' }, world);
  return [requested(demand), again(lane, run, 'process_lost', [demand.wakeupId, ...idsOf(joining)], joining, world)];
}

const isRetryable = (lane: Lane, run: EndedRun, world: World): boolean =>
  run.status === 'failed' && (run.family === 'transient_upstream' || run.family === 'quota') && mayGoOn(lane, run, world);

const mayGoOn = (lane: Lane, run: EndedRun, world: World): boolean =>
  obstacle(lane, { ...run, repeats: true }, world) === undefined;

const idsOf = (demand: Demand | undefined): WakeupId[] => (demand ? [demand.wakeupId] : []);

/** Work that is still the agent's to do waits for a person from now on. */
const isAwaited = (lane: Lane, run: EndedRun): boolean =>
  lane.kind !== 'heartbeat' && (lane.status === 'todo' || lane.status === 'in_progress') && lane.assignee === run.agent;

function escalate(lane: Lane, { runId: id, agent, attempt }: EndedRun, world: World): LaneEvent[] {
  const why = `${id} failed after ${attempt} retries: a person must look at it`;
  return [
    { type: 'RecoveryEscalated', data: { runId: id, agent, why, escalatedAt: world.now.toISOString() } },
    movedTo(lane, 'blocked', why, world),
  ];
}

/** A run of the same chain and attempt. */
function again(
  lane: Lane,
  run: EndedRun,
  cause: RunCause,
  wakeupIds: readonly WakeupId[],
  joining: Demand | undefined,
  { now }: World,
): LaneEvent {
  const { agent, chain, attempt, context } = run;
  const carried = { outside: run.outside, mention: run.mention || joining?.mention === true };
  const data = { agent, cause, chain, attempt, retryOf: run.runId, wakeupIds, ...carried, place: placeOf(lane), context };
  return { type: 'RunQueued', data: { runId: runId(lane.task, lane.runs + 1), ...data, queuedAt: now.toISOString() } };
}
