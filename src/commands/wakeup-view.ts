import type { AgentId, RunId, WakeupId } from '../events/event.js';
import { runningRun, type Lane, type LaneEvent } from '../events/lane.js';
import type { RunStatus } from '../events/run.js';
import type { Outcome } from './decider.js';

/** A demand as an answer to a command shows it. */
export interface WakeupView {
  readonly id: WakeupId;
  /** none: it is over, and the lane has forgotten it; the read model has not */
  readonly agent?: AgentId;
  readonly status?: 'coalesced' | 'deferred' | 'skipped' | (typeof carried)[RunStatus];
  readonly code?: string;
  readonly run?: RunId;
  /** the run that it waits for */
  readonly behind?: RunId;
}

/** Of the demand that opened a run; one that joined it stays `coalesced`. */
const carried = {
  queued: 'queued',
  scheduled_retry: 'queued',
  running: 'claimed',
  succeeded: 'completed',
  failed: 'failed',
  timed_out: 'failed',
  cancelled: 'cancelled',
} as const satisfies Record<RunStatus, string>;

/** What became of a demand: refused with the events of the outcome, or placed where the lane has it now. */
export const wakeupOf = ({ state, events }: Pick<Outcome<Lane, LaneEvent>, 'state' | 'events'>, id: WakeupId): WakeupView => ({
  id,
  ...(refusalOf(events, id) ?? waitingAs(state, id) ?? carriedBy(state, id) ?? withdrawnFrom(state, id)),
});

type Place = Omit<WakeupView, 'id'>;

function refusalOf(events: readonly LaneEvent[], id: WakeupId): Place | undefined {
  for (const { type, data } of events)
    if (type === 'WakeupSkipped' && data.wakeupId === id) return { agent: data.agent, status: 'skipped', code: data.code };
  return undefined;
}

function waitingAs(lane: Lane, id: WakeupId): Place | undefined {
  const waiting = lane.waiting.find(({ wakeupId, joined }) => wakeupId === id || joined.some((demand) => demand.wakeupId === id));
  if (!waiting) return undefined;
  const { agent, wakeupId } = waiting;
  return { agent, status: wakeupId === id ? 'deferred' : 'coalesced', ...behind(lane) };
}

function carriedBy(lane: Lane, id: WakeupId): Place | undefined {
  const runs = [...lane.open, ...lane.ended.toReversed()];
  const run = runs.find(({ wakeupIds, joined }) => wakeupIds.includes(id) || joined.includes(id));
  if (!run) return undefined;
  const { agent, runId } = run;
  return {
    agent,
    status: run.wakeupIds.includes(id) ? carried[run.status] : 'coalesced',
    run: runId,
    ...(run.status === 'queued' && behind(lane, runId)),
  };
}

const withdrawnFrom = (lane: Lane, id: WakeupId): Place | undefined =>
  lane.withdrawn.includes(id) ? { status: 'cancelled' } : undefined;

function behind(lane: Lane, run?: RunId): { behind?: RunId } {
  const running = runningRun(lane);
  return running && running.runId !== run ? { behind: running.runId } : {};
}
