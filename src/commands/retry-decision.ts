import { runId, type JsonObject } from '../events/event.js';
import { type Demand, type EndedRun, type Lane, type LaneEvent } from '../events/lane.js';
import type { World } from './decider.js';
import { demandOf, requested } from './intake.js';
import { knownAgent, movedTo, placeOf } from './lane.js';
import { maxAttempts, planRetry } from './retry-policy.js';

/** The next attempt of a chain, parked until it is due; its own demand goes before it and is carried with what else waits. */
export function park(
  lane: Lane,
  run: EndedRun,
  world: World,
  { reason, joining }: { reason: string; joining?: Demand },
): LaneEvent[] {
  const { adapter, policy } = knownAgent(world, run.agent);
  const attempt = run.attempt + 1;
  const plan = planRetry(policy.retry, attempt, { now: world.now, sample: world.random(), notBefore: run.notBefore, adapter });
  const added: JsonObject = { retryOf: run.runId, reason: wakeReason, retryReason: reason, attempt, dueAt: plan.dueAt };
  if (plan.fallbackMode) added.fallbackMode = plan.fallbackMode;
  const demand = demandOf(
    {
      agent: run.agent,
      source: 'automation',
      trigger: 'system',
      reason: wakeReason,
      payload: added,
      outside: false,
      mention: run.mention,
      explicit: false,
    },
    world,
    0,
  );
  return [
    requested(demand),
    {
      type: 'RetryScheduled',
      data: {
        runId: runId(lane.task, lane.runs + 1),
        retryOf: run.runId,
        chain: run.chain,
        agent: run.agent,
        attempt,
        maxAttempts: maxAttempts(policy.retry),
        reason,
        ...plan,
        policy: { name: policy.retry.name, version: policy.retry.version },
        ...(run.family && { errorFamily: run.family }),
        outside: false,
        mention: run.mention || joining?.mention === true,
        place: placeOf(lane),
        context: { ...run.context, ...added },
        wakeupIds: [demand.wakeupId, ...(joining ? [joining.wakeupId] : [])],
        queuedAt: world.now.toISOString(),
      },
    },
  ];
}

const wakeReason = 'transient_failure_retry';

/** The chain has used its attempts. Work that is still the agent's to do waits for a person from now on. */
export function exhaust(lane: Lane, run: EndedRun, world: World, reason: string): LaneEvent[] {
  const { runId: id, agent, chain, attempt } = run;
  const at = world.now.toISOString();
  const limit = maxAttempts(knownAgent(world, agent).policy.retry);
  const exhausted: LaneEvent = {
    type: 'RetryExhausted',
    data: { runId: id, agent, chain, attempts: attempt, maxAttempts: limit, reason, exhaustedAt: at },
  };
  return isAwaited(lane, run)
    ? [exhausted, ...escalate(lane, run, `${id} failed after ${attempt} retries: a person must look at it`, world)]
    : [exhausted];
}

const isAwaited = (lane: Lane, run: EndedRun): boolean =>
  lane.kind !== 'heartbeat' && (lane.status === 'todo' || lane.status === 'in_progress') && lane.assignee === run.agent;

const escalate = (lane: Lane, { runId: id, agent }: EndedRun, why: string, world: World): LaneEvent[] => [
  { type: 'RecoveryEscalated', data: { runId: id, agent, why, escalatedAt: world.now.toISOString() } },
  movedTo(lane, 'blocked', why, world),
];
