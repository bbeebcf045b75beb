import { nameUuid } from '../events/event.js';
import type { EndedRun, LaneEvent } from '../events/lane.js';
import type { RunCause } from '../events/run.js';
import { isAwaited, type End } from './end-of-run.js';
import { obstacle } from './gates.js';
import { demandOf, ownAsk, queuedFor, requested } from './intake.js';
import { knownAgent } from './lane.js';

/** 6: a run that an assignment asked for, and that said nothing on the task, is asked once for its comment. */
export function owedComment(end: End): LaneEvent[] | undefined {
  const { run, world } = end;
  const owes = knownAgent(world, run.agent).policy.requireComment === true && run.context.reason === 'issue_assigned';
  return owes && !run.commented && mayFollow(end) ? followUp(end, 'missing_issue_comment', 'missing_issue_comment') : undefined;
}

/** 6: a run that has only planned, or done nothing, goes on a bounded number of times; then a note says that it does not. */
export function continuation(end: End): LaneEvent[] | undefined {
  const { run, world } = end;
  const { continuations: most = 0 } = knownAgent(world, run.agent).policy;
  if (most === 0 || !hasDoneNothing(run) || !mayFollow(end)) return undefined;
  return run.continuations < most ? followUp(end, 'continuation', 'run_liveness_continuation') : [note(end, most)];
}

const hasDoneNothing = ({ liveness }: EndedRun): boolean => liveness === 'plan_only' || liveness === 'empty_response';

const mayFollow = ({ lane, run, world }: End): boolean =>
  run.status === 'succeeded' && isAwaited(lane, run) && obstacle(lane, run, world) === undefined;

/** At the head of a chain of its own, and known to follow the run. */
function followUp({ lane, run, joining, world }: End, cause: RunCause, reason: string): LaneEvent[] {
  const demand = demandOf({ ...ownAsk(run), reason, payload: { follows: run.runId } }, world);
  const queued = queuedFor(lane, joining ? [demand, joining] : [demand], cause, world);
  return [requested(demand), { ...queued, data: { ...queued.data, retryOf: run.runId } }];
}

/** Wakes nobody. */
function note({ lane, run, world }: End, most: number): LaneEvent {
  const body = `${run.runId} has reported "${run.liveness ?? ''}", and so have the ${most} runs before it: ${run.agent} is not asked to go on again.`;
  return {
    type: 'CommentAdded',
    data: {
      task: lane.task,
      commentId: nameUuid('note', world.commandId),
      author: { type: 'system', id: 'ledger' },
      body,
      mentions: [],
      wakeupIds: [],
      addedAt: world.now.toISOString(),
    },
  };
}
