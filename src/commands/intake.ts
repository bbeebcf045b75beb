import type { Agent } from '../events/agent.js';
import { runId, wakeupId, type AgentId, type WakeupId } from '../events/event.js';
import {
  openRunOf,
  refusalKey,
  waitingOf,
  type Demand,
  type Lane,
  type LaneEvent,
  type OpenRun,
  type Waiting,
} from '../events/lane.js';
import type { RunCause } from '../events/run.js';
import { isClosed } from '../events/task.js';
import type { World } from './decider.js';
import { obstacle } from './gates.js';
import { knownAgent, moving, placeOf } from './lane.js';

/** What asks for a run. */
export type Ask = Omit<Demand, 'wakeupId' | 'requestedAt'>;

/** The demands that the ledger makes by itself are demands like all others, and nobody's outside cause. */
export const ownAsk = ({ agent, mention }: { readonly agent: AgentId; readonly mention: boolean }) =>
  ({ agent, source: 'automation', trigger: 'system', payload: {}, outside: false, mention }) as const;

/**
 * A demand and its disposition, in one append: refused with its code, joined to what waits already, put behind what
 * runs, or given a run. Identical refusals within a minute are answered by the first of them.
 * `explicit`: a wakeup of its own, not something that happened to the task.
 */
export function takeIn(lane: Lane, ask: Ask, world: World, { explicit }: { explicit: boolean }): LaneEvent[] {
  const demand = demandOf(ask, world);
  const code = refusal(lane, ask, knownAgent(world, ask.agent), explicit);
  if (code) return refusedLately(lane, ask.agent, code, world) ? [] : [requested(demand), skipped(demand, code, world)];
  const own = openRunOf(lane, ask.agent);
  if (own && ask.source === 'timer') return [];
  return [requested(demand), ...(own ? joinOwn(lane, own, demand, world) : [queuedFor(lane, [demand], 'requested', world)])];
}

export const requested = (demand: Demand): LaneEvent => ({ type: 'WakeupRequested', data: demand });

export const skipped = ({ wakeupId, agent }: Demand, code: string, { now }: World): LaneEvent => ({
  type: 'WakeupSkipped',
  data: { wakeupId, agent, code, skippedAt: now.toISOString() },
});

/** A command makes one demand at most. */
export function demandOf(ask: Ask, { commandId, now }: World): Demand {
  return { wakeupId: wakeupId(commandId, 0), ...ask, requestedAt: now.toISOString() };
}

/** The gates that a demand passes, in order; the code of the first that it does not. Paused is no gate: it is held at the claim. */
export function refusal(lane: Lane, ask: Pick<Ask, 'source'>, agent: Agent, explicit: boolean): string | undefined {
  if (agent.status === 'terminated') return 'agent_not_invokable';
  if (agent.status === 'paused' && explicit) return 'agent_not_invokable';
  return switchedOff(ask, agent) ?? (isClosed(lane.status) ? 'issue_terminal_status' : undefined);
}

/** The gates for a demand that has waited: by now the task may be closed, or somebody else's. */
export function refusalOfWaiting(lane: Lane, waiting: Waiting, world: World): string | undefined {
  return obstacle(lane, waiting, world) ?? switchedOff(waiting, knownAgent(world, waiting.agent));
}

function switchedOff({ source }: Pick<Ask, 'source'>, { policy }: Agent): string | undefined {
  if (source === 'timer') return policy.heartbeat.enabled ? undefined : 'heartbeat_disabled';
  return policy.wakeOnDemand ? undefined : 'wake_on_demand_disabled';
}

/** A run for demands that have none, at the head of a chain of its own. */
export function queuedFor(
  lane: Lane,
  demands: readonly [Demand, ...Demand[]],
  cause: RunCause,
  { now }: World,
  passed: readonly WakeupId[] = [],
): LaneEvent {
  const id = runId(lane.task, lane.runs + 1);
  const [{ agent, source, trigger, reason, payload }] = demands;
  return {
    type: 'RunQueued',
    data: {
      runId: id,
      agent,
      cause,
      chain: id,
      attempt: 0,
      retryOf: null,
      wakeupIds: [...demands.map((demand) => demand.wakeupId), ...passed],
      outside: demands.some((demand) => demand.outside),
      mention: demands.some((demand) => demand.mention),
      place: placeOf(lane),
      context: { source, trigger, reason, payload },
      queuedAt: now.toISOString(),
    },
  };
}

const isFirstOfChain = (run: OpenRun): boolean => run.chain === run.runId;

function joinOwn(lane: Lane, own: OpenRun, demand: Demand, world: World): LaneEvent[] {
  if (own.status === 'running') return [waitBehind(lane, own, demand, world)];
  if (demand.outside && !isFirstOfChain(own)) return supersede(lane, own, demand, world);
  return [coalesced(demand, own.wakeupIds[0]!, own.runId, world)];
}

/** Work that nobody asked for anew is not done in the place of work that a person asks for now. */
function supersede(lane: Lane, own: OpenRun, demand: Demand, world: World): LaneEvent[] {
  const by = queuedFor(lane, [{ ...demand, mention: demand.mention || own.mention }], 'superseding', world, own.wakeupIds);
  const supersededAt = world.now.toISOString();
  return [{ type: 'RetrySuperseded', data: { ...moving(own), by: runId(lane.task, lane.runs + 1), supersededAt } }, by];
}

function waitBehind(lane: Lane, running: OpenRun, demand: Demand, world: World): LaneEvent {
  const waiting = waitingOf(lane, demand.agent);
  return waiting ? coalesced(demand, waiting.wakeupId, null, world) : deferred(demand, running, world);
}

export const deferred = ({ wakeupId, agent }: Demand, behind: OpenRun, { now }: World): LaneEvent => ({
  type: 'WakeupDeferred',
  data: { wakeupId, agent, behind: behind.runId, deferredAt: now.toISOString() },
});

export const coalesced = ({ wakeupId, agent }: Demand, into: WakeupId, run: string | null, { now }: World): LaneEvent => ({
  type: 'WakeupCoalesced',
  data: { wakeupId, agent, into, runId: run, coalescedAt: now.toISOString() },
});

function refusedLately(lane: Lane, agent: AgentId, code: string, { now }: World): boolean {
  const last = lane.refusals[refusalKey(agent, code)];
  return last !== undefined && now.getTime() - Date.parse(last.at) < 60_000;
}
