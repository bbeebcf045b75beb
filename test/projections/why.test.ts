import { lanes } from '../../src/events/evolve-lane.js';
import type { LaneEvent } from '../../src/events/lane.js';
import type { AgentRow } from '../../src/projections/agents.js';
import type { HoldRow } from '../../src/projections/holds.js';
import { runStatus } from '../../src/projections/run-status.js';
import { stallOf } from '../../src/projections/stalled.js';
import { tasks } from '../../src/projections/tasks.js';
import { wakeupRequests } from '../../src/projections/wakeup-requests.js';
import type { AgentFacts, Facts, LeaseFact } from '../../src/projections/why/facts.js';
import { laggingReasons } from '../../src/projections/why/lagging.js';
import { reasonsOfDemand } from '../../src/projections/why/of-demand.js';
import { reasonsOfRun } from '../../src/projections/why/of-run.js';
import { reasonsOfTask } from '../../src/projections/why/of-task.js';
import { whyOf, type Reason } from '../../src/projections/why/reason.js';
import {
  assignedTo,
  at,
  chainOf,
  coalesced,
  deferred,
  fact,
  failed,
  failedRun,
  movedTo,
  moving,
  opened,
  parkedRetry,
  policy,
  promoted,
  queued,
  requested,
  runningRun,
  succeeded,
  timedOut,
  waitingRun,
  wakeup,
} from '../facts.js';
import { given, only, onTask } from './folded.js';

const iso = (clock: string): string => at(clock).toISOString();

/** fixer is registered since the morning, one of its workers asked for runs a moment before noon, and it has nothing else to do. */
function fixer(row: Partial<AgentRow> = {}, over: Partial<AgentFacts> = {}): AgentFacts {
  const idle = { running: 0, queued: 0, parked: 0, last_run: null, last_run_at: null, revision: 0 };
  const described = { company: 'acme', agent: 'fixer', name: 'fixer', adapter: 'process', manager: null, policy };
  return {
    row: { ...described, status: 'active', since: iso('09:00'), reason: null, ...idle, ...row },
    leases: [],
    workers: [{ workerId: 'laptop', seenAt: iso('12:00'), askedAt: iso('11:59:58') }],
    ...over,
  };
}

const atWork = { workerId: 'laptop', runId: 'ACME-12.1' };

/** Of laptop, on the first run. */
const lease = (over: Partial<LeaseFact> = {}): LeaseFact => ({
  ...atWork,
  leaseMs: 30_000,
  expiresAt: iso('12:00:20'),
  beatenAt: null,
  isRevoked: false,
  ...over,
});

const hold = (kind: HoldRow['kind'], target: string): HoldRow => ({
  company: 'acme',
  kind,
  target,
  subtree: true,
  status: 'held',
  reason: 'freeze',
  since: iso('11:50'),
});

/** What is known of ACME-12 at noon, after these facts. */
function known(lane: readonly LaneEvent[], over: Partial<Facts> = {}): Facts {
  const log = onTask(lane);
  return {
    now: iso('12:00'),
    task: only(given(log).folded(tasks)),
    lane: lane.reduce(lanes.evolve, lanes.initial),
    holds: [],
    agents: new Map([['fixer', fixer()]]),
    runs: given(log).folded(runStatus),
    demands: given(log).folded(wakeupRequests),
    lease: undefined,
    ready: new Map([['ACME-12.1', { since: iso('11:10'), ahead: 0, first: null }]]),
    blockers: [],
    roles: ['api', 'projector', 'policies', 'promoter', 'reaper'],
    steadyRoles: ['api', 'projector', 'policies', 'promoter', 'reaper'],
    lags: [],
    movedAt: iso('11:30'),
    blockedAt: iso('11:40'),
    ...over,
  };
}

const codes = (reasons: readonly Reason[]): string => reasons.map(({ code }) => code).join(' ');
const ofRun = (n: number, facts: Facts) =>
  reasonsOfRun(
    facts,
    facts.runs.find((run) => run.n === n)!,
  );
const ofDemand = (n: number, facts: Facts) =>
  reasonsOfDemand(
    facts,
    facts.demands.find(({ wakeup_id }) => wakeup_id === wakeup(n))!,
  );
const working = (row: Partial<AgentRow> = {}, over: Partial<AgentFacts> = {}): Partial<Facts> => ({
  agents: new Map([['fixer', fixer(row, over)]]),
});

const newcomer = [opened(), requested(1), queued(1, { queuedAt: iso('11:59:55') })];
const young: Partial<Facts> = { ready: new Map([['ACME-12.1', { since: iso('11:59:55'), ahead: 0, first: null }]]) };
const blockersSet = fact('BlockersSet', { task: 'ACME-12', blockers: [{ task: 'ACME-9', open: true }], setAt: iso('11:40') });
const blocked: Partial<Facts> = { blockers: [{ task: 'ACME-9', row: undefined, stall: undefined }] };
const mentioned = queued(1, { mention: true });

describe('a queued run', () => {
  it.each<[string, string, readonly LaneEvent[], Partial<Facts>]>([
    ['is about to be taken', 'READY', newcomer, young],
    ['is taken by nobody who asks', 'SHOULD_BE_RUNNING', waitingRun, {}],
    ['has waited since its agent was resumed only', 'READY', waitingRun, working({ since: iso('11:59:55') })],
    ['has seen another of its agent start a moment ago', 'READY', waitingRun, working({ last_run_at: iso('11:59:55') })],
    ['finds that workers asked too early to be sure', 'READY', waitingRun, working({ last_run_at: iso('11:59:57') })],
    ['has no worker', 'NO_WORKER', waitingRun, working({}, { workers: [] })],
    [
      'has a worker that is gone',
      'NO_WORKER',
      waitingRun,
      working({}, { workers: [{ workerId: 'laptop', seenAt: iso('11:30'), askedAt: iso('11:30') }] }),
    ],
    [
      'has a worker that is at work',
      'NO_WORKER',
      waitingRun,
      working({ last_run_at: iso('11:59:58') }, { leases: [{ workerId: 'laptop', runId: 'ACME-7.1' }] }),
    ],
    [
      'has a worker that is at work, and one with its hands free',
      'SHOULD_BE_RUNNING',
      waitingRun,
      working({ last_run_at: iso('11:15') }, { leases: [{ workerId: 'desktop', runId: 'ACME-7.1' }] }),
    ],
    [
      'has no slot, and no worker that asks',
      'AGENT_CONCURRENCY NO_WORKER',
      waitingRun,
      working(
        { policy: { ...policy, maxConcurrentRuns: 1 }, last_run_at: iso('11:59:59') },
        { leases: [{ workerId: 'laptop', runId: 'ACME-7.1' }] },
      ),
    ],
    [
      'has others before it',
      'BEHIND_RUN',
      waitingRun,
      { ready: new Map([['ACME-12.1', { since: '', ahead: 3, first: 'B-1.1' }]]) },
    ],
    ['has a lane that is still leased', 'LEASE_HELD', waitingRun, { lease: lease({ runId: 'ACME-12.0' }) }],
    ['was claimed a moment ago', 'LEASE_HELD', waitingRun, { lease: lease() }],
    ['is paused', 'AGENT_PAUSED', waitingRun, working({ status: 'paused', reason: 'holiday' })],
    ['is paused, and has no worker', 'AGENT_PAUSED NO_WORKER', waitingRun, working({ status: 'paused' }, { workers: [] })],
    [
      'is held in every way',
      'AGENT_PAUSED COMPANY_HELD TASK_HELD TASK_HELD',
      waitingRun,
      { ...working({ status: 'paused' }), holds: [hold('company', 'acme'), hold('task', 'ACME-12'), hold('task', 'ACME-1')] },
    ],
    ['is a terminated agent’s', 'AGENT_TERMINATED', waitingRun, working({ status: 'terminated' })],
    ['waits for a task', 'BLOCKED_BY', [...newcomer, blockersSet], { ...young, ...blocked }],
    [
      'waits for a task, and was asked beside the assignee',
      'READY',
      [opened(), requested(1), mentioned, blockersSet],
      { ...young, ...blocked },
    ],
    ['is another’s task by now', 'TASK_REASSIGNED', [...newcomer, assignedTo('reviewer')], young],
    ['is on a closed task', 'TASK_CLOSED', [...newcomer, movedTo('done')], young],
    [
      'is on a closed task, and about a comment',
      'READY',
      [opened(), requested(1), queued(1, { comment: true }), movedTo('done')],
      young,
    ],
  ])('%s', (_, expected, lane, around) => {
    expect(codes(ofRun(1, known(lane, around)))).toBe(expected);
  });

  it('is behind the run that is at work on its lane, whoever else is free', () => {
    const lane = [...runningRun, requested(2, { agent: 'reviewer' }), queued(2, { agent: 'reviewer', mention: true })];
    const reviewer = fixer({ agent: 'reviewer' });
    const facts = known(lane, { lease: lease(), agents: new Map([['reviewer', reviewer]]) });
    expect(ofRun(2, facts)).toEqual([
      {
        code: 'BEHIND_RUN',
        sentence: 'ACME-12.1 of fixer is running on the same task, and one runs at a time',
        since: iso('11:15'),
        clearedBy: 'the end of ACME-12.1',
        action: 'ledger runs cancel ACME-12.1',
      },
    ]);
  });

  it.each([
    ['yet', {}],
    ['for a day', { last_run: 'ACME-7.1', last_run_at: iso('09:30') }],
  ])('says that no worker was heard of %s', (since, row) => {
    const [reason] = ofRun(1, known(waitingRun, working(row, { workers: [] })));
    expect(reason?.sentence).toBe(`no worker of fixer has been heard of ${since}`);
  });

  it('says of a lease that is over that the reaper ends it, or that there is none', () => {
    const over = { lease: lease({ runId: 'ACME-12.0', expiresAt: iso('11:59') }) };
    const [reason] = ofRun(1, known(waitingRun, over));
    expect([reason?.clearedBy, reason?.clearsAt]).toEqual(['the reaper', undefined]);
    expect(ofRun(1, known(waitingRun, { ...over, roles: [] }))).toMatchObject([{ code: 'LEASE_HELD', action: 'ledger serve' }]);
  });

  it.each([
    [1, 'ledger agents set fixer --max-concurrent 2'],
    [10, undefined],
  ])('of an agent that takes %d at a time says how it could take more, if it can', (most, action) => {
    const leases = Array.from({ length: most }, (_, n) => ({ workerId: 'laptop', runId: `B-${n}.1` }));
    const around = working({ policy: { ...policy, maxConcurrentRuns: most } }, { leases });
    expect(ofRun(1, known(waitingRun, around))[0]).toMatchObject({ code: 'AGENT_CONCURRENCY' });
    expect(ofRun(1, known(waitingRun, around))[0]?.action).toBe(action);
  });
});

describe('a parked run', () => {
  const tillDue = { now: iso('12:00') };
  const due = { now: iso('12:02:05') };
  const long = { now: iso('12:05') };
  const nobody = { roles: ['api', 'projector'] };

  it.each<[string, string, Partial<Facts>]>([
    ['waits for its time', 'DUE_LATER', tillDue],
    ['waits for its time, and nobody will queue it then', 'DUE_LATER PROMOTER_STOPPED', { ...tillDue, ...nobody }],
    ['is due', 'READY', due],
    ['is due, and nobody queues it', 'PROMOTER_STOPPED', { ...due, ...nobody }],
    ['is left although it is due', 'SHOULD_BE_RUNNING', long],
    ['was due before the promoter came', 'READY', { ...long, steadyRoles: ['api'] }],
    ['is held, and waits for its time', 'AGENT_PAUSED DUE_LATER', { ...tillDue, ...working({ status: 'paused' }) }],
    ['is held although it is due', 'TASK_HELD', { ...long, holds: [hold('task', 'ACME-12')] }],
  ])('%s', (_, expected, around) => {
    expect(codes(ofRun(2, known(parkedRetry, around)))).toBe(expected);
  });

  it('says when it is due, and how not to wait for that', () => {
    expect(ofRun(2, known(parkedRetry))).toMatchObject([{ clearsAt: iso('12:02'), action: 'ledger runs retry-now ACME-12.2' }]);
  });

  it('tells of blockers which keep it from being started, and not from being promoted', () => {
    expect(codes(ofRun(2, known([...parkedRetry, blockersSet], blocked)))).toBe('BLOCKED_BY DUE_LATER');
  });
});

describe('a running run', () => {
  it('is with its worker', () => {
    expect(ofRun(1, known(runningRun, { lease: lease() }))).toMatchObject([
      { code: 'RUNNING', since: iso('11:15'), sentence: expect.stringContaining(`its lease lasts until ${iso('12:00:20')}`) },
    ]);
  });

  it.each<[string, Partial<Facts>]>([
    ['without a lease', {}],
    ['with a lease that is over', { lease: lease({ expiresAt: iso('12:00') }) }],
    ['with a lease that was taken away', { lease: lease({ isRevoked: true }) }],
    ['while another run has the lease', { lease: lease({ runId: 'ACME-12.7' }) }],
  ])('is lost %s', (_, around) => {
    expect(codes(ofRun(1, known(runningRun, around)))).toBe('LEASE_LOST');
  });

  it('says that it has been silent, and how that is decided on; then that it was', () => {
    const silent = fact('RunWentSilent', {
      runId: 'ACME-12.1',
      agent: 'fixer',
      level: 'suspicious',
      lastOutputAt: iso('10:00'),
      silentAt: iso('11:00'),
    });
    const decided = fact('SilenceDecided', {
      runId: 'ACME-12.1',
      agent: 'fixer',
      decision: 'snooze',
      until: iso('13:00'),
      reason: 'long build',
      decidedAt: iso('11:05'),
    });
    const [before] = ofRun(1, known([...runningRun, silent], { lease: lease() }));
    expect(before?.sentence).toContain(`it has said nothing since ${iso('10:00')}, which is suspicious`);
    expect(before?.action).toBe('ledger runs silence ACME-12.1 continue');
    const [after] = ofRun(1, known([...runningRun, silent, decided], { lease: lease() }));
    expect(after?.sentence).toContain(`may be so until ${iso('13:00')} (snooze)`);
    expect(after?.action).toBeUndefined();
  });
});

describe('a run that is over', () => {
  const cancelled = (n: number, code: string, intent: 'stop' | 'requeue' = 'stop') =>
    fact('RunCancelled', {
      ...moving(n, 'queued'),
      code,
      reason: 'enough',
      intent,
      wakeups: 'cancelled',
      cancelledAt: iso('12:00'),
    });
  const exhausted = (n: number) =>
    fact('RetryExhausted', {
      runId: `ACME-12.${n}`,
      agent: 'fixer',
      chain: 'ACME-12.1',
      attempts: 4,
      maxAttempts: 4,
      reason: 'transient_failure',
      exhaustedAt: iso('12:00'),
    });
  const passing = { errorFamily: 'quota' } as const;

  it.each<[string, number, string, readonly LaneEvent[], Partial<Facts>]>([
    ['has succeeded', 1, 'DONE', [...runningRun, succeeded(1)], {}],
    ['failed, and is tried again', 1, 'DONE DUE_LATER', parkedRetry, {}],
    ['failed for good', 1, 'NON_RETRYABLE', failedRun, {}],
    ['took too long', 1, 'NON_RETRYABLE', [...runningRun, timedOut(1)], {}],
    ['used its retries up', 5, 'EXHAUSTED', [...chainOf(4), exhausted(5)], {}],
    ['failed early in a chain that is used up by now', 1, 'DONE EXHAUSTED', [...chainOf(4), exhausted(5)], {}],
    ['failed in passing on a closed task', 1, 'DONE TASK_CLOSED', [...runningRun, movedTo('done'), failed(1, passing)], {}],
    ['failed in passing on another’s task', 1, 'DONE TASK_REASSIGNED', [...runningRun, assignedTo(null), failed(1, passing)], {}],
    ['was cancelled', 1, 'DONE', [...waitingRun, cancelled(1, 'cancelled')], {}],
    ['was cancelled with its task', 1, 'TASK_CLOSED', [...waitingRun, movedTo('done'), cancelled(1, 'issue_done')], {}],
    ['was cancelled by a gate', 1, 'SKIPPED', [...waitingRun, cancelled(1, 'issue_dependencies_blocked')], {}],
    ['was cancelled with its agent', 1, 'AGENT_TERMINATED', [...waitingRun, cancelled(1, 'agent_terminated')], {}],
    ['was taken from its agent', 1, 'TASK_REASSIGNED', [...waitingRun, cancelled(1, 'issue_reassigned')], {}],
    [
      'was handed back',
      1,
      'DONE READY',
      [...runningRun, cancelled(1, 'agent_paused', 'requeue'), queued(2, { cause: 'requeued', retryOf: 'ACME-12.1' })],
      { ready: new Map([['ACME-12.2', { since: iso('11:59:59'), ahead: 0, first: null }]]) },
    ],
    [
      'gave way to what a person asked for',
      2,
      'SUPERSEDED READY',
      [
        ...parkedRetry,
        fact('RetrySuperseded', { ...moving(2, 'scheduled_retry'), by: 'ACME-12.3', supersededAt: iso('12:00') }),
        queued(3, { cause: 'superseding' }),
      ],
      { ready: new Map([['ACME-12.3', { since: iso('12:00'), ahead: 0, first: null }]]) },
    ],
  ])('%s', (_, n, expected, lane, around) => {
    expect(codes(ofRun(n, known(lane, around)))).toBe(expected);
  });

  it('names the run that does it again, and asks for nothing then', () => {
    expect(ofRun(1, known(parkedRetry))[0]).toEqual({
      code: 'DONE',
      sentence: 'ACME-12.1 failed (adapter_failed, unknown): the build is broken; ACME-12.2 does it again',
      since: iso('12:00'),
    });
  });

  it('says once that its task was put aside, to who asks about the task and to who asks about the run', () => {
    const facts = known([...failedRun, movedTo('blocked')]);
    expect(codes(ofRun(1, facts))).toBe('NON_RETRYABLE BLOCKED_BY');
    expect(reasonsOfTask(facts)).toEqual(ofRun(1, facts));
    expect(ofRun(1, facts)[0]?.sentence).not.toContain('is blocked');
  });

  it.each([
    ['to have it retried', {}, failedRun, 'ledger runs retry ACME-12.1'],
    ['nothing, on a task that is closed', {}, [...failedRun, movedTo('done')], undefined],
    ['nothing, of an agent that is gone', working({ status: 'terminated' }), failedRun, undefined],
  ])('that failed for good asks a person %s', (_, around, lane, action) => {
    expect(ofRun(1, known(lane, around))[0]?.action).toBe(action);
  });

  it.each([
    ['ledger wakeups request fixer --task ACME-12', [...runningRun, succeeded(1)]],
    ['ledger tasks status ACME-12 todo', [...runningRun, movedTo('done'), succeeded(1)]],
    ['ledger tasks status ACME-12 todo', [...runningRun, movedTo('blocked'), succeeded(1)]],
  ])('that succeeded is asked for more by %s', (action, lane) => {
    expect(ofRun(1, known(lane))[0]?.action).toBe(action);
  });
});

describe('a demand', () => {
  const skipped = (code: string) => [
    opened(),
    requested(1),
    fact('WakeupSkipped', { wakeupId: wakeup(1), agent: 'fixer', code, skippedAt: iso('11:30') }),
  ];

  it('is explained by its run', () => {
    const facts = known(parkedRetry);
    expect(ofDemand(2, facts)).toEqual(ofRun(2, facts));
    expect(ofDemand(1, facts)).toEqual(ofRun(1, facts));
  });

  it('that joined another leads to the run that carries it', () => {
    expect(ofDemand(3, known([...parkedRetry, requested(3), coalesced(3, 2, 2)]))).toMatchObject([
      { code: 'COALESCED_INTO', sentence: `it joined the demand ${wakeup(2)}, which ACME-12.2 carries`, clearedBy: 'ACME-12.2' },
      { code: 'DUE_LATER' },
    ]);
  });

  it('waits for the run that its agent is at; and says so of one that joined it', () => {
    const lane = [...runningRun, requested(2), deferred(2, 1), requested(3), coalesced(3, 2, null)];
    expect(codes(ofDemand(2, known(lane)))).toBe('BEHIND_RUN');
    expect(codes(ofDemand(3, known(lane)))).toBe('COALESCED_INTO BEHIND_RUN');
    expect(codes(ofDemand(2, known(lane, working({ status: 'paused' }))))).toBe('AGENT_PAUSED BEHIND_RUN');
    expect(codes(ofDemand(2, known([...lane, blockersSet], blocked)))).toBe('BLOCKED_BY BEHIND_RUN');
  });

  it('that the end of the run has passed over is a defect, after a while', () => {
    const lane = [...runningRun, requested(2, { requestedAt: iso('12:00') }), deferred(2, 1), succeeded(1)];
    expect(codes(ofDemand(2, known(lane)))).toBe('READY');
    expect(codes(ofDemand(2, known(lane, { now: iso('12:01') })))).toBe('SHOULD_BE_RUNNING');
  });

  it.each([
    ['agent_not_invokable', 'paused', 'ledger agents resume fixer'],
    ['agent_not_invokable', 'terminated', undefined],
    ['heartbeat_disabled', 'active', 'ledger agents set fixer --heartbeat <interval>'],
    ['wake_on_demand_disabled', 'active', 'ledger agents set fixer --wake-on-demand'],
    ['issue_assignee_changed', 'active', 'ledger tasks assign ACME-12 fixer'],
    ['issue_dependencies_blocked', 'active', undefined],
    ['comment_loop', 'active', 'ledger tasks comment ACME-12 <text>'],
    ['a_code_of_tomorrow', 'active', 'ledger wakeups request fixer --task ACME-12'],
  ] as const)('that was refused as %s while its agent was %s names the way out', (code, status, action) => {
    const [reason] = ofDemand(1, known(skipped(code), working({ status })));
    expect(reason).toMatchObject({ code: 'SKIPPED', since: iso('11:30'), sentence: expect.stringContaining(`(${code})`) });
    expect(reason?.action).toBe(action);
  });

  it('that was withdrawn is over', () => {
    const withdrawal = { wakeupId: wakeup(1), agent: 'fixer', code: 'wakeup_cancelled', reason: 'no', cancelledAt: iso('11:30') };
    expect(codes(ofDemand(1, known([opened(), requested(1), fact('WakeupCancelled', withdrawal)])))).toBe('DONE');
  });
});

describe('a task', () => {
  const unassigned = opened({ assignee: null });

  it.each<[string, string, readonly LaneEvent[], Partial<Facts>]>([
    [
      'has a run at work and a demand behind it',
      'RUNNING BEHIND_RUN',
      [...runningRun, requested(2), deferred(2, 1)],
      { lease: lease() },
    ],
    ['is nobody’s', 'UNASSIGNED', [unassigned], {}],
    ['is nobody’s, and held', 'TASK_HELD UNASSIGNED', [unassigned], { holds: [hold('task', 'ACME-1')] }],
    ['was never asked for', 'NOTHING_ASKED', [opened({ status: 'backlog' })], {}],
    ['is done', 'TASK_CLOSED', [...runningRun, succeeded(1), movedTo('done')], {}],
    ['has had its run', 'DONE', [...runningRun, succeeded(1)], {}],
    ['has failed', 'NON_RETRYABLE BLOCKED_BY', [...failedRun, movedTo('blocked')], {}],
    ['waits for others', 'BLOCKED_BY', [opened(), blockersSet], blocked],
    ['is its paused agent’s', 'AGENT_PAUSED NOTHING_ASKED', [opened()], working({ status: 'paused' })],
  ])('%s', (_, expected, lane, around) => {
    expect(codes(reasonsOfTask(known(lane, around)))).toBe(expected);
  });

  it('says what runs before what waits', () => {
    const lane = [...runningRun, requested(2, { agent: 'reviewer' }), queued(2, { agent: 'reviewer' }), promoted(9)];
    const facts = known(lane, { lease: lease(), agents: new Map([['reviewer', fixer({ agent: 'reviewer' })]]) });
    expect(codes(reasonsOfTask({ ...facts, runs: facts.runs.toReversed() }))).toBe('RUNNING TASK_REASSIGNED BEHIND_RUN');
  });

  it('tells of each blocker whether it moves by itself, and how not to wait for it', () => {
    const row = only(given(onTask([opened({ task: 'ACME-9', assignee: null })], 'ACME-9')).folded(tasks));
    const busy = only(
      given(onTask([opened({ task: 'ACME-8' }), requested(1), queued(1, { runId: 'ACME-8.1' })], 'ACME-8')).folded(tasks),
    );
    const blockers = [
      { task: 'ACME-9', row, stall: stallOf(row, false, undefined) },
      { task: 'ACME-8', row: busy, stall: stallOf(busy, false, undefined) },
      { task: 'ACME-7', row: undefined, stall: undefined },
    ];
    expect(reasonsOfTask(known([opened(), blockersSet], { blockers }))).toEqual([
      {
        code: 'BLOCKED_BY',
        sentence: "ACME-12 waits for ACME-9, which is todo and does not move by itself: ACME-9 is nobody's: assign it",
        since: iso('11:40'),
        clearedBy: 'a person',
        action: 'ledger tasks block ACME-12 ACME-8 ACME-7',
      },
      expect.objectContaining({
        sentence: 'ACME-12 waits for ACME-8, which is todo, and moves by itself: ACME-8.1 is open on it',
        clearedBy: 'the end of ACME-8',
        action: 'ledger tasks block ACME-12 ACME-9 ACME-7',
      }),
      expect.objectContaining({ sentence: 'ACME-12 waits for ACME-7, which was never opened', clearedBy: 'a person' }),
    ]);
  });
});

describe('an answer', () => {
  const reason = (n: number): Reason => ({ code: 'BLOCKED_BY', sentence: `waits for ${n}`, since: iso('12:00') });

  it('says once what is so for several runs', () => {
    expect(whyOf('todo', [reason(1), reason(2), reason(1)])).toEqual({ status: 'todo', reasons: [reason(1), reason(2)] });
  });

  it('has room for twenty reasons, and says how many there are beyond', () => {
    const { reasons, more } = whyOf(
      'todo',
      Array.from({ length: 23 }, (_, n) => reason(n)),
    );
    expect([reasons.length, reasons[0], more]).toEqual([20, reason(0), 3]);
  });

  it('says of a read model how far behind it is, what its trouble is, and who would help', () => {
    const lag = {
      projection: 'ready_runs',
      position: '',
      head: '0000000000000042',
      movedAt: iso('11:00'),
      trouble: 'no such column',
      stream: null,
    };
    expect(laggingReasons({ lags: [lag], roles: ['api'] })).toEqual([
      {
        code: 'PROJECTION_LAG',
        sentence: 'ready_runs is at the beginning of 42, and does not go on: no such column',
        since: iso('11:00'),
        clearedBy: 'a server with the role projector; none runs',
        action: 'ledger serve',
      },
    ]);
    expect(laggingReasons({ lags: [lag], roles: ['projector'] })).toMatchObject([{ clearedBy: 'the projector' }]);
  });

  it('says of a stream that a read model could not fold how that is tried again', () => {
    const lag = {
      projection: 'tasks',
      position: '0000000000000041',
      head: '0000000000000042',
      movedAt: iso('11:00'),
      trouble: 'no such column',
      stream: 'task-acme.ACME-12',
    };
    expect(laggingReasons({ lags: [lag], roles: ['projector'] })).toEqual([
      {
        code: 'PROJECTION_LAG',
        sentence: 'tasks could not fold task-acme.ACME-12 at 41: no such column',
        since: iso('11:00'),
        clearedBy: 'whoever mends its fold',
        action: 'ledger projections parked tasks --retry task-acme.ACME-12',
      },
    ]);
  });
});
