import { runId, type JsonObject } from '../events/event.js';
import { commentIdsIn, type Demand, type EndedRun, type Lane, type LaneEvent, type OpenRun } from '../events/lane.js';
import type { World } from './decider.js';
import { commentIdsOf, demandOf, ownAsk, requested, told } from './intake.js';
import { knownAgent, placeOf } from './lane.js';
import { maxAttempts, planRetry, type RetryPlan } from './retry-policy.js';

export interface Retrying {
  readonly reason: string;
  /** what else waits, and is carried by the retry */
  readonly joining?: Demand;
  /** the run whose place it takes, with its demands */
  readonly before?: OpenRun;
}

/** The next attempt of a chain, parked until it is due, behind a demand of its own; or that there is none left. */
export function parkOrExhaust(lane: Lane, run: EndedRun, world: World, retrying: Retrying): LaneEvent[] {
  const limit = maxAttempts(knownAgent(world, run.agent).policy.retry);
  return run.attempt < limit ? park(lane, run, world, retrying) : [exhausted(run, limit, retrying, world)];
}

function park(lane: Lane, run: EndedRun, world: World, retrying: Retrying): LaneEvent[] {
  const { adapter, policy } = knownAgent(world, run.agent);
  const circumstances = { now: world.now, sample: world.random(), notBefore: run.notBefore, adapter };
  const plan = planRetry(policy.retry, run.attempt + 1, circumstances);
  const why = toldOf(run, plan, retrying);
  const demand = demandOf({ ...ownAsk(run), reason: wakeReason, payload: why }, world);
  return [requested(demand), retryScheduled(lane, run, world, { plan, why, demand, retrying })];
}

const wakeReason = 'transient_failure_retry';

/** What the demand and the run's context say of the retry. */
const toldOf = (run: EndedRun, { dueAt, fallbackMode }: RetryPlan, { reason }: Retrying): JsonObject => ({
  retryOf: run.runId,
  reason: wakeReason,
  retryReason: reason,
  attempt: run.attempt + 1,
  dueAt,
  ...(fallbackMode && { fallbackMode }),
});

interface Decided {
  readonly plan: RetryPlan;
  readonly why: JsonObject;
  readonly demand: Demand;
  readonly retrying: Retrying;
}

function retryScheduled(lane: Lane, run: EndedRun, world: World, { plan, why, demand, retrying }: Decided): LaneEvent {
  const { retry: policy } = knownAgent(world, run.agent).policy;
  const { reason, joining, before } = retrying;
  const comment = run.comment || joining?.comment === true || before?.comment === true;
  return {
    type: 'RetryScheduled',
    data: {
      runId: runId(lane.task, lane.runs + 1),
      retryOf: run.runId,
      chain: run.chain,
      agent: run.agent,
      attempt: run.attempt + 1,
      maxAttempts: maxAttempts(policy),
      reason,
      ...plan,
      policy: { name: policy.name, version: policy.version },
      ...(run.family && { errorFamily: run.family }),
      outside: false,
      mention: run.mention || joining?.mention === true || before?.mention === true,
      ...(comment && { comment }),
      place: placeOf(lane),
      context: told({ ...run.context, ...why }, commentIdsIn(before?.context ?? {}), joining ? commentIdsOf(joining) : []),
      wakeupIds: [demand.wakeupId, ...(joining ? [joining.wakeupId] : []), ...(before?.wakeupIds ?? [])],
      queuedAt: world.now.toISOString(),
    },
  };
}

const exhausted = (run: EndedRun, limit: number, { reason }: Retrying, { now }: World): LaneEvent => ({
  type: 'RetryExhausted',
  data: {
    runId: run.runId,
    agent: run.agent,
    chain: run.chain,
    attempts: run.attempt,
    maxAttempts: limit,
    reason,
    exhaustedAt: now.toISOString(),
  },
});
