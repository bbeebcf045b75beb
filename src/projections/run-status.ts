import { numberOfRun, taskOfRun, type JsonObject, type RunId, type TaskId, type WakeupId } from '../events/event.js';
import { commentIdsIn } from '../events/lane.js';
import type { Failure, RunStatus, SilenceDecision, SilenceLevel } from '../events/run.js';
import type { CommentId } from '../events/task.js';
import { amend, create, projection, type Change, type Fact } from './projection.js';

/** One run, from the moment in which it is opened. */
export interface RunRow {
  readonly company: string;
  readonly run_id: RunId;
  readonly task: string;
  readonly n: number;
  readonly agent: string;
  readonly status: RunStatus;
  /** the first run of its chain */
  readonly chain: RunId;
  readonly attempt: number;
  readonly max_attempts: number | null;
  readonly retry_of: RunId | null;
  readonly retry_reason: string | null;
  /** when a parked run is due, or was */
  readonly scheduled_retry_at: string | null;
  readonly fallback_mode: string | null;
  readonly cause: string;
  readonly source: string | null;
  readonly wakeups: readonly WakeupId[];
  readonly context: JsonObject;
  readonly queued_at: string;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  readonly exit_code: number | null;
  readonly error: string | null;
  readonly error_code: string | null;
  readonly error_family: string | null;
  readonly worker: string | null;
  readonly pid: number | null;
  readonly host: string | null;
  readonly exhausted: boolean;
  readonly superseded_by: RunId | null;
  /** as it was raised last, of a run that has not ended */
  readonly silence: RunSilence | null;
  /** its process goes on without a worker */
  readonly detached: boolean;
  /** what its task still waited for when it was started: it may answer, and not work */
  readonly blocked_by: readonly TaskId[] | null;
  /** of the last event that moved the run */
  readonly revision: number;
}

export interface RunSilence {
  readonly level: SilenceLevel;
  /** when it said something last */
  readonly since: string;
  readonly decided?: SilenceDecision;
  /** when it is raised again, if the silence lasts; null: not before output came and stopped again */
  readonly until?: string | null;
}

export const runStatus = projection<RunRow>({
  name: 'run_status',
  version: 1,
  key: ['company', 'run_id'],
  keyedBy: 'stream',
  on: {
    RunQueued: (event) => create([event.company, event.data.runId], queued(event)),
    RetryScheduled: (event) => create([event.company, event.data.runId], parked(event)),
    RetryPromoted: (event) => moved(event, { status: 'queued' }),
    RunStarted: (event) => {
      const { workerId, blockedBy = null, startedAt } = event.data;
      return moved(event, { status: 'running', worker: workerId, blocked_by: blockedBy, started_at: startedAt });
    },
    ProcessRecorded: (event) => moved(event, { pid: event.data.pid, host: event.data.host }),
    RunDetached: (event) => moved(event, { detached: true }),
    RunReattached: (event) => moved(event, { detached: false }),
    RunWentSilent: (event) => moved(event, { silence: { level: event.data.level, since: event.data.lastOutputAt } }),
    SilenceDecided: (event) => decided(event),
    WakeupCoalesced: ({ company, data: { runId, commentIds } }) => (runId && commentIds ? told(company, runId, commentIds) : []),
    CommentRemoved: ({ company, data: { runIds = [], commentId } }) => runIds.map((id) => toldWithout(company, id, commentId)),
    RunSucceeded: (event) =>
      ended(event, { status: 'succeeded', exit_code: event.data.exitCode, finished_at: event.data.finishedAt }),
    RunFailed: (event) => ended(event, failed('failed', event.data)),
    RunTimedOut: (event) => ended(event, failed('timed_out', event.data)),
    RunCancelled: (event) =>
      ended(event, {
        status: 'cancelled',
        error: event.data.reason,
        error_code: event.data.code,
        finished_at: event.data.cancelledAt,
      }),
    RetrySuperseded: (event) =>
      ended(event, {
        status: 'cancelled',
        error_code: 'superseded',
        superseded_by: event.data.by,
        finished_at: event.data.supersededAt,
      }),
    RetryExhausted: (event) => moved(event, { exhausted: true, max_attempts: event.data.maxAttempts }),
  },
});

const queued = ({ company, revision, data }: Fact<'RunQueued'>): RunRow =>
  opened(company, revision, data, {
    status: 'queued',
    max_attempts: null,
    retry_of: data.retryOf,
    retry_reason: null,
    scheduled_retry_at: null,
    fallback_mode: null,
    cause: data.cause,
  });

const parked = ({ company, revision, data }: Fact<'RetryScheduled'>): RunRow =>
  opened(company, revision, data, {
    status: 'scheduled_retry',
    max_attempts: data.maxAttempts,
    retry_of: data.retryOf,
    retry_reason: data.reason,
    scheduled_retry_at: data.dueAt,
    fallback_mode: data.fallbackMode ?? null,
    cause: 'retry',
  });

type Opening = Pick<
  RunRow,
  'status' | 'max_attempts' | 'retry_of' | 'retry_reason' | 'scheduled_retry_at' | 'fallback_mode' | 'cause'
>;

/** Every column by name: put together from parts, so many properties make a slow and large object. */
function opened(company: string, revision: number, data: Fact<'RunQueued' | 'RetryScheduled'>['data'], how: Opening): RunRow {
  return {
    company,
    run_id: data.runId,
    task: taskOfRun(data.runId),
    n: numberOfRun(data.runId),
    agent: data.agent,
    status: how.status,
    chain: data.chain,
    attempt: data.attempt,
    max_attempts: how.max_attempts,
    retry_of: how.retry_of,
    retry_reason: how.retry_reason,
    scheduled_retry_at: how.scheduled_retry_at,
    fallback_mode: how.fallback_mode,
    cause: how.cause,
    source: typeof data.context.source === 'string' ? data.context.source : null,
    wakeups: data.wakeupIds,
    context: data.context,
    queued_at: data.queuedAt,
    started_at: null,
    finished_at: null,
    exit_code: null,
    error: null,
    error_code: null,
    error_family: null,
    worker: null,
    pid: null,
    host: null,
    exhausted: false,
    superseded_by: null,
    silence: null,
    detached: false,
    blocked_by: null,
    revision,
  };
}

const failed = (status: 'failed' | 'timed_out', { exitCode, error, errorCode, errorFamily, finishedAt }: Failure) => ({
  status,
  exit_code: exitCode,
  error,
  error_code: errorCode,
  error_family: errorFamily,
  finished_at: finishedAt,
});

type Moved = Fact<
  | 'RunStarted'
  | 'ProcessRecorded'
  | 'RunDetached'
  | 'RunReattached'
  | 'RunWentSilent'
  | 'RetryPromoted'
  | 'RunSucceeded'
  | 'RunFailed'
  | 'RunTimedOut'
  | 'RunCancelled'
  | 'RetrySuperseded'
  | 'RetryExhausted'
>;

const moved = ({ company, revision, data }: Moved, change: Partial<RunRow>): Change<RunRow> =>
  amend([company, data.runId], (run) => ({ ...run, ...change, revision }));

const ended = (event: Moved, change: Partial<RunRow>): Change<RunRow> =>
  moved(event, { ...change, silence: null, detached: false });

const decided = ({ company, revision, data }: Fact<'SilenceDecided'>): Change<RunRow> =>
  amend([company, data.runId], (run) => ({
    ...run,
    silence: run.silence && { ...run.silence, decided: data.decision, until: data.until },
    revision,
  }));

/** Comments that joined it while it waited. */
const told = (company: string, runId: RunId, commentIds: readonly CommentId[]): Change<RunRow> =>
  amend([company, runId], (run) => about(run, [...commentIdsIn(run.context), ...commentIds]));

const toldWithout = (company: string, runId: RunId, commentId: CommentId): Change<RunRow> =>
  amend([company, runId], (run) =>
    about(
      run,
      commentIdsIn(run.context).filter((id) => id !== commentId),
    ),
  );

const about = (run: RunRow, commentIds: CommentId[]): RunRow => ({ ...run, context: { ...run.context, commentIds } });
