import { heartbeatTask, taskStream, type AgentId, type WakeupId } from '../events/event.js';
import type { Lane, LaneEvent, OpenRun, Waiting } from '../events/lane.js';
import { lanes } from '../events/evolve-lane.js';
import { refusalKey, runningRun } from '../events/lane.js';
import { wakeupSources, wakeupTriggers, type WakeupSource, type WakeupTrigger } from '../events/wakeup.js';
import { cancelled, withdrawn } from './cancelling.js';
import { decision, noSuch, Rejected, type Outcome, type World } from './decider.js';
import { FreeJson, OneOf, Optional, Slug, TaskId, Text, Uuid } from './fields.js';
import { bounded } from './free-json.js';
import { coalesced, deferred, refusal, takeIn } from './intake.js';
import { after, knownAgent } from './lane.js';
import { redact } from './redact.js';
import { runView, type RunView } from './run-view.js';

/** Somebody asks that an agent runs: on a task, or on its own lane. */
export class RequestWakeup {
  @Slug() company!: string;
  @Slug() agent!: string;
  /** without one: the agent's own lane */
  @Optional() @TaskId() task?: string;
  @Optional() @OneOf(wakeupSources) source?: WakeupSource;
  @Optional() @OneOf(wakeupTriggers) trigger?: WakeupTrigger;
  @Optional() @Text(200) reason?: string;
  @Optional() @FreeJson() payload?: Record<string, unknown>;
}

const laneOf = ({ agent, task }: RequestWakeup): string => task ?? heartbeatTask(agent);

export const requestWakeup = decision({
  command: RequestWakeup,
  of: lanes,
  stream: (command: RequestWakeup) => taskStream(command.company, laneOf(command)),
  agents: ({ agent }) => [agent],
  decide(command: RequestWakeup, lane: Lane, world: World): LaneEvent[] {
    knownAgent(world, command.agent);
    refuseComments(command);
    const opening = lane.opened ? [] : [openOwnLane(command, world)];
    const open = after(lane, opening);
    const events = takeIn(open, askOf(command, open, world), world, { explicit: true });
    return events.length > 0 ? [...opening, ...events] : [];
  },
  answer: (command, outcome) =>
    outcome.world && outcome.events.length === 0
      ? refusedBefore(command, outcome.state, outcome.world)
      : wakeupAnswer(command, outcome),
});

/** Under this name the ledger itself says which comments a demand is about, and lets those be answered where other work may not begin. */
function refuseComments({ agent, payload }: RequestWakeup): void {
  if (payload && 'commentIds' in payload)
    throw new Rejected('data_refused', `payload.commentIds cannot be sent: comment on the task, and mention ${agent}, instead`);
}

function askOf(
  { agent, source = 'on_demand', trigger = 'manual', reason = 'requested', payload = {} }: RequestWakeup,
  lane: Lane,
  { actor }: World,
) {
  const outside = actor.type === 'user' && source !== 'timer';
  return {
    agent,
    source,
    trigger,
    reason,
    payload: bounded(redact(payload)),
    outside,
    mention: lane.assignee !== agent,
  };
}

function openOwnLane({ task, agent }: RequestWakeup, { now }: World): LaneEvent {
  if (task !== undefined && task !== heartbeatTask(agent)) throw noSuch('task', task);
  const description = { title: `${agent}'s own work`, priority: 'medium', parent: null, labels: [] } as const;
  const data = { task: heartbeatTask(agent), kind: 'heartbeat', status: 'todo', assignee: agent, ...description } as const;
  return { type: 'TaskOpened', data: { ...data, openedAt: now.toISOString() } };
}

export type WakeupDisposition = 'queued' | 'coalesced' | 'deferred' | 'skipped';
export interface WakeupAnswer {
  /** none: a timer's tick that had nothing to add */
  readonly wakeup?: { id: WakeupId; status: WakeupDisposition; code?: string; run?: string; behind?: string };
  readonly run?: RunView;
}

/** Made from the first demand that was written. */
function wakeupAnswer({ company, agent }: RequestWakeup, outcome: Outcome<Lane, LaneEvent>): WakeupAnswer {
  const { state: lane, events } = outcome;
  const requested = events.find((event) => event.type === 'WakeupRequested');
  if (!requested) return {};
  const id = requested.data.wakeupId;
  for (const { type, data } of events) {
    if (type === 'WakeupSkipped') return refused(id, data.code, agent);
    if (type === 'WakeupDeferred') return { wakeup: { id, status: 'deferred', behind: data.behind } };
    if (type === 'WakeupCoalesced')
      return {
        wakeup: { id, status: 'coalesced', ...(data.runId && { run: data.runId }) },
        ...shown(company, outcome, data.runId),
      };
    if (type === 'RunQueued')
      return {
        wakeup: { id, status: 'queued', run: data.runId, ...behind(lane, data.runId) },
        ...shown(company, outcome, data.runId),
      };
  }
  return {};
}

/** Nothing was written: a tick that had nothing to add, or a demand that was refused a moment ago for the same reason. */
function refusedBefore(command: RequestWakeup, lane: Lane, world: World): WakeupAnswer {
  const { agent } = command;
  const code = refusal(lane, askOf(command, lane, world), knownAgent(world, agent), true);
  const first = code && lane.refusals[refusalKey(agent, code)];
  return first ? refused(first.wakeupId, code, agent) : {};
}

function refused(id: WakeupId, code: string, agent: AgentId): WakeupAnswer {
  if (code === 'agent_not_invokable')
    throw new Rejected(code, `${agent} takes no wakeups: it is paused, or was terminated; resume it, or ask another agent`, id);
  return { wakeup: { id, status: 'skipped', code } };
}

const shown = (company: string, outcome: Outcome<Lane, LaneEvent>, run: string | null) =>
  run ? { run: runView(company, outcome, run) } : {};

function behind(lane: Lane, run: string): { behind?: string } {
  const running = runningRun(lane);
  return running && running.runId !== run ? { behind: running.runId } : {};
}

/** A demand is withdrawn. Its run goes with it, unless it carries others as well. */
export class CancelWakeup {
  @Slug() company!: string;
  @TaskId() task!: string;
  @Uuid() wakeup!: string;
  @Text(4_000) reason!: string;
}

export const cancelWakeup = decision({
  command: CancelWakeup,
  of: lanes,
  stream: ({ company, task }: CancelWakeup) => taskStream(company, task),
  decide(command: CancelWakeup, lane: Lane, world: World): LaneEvent[] {
    const waiting = lane.waiting.find(({ wakeupId, joined }) =>
      [wakeupId, ...joined.map((demand) => demand.wakeupId)].includes(command.wakeup),
    );
    if (waiting) return withdrawWaiting(lane, waiting, command, world);
    const run = lane.open.find(({ wakeupIds }) => wakeupIds.includes(command.wakeup));
    if (run && run.status !== 'running') return [withdrawFromRun(run, command, world)];
    if (lane.withdrawn.includes(command.wakeup)) return [];
    throw notOpen(command, lane, run);
  },
  answer: ({ wakeup }) => ({ wakeup: { id: wakeup, status: 'cancelled' as const } }),
});

function notOpen({ wakeup, task }: CancelWakeup, { opened }: Lane, running: OpenRun | undefined): Rejected {
  if (!opened) return new Rejected('wakeup_not_found', `there is no task ${task}, and so no wakeup ${wakeup} on it`);
  const sentence = running
    ? `${wakeup} is being worked on; cancel ${running.runId} instead`
    : `${wakeup} does not wait on ${task} by itself: it has joined another's run, or it is over; cancel that run to end both`;
  return new Rejected('wakeup_not_open', sentence);
}

const code = 'wakeup_cancelled';

/** The oldest demand that had joined a withdrawn one takes its place, and the others join that. */
function withdrawWaiting(lane: Lane, waiting: Waiting, { wakeup, reason }: CancelWakeup, world: World): LaneEvent[] {
  const withdrawal = withdrawn({ wakeupId: wakeup, agent: waiting.agent }, world, { code, reason });
  const [heir, ...rest] = wakeup === waiting.wakeupId ? waiting.joined : [];
  const running = runningRun(lane);
  if (!heir || !running) return [withdrawal];
  return [withdrawal, deferred(heir, running, world), ...rest.map((demand) => coalesced(demand, heir.wakeupId, null, world))];
}

function withdrawFromRun(run: OpenRun, { wakeup, reason }: CancelWakeup, world: World): LaneEvent {
  if (run.joined.length > 0)
    throw new Rejected(
      'wakeup_shared',
      `${run.joined.length} other demands have joined ${wakeup}; cancel ${run.runId} to end them all`,
    );
  if (run.wakeupIds.length > 1) return withdrawn({ wakeupId: wakeup, agent: run.agent }, world, { code, reason });
  return cancelled(run, world, { code, reason, intent: 'stop', wakeups: 'cancelled' });
}
