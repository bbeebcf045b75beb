import { Transform } from 'class-transformer';
import { IsBoolean } from 'class-validator';
import type { Lane, LaneEvent, OpenRun } from '../events/lane.js';
import { openBlockers, runningRun } from '../events/lane.js';
import { errorFamilies, type CancelIntent, type ErrorFamily, type Failure } from '../events/run.js';
import { whatFollows } from './arbiter.js';
import { cancelled } from './cancelling.js';
import { classifyFailure } from './classify-failure.js';
import { decision, Rejected, type Outcome, type World } from './decider.js';
import { Exact, FreeJson, Int, OneOf, Optional, ProcessText, RunId, Slug, Text, IsoTime } from './fields.js';
import { bounded } from './free-json.js';
import { hold, isRepeat, obstacle, ofHolds, sentenceOf } from './gates.js';
import { after, knownAgent, fenceOf, moving, ofRun, openRun, refuseUnknown } from './lane.js';
import { redact } from './redact.js';
import { nextOf, runView } from './run-view.js';

/** A worker, which holds the lane's lease already, starts a queued run; the gates are asked once more. */
export class StartRun {
  @Slug() company!: string;
  @RunId() run!: string;
  @Exact(200) workerId!: string;
  @Int(5_000, 900_000) leaseMs!: number;
}

export const startRun = decision({
  command: StartRun,
  ...ofRun,
  ...ofHolds,
  atHead: true,
  decide(command: StartRun, lane: Lane, world: World): LaneEvent[] {
    const run = openRun(lane, command.run);
    if (run?.status !== 'queued') throw new Rejected('run_not_queued', `${command.run} is ${run?.status ?? 'not open any more'}`);
    const code = obstacle(lane, { ...run, repeats: isRepeat(run.cause) }, world);
    if (code)
      return [cancelled(run, world, { code, reason: sentenceOf(code, lane, run.agent), intent: 'stop', wakeups: 'skipped' })];
    const held = hold(lane, run, world);
    if (held) throw new Rejected(held.code, `${held.said}; ${held.remedy}`);
    const running = runningRun(lane);
    if (running) throw new Rejected('lane_busy', `${command.run} waits for ${running.runId} to end`);
    const { workerId, leaseMs } = command;
    const blockedBy = openBlockers(lane);
    const given = { workerId, leaseMs, ...(blockedBy.length > 0 && { blockedBy }) };
    return [{ type: 'RunStarted', data: { ...moving(run), ...given, startedAt: world.now.toISOString() } }];
  },
  answer: ({ company, run }, outcome) => ({
    started: outcome.events.some(({ type }) => type === 'RunStarted'),
    run: runView(company, outcome, run),
  }),
});

/** The process that works on the run, so that a later look can tell whether it still lives. */
export class RecordProcess {
  @Slug() company!: string;
  @RunId() run!: string;
  @Exact(200) lease!: string;
  @Int(1, 2 ** 31 - 1) pid!: number;
  @Optional() @Int(1, 2 ** 31 - 1) pgid?: number;
  @Exact(255) host!: string;
  @IsoTime() startedAt!: string;
}

export const recordProcess = decision({
  command: RecordProcess,
  ...ofRun,
  fence: { of: fenceOf },
  decide({ run: id, lease, pid, pgid, host, startedAt }: RecordProcess, lane: Lane, world: World): LaneEvent[] {
    refuseStaleLease(lane, id, lease, world);
    const run = openRun(lane, id);
    if (run?.status !== 'running' || run.processRecorded) return [];
    const process = { pid, pgid: pgid ?? null, host, processStartedAt: startedAt };
    return [{ type: 'ProcessRecorded', data: { runId: id, ...process, recordedAt: world.now.toISOString() } }];
  },
  answer: ({ company, run }, outcome) => ({ run: runView(company, outcome, run) }),
});

export const finishOutcomes = ['succeeded', 'failed', 'timed_out', 'cancelled'] as const;

/** A worker's report of how a run ended; the lease ends with it. Of a run that was cancelled meanwhile it changes nothing. */
export class FinishRun {
  @Slug() company!: string;
  @RunId() run!: string;
  @Exact(200) lease!: string;
  @OneOf(finishOutcomes) outcome!: (typeof finishOutcomes)[number];
  @Optional() @OneOf(['stop', 'requeue']) intent?: CancelIntent;
  @Optional() @Int(-(2 ** 31), 2 ** 31 - 1) exitCode?: number;
  @Optional() @ProcessText(8_192) error?: string;
  @Optional() @ProcessText(200) errorCode?: string;
  @Optional() @OneOf(errorFamilies) errorFamily?: ErrorFamily;
  /** seconds, an HTTP date or an ISO time, as the provider wrote it */
  @Optional()
  @Transform(({ value }) => (typeof value === 'number' ? String(value) : value))
  @ProcessText(200)
  retryAfter?: string;
  @Optional() @ProcessText(100) liveness?: string;
  @Optional() @FreeJson() result?: Record<string, unknown>;
  @Optional() @FreeJson() usage?: Record<string, unknown>;
}

export const finishRun = decision({
  command: FinishRun,
  ...ofRun,
  fence: { of: fenceOf, ends: true },
  decide(command: FinishRun, lane: Lane, world: World): LaneEvent[] {
    if (isOverAnyway(lane, command.run, world)) return [];
    refuseStaleLease(lane, command.run, command.lease, world);
    const run = openRun(lane, command.run);
    return run?.status === 'running' ? endAndFollow(lane, endOf(command, run, world), world) : [];
  },
  answer: endedAnswer,
});

/**
 * Of a run that was cancelled, a report changes nothing whoever makes it; so its worker is told so a second time as well, when
 * its lease has ended with the first. A lease that the run still has keeps out those who do not hold it, and one that was
 * taken away for silence is stale for good.
 */
const isOverAnyway = (lane: Lane, run: string, { lease }: World): boolean =>
  lease?.runId !== run &&
  lane.ended.some(({ runId, status, code }) => runId === run && status === 'cancelled' && code !== startLost);

function endOf(command: FinishRun, run: OpenRun, world: World): LaneEvent {
  switch (command.outcome) {
    case 'succeeded':
      return { type: 'RunSucceeded', data: { ...moving(run), ...outcomeOf(command, world), liveness: command.liveness ?? null } };
    case 'failed':
      return { type: 'RunFailed', data: { ...moving(run), ...failureOf(command, run, world, 'adapter_failed') } };
    case 'timed_out':
      return { type: 'RunTimedOut', data: { ...moving(run), ...failureOf(command, run, world, 'timeout') } };
    case 'cancelled': {
      const intent = command.intent ?? 'stop';
      const reason = command.error ?? `handed back by ${run.workerId ?? 'its worker'}`;
      return cancelled(run, world, {
        code: command.errorCode ?? 'cancelled',
        reason,
        intent,
        wakeups: intent === 'requeue' ? 'passed' : 'cancelled',
      });
    }
  }
}

const outcomeOf = ({ exitCode, result, usage }: FinishRun, { now }: World) => ({
  exitCode: exitCode ?? null,
  result: result ? bounded(redact(result)) : null,
  usage: usage ? bounded(redact(usage)) : null,
  finishedAt: now.toISOString(),
});

function failureOf(command: FinishRun, run: OpenRun, world: World, defaultCode: string): Failure {
  const { error = '', errorCode = defaultCode, retryAfter } = command;
  const { adapter } = knownAgent(world, run.agent);
  const { family, notBefore } = classifyFailure({ ...command, errorCode, adapter }, world.now);
  return {
    ...outcomeOf(command, world),
    error,
    errorCode,
    errorFamily: family,
    retryAfter: retryAfter ?? null,
    notBefore,
  };
}

/** An operator ends a run: for good, or to have it done again. Terminal runs stay as they are. */
export class CancelRun {
  @Slug() company!: string;
  @RunId() run!: string;
  @Text(4_000) reason!: string;
  @Optional() @OneOf(['stop', 'requeue']) intent?: CancelIntent;
}

export const cancelRun = decision({
  command: CancelRun,
  ...ofRun,
  decide({ run: id, reason, intent = 'stop' }: CancelRun, lane: Lane, world: World): LaneEvent[] {
    const run = openRun(lane, id);
    if (!run) return [];
    if (intent === 'requeue' && run.status !== 'running')
      throw new Rejected(
        'run_not_running',
        `${id} is ${run.status}, so there is nothing to do again; cancel it with intent "stop" to end it`,
      );
    const wakeups = intent === 'requeue' ? 'passed' : 'cancelled';
    return endAndFollow(lane, cancelled(run, world, { code: 'cancelled', reason, intent, wakeups }), world);
  },
  answer: endedAnswer,
});

/** The reaper says that a lease has expired. `beaten`: its worker was heard of after the claim. */
export class ReportRunLost {
  @Slug() company!: string;
  @RunId() run!: string;
  @IsBoolean() beaten!: boolean;
}

export const reportRunLost = decision({
  command: ReportRunLost,
  ...ofRun,
  decide({ run: id, beaten }: ReportRunLost, lane: Lane, world: World): LaneEvent[] {
    const run = openRun(lane, id);
    if (run?.status !== 'running') return [];
    const begun = beaten || run.processRecorded || run.startsLost >= mostStartsLost;
    return endAndFollow(lane, begun ? lost(run, world) : neverBegun(run, world), world);
  },
  answer: endedAnswer,
});

function lost(run: OpenRun, { now }: World): LaneEvent {
  const error = `nothing was heard of ${run.workerId ?? 'its worker'} for a whole lease`;
  const failure = { error, errorCode: 'process_lost', errorFamily: 'process_lost', retryAfter: null, notBefore: null } as const;
  return {
    type: 'RunFailed',
    data: { ...moving(run), exitCode: null, result: null, usage: null, ...failure, finishedAt: now.toISOString() },
  };
}

const startLost = 'start_lost';
/** Claimed again and again, and never begun: then it is the work that does not get through, and counts as lost. */
const mostStartsLost = 3;

const neverBegun = (run: OpenRun, world: World): LaneEvent =>
  cancelled(run, world, {
    code: startLost,
    reason: `${run.workerId ?? 'its worker'} never began it`,
    intent: 'requeue',
    wakeups: 'passed',
  });

function endedAnswer({ company, run }: { company: string; run: string }, outcome: Outcome<Lane, LaneEvent>) {
  return { run: runView(company, outcome, run), next: nextOf(outcome.events) };
}

/** The end of a run, and whatever the arbiter says comes after it. */
export function endAndFollow(lane: Lane, end: LaneEvent, world: World): LaneEvent[] {
  const ended = after(lane, [end]);
  return [end, ...whatFollows(ended, ended.ended.at(-1)!, world)];
}

export function refuseStaleLease(lane: Lane, run: string, token: string, { lease }: World): void {
  refuseUnknown(lane, run);
  if (lease?.token !== token || lease.runId !== run)
    throw new Rejected(
      'stale_lease',
      `this lease on ${run} is over${lease ? `; ${lease.runId} holds the lane now` : ''}: stop the work on it`,
    );
}
