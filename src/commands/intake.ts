import type { Agent } from '../events/agent.js';
import { runId, wakeupId, type AgentId, type JsonObject, type TaskId, type WakeupId } from '../events/event.js';
import {
  commentIdsIn,
  openBlockers,
  openRunOf,
  refusalKey,
  waitingOf,
  type Demand,
  type Lane,
  type LaneEvent,
  type OpenRun,
  type Waiting,
} from '../events/lane.js';
import type { RunCause, RunQueued } from '../events/run.js';
import { isClosed, type CommentId } from '../events/task.js';
import type { World } from './decider.js';
import { obstacle } from './gates.js';
import { knownAgent, moving, placeOf } from './lane.js';

/** What asks for a run. */
export type Ask = Omit<Demand, 'wakeupId' | 'requestedAt'>;

/** The demands that the ledger makes by itself are demands like all others, and nobody's outside cause. */
export const ownAsk = ({ agent, mention, comment }: { agent: AgentId; mention: boolean; comment?: boolean }) =>
  ({ agent, source: 'automation', trigger: 'system', payload: {}, outside: false, mention, ...asComment(comment) }) as const;

/**
 * A demand and its disposition, in one append: refused with its code, joined to what waits already, put behind what
 * runs, or given a run. Identical refusals within a minute are answered by the first of them.
 */
export function takeIn(lane: Lane, ask: Ask, world: World, { explicit, ordinal = 0, code: other }: Intake): LaneEvent[] {
  const demand = demandOf(ask, world, ordinal);
  const code = refusal(lane, ask, knownAgent(world, ask.agent), explicit) ?? other;
  if (code) return refusedLately(lane, ask.agent, code, world) ? [] : refused(lane, demand, code, world);
  const own = openRunOf(lane, ask.agent);
  if (own && ask.source === 'timer') return [];
  return [requested(demand), ...(own ? joinOwn(lane, own, demand, world) : [queuedFor(lane, [demand], 'requested', world)])];
}

export interface Intake {
  /** a wakeup of its own, not something that happened to the task */
  readonly explicit: boolean;
  /** counts the demands of one command, from 0 */
  readonly ordinal?: number;
  /** of a refusal that only the caller can know of, behind the gates */
  readonly code?: string | undefined;
}

export const requested = (demand: Demand): LaneEvent => ({ type: 'WakeupRequested', data: demand });

/** A demand that is recorded, and comes to nothing. */
const refused = (lane: Lane, demand: Demand, code: string, world: World): LaneEvent[] => [
  requested(demand),
  skipped(demand, code, world, code === 'issue_dependencies_blocked' ? openBlockers(lane) : []),
];

/** `blockers`: those that are open, where they are the reason. */
export const skipped = (
  { wakeupId, agent }: Demand,
  code: string,
  { now }: World,
  blockers: readonly TaskId[] = [],
): LaneEvent => ({
  type: 'WakeupSkipped',
  data: { wakeupId, agent, code, ...(blockers.length > 0 && { blockers }), skippedAt: now.toISOString() },
});

export function demandOf(ask: Ask, { commandId, now }: World, ordinal = 0): Demand {
  return { wakeupId: wakeupId(commandId, ordinal), ...ask, requestedAt: now.toISOString() };
}

/** The gates that a demand passes, in order; the code of the first that it does not. Paused is no gate: it is held at the claim. */
export function refusal(lane: Lane, ask: Gated, agent: Agent, explicit: boolean): string | undefined {
  if (agent.status === 'terminated') return 'agent_not_invokable';
  if (agent.status === 'paused' && explicit) return 'agent_not_invokable';
  return switchedOff(ask, agent) ?? (ask.comment ? undefined : shut(lane, ask));
}

type Gated = Pick<Ask, 'source' | 'mention' | 'comment'>;

function shut(lane: Lane, { mention }: Gated): string | undefined {
  if (isClosed(lane.status)) return 'issue_terminal_status';
  return openBlockers(lane).length > 0 && !mention ? 'issue_dependencies_blocked' : undefined;
}

/** The gates for a demand that has waited: by now the task may be closed, blocked, or somebody else's; a comment passes. */
export function refusalOfWaiting(lane: Lane, waiting: Waiting, world: World): string | undefined {
  return obstacle(lane, waiting, world) ?? switchedOff(waiting, knownAgent(world, waiting.agent));
}

function switchedOff({ source }: Pick<Ask, 'source'>, { policy }: Agent): string | undefined {
  if (source === 'timer') return policy.heartbeat.enabled ? undefined : 'heartbeat_disabled';
  return policy.wakeOnDemand ? undefined : 'wake_on_demand_disabled';
}

/** A run for demands that have none, at the head of a chain of its own; `before` is the run whose place it takes. */
export function queuedFor(
  lane: Lane,
  demands: readonly [Demand, ...Demand[]],
  cause: RunCause,
  { now }: World,
  before?: Before,
): RunQueued {
  const id = runId(lane.task, lane.runs + 1);
  const [{ agent, source, trigger, reason, ...first }] = demands;
  const parts = [...(before ? [before] : []), ...demands];
  return {
    type: 'RunQueued',
    data: {
      runId: id,
      agent,
      cause,
      chain: id,
      attempt: 0,
      retryOf: null,
      wakeupIds: [...demands.map((demand) => demand.wakeupId), ...(before?.wakeupIds ?? [])],
      outside: demands.some((demand) => demand.outside),
      mention: parts.some(({ mention }) => mention),
      ...asComment(parts.some(({ comment }) => comment)),
      place: placeOf(lane),
      context: told(
        { source, trigger, reason, payload: payloadOf(first) },
        commentIdsIn(before?.context ?? {}),
        ...demands.map(commentIdsOf),
      ),
      queuedAt: now.toISOString(),
    },
  };
}

/** What a run is told of its comments is said once, and can be taken back there. */
function payloadOf({ payload, comment }: Pick<Demand, 'payload' | 'comment'>): JsonObject {
  if (!comment) return payload;
  const { commentIds: _, ...rest } = payload;
  return rest;
}

/** Its demands, its exemptions and its comments pass on. */
export type Before = Pick<OpenRun, 'wakeupIds' | 'mention' | 'comment' | 'context'>;

const asComment = (comment: boolean | undefined): { comment?: true } => (comment ? { comment: true } : {});

/** Of a demand and of those that have joined it, in the order in which they were made. */
export const commentIdsOf = (demand: Demand | Waiting): CommentId[] =>
  [demand, ...('joined' in demand ? demand.joined : [])].flatMap(({ payload }) => commentIdsIn(payload));

/** What a run is told, with these comments after those that it was told of already: the latest is the last. */
export function told(context: JsonObject, ...more: readonly (readonly CommentId[])[]): JsonObject {
  const commentIds = [...new Set([...commentIdsIn(context), ...more.flat()])];
  return commentIds.length > 0 ? { ...context, commentIds } : context;
}

const isFirstOfChain = (run: OpenRun): boolean => run.chain === run.runId;

function joinOwn(lane: Lane, own: OpenRun, demand: Demand, world: World): LaneEvent[] {
  if (own.status === 'running') return [waitBehind(lane, own, demand, world)];
  if (demand.outside && !isFirstOfChain(own)) return supersede(lane, own, demand, world);
  return [coalesced(demand, own.wakeupIds[0]!, own.runId, world)];
}

/** Work that nobody asked for anew is not done in the place of work that a person asks for now. */
function supersede(lane: Lane, own: OpenRun, demand: Demand, world: World): LaneEvent[] {
  const by = queuedFor(lane, [demand], 'superseding', world, own);
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

export function coalesced(demand: Demand, into: WakeupId, run: string | null, { now }: World): LaneEvent {
  const { wakeupId, agent, payload } = demand;
  const commentIds = commentIdsIn(payload);
  const about = commentIds.length > 0 ? { commentIds } : {};
  return { type: 'WakeupCoalesced', data: { wakeupId, agent, into, runId: run, ...about, coalescedAt: now.toISOString() } };
}

function refusedLately(lane: Lane, agent: AgentId, code: string, { now }: World): boolean {
  const last = lane.refusals[refusalKey(agent, code)];
  return last !== undefined && now.getTime() - Date.parse(last.at) < 60_000;
}
