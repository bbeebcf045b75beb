import type { Agent, RetryPolicy } from '../../events/agent.js';
import { companies } from '../../events/company.js';
import type { AgentId, Recorded, RunId } from '../../events/event.js';
import type { EndedRun, Lane, LaneEvent } from '../../events/lane.js';
import { isRecovery, type RunFailed, type RunTimedOut } from '../../events/run.js';
import type { World } from '../../commands/decider.js';
import { after } from '../../commands/lane.js';
import { endAndFollow } from '../../commands/run.js';

/** A run has failed, and what was decided on it in the same append. */
export interface Failure {
  readonly event: Recorded<RunFailed | RunTimedOut>;
  /** as it was before */
  readonly lane: Lane;
  readonly agent: Agent;
  readonly followed: readonly LaneEvent[];
}

/** The next attempt at the work of a run that failed; `dueAt` is the time of the failure where it is made at once. */
export interface Attempt {
  readonly dueAt: string;
}

/** Decides once more on a failure, as it was decided then but for the policy: at the same time, with the same chance. */
export function redecide({ event, lane, agent, followed }: Failure, policy: RetryPolicy): LaneEvent[] {
  const under: Agent = { ...agent, policy: { ...agent.policy, retry: policy } };
  const world: World = {
    now: new Date(event.data.finishedAt),
    random: () => jitterOf(followed) ?? even,
    commandId: event.metadata.commandId,
    actor: event.metadata.actor,
    agent: (id: AgentId) => (id === event.data.agent ? under : undefined),
    task: () => undefined,
    company: companies.initial,
    lease: undefined,
  };
  return endAndFollow(lane, { type: event.type, data: event.data } as RunFailed | RunTimedOut, world).slice(1);
}

/** Where no sample was drawn, the delay is its base. */
const even = 0.5;

const jitterOf = (followed: readonly LaneEvent[]): number | undefined =>
  followed
    .map((event) => (event.type === 'RetryScheduled' ? event.data.jitter : undefined))
    .find((jitter) => jitter !== undefined);

export const endedBy = ({ event, lane }: Pick<Failure, 'event' | 'lane'>): EndedRun => after(lane, [event]).ended.at(-1)!;

/** What tries the work of this run again; undefined if it is left at that. */
export function attemptIn(events: readonly LaneEvent[], run: RunId): Attempt | undefined {
  for (const event of events) {
    if (event.type === 'RetryScheduled' && event.data.retryOf === run) return { dueAt: event.data.dueAt };
    if (event.type === 'RunQueued' && event.data.retryOf === run && repeats(event.data)) return { dueAt: event.data.queuedAt };
  }
  return undefined;
}

const repeats = ({ cause }: { readonly cause: Parameters<typeof isRecovery>[0] }): boolean =>
  cause === 'process_lost' || isRecovery(cause);
