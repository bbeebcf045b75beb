import { openRunOf, type EndedRun, type Lane, type LaneEvent, type OpenRun, type Parking } from '../events/lane.js';
import { runId, type RunId as RunIdText } from '../events/event.js';
import { isRecovery, type RetryScheduled } from '../events/run.js';
import { decision, Rejected, type Outcome, type World } from './decider.js';
import { Optional, RunId, Slug, Text } from './fields.js';
import { hold, obstacle, ofHolds, sentenceOf } from './gates.js';
import { after, endedRun, findRun, isEnded, moving, ofRun, placeOf, refuseUnknown } from './lane.js';
import { parkOrExhaust } from './retry-decision.js';
import { runView, type RunView } from './run-view.js';

/** A failed or timed out run is tried again after the next delay of its agent's policy, whatever it failed of. */
export class ScheduleRetry {
  @Slug() company!: string;
  @RunId() run!: string;
  @Optional() @Text(200) reason?: string;
}

export const scheduleRetry = decision({
  command: ScheduleRetry,
  ...ofRun,
  decide(command: ScheduleRetry, lane: Lane, world: World): LaneEvent[] {
    const run = retryable(command.run, lane);
    if (isTakenUp(lane, run)) return [];
    refuseForeign(lane, run, world);
    const recovery = queuedRecovery(lane, run);
    const giving = recovery ? [superseded(lane, recovery, world)] : [];
    const reason = command.reason ?? 'transient_failure';
    const events = parkOrExhaust(after(lane, giving), run, world, { reason, before: recovery });
    if (!events.some(({ type }) => type === 'RetryExhausted')) return [...giving, ...events];
    return run.exhausted !== null ? [] : events;
  },
  answer({ company, run: source }, outcome) {
    for (const { type, data } of outcome.events) {
      if (type === 'RetryExhausted') return exhaustedAfter(data.attempts, data.maxAttempts);
      if (type === 'RetryScheduled') return scheduled(runView(company, outcome, data.runId), data);
    }
    return decidedBefore(company, source, outcome);
  },
});

/** Nothing was written: the run is among those that the lane still knows, and so is what was decided. */
function decidedBefore(company: string, id: RunIdText, outcome: Outcome<Lane, LaneEvent>) {
  const run = endedRun(outcome.state, id);
  if (run && run.exhausted !== null) return exhaustedAfter(run.attempt, run.exhausted);
  const retry = run?.retry ? findRun(outcome.state, run.retry) : undefined;
  if (!retry?.parking) throw new Error(`${id}: no retry was decided on, although it was left at that`);
  return scheduled(runView(company, outcome, retry.runId), { ...retry.parking, attempt: retry.attempt });
}

/** `attempt` is the one that was refused */
const exhaustedAfter = (attempts: number, maxAttempts: number) => ({
  outcome: 'retry_exhausted' as const,
  attempt: attempts + 1,
  maxAttempts,
});

const scheduled = (
  run: RunView | undefined,
  { dueAt, attempt, maxAttempts }: Pick<RetryScheduled['data'], 'dueAt' | 'attempt' | 'maxAttempts'>,
) => ({ outcome: 'scheduled' as const, run, dueAt, attempt, maxAttempts });

function retryable(id: RunIdText, lane: Lane): EndedRun {
  refuseUnknown(lane, id);
  const run = findRun(lane, id);
  if (!run) throw new Rejected('run_not_retryable', `${id} ended too long ago; request a wakeup of its agent instead`);
  if (!isEnded(run) || (run.status !== 'failed' && run.status !== 'timed_out'))
    throw new Rejected('run_not_retryable', `${id} is ${run.status}; only a failed or timed out run is retried`);
  return run;
}

/** Its retry is open, or was started. One that was cancelled before that leaves its place free. */
function isTakenUp(lane: Lane, { runId: id, retry }: EndedRun): boolean {
  const successor = retry === null ? undefined : findRun(lane, retry);
  if (
    !successor ||
    (isEnded(successor) && successor.startedAt === null) ||
    successor === queuedRecovery(lane, { agent: successor.agent })
  )
    return false;
  if (successor.cause !== 'retry')
    throw new Rejected(
      'run_not_retryable',
      `${successor.runId} has done ${id} again already; it can be retried itself once it has failed`,
    );
  return true;
}

/** What the ledger has queued by itself, and nobody else has asked for since: it gives way to a retry that somebody asks for. */
const queuedRecovery = ({ open }: Lane, { agent }: { readonly agent: string }): OpenRun | undefined =>
  open.find((run) => run.agent === agent && run.status === 'queued' && isRecovery(run.cause) && !run.outside);

function superseded(lane: Lane, recovery: OpenRun, { now }: World): LaneEvent {
  const by = runId(lane.task, lane.runs + 1);
  return { type: 'RetrySuperseded', data: { ...moving(recovery), by, supersededAt: now.toISOString() } };
}

const refusals = {
  agent_terminated: { code: 'agent_terminated', remedy: 'assign the task to another agent' },
  issue_terminal_status: { code: 'issue_terminal_status', remedy: 'set another status first' },
  issue_assignee_changed: { code: 'run_not_retryable', remedy: 'assign it back first' },
  issue_dependencies_blocked: { code: 'issue_dependencies_blocked', remedy: 'resolve or remove them first' },
} as const;

function refuseForeign(lane: Lane, run: EndedRun, world: World): void {
  const code = obstacle(lane, { ...run, repeats: true }, world);
  if (code) throw new Rejected(refusals[code].code, `${sentenceOf(code, lane, run.agent)}; ${refusals[code].remedy}`);
  const open = openRunOf(lane, run.agent);
  if (open && open !== queuedRecovery(lane, run))
    throw new Rejected('run_not_retryable', `${open.runId} of ${run.agent} is ${open.status} on ${lane.task} already`);
}

export const retryNowOutcomes = ['promoted', 'already_promoted', 'no_scheduled_retry', 'gate_suppressed'] as const;

/** An operator does not want to wait for a parked run. It may be named by itself, or by the run that it retries. */
export class RetryNow {
  @Slug() company!: string;
  @RunId() run!: string;
}

export const retryNow = decision({
  command: RetryNow,
  ...ofRun,
  ...ofHolds,
  atHead: true,
  decide({ run: id }: RetryNow, lane: Lane, world: World): LaneEvent[] {
    refuseUnknown(lane, id);
    const run = parked(lane, retryNamed(lane, id));
    return run && !hold(lane, run, world) ? [promoted(lane, run, world)] : [];
  },
  answer(
    { company, run: id },
    outcome,
  ): { outcome: (typeof retryNowOutcomes)[number]; code?: string; run?: ReturnType<typeof runView> } {
    const { state, events, world } = outcome;
    const run = runView(company, outcome, retryNamed(state, id));
    if (events.length > 0) return { outcome: 'promoted', run };
    if (run?.status === 'scheduled_retry')
      return { outcome: 'gate_suppressed', code: world && hold(state, run, world)?.code, run };
    return isRetry(state, id) ? { outcome: 'already_promoted', run } : { outcome: 'no_scheduled_retry' };
  },
});

function retryNamed(lane: Lane, id: RunIdText): RunIdText {
  return endedRun(lane, id)?.retry ?? id;
}

/** A retry that has left its parking place by promotion, not by being given up. */
function isRetry(lane: Lane, id: RunIdText): boolean {
  const run = findRun(lane, retryNamed(lane, id));
  return run?.cause === 'retry' && (!isEnded(run) || run.startedAt !== null);
}

type Parked = OpenRun & { readonly parking: Parking };

const parked = (lane: Lane, id: RunIdText): Parked | undefined =>
  lane.open.find((run): run is Parked => run.runId === id && run.status === 'scheduled_retry' && run.parking !== null);

const promoted = (lane: Lane, run: Parked, { now }: World): LaneEvent => ({
  type: 'RetryPromoted',
  data: {
    ...moving(run),
    attempt: run.attempt,
    dueAt: run.parking.dueAt,
    trigger: 'manual',
    place: placeOf(lane),
    promotedAt: now.toISOString(),
  },
});
