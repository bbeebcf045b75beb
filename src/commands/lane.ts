import { lanes } from '../events/evolve-lane.js';
import type { EndedRun, Lane, LaneEvent, OpenRun } from '../events/lane.js';
import { numberOfRun, taskOfRun, taskStream, type AgentId, type RunId, type StreamId, type TaskId } from '../events/event.js';
import type { Agent } from '../events/agent.js';
import type { Moving, Place } from '../events/run.js';
import type { TaskStatus } from '../events/task.js';
import { noSuch, Rejected, type World } from './decider.js';

/** What all decisions about one run have in common. */
export const ofRun = {
  of: lanes,
  stream: ({ company, run }: OneRun): StreamId => taskStream(company, taskOfRun(run)),
  agents: ({ run }: OneRun, lane: Lane): (AgentId | null)[] => [findRun(lane, run)?.agent ?? null],
  correlate: ({ run }: OneRun, lane: Lane): RunId | undefined => findRun(lane, run)?.chain,
};
export const fenceOf = ({ company, run, lease }: OneRun & { lease: string }) => ({ company, task: taskOfRun(run), token: lease });
type OneRun = { company: string; run: RunId };

/** What all decisions about one task have in common. */
export const ofTask = { of: lanes, stream: ({ company, task }: { company: string; task: TaskId }) => taskStream(company, task) };

/** The lane as it will be once these are recorded: what the rest of a decision is made on. */
export const after = (lane: Lane, events: readonly LaneEvent[]): Lane => events.reduce(lanes.evolve, lane);

export type AnyRun = OpenRun | EndedRun;

/** Open, or among the last hundred that ended. */
export const findRun = (lane: Lane, runId: RunId): AnyRun | undefined =>
  lane.open.find((run) => run.runId === runId) ?? endedRun(lane, runId);

export const isEnded = (run: AnyRun): run is EndedRun => 'retry' in run;

/** Among the last hundred. */
export const endedRun = (lane: Lane, runId: RunId): EndedRun | undefined => lane.ended.find((run) => run.runId === runId);

export function openRun(lane: Lane, runId: RunId): OpenRun | undefined {
  refuseUnknown(lane, runId);
  return lane.open.find((run) => run.runId === runId);
}

export function refuseUnknown(lane: Lane, runId: RunId): void {
  if (numberOfRun(runId) > lane.runs)
    throw new Rejected(
      'run_not_found',
      `there is no run ${runId}${lane.runs ? `; the last one of its task is ${taskOfRun(runId)}.${lane.runs}` : ''}`,
    );
}

export function refuseUnopened(lane: Lane, task: TaskId): void {
  if (!lane.opened) throw noSuch('task', task);
}

export function knownAgent(world: World, id: AgentId): Agent {
  const agent = world.agent(id);
  if (!agent) throw noSuch('agent', id);
  return agent;
}

export const queuedRuns = ({ open }: Lane): RunId[] => open.filter(({ status }) => status === 'queued').map(({ runId }) => runId);

export const movedTo = (lane: Lane, to: TaskStatus, why: string | null, { now }: World): LaneEvent => ({
  type: 'TaskStatusChanged',
  data: { task: lane.task, from: lane.status, to, why, queuedRuns: queuedRuns(lane), changedAt: now.toISOString() },
});

export const placeOf = ({ kind, status, priority }: Lane): Place => ({ kind, taskStatus: status, priority });

export const moving = ({ runId, agent, status, queuedAt, wakeupIds }: OpenRun): Moving => ({
  runId,
  agent,
  from: status,
  queuedAt,
  wakeupIds,
});
