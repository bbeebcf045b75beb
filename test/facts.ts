import { nameUuid, type Actor } from '../src/events/event.js';
import type { Agent, AgentPolicy } from '../src/events/agent.js';
import type { LaneEvent } from '../src/events/lane.js';
import type { Failure, Moving, OpenStatus } from '../src/events/run.js';
import { defaultRetryPolicy } from '../src/commands/retry-policy.js';

/** The day on which the tests happen: `at('12:02')`, `at('12:02:30')`. */
export const at = (clock: string): Date => new Date(`2026-04-20T${clock.length === 5 ? `${clock}:00` : clock}.000Z`);
const iso = (clock: string): string => at(clock).toISOString();

export const person: Actor = { type: 'user', id: 'ada' };
export const machine: Actor = { type: 'system', id: 'scheduler' };
export const itself: Actor = { type: 'agent', id: 'fixer' };

export const policy: AgentPolicy = {
  maxConcurrentRuns: 5,
  wakeOnDemand: true,
  heartbeat: { enabled: false, intervalSec: 0 },
  retry: defaultRetryPolicy,
};

export const agent = (name: string, over: Partial<Agent> = {}): Agent => ({
  name,
  adapter: 'process',
  manager: null,
  policy,
  status: 'active',
  since: iso('09:00'),
  pause: over.status === 'paused' ? { reason: 'paused', interrupt: true, since: iso('09:00') } : null,
  ...over,
});

/** ACME-12 is fixer's; reviewer is sometimes asked to look at it. */
export const defaultAgents = { fixer: agent('fixer'), reviewer: agent('reviewer') };
export const withFixer = (over: Partial<Agent>) => ({ ...defaultAgents, fixer: agent('fixer', over) });

type Data<Type extends LaneEvent['type']> = Extract<LaneEvent, { type: Type }>['data'];
export const fact = <Type extends LaneEvent['type']>(type: Type, data: Data<Type>) =>
  ({ type, data }) as Extract<LaneEvent, { type: Type }>;

export const opened = (over: Partial<Data<'TaskOpened'>> = {}) =>
  fact('TaskOpened', {
    task: 'ACME-12',
    title: 'Mend the export',
    kind: 'issue',
    status: 'todo',
    priority: 'medium',
    assignee: 'fixer',
    parent: null,
    labels: [],
    openedAt: iso('11:00'),
    ...over,
  });

export const movedTo = (to: Data<'TaskStatusChanged'>['to']) =>
  fact('TaskStatusChanged', { task: 'ACME-12', from: 'todo', to, why: null, queuedRuns: [], changedAt: iso('11:30') });

export const assignedTo = (assignee: string | null) =>
  fact('TaskAssigned', { task: 'ACME-12', assignee, previous: 'fixer', assignedAt: iso('11:30') });

export const wakeup = (n: number): string => nameUuid('wakeup of the test', n);

export const requested = (n: number, over: Partial<Data<'WakeupRequested'>> = {}) =>
  fact('WakeupRequested', {
    wakeupId: wakeup(n),
    agent: 'fixer',
    source: 'on_demand',
    trigger: 'manual',
    reason: 'requested',
    payload: {},
    outside: true,
    mention: false,
    requestedAt: iso('11:10'),
    ...over,
  });

const place = { kind: 'issue', taskStatus: 'todo', priority: 'medium' } as const;

export const queued = (n: number, over: Partial<Data<'RunQueued'>> = {}) =>
  fact('RunQueued', {
    runId: `ACME-12.${n}`,
    agent: 'fixer',
    cause: 'requested',
    chain: `ACME-12.${n}`,
    attempt: 0,
    retryOf: null,
    wakeupIds: [wakeup(n)],
    outside: true,
    mention: false,
    place,
    context: { source: 'on_demand', trigger: 'manual', reason: 'requested', payload: {} },
    queuedAt: iso('11:10'),
    ...over,
  });

export const moving = (n: number, from: OpenStatus, over: Partial<Moving> = {}): Moving => ({
  runId: `ACME-12.${n}`,
  agent: 'fixer',
  from,
  queuedAt: iso('11:10'),
  wakeupIds: [wakeup(n)],
  ...over,
});

export const started = (n: number, over: Partial<Moving> = {}) =>
  fact('RunStarted', { ...moving(n, 'queued', over), workerId: 'laptop', leaseMs: 30_000, startedAt: iso('11:15') });

const failure: Failure = {
  exitCode: 1,
  result: null,
  usage: null,
  error: 'the build is broken',
  errorCode: 'adapter_failed',
  errorFamily: 'unknown',
  retryAfter: null,
  notBefore: null,
  finishedAt: iso('12:00'),
};
export const failed = (n: number, over: Partial<Failure & Moving> = {}) =>
  fact('RunFailed', { ...moving(n, 'running'), ...failure, ...over });
export const timedOut = (n: number) =>
  fact('RunTimedOut', { ...moving(n, 'running'), ...failure, errorCode: 'timeout', errorFamily: 'timeout' });
export const succeeded = (n: number) =>
  fact('RunSucceeded', {
    ...moving(n, 'running'),
    exitCode: 0,
    result: null,
    usage: null,
    liveness: null,
    finishedAt: iso('12:00'),
  });

export const deferred = (n: number, behind: number, over: Partial<Data<'WakeupDeferred'>> = {}) =>
  fact('WakeupDeferred', { wakeupId: wakeup(n), agent: 'fixer', behind: `ACME-12.${behind}`, deferredAt: iso('11:20'), ...over });
export const coalesced = (n: number, into: number, run: number | null) =>
  fact('WakeupCoalesced', {
    wakeupId: wakeup(n),
    agent: 'fixer',
    into: wakeup(into),
    runId: run === null ? null : `ACME-12.${run}`,
    coalescedAt: iso('11:21'),
  });

/** Run n is the parked retry of the run before it. */
export const parked = (n: number, over: Partial<Data<'RetryScheduled'>> = {}) =>
  fact('RetryScheduled', {
    runId: `ACME-12.${n}`,
    retryOf: `ACME-12.${n - 1}`,
    chain: 'ACME-12.1',
    agent: 'fixer',
    attempt: n - 1,
    maxAttempts: 4,
    reason: 'transient_failure',
    baseDelayMs: 120_000,
    jitter: 0.5,
    delayMs: 120_000,
    dueAt: iso('12:02'),
    policy: { name: 'default', version: 1 },
    outside: false,
    mention: false,
    place,
    context: { dueAt: iso('12:02') },
    wakeupIds: [wakeup(n)],
    queuedAt: iso('12:00'),
    ...over,
  });

export const promoted = (n: number) =>
  fact('RetryPromoted', {
    ...moving(n, 'scheduled_retry'),
    attempt: n - 1,
    dueAt: iso('12:02'),
    trigger: 'due',
    place,
    promotedAt: iso('12:02'),
  });

/** A first run that was asked for, a first run at work, and one that failed. */
export const waitingRun = [opened(), requested(1), queued(1)] as const;
export const runningRun = [...waitingRun, started(1)] as const;
export const failedRun = [...runningRun, failed(1)] as const;
export const parkedRetry = [...failedRun, requested(2, { outside: false, source: 'automation' }), parked(2)] as const;

/** A chain whose last run failed after `retries` retries. */
export const chainOf = (retries: number): readonly LaneEvent[] => [
  ...failedRun,
  ...Array.from({ length: retries }, (_, retry) => retry + 2).flatMap((n) => [
    requested(n, { outside: false }),
    parked(n),
    promoted(n),
    started(n),
    failed(n),
  ]),
];
