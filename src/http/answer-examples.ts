import type { Proof } from '../audit/proof.js';
import type { Verification } from '../audit/verifier.js';
import type { ClaimedRuns } from '../commands/claim-runs.js';
import type { PromotedRetries } from '../commands/promote-due-retries.js';
import type { RunView } from '../commands/run-view.js';
import type { WakeupAnswer } from '../commands/wakeup.js';
import type { Check } from '../doctor.js';
import type { Recorded } from '../events/event.js';
import type { ClockReading } from '../manual-clock.js';
import type { ActivityLine } from '../projections/activity-queries.js';
import type { Agent } from '../projections/agent-queries.js';
import type { GraphNode } from '../projections/blocker-graph.js';
import type { LaggingCheckpoint } from '../projections/operations/checkpoint-queries.js';
import type { ParkedEvent } from '../projections/projector/parked.js';
import type { AsOfSchemaView } from '../projections/side-schemas/as-of-schemas.js';
import type { Comment } from '../projections/comment-queries.js';
import type { Dashboard } from '../projections/dashboard-queries.js';
import type { ReplayedEvent } from '../projections/replay/replay-queries.js';
import type { RebuildView } from '../projections/operations/rebuild-queries.js';
import type { Run } from '../projections/run-queries.js';
import type { Task } from '../projections/task-queries.js';
import type { Wakeup } from '../projections/wakeup-queries.js';
import type { WhatIfReport } from '../projections/what-if/what-if.js';
import type { Why } from '../projections/why/reason.js';
import { routineExamples } from './routine-examples.js';

const noon = '2026-04-20T12:00:00.000Z';
const due = '2026-04-20T12:02:00.000Z';
const wakeupId = '0192f0c1-7a3b-5c4d-8e5f-60718293a4b5';
const lease = { token: 'zZZOaLwzFmF3cUnOfU-7_Z1s', leaseMs: 30_000 };
const context = { source: 'on_demand', trigger: 'manual', reason: 'requested', payload: { issue: 7 } };

const agent: Agent = {
  id: 'coder',
  company: 'acme',
  name: 'Coder',
  adapter: 'process',
  manager: 'lead',
  policy: {
    maxConcurrentRuns: 5,
    wakeOnDemand: true,
    heartbeat: { enabled: false, intervalSec: 0 },
    retry: {
      name: 'default',
      version: 1,
      delaysMs: [120_000, 600_000, 1_800_000, 7_200_000],
      jitterRatio: 0.25,
      maxNotBeforeMs: 86_400_000,
      notBeforeJitterMs: 0,
    },
  },
  status: 'paused',
  since: noon,
  reason: 'holiday',
  counts: { running: 1, queued: 2, parked: 1, deferred: 0, held: 3 },
  lastRun: 'ACME-12.3',
  lastRunAt: noon,
  workerSeenAt: noon,
  revision: 3,
};

const task: Task = {
  id: 'ACME-12',
  company: 'acme',
  kind: 'issue',
  title: 'Mend the build',
  status: 'in_progress',
  priority: 'high',
  parent: 'ACME-1',
  labels: ['ci'],
  assignee: 'coder',
  blockedBy: [{ task: 'ACME-9', open: false }],
  openedAt: noon,
  changedAt: noon,
  lastRun: 'ACME-12.3',
  openRuns: 1,
  running: 'ACME-12.3',
  revision: 9,
};

const runView: RunView = {
  id: 'ACME-12.4',
  company: 'acme',
  task: 'ACME-12',
  agent: 'coder',
  status: 'scheduled_retry',
  chain: 'ACME-12.3',
  n: 4,
  attempt: 1,
  maxAttempts: 4,
  retryOf: 'ACME-12.3',
  retryReason: 'transient_failure',
  scheduledRetryAt: due,
  fallbackMode: 'same_session',
  cause: 'retry',
  source: 'on_demand',
  wakeups: [wakeupId],
  queuedAt: noon,
  startedAt: noon,
  errorCode: 'adapter_failed',
  errorFamily: 'transient_upstream',
  worker: 'build-host-1',
  behind: 'ACME-12.3',
  exhausted: false,
  blockedBy: ['ACME-9'],
  revision: 14,
  context,
};

const run: Run = {
  ...runView,
  finishedAt: noon,
  exitCode: 1,
  error: '429 rate limited, retry after 120 seconds',
  host: 'build-host',
  pid: 4711,
  supersededBy: 'ACME-12.5',
  silence: { level: 'suspicious', since: noon, decided: 'snooze', until: due },
  detached: true,
  held: true,
};

const wakeup: Wakeup = {
  id: wakeupId,
  company: 'acme',
  agent: 'coder',
  task: 'ACME-12',
  ...context,
  status: 'skipped',
  code: 'issue_terminal_status',
  run: 'ACME-12.3',
  coalescedInto: wakeupId,
  coalescedCount: 0,
  held: true,
  commentIds: ['c-1'],
  requestedBy: 'user:alice',
  requestedAt: noon,
  claimedAt: noon,
  finishedAt: noon,
};

const event: Recorded = {
  id: '48039366-7088-5cb7-893e-d3632879bcae',
  type: 'RetryPromoted',
  schema: 1,
  stream: 'task-acme.ACME-12',
  company: 'acme',
  subject: 'ACME-12',
  revision: 15,
  position: '0000000000000042',
  recordedAt: due,
  data: { runId: 'ACME-12.4', trigger: 'due', promotedAt: due },
  metadata: { actor: { type: 'system', id: 'promoter' }, commandId: wakeupId, causationId: wakeupId, correlationId: 'ACME-12.3' },
};

const replayed: ReplayedEvent = {
  ...event,
  sentence: 'ACME-12.4 is queued, because it is due',
  reason: 'noisy',
  cause: {
    kind: 'policy',
    sentence: 'policy holds sent InterruptRun, because of AgentPaused at position 0000000000000041: coder is paused: noisy',
    command: 'InterruptRun',
    event: { type: 'AgentPaused', stream: 'agent-acme.coder', revision: 3, position: '0000000000000041' },
  },
  changes: [{ path: ['runs', 'ACME-12.4', 'status'], from: 'scheduled_retry', to: 'queued' }],
  meanwhile: true,
};

const activity: ActivityLine = {
  position: '0000000000000042',
  at: due,
  actor: { type: 'system', id: 'promoter' },
  action: 'RetryPromoted',
  entity: { type: 'run', id: 'ACME-12.4' },
  agent: 'coder',
  task: 'ACME-12',
  run: 'ACME-12.4',
  sentence: 'ACME-12.4 was promoted: due',
};

const dashboard: Dashboard = {
  company: 'acme',
  agents: { active: 3, paused: 1, terminated: 0 },
  tasks: { open: 12, inProgress: 4, blocked: 1, done: 80 },
  runs: { queued: 2, running: 3, parked: 1 },
  nextDue: due,
  runActivity: [{ date: '2026-04-20', succeeded: 20, failed: 2, other: 1, total: 23 }],
};

const projection: LaggingCheckpoint = {
  name: 'run_status',
  version: 1,
  generation: 2,
  readModel: 'run_status_v1_g2',
  live: true,
  liveSince: noon,
  filling: true,
  position: '0000000000000040',
  lag: 2,
  movedAt: due,
  halted: 'task-acme.ACME-12 at 41: …',
  parkedStreams: 0,
};

const rebuild: RebuildView = {
  id: 'run_status_v2',
  projection: 'run_status',
  version: 2,
  generation: 1,
  beside: 'run_status_v1',
  purpose: 'cut_over',
  phase: 'different',
  paused: false,
  eventsPerSecond: 5_000,
  reason: 'a column for the host',
  startedBy: { type: 'user', id: 'alice' },
  startedAt: noon,
  progress: { done: 42_000, total: 100_000, rate: 21_000, etaSeconds: 3, movedAt: noon, trouble: '…' },
  filledAt: noon,
  events: 100_000,
  rows: 5_000,
  comparedAt: due,
  comparison: {
    position: '0000000000000042',
    liveRows: 5_000,
    rebuiltRows: 5_000,
    onlyLive: { rows: 0, samples: [] },
    onlyRebuilt: { rows: 1, samples: [{ key: ['acme', 'ACME-12.3'] }] },
    changed: {
      rows: 1,
      samples: [{ key: ['acme', 'ACME-12.3'], columns: [{ column: 'attempt', live: '0', rebuilt: '1' }] }],
    },
    columns: [{ column: 'attempt', rows: 1, meant: false }],
    onlyLiveColumns: ['pid'],
    onlyRebuiltColumns: ['host'],
    agrees: false,
  },
  error: '…',
  endedAt: due,
};
const metrics = `# HELP ledger_events Events of the log.
# TYPE ledger_events gauge
ledger_events 42
`;
const asOfSchema: AsOfSchemaView = {
  schema: 'audit_2026_04',
  position: '0000000000000042',
  builtAt: due,
  projections: [{ name: 'dashboard', version: 1 }],
  bytes: 81_920,
};
const startedRebuild = {
  id: rebuild.id,
  projection: 'run_status',
  version: 2,
  generation: 1,
  beside: 'run_status_v1',
  purpose: 'cut_over',
  status: 'filling',
  paused: false,
  eventsPerSecond: 5_000,
  differences: 0,
};

const parked: ParkedEvent = {
  readModel: 'run_status_v1',
  stream: event.stream,
  position: event.position,
  revision: event.revision,
  eventId: event.id,
  error: 'TypeError: …',
  parkedAt: due,
  type: event.type,
  data: event.data,
};

const comment: Comment = {
  id: 'c-1',
  company: 'acme',
  author: { type: 'user', id: 'alice' },
  task: 'ACME-12',
  body: 'the tests are red again, @coder',
  mentions: ['coder'],
  addedAt: noon,
  removedAt: due,
  position: '0000000000000042',
};

const node: GraphNode = {
  task: 'ACME-9',
  title: 'Renew the certificate',
  status: 'todo',
  assignee: 'tester',
  depth: 1,
  blockedBy: [{ task: 'ACME-7', open: true }],
  stalled: { code: 'agent_paused', sentence: 'tester is paused: holiday' },
};

const taken: WakeupAnswer = { wakeup: { id: wakeupId, status: 'queued', run: 'ACME-12.4', behind: 'ACME-12.3' }, run: runView };
const next = { kind: 'retry_scheduled', run: 'ACME-12.4', dueAt: due, attempt: 1, maxAttempts: 4 };
const hash = '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328';
const sealedRange = { range: 0, first: '0000000000000001', last: '0000000000001024' };
const verification: Verification = {
  ok: false,
  from: 0,
  ranges: 64,
  sealed: 977,
  next: 64,
  head: '0000000001000042',
  chain: hash,
  signers: [{ key: `sha256:${hash}`, ranges: 64 }],
  tail: { after: '0000000000999424', events: 618, orMore: false },
  firstBad: { ...sealedRange, code: 'events_changed', sentence: 'its events do not have the root that was sealed' },
};
const { company: _, subject: __, ...stored } = event;
const proof: Proof = {
  format: 'run-ledger audit proof 1',
  event: {
    ...stored,
    metadata: { ...event.metadata, actor: { ...event.metadata.actor } },
    data: { trigger: 'due' },
    dataHash: hash,
  },
  index: 41,
  path: [hash],
  range: {
    ...sealedRange,
    root: hash,
    chain: hash,
    signature: hash.repeat(2),
    publicKey: '302a300506032b6570032100'.padEnd(88, '0'),
  },
  chainBefore: hash,
};
const ends = { succeeded: 0, failed: 9, cancelled: 1, open: 2 };
const whatIf: WhatIfReport = {
  policy: { delaysMs: [60_000, 300_000], jitterRatio: 0.25, maxNotBeforeMs: 86_400_000, notBeforeJitterMs: 0 },
  period: { from: '0000000000000001', to: '0000000000000042', firstAt: noon, lastAt: due },
  company: 'acme',
  events: 42,
  failures: 40,
  chains: 31,
  unchanged: 10,
  moved: 9,
  saved: 12,
  givenUp: 0,
  recordedEnds: { saved: ends, givenUp: ends },
  extraAttempts: { atLeast: 12, atMost: 24 },
  fewerAttempts: 0,
  addedWaitingMs: { count: 28, sum: -1_680_000, p50: -60_000, p95: 0 },
  extraWaitingMs: { count: 12, sum: 3_600_000, p50: 300_000, p95: 300_000 },
  byHand: 1,
};
const promoted: PromotedRetries = { promoted: 2, runIds: ['ACME-12.4', 'ACME-13.2'], held: 0 };
const claimed: ClaimedRuns = { runs: [{ run: { ...runView, status: 'running' }, lease }] };
const changed = { wakeups: [wakeupId], cancelledRuns: ['ACME-12.2'] };
const check: Check = { name: 'postgres fsync', ok: false, sentence: 'fsync is off', remedy: 'set fsync = on' };
const clock: ClockReading = { now: noon, random: 0.5 };

const stream = `retry: 1000
event: ready
id: 0000000000000041
data: {"position":"0000000000000041"}

event: runs
id: 0000000000000042
data: ${JSON.stringify({ ...event, sentence: 'ACME-12.4 is queued, because it is due' })}

event: dashboard
id: 0000000000000042
data: {"position":"0000000000000042"}

: still here
id: 0000000000000057

event: resume
id: 0000000000000057
data: {"position":"0000000000000057","reason":"the server shuts down"}
`;

const why: Why = {
  status: 'scheduled_retry',
  reasons: [
    {
      code: 'DUE_LATER',
      sentence: 'ACME-12.4 tries ACME-12.3 again when it is due: attempt 1 of 4',
      since: noon,
      clearedBy: 'the promoter, at that time',
      clearsAt: due,
      action: 'ledger runs retry-now ACME-12.4',
    },
  ],
  more: 1,
};

/** One of each answer, with everything that it may have; its schema follows from it. */
export const answerExamples = {
  Agent: agent,
  Company: { id: 'acme', name: 'Acme Inc.', held: { reason: 'migration', interrupt: true, since: noon }, revision: 0 },
  Task: task,
  PutTask: { ...task, ...changed },
  ChangedTask: { task, ...changed },
  BlockerGraph: { task: 'ACME-12', nodes: [node], truncated: true },
  TaskTree: { nodes: [{ ...node, parent: 'ACME-1' }], truncated: true },
  Comment: comment,
  AddedComment: {
    task,
    comment: { id: 'c-1', author: comment.author, addedAt: noon, removed: false },
    wakeups: [{ id: wakeupId, agent: 'coder', status: 'queued', code: 'comment_loop', run: 'ACME-12.4', behind: 'ACME-12.3' }],
    cancelledRuns: ['ACME-12.2'],
  },
  RemovedComment: { task, comment: { id: 'c-1', author: comment.author, addedAt: noon, removed: true }, ...changed },
  Wakeup: wakeup,
  RequestedWakeup: taken,
  CancelledWakeup: { wakeup: { id: wakeupId, status: 'cancelled' } },
  Run: run,
  ChangedRun: { run: runView },
  EndedRun: { run: runView, next },
  Why: why,
  ScheduledRetry: { outcome: 'scheduled', run: runView, dueAt: due, attempt: 1, maxAttempts: 4 },
  RetriedNow: { outcome: 'gate_suppressed', code: 'agent_not_invokable', run: runView },
  PromotedRetries: { ...promoted, truncated: true },
  ClaimedRuns: claimed,
  Beat: { leaseMs: 30_000, cancelRequested: true },
  Event: event,
  Stream: stream,
  Replay: {
    items: [replayed],
    next: 'WyJyZXBsYXkiLCIwMDAwMDAwMDAwMDAwMDQyIl0',
    state: { task: { status: 'in_progress' }, runs: { 'ACME-12.4': { status: 'queued' } } },
  },
  Activity: activity,
  Dashboard: dashboard,
  Projections: { head: '0000000000000042', items: [projection] },
  Projection: { name: 'run_status', versions: [1, 2], head: '0000000000000042', readModels: [projection], rebuild },
  Rebuild: rebuild,
  StartedRebuild: { rebuild: startedRebuild },
  ParkedReactions: {
    items: [
      {
        reaction: wakeupId,
        policy: 'holds',
        stream: event.stream,
        position: event.position,
        command: 'InterruptRun',
        error: 'TypeError: …',
        parkedAt: due,
      },
    ],
  },
  DroppedReaction: { reaction: wakeupId, status: 'gone' },
  AsOfSchemas: { items: [asOfSchema] },
  AsOfSchema: {
    schema: 'audit_2026_04',
    position: '0000000000000042',
    projections: ['dashboard', 'task_counts'],
    progress: { projection: 'dashboard', done: 42_000, total: 100_000, rate: 21_000, etaSeconds: 3 },
  },
  DroppedAsOfSchema: { schema: 'audit_2026_04', status: 'gone' },
  LiveReadModel: { projection: 'run_status', live: 'run_status_v2', before: 'run_status_v1' },
  DroppedReadModel: { readModel: 'run_status_v1', status: 'gone' },
  ParkedStreams: { readModel: 'run_status_v1', total: 1, items: [parked] },
  RefoldedStream: { readModel: 'run_status_v1', stream: event.stream, events: 3, skipped: event.position, parked },
  Ready: {
    status: 'ready',
    head: '0000000000000042',
    projections: [projection],
    notes: ['run_status: version 2 is in this server, version 1 is asked: run `ledger projections rebuild run_status`'],
  },
  Verification: verification,
  Proof: proof,
  WhatIf: whatIf,
  ...routineExamples,
  FiredRoutine: { fire: routineExamples.Fire },
  Health: { status: 'ok' },
  Metrics: metrics,
  Checks: { checks: [check] },
  Clock: clock,
} satisfies Record<string, object | string>;

export type AnswerName = keyof typeof answerExamples;
