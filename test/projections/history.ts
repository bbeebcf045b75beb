import { randomUUID } from 'node:crypto';
import {
  agentStream,
  companyStream,
  heartbeatTask,
  nameUuid,
  runId,
  taskStream,
  type NewEvent,
  type StreamId,
} from '../../src/events/event.js';
import type { LedgerEvent } from '../../src/events/ledger-event.js';
import { silenceLevels, type Moving, type OpenStatus, type Place } from '../../src/events/run.js';
import { taskPriorities, taskStatuses, type Blocker, type TaskKind } from '../../src/events/task.js';
import type { Write } from '../../src/event-store/event-store.js';
import { RoutineHistory } from './routine-history.js';

/** Draws from 0 to n - 1. */
export type Draw = (n: number) => number;

interface Run extends Omit<Moving, 'from'> {
  from: OpenStatus;
  attempt: number;
  chain: string;
  dueAt: string;
  /** the comments that it is about */
  told: string[];
}

interface Lane {
  company: string;
  task: string;
  kind: TaskKind;
  revision: number;
  runs: number;
  open: Run[];
  waiting: { wakeupId: string; agent: string; told: string[] }[];
  place: Place;
  comments: { id: string; wakeupId: string }[];
  blockers: Blocker[];
  held: boolean;
}

/**
 * Writes of a history that could have happened, in which runs of several agents on several lanes, and fires of several routines, go every
 * way that there is. Time goes on by 7 minutes a step, so that a long history goes over many days.
 */
export class History {
  private readonly lanes: Lane[] = [];
  private readonly agents: { company: string; agent: string; revision: number; paused: boolean }[] = [];
  private readonly companies = [
    { company: 'acme', revision: -1, held: false },
    { company: 'globex', revision: -1, held: false },
  ];
  private readonly routines: RoutineHistory;
  private now = Date.parse('2026-04-20T12:00:00.000Z');

  constructor(
    private readonly draw: Draw,
    private readonly size: { agents: number; tasks: number } = { agents: 3, tasks: 6 },
    private readonly newId: () => string = randomUUID,
  ) {
    this.routines = new RoutineHistory(draw, () => this.at(), newId);
  }

  step(): Write<LedgerEvent>[] {
    this.now += 7 * 60_000;
    if (this.agents.length < this.size.agents) return [this.registerAgent()];
    if (this.lanes.length < this.size.tasks) return [this.openTask()];
    const choice = this.draw(100);
    if (choice === 0) return [this.moveCompany()];
    if (choice > 89) return [this.moveRoutine()];
    return choice < 5 ? [this.moveAgent()] : [this.moveLane(this.pick(this.lanes))];
  }

  steps(count: number): Write<LedgerEvent>[] {
    return Array.from({ length: count }, () => this.step()).flat();
  }

  private registerAgent(): Write<LedgerEvent> {
    const agent = `agent-${this.agents.length}`;
    const company = this.agents.length % 3 === 2 ? 'globex' : 'acme';
    this.agents.push({ company, agent, revision: 0, paused: false });
    const data = { agent, name: agent, adapter: 'process', manager: null, policy, registeredAt: this.at() };
    return this.write(agentStream(company, agent), -1, [{ type: 'AgentRegistered', data }]);
  }

  private moveAgent(): Write<LedgerEvent> {
    const agent = this.pick(this.agents);
    agent.paused = !agent.paused;
    const data = { agent: agent.agent, reason: 'because' };
    const event: LedgerEvent = agent.paused
      ? { type: 'AgentPaused', data: { ...data, interrupt: false, pausedAt: this.at() } }
      : { type: 'AgentResumed', data: { ...data, resumedAt: this.at() } };
    return this.write(agentStream(agent.company, agent.agent), agent.revision++, [event]);
  }

  private moveCompany(): Write<LedgerEvent> {
    const company = this.pick(this.companies);
    company.held = !company.held && this.draw(4) === 0;
    const event: LedgerEvent = company.held
      ? { type: 'CompanyHeld', data: { reason: 'because', interrupt: false, heldAt: this.at() } }
      : { type: 'CompanyReleased', data: { reason: 'because', releasedAt: this.at() } };
    return this.write(companyStream(company.company), company.revision++, [event]);
  }

  private moveRoutine(): Write<LedgerEvent> {
    const { stream, revision, events } = this.routines.step(this.agents);
    return this.write(stream, revision, events);
  }

  private openTask(): Write<LedgerEvent> {
    const { company, agent } = this.pick(this.agents);
    const heartbeat = this.draw(5) === 0;
    const task = heartbeat ? heartbeatTask(`${agent}-${this.lanes.length}`) : `T-${this.lanes.length}`;
    const place: Place = { kind: heartbeat ? 'heartbeat' : 'issue', taskStatus: 'todo', priority: 'medium' };
    const nothing = { runs: 0, open: [], waiting: [], comments: [], blockers: [], held: false };
    const lane: Lane = { company, task, kind: place.kind, revision: -1, place, ...nothing };
    this.lanes.push(lane);
    const data = {
      task,
      kind: lane.kind,
      title: 'Ship it',
      status: 'todo',
      priority: 'medium',
      parent: null,
      labels: ['a'],
      assignee: agent,
    } as const;
    return this.append(lane, [{ type: 'TaskOpened', data: { ...data, openedAt: this.at() } }]);
  }

  private moveLane(lane: Lane): Write<LedgerEvent> {
    const choice = this.draw(16);
    if (choice > 11) return this.append(lane, this.happen(lane));
    if (choice === 0) return this.append(lane, [this.changePlace(lane)]);
    if (choice < 4) return this.append(lane, this.demand(lane));
    const run = lane.open[0] && this.pick(lane.open);
    return this.append(lane, run ? this.moveRun(lane, run) : this.demand(lane));
  }

  private changePlace(lane: Lane): LedgerEvent {
    const queuedRuns = lane.open.filter((run) => run.from === 'queued').map((run) => run.runId);
    const { task } = lane;
    if (this.draw(2) === 0) {
      lane.place = { ...lane.place, priority: this.pick(taskPriorities) };
      const data = {
        task,
        title: 'Ship it all',
        priority: lane.place.priority,
        parent: null,
        labels: [],
        queuedRuns,
        changedAt: this.at(),
      };
      return { type: 'TaskChanged', data };
    }
    const from = lane.place.taskStatus;
    lane.place = { ...lane.place, taskStatus: this.pick(taskStatuses) };
    return {
      type: 'TaskStatusChanged',
      data: { task, from, to: lane.place.taskStatus, why: null, queuedRuns, changedAt: this.at() },
    };
  }

  /** What is not a demand on the lane, and moves no run. */
  private happen(lane: Lane): LedgerEvent[] {
    const running = lane.open.find(({ from }) => from === 'running');
    const comment = lane.comments.at(-1);
    const choice = this.draw(9);
    if (choice === 8) return [this.takeFire(lane)];
    if (choice < 2 && running) return [this.report(running)];
    if (choice < 4) return this.comment(lane);
    if (choice < 5 && comment) return [this.removeComment(lane, comment)];
    return [choice < 7 && !lane.held ? this.block(lane) : this.hold(lane)];
  }

  private takeFire({ task, open }: Lane): LedgerEvent {
    const [told] = open;
    const how = told ? ({ how: 'woken', code: null } as const) : ({ how: 'skipped', code: 'task_active' } as const);
    const of = { task, routine: 'R-0', fire: `R-0@${1 + this.draw(9)}`, wakeupId: told?.wakeupIds[0] ?? null };
    return { type: 'FireTaken', data: { ...of, runId: told?.runId ?? null, ...how, takenAt: this.at() } };
  }

  private report({ runId: id, agent }: Run): LedgerEvent {
    const of = { runId: id, agent };
    const reports: LedgerEvent[] = [
      {
        type: 'ProcessRecorded',
        data: { runId: id, pid: 4711, pgid: null, host: 'laptop', processStartedAt: this.at(), recordedAt: this.at() },
      },
      { type: 'RunDetached', data: { ...of, detachedAt: this.at() } },
      { type: 'RunReattached', data: { ...of, reattachedAt: this.at() } },
      { type: 'RunWentSilent', data: { ...of, level: this.pick(silenceLevels), lastOutputAt: this.at(), silentAt: this.at() } },
      { type: 'SilenceDecided', data: { ...of, decision: 'dismiss', until: null, reason: 'it compiles', decidedAt: this.at() } },
    ];
    return this.pick(reports);
  }

  private comment(lane: Lane): LedgerEvent[] {
    const id = this.newId();
    const wakes = this.demand(lane, [id]);
    const wakeupIds = wakes.flatMap((event) => (event.type === 'WakeupRequested' ? [event.data.wakeupId] : []));
    lane.comments.push({ id, wakeupId: wakeupIds[0]! });
    const author = { type: 'user', id: 'alice' } as const;
    const data = { task: lane.task, commentId: id, author, body: 'Is it done?', mentions: [], wakeupIds, addedAt: this.at() };
    return [{ type: 'CommentAdded', data }, ...wakes];
  }

  private removeComment(lane: Lane, { id, wakeupId }: Lane['comments'][number]): LedgerEvent {
    lane.comments = lane.comments.filter((comment) => comment.id !== id);
    const runIds = lane.open.filter(({ told }) => told.includes(id)).map((run) => run.runId);
    for (const told of [...lane.open, ...lane.waiting]) told.told = told.told.filter((known) => known !== id);
    const data = { task: lane.task, commentId: id, wakeupIds: [wakeupId], runIds, removedAt: this.at() };
    return { type: 'CommentRemoved', data };
  }

  private block(lane: Lane): LedgerEvent {
    const { task } = lane;
    const blocker = lane.blockers.length > 0 && this.draw(3) > 0 ? this.pick(lane.blockers) : undefined;
    if (!blocker) {
      const others = this.lanes.filter((other) => other.company === lane.company && other !== lane && this.draw(3) === 0);
      lane.blockers = others.map((other) => ({ task: other.task, open: this.draw(3) > 0 }));
      return { type: 'BlockersSet', data: { task, blockers: lane.blockers, setAt: this.at() } };
    }
    const isRing = this.draw(4) === 0;
    const rest = lane.blockers.filter((known) => known !== blocker);
    lane.blockers = isRing ? rest : [...rest, { ...blocker, open: !blocker.open }];
    const of = { task, blocker: blocker.task };
    return blocker.open || isRing
      ? { type: 'BlockerResolved', data: { ...of, how: isRing ? 'cycle' : 'done', note: null, resolvedAt: this.at() } }
      : { type: 'BlockerReopened', data: { ...of, reopenedAt: this.at() } };
  }

  private hold(lane: Lane): LedgerEvent {
    lane.held = !lane.held;
    const of = { task: lane.task, reason: 'because' };
    return lane.held
      ? { type: 'TaskHeld', data: { ...of, subtree: this.draw(2) === 0, interrupt: false, heldAt: this.at() } }
      : { type: 'TaskReleased', data: { ...of, releasedAt: this.at() } };
  }

  private demand(lane: Lane, told: string[] = []): LedgerEvent[] {
    const about = told.length > 0 ? { commentIds: told } : {};
    const { agent } = this.pick(this.agents.filter(({ company }) => company === lane.company));
    const wakeupId = this.newId();
    const requested = this.requested(agent, wakeupId, about);
    const own = lane.open.find((run) => run.agent === agent);
    const waiting = lane.waiting.find((demand) => demand.agent === agent);
    const at = this.at();
    if (this.draw(8) === 0)
      return [requested, { type: 'WakeupSkipped', data: { wakeupId, agent, code: 'heartbeat_disabled', skippedAt: at } }];
    if (own?.from === 'running' && waiting)
      return [requested, this.joined(waiting, { wakeupId, agent, into: waiting.wakeupId, runId: null }, told)];
    if (own?.from === 'running') {
      lane.waiting.push({ wakeupId, agent, told });
      return [requested, { type: 'WakeupDeferred', data: { wakeupId, agent, behind: own.runId, deferredAt: at } }];
    }
    if (own && own.attempt > 0 && this.draw(2) === 0) return [requested, ...this.supersede(lane, own, wakeupId, told)];
    if (own) return [requested, this.joined(own, { wakeupId, agent, into: own.wakeupIds[0]!, runId: own.runId }, told)];
    return [requested, this.queue(lane, agent, [{ wakeupId, told }])];
  }

  private joined(
    lead: { told: string[] },
    data: { wakeupId: string; agent: string; into: string; runId: string | null },
    told: string[],
  ): LedgerEvent {
    lead.told = [...lead.told, ...told];
    const about = told.length > 0 ? { commentIds: told } : {};
    return { type: 'WakeupCoalesced', data: { ...data, ...about, coalescedAt: this.at() } };
  }

  private requested(agent: string, wakeupId: string, payload: { commentIds?: string[] } = {}): LedgerEvent {
    const asked = {
      source: 'on_demand',
      trigger: 'manual',
      reason: 'asked',
      payload,
      outside: true,
      mention: false,
    } as const;
    return { type: 'WakeupRequested', data: { wakeupId, agent, ...asked, requestedAt: this.at() } };
  }

  private supersede(lane: Lane, own: Run, wakeupId: string, told: string[]): LedgerEvent[] {
    this.end(lane, own);
    const by = runId(lane.task, lane.runs + 1);
    return [
      { type: 'RetrySuperseded', data: { ...this.moving(own), by, supersededAt: this.at() } },
      this.queue(lane, own.agent, [{ wakeupId, told: [...own.told, ...told] }, ...carriedBy(own)]),
    ];
  }

  private queue(lane: Lane, agent: string, demands: readonly Demand[], chain?: Run): LedgerEvent {
    const wakeupIds = demands.map(({ wakeupId }) => wakeupId);
    const told = [...new Set([...(chain?.told ?? []), ...demands.flatMap((demand) => demand.told)])];
    const id = runId(lane.task, ++lane.runs);
    const run: Run = {
      runId: id,
      agent,
      from: 'queued',
      queuedAt: this.at(),
      wakeupIds,
      attempt: chain?.attempt ?? 0,
      chain: chain?.chain ?? id,
      dueAt: '',
      told,
    };
    lane.open.push(run);
    const data = {
      cause: chain ? 'requeued' : 'requested',
      retryOf: chain?.runId ?? null,
      outside: true,
      mention: false,
      place: lane.place,
    } as const;
    const { attempt, queuedAt } = run;
    return {
      type: 'RunQueued',
      data: { runId: id, agent, chain: run.chain, attempt, wakeupIds, ...data, context: contextOf(run), queuedAt },
    };
  }

  private moveRun(lane: Lane, run: Run): LedgerEvent[] {
    if (this.draw(12) === 0) return this.cancel(lane, run);
    if (run.from === 'scheduled_retry') return [this.promote(lane, run)];
    if (run.from === 'queued')
      return lane.open.some(({ from }) => from === 'running') ? this.cancel(lane, run) : [this.start(run)];
    return this.finish(lane, run);
  }

  private promote(lane: Lane, run: Run): LedgerEvent {
    const data = {
      ...this.moving(run),
      attempt: run.attempt,
      dueAt: run.dueAt,
      trigger: 'due',
      place: lane.place,
      promotedAt: this.at(),
    } as const;
    run.from = 'queued';
    return { type: 'RetryPromoted', data };
  }

  private start(run: Run): LedgerEvent {
    const data = { ...this.moving(run), workerId: 'worker-1', leaseMs: 30_000, startedAt: this.at() };
    run.from = 'running';
    return { type: 'RunStarted', data };
  }

  private cancel(lane: Lane, run: Run): LedgerEvent[] {
    const requeue = run.from === 'running' && this.draw(2) === 0;
    const wakeups = requeue ? 'passed' : this.draw(2) === 0 ? 'skipped' : 'cancelled';
    const data = {
      ...this.moving(run),
      code: 'cancelled_by_user',
      reason: 'no longer wanted',
      intent: requeue ? 'requeue' : 'stop',
      wakeups,
    } as const;
    this.end(lane, run);
    const cancelled: LedgerEvent = { type: 'RunCancelled', data: { ...data, cancelledAt: this.at() } };
    return [
      cancelled,
      ...(requeue
        ? [this.queue(lane, run.agent, [...carriedBy(run), ...this.taken(lane, run.agent)], run)]
        : this.goOn(lane, run.agent)),
    ];
  }

  private finish(lane: Lane, run: Run): LedgerEvent[] {
    const outcome = { ...this.moving(run), exitCode: 0, result: null, usage: null, finishedAt: this.at() };
    this.end(lane, run);
    const failure = {
      error: 'HTTP 529: overloaded',
      errorCode: 'upstream_overloaded',
      errorFamily: 'transient_upstream',
      retryAfter: null,
      notBefore: null,
    } as const;
    const choice = this.draw(4);
    if (choice === 0) return [{ type: 'RunSucceeded', data: { ...outcome, liveness: null } }, ...this.goOn(lane, run.agent)];
    if (choice === 1)
      return [
        { type: 'RunTimedOut', data: { ...outcome, ...failure, exitCode: null, errorCode: 'timeout', errorFamily: 'timeout' } },
        ...this.goOn(lane, run.agent),
      ];
    const failed: LedgerEvent = { type: 'RunFailed', data: { ...outcome, ...failure, exitCode: 1 } };
    return run.attempt < 4 ? [failed, ...this.park(lane, run)] : [failed, this.exhausted(run), ...this.goOn(lane, run.agent)];
  }

  private park(lane: Lane, failed: Run): LedgerEvent[] {
    const wakeupId = this.newId();
    const taken = this.taken(lane, failed.agent);
    const wakeupIds = [wakeupId, ...taken.map((demand) => demand.wakeupId)];
    const dueAt = new Date(this.now + 120_000).toISOString();
    const run: Run = {
      ...failed,
      runId: runId(lane.task, ++lane.runs),
      from: 'scheduled_retry',
      attempt: failed.attempt + 1,
      queuedAt: this.at(),
      wakeupIds,
      dueAt,
      told: [...failed.told, ...taken.flatMap(({ told }) => told)],
    };
    lane.open.push(run);
    const { runId: id, agent, chain, attempt, queuedAt } = run;
    const decided = {
      reason: 'transient_failure',
      baseDelayMs: 120_000,
      jitter: 0.5,
      delayMs: 120_000,
      policy: { name: 'default', version: 1 },
      maxAttempts: 4,
    };
    const carried = { outside: false, mention: false, place: lane.place, context: contextOf(run), wakeupIds, queuedAt };
    return [
      this.requested(agent, wakeupId),
      {
        type: 'RetryScheduled',
        data: { runId: id, retryOf: failed.runId, chain, agent, attempt, dueAt, ...decided, ...carried },
      },
    ];
  }

  private exhausted({ runId: id, agent, chain }: Run): LedgerEvent {
    return {
      type: 'RetryExhausted',
      data: { runId: id, agent, chain, attempts: 4, maxAttempts: 4, reason: 'transient_failure', exhaustedAt: this.at() },
    };
  }

  private goOn(lane: Lane, agent: string): LedgerEvent[] {
    const taken = this.taken(lane, agent);
    return taken.length > 0 ? [this.queue(lane, agent, taken)] : [];
  }

  private taken(lane: Lane, agent: string): Demand[] {
    const mine = lane.waiting.filter((demand) => demand.agent === agent);
    lane.waiting = lane.waiting.filter((demand) => demand.agent !== agent);
    return mine;
  }

  private end(lane: Lane, run: Run): void {
    lane.open = lane.open.filter((open) => open !== run);
  }

  private moving({ runId: id, agent, from, queuedAt, wakeupIds }: Run): Moving {
    return { runId: id, agent, from, queuedAt, wakeupIds };
  }

  private append(lane: Lane, events: LedgerEvent[]): Write<LedgerEvent> {
    const write = this.write(taskStream(lane.company, lane.task), lane.revision, events);
    lane.revision += events.length;
    return write;
  }

  private write(stream: StreamId, revision: number, events: LedgerEvent[]): Write<LedgerEvent> {
    const commandId = this.newId();
    const metadata = {
      actor: { type: 'user', id: 'alice' },
      correlationId: commandId,
      causationId: commandId,
      commandId,
    } as const;
    const stamped: NewEvent<LedgerEvent>[] = events.map((event) => ({ ...event, id: this.newId(), schema: 1 }));
    return { stream, expectedRevision: revision < 0 ? 'no-stream' : revision, events: stamped, metadata };
  }

  private pick<T>(items: readonly T[]): T {
    return items[this.draw(items.length)]!;
  }

  private at(): string {
    return new Date(this.now).toISOString();
  }
}

/** A demand, and the comments that it is about. */
interface Demand {
  readonly wakeupId: string;
  readonly told: string[];
}

const carriedBy = ({ wakeupIds }: Run): Demand[] => wakeupIds.map((wakeupId) => ({ wakeupId, told: [] }));

const contextOf = ({ told }: Run) => ({ source: 'on_demand', ...(told.length > 0 && { commentIds: told }) });

const policy = {
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
};

/** Same seed, same history. */
export function seeded(seed: number): Draw {
  let state = seed >>> 0;
  return (n) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

/** The same ids each time, for what is drawn again to be what is written already. */
export function countedIds(): () => string {
  let count = 0;
  return () => nameUuid('history', ++count);
}
