import type { RunId, Stream, WakeupId } from './event.js';
import { evolveTask } from './evolve-task.js';
import {
  commentIdsIn,
  refusalKey,
  unopened,
  type Demand,
  type EndedRun,
  type Lane,
  type LaneEvent,
  type OpenRun,
} from './lane.js';
import { isRecovery, type RetryScheduled, type RunQueued } from './run.js';
import type { WakeupCoalesced } from './wakeup.js';

/** The decisions of a task's stream all fold to a Lane. */
export const lanes: Stream<Lane, LaneEvent> = { initial: unopened, evolve: evolveLane };

function evolveLane(lane: Lane, event: LaneEvent): Lane {
  switch (event.type) {
    case 'TaskOpened':
    case 'TaskChanged':
    case 'TaskAssigned':
    case 'TaskStatusChanged':
    case 'BlockersSet':
    case 'BlockerResolved':
    case 'BlockerReopened':
    case 'CommentAdded':
    case 'CommentRemoved':
    case 'TaskHeld':
    case 'TaskReleased':
    case 'FireTaken':
      return evolveTask(lane, event);
    case 'WakeupRequested':
      return { ...lane, arriving: [...lane.arriving, event.data], recovered: lane.recovered && !event.data.outside };
    case 'WakeupCoalesced':
      return event.data.runId
        ? joinRun(lane, event.data, event.data.runId)
        : joinWaiting(lane, event.data.wakeupId, event.data.into);
    case 'WakeupDeferred':
      return defer(lane, event.data.wakeupId);
    case 'WakeupSkipped': {
      const { wakeupId, agent, code, skippedAt } = event.data;
      return {
        ...settled(lane, [wakeupId]),
        refusals: { ...lane.refusals, [refusalKey(agent, code)]: { wakeupId, at: skippedAt } },
      };
    }
    case 'WakeupCancelled':
      return givenUp(withdraw(lane, event.data.wakeupId), [event.data.wakeupId]);
    case 'RunQueued':
      return {
        ...opened(
          amendEnded(lane, event.data.retryOf, { retry: event.data.runId }),
          queuedRun(lane, event.data),
          event.data.wakeupIds,
        ),
        recovered: lane.recovered || isRecovery(event.data.cause),
      };
    case 'RetryScheduled':
      return opened(
        amendEnded(lane, event.data.retryOf, { retry: event.data.runId, exhausted: null }),
        parkedRun(lane, event.data),
        event.data.wakeupIds,
      );
    case 'RetryPromoted':
      return amendRun(lane, event.data.runId, (run) => ({ ...run, status: 'queued' }));
    case 'RunStarted': {
      const { runId, workerId, startedAt } = event.data;
      return amendRun(lane, runId, (run) => ({ ...run, status: 'running', workerId, startedAt }));
    }
    case 'ProcessRecorded':
      return amendRun(lane, event.data.runId, (run) => ({ ...run, processRecorded: true, startsLost: 0 }));
    case 'RunDetached':
      return amendRun(lane, event.data.runId, (run) => ({ ...run, detached: true }));
    case 'RunReattached':
      return amendRun(lane, event.data.runId, (run) => ({ ...run, detached: false }));
    case 'RunWentSilent': {
      const { runId, level, lastOutputAt } = event.data;
      return amendRun(lane, runId, (run) => ({ ...run, silence: { level, lastOutputAt, decided: null } }));
    }
    case 'SilenceDecided': {
      const { runId, decidedAt: at, until } = event.data;
      return amendRun(lane, runId, (run) => ({ ...run, silence: run.silence && { ...run.silence, decided: { at, until } } }));
    }
    case 'RunSucceeded': {
      const { runId, agent, liveness } = event.data;
      return { ...ended(lane, runId, { status: 'succeeded', liveness }), recovered: lane.recovered && agent !== lane.assignee };
    }
    case 'RunFailed':
    case 'RunTimedOut': {
      const { runId, errorCode: code, errorFamily: family, notBefore } = event.data;
      return ended(lane, runId, { status: event.type === 'RunFailed' ? 'failed' : 'timed_out', code, family, notBefore });
    }
    case 'RunCancelled': {
      const { runId, code, intent, wakeups, wakeupIds } = event.data;
      return givenUp(ended(lane, runId, { status: 'cancelled', code, intent }), wakeups === 'cancelled' ? wakeupIds : []);
    }
    case 'RetrySuperseded':
      return ended(lane, event.data.runId, { status: 'cancelled', code: 'superseded' });
    case 'RetryExhausted':
      return amendEnded(lane, event.data.runId, { exhausted: event.data.maxAttempts });
    case 'RecoveryEscalated':
      return lane;
  }
}

const kept = 100;

const amendRun = (lane: Lane, runId: RunId, amend: (run: OpenRun) => OpenRun): Lane => ({
  ...lane,
  open: lane.open.map((run) => (run.runId === runId ? amend(run) : run)),
});

/** Demands that have found their place are neither arriving nor waiting any more. */
const settled = (lane: Lane, wakeupIds: readonly WakeupId[]): Lane => ({
  ...lane,
  arriving: lane.arriving.filter((demand) => !wakeupIds.includes(demand.wakeupId)),
  waiting: lane.waiting.filter((demand) => !wakeupIds.includes(demand.wakeupId)),
});

const arrivingAs = (lane: Lane, wakeupId: WakeupId): Demand | undefined =>
  lane.arriving.find((demand) => demand.wakeupId === wakeupId);

function joinRun(lane: Lane, { wakeupId, commentIds = [] }: WakeupCoalesced['data'], runId: RunId): Lane {
  const demand = arrivingAs(lane, wakeupId);
  const joined = amendRun(lane, runId, (run) => ({
    ...run,
    joined: [...run.joined, wakeupId],
    outside: run.outside || demand?.outside === true,
    mention: run.mention || demand?.mention === true,
    comment: run.comment || demand?.comment === true,
    context: commentIds.length > 0 ? { ...run.context, commentIds: [...commentIdsIn(run.context), ...commentIds] } : run.context,
  }));
  return settled(joined, [wakeupId]);
}

function joinWaiting(lane: Lane, wakeupId: WakeupId, into: WakeupId): Lane {
  const demand = arrivingAs(lane, wakeupId);
  if (!demand) return lane;
  return {
    ...settled(lane, [wakeupId]),
    waiting: lane.waiting.map((waiting) =>
      waiting.wakeupId === into ? { ...waiting, joined: [...waiting.joined, demand] } : waiting,
    ),
  };
}

function defer(lane: Lane, wakeupId: WakeupId): Lane {
  const demand = arrivingAs(lane, wakeupId);
  return demand ? { ...settled(lane, [wakeupId]), waiting: [...lane.waiting, { ...demand, joined: [] }] } : lane;
}

/** Those that had joined a withdrawn demand arrive anew: the events after this one find a place for each. */
function withdraw(lane: Lane, wakeupId: WakeupId): Lane {
  const withdrawn = lane.waiting.find((waiting) => waiting.wakeupId === wakeupId);
  const without = settled(lane, [wakeupId]);
  return {
    ...without,
    waiting: without.waiting.map((waiting) => ({
      ...waiting,
      joined: waiting.joined.filter((demand) => demand.wakeupId !== wakeupId),
    })),
    arriving: [...without.arriving, ...(withdrawn?.joined ?? [])],
    open: without.open.map((run) => ({ ...run, wakeupIds: run.wakeupIds.filter((id) => id !== wakeupId) })),
  };
}

const givenUp = (lane: Lane, wakeupIds: readonly WakeupId[]): Lane => ({
  ...lane,
  withdrawn: [...lane.withdrawn, ...wakeupIds].slice(-kept),
});

const opened = (lane: Lane, run: OpenRun, wakeupIds: readonly WakeupId[]): Lane => {
  const rest = settled(lane, wakeupIds);
  return { ...rest, runs: lane.runs + 1, open: [...rest.open, run] };
};

const fresh = {
  workerId: null,
  startedAt: null,
  processRecorded: false,
  detached: false,
  silence: null,
  commented: false,
  parking: null,
} as const;

function queuedRun(lane: Lane, { place: _, comment, ...data }: RunQueued['data']): OpenRun {
  return {
    ...fresh,
    ...data,
    ...ofChain(lane, data),
    status: 'queued',
    comment: comment === true,
    joined: joinedTo(lane, data.wakeupIds),
  };
}

type Following = Pick<OpenRun, 'cause' | 'chain' | 'retryOf'>;

/** What a run takes over from the one that it repeats, recovers or continues. */
function ofChain(lane: Lane, { cause, chain, retryOf }: Following) {
  const before = lane.ended.find((run) => run.runId === retryOf);
  const same = before?.chain === chain ? before : undefined;
  return {
    lost: cause === 'process_lost' || same?.lost === true,
    recovered: isRecovery(cause) || same?.recovered === true,
    continuations: cause === 'continuation' ? (before?.continuations ?? 0) + 1 : (same?.continuations ?? 0),
    startsLost: same?.code === 'start_lost' ? same.startsLost + 1 : 0,
  };
}

function parkedRun(lane: Lane, data: RetryScheduled['data']): OpenRun {
  const { runId, agent, chain, attempt, outside, mention, comment = false, wakeupIds, context, queuedAt, retryOf } = data;
  const run = { runId, agent, chain, attempt, outside, mention, comment, wakeupIds, context, queuedAt, retryOf };
  const { reason, dueAt, maxAttempts, fallbackMode } = data;
  return {
    ...fresh,
    ...run,
    ...ofChain(lane, { ...run, cause: 'retry' }),
    status: 'scheduled_retry',
    cause: 'retry',
    parking: { reason, dueAt, maxAttempts, ...(fallbackMode && { fallbackMode }) },
    joined: joinedTo(lane, wakeupIds),
  };
}

/** Those that had joined the demands of a run while they waited, or while the run before carried them. */
function joinedTo({ waiting, ended }: Lane, wakeupIds: readonly WakeupId[]): WakeupId[] {
  const waited = waiting
    .filter(({ wakeupId }) => wakeupIds.includes(wakeupId))
    .flatMap(({ joined }) => joined.map((demand) => demand.wakeupId));
  const before = ended.findLast((run) => run.wakeupIds.some((id) => wakeupIds.includes(id)));
  return [...(before?.joined ?? []), ...waited];
}

const amendEnded = (lane: Lane, runId: RunId | null, amendment: Partial<Pick<EndedRun, 'retry' | 'exhausted'>>): Lane => ({
  ...lane,
  ended: lane.ended.map((run) => (run.runId === runId ? { ...run, ...amendment } : run)),
});

type Ending = Pick<EndedRun, 'status'> & Partial<Pick<EndedRun, 'code' | 'family' | 'notBefore' | 'intent' | 'liveness'>>;

function ended(lane: Lane, runId: RunId, ending: Ending): Lane {
  const run = lane.open.find((open) => open.runId === runId);
  if (!run) return lane;
  const { processRecorded: _, detached: __, silence: ___, ...rest } = run;
  const blank = { code: null, family: null, notBefore: null, intent: null, liveness: null, retry: null, exhausted: null };
  const end: EndedRun = { ...rest, ...blank, ...ending };
  return { ...lane, open: lane.open.filter((open) => open !== run), ended: [...lane.ended, end].slice(-kept) };
}
