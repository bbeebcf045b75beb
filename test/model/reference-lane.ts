import type { Who } from './steps.js';

export type Status = 'queued' | 'scheduled_retry' | 'running' | 'succeeded' | 'failed' | 'timed_out' | 'cancelled';

export interface Demand {
  readonly agent: string;
  readonly reason: string;
  readonly timer: boolean;
  readonly outside: boolean;
  readonly mention: boolean;
  readonly comment: boolean;
  comments: string[];
  fate: string;
  /** those that it took along while it waited */
  joined: Demand[];
}

export interface Run {
  readonly n: number;
  readonly agent: string;
  readonly cause: string;
  readonly chain: number;
  readonly attempt: number;
  readonly retryOf: Run | null;
  readonly reason: string;
  readonly lost: boolean;
  readonly recovered: boolean;
  startsLost: number;
  status: Status;
  outside: boolean;
  mention: boolean;
  comment: boolean;
  comments: string[];
  /** of one that is over: what it was told, whatever was taken back since */
  told: readonly string[] | null;
  demands: Demand[];
  joined: Demand[];
  dueAt: number;
  begun: boolean;
  started: boolean;
  commented: boolean;
  code: string | null;
  family: string | null;
  requeue: boolean;
  retry: Run | null;
  exhausted: boolean;
}

/** What a lane has to know of the rest. */
export interface Surroundings {
  readonly now: number;
  status(agent: string): 'active' | 'paused' | 'terminated';
  delays(agent: string): readonly number[];
  heartbeats(agent: string): boolean;
  owesComments(agent: string): boolean;
  /** something has happened that others may have to answer to */
  tell(what: News): void;
  /** later is greater */
  stamp(): number;
}
export type News =
  | { readonly of: 'moved'; readonly task: string; readonly from: string; readonly to: string; readonly at: number }
  | { readonly of: 'started' | 'opened'; readonly task: string; readonly agent: string; readonly run?: Run }
  | { readonly of: 'changed'; readonly task: string }
  | { readonly of: 'blockersSet' | 'blockerReopened' | 'ringDropped'; readonly task: string; readonly names: readonly string[] }
  | { readonly of: 'paused' | 'terminated'; readonly agent: string }
  | { readonly of: 'held'; readonly task: string | null; readonly subtree: boolean };

type Ask = Omit<Demand, 'fate' | 'joined' | 'comments'> & { readonly comments?: readonly string[] };

const isOpen = ({ status }: Run): boolean => status === 'queued' || status === 'scheduled_retry' || status === 'running';
export const isClosed = (status: string): boolean => status === 'done' || status === 'cancelled';
const repeating = ['retry', 'process_lost', 'assignment_recovery', 'continuation_recovery'];
const isRecovery = (cause: string): boolean => cause === 'assignment_recovery' || cause === 'continuation_recovery';

/** One lane of work, as the page on the domain tells it: what a demand leads to, and what follows an end. */
export class ReferenceLane {
  opened = false;
  status = 'todo';
  assignee: string | null = null;
  held: { subtree: boolean; interrupt: boolean } | null = null;
  blockers: { task: string; open: boolean; setAt: number }[] = [];
  comments: { id: string; by: Who; demands: Demand[]; removed: boolean }[] = [];
  agentReplies = 0;
  recovered = false;
  movedAt = 0;
  readonly demands: Demand[] = [];
  readonly runs: Run[] = [];
  readonly ended: Run[] = [];
  waiting: Demand[] = [];
  private readonly refusals = new Map<string, number>();

  constructor(
    readonly task: string,
    readonly isIssue: boolean,
    private readonly around: Surroundings,
  ) {}

  open = (): Run[] => this.runs.filter(isOpen);
  openOf = (agent: string): Run | undefined => this.runs.find((run) => run.agent === agent && isOpen(run));
  running = (): Run | undefined => this.runs.find(({ status }) => status === 'running');
  waitingOf = (agent: string): Demand | undefined => this.waiting.find((demand) => demand.agent === agent);
  openBlockers = (): string[] => this.blockers.filter(({ open }) => open).map(({ task }) => task);

  // Intake.

  /** Gates, then: a run of its own, one that it joins, one whose place it takes, or a place behind the one that runs. */
  takeIn(ask: Ask, explicit: boolean, otherCode?: string): Demand | undefined {
    const code = this.refusal(ask, explicit) ?? otherCode;
    if (code !== undefined) return this.refuse(ask, code);
    const own = this.openOf(ask.agent);
    if (own && ask.timer) return undefined;
    const demand = this.request(ask);
    if (!own) this.queue(ask.agent, [demand], 'requested');
    else if (own.status === 'running') this.defer(demand);
    else if (demand.outside && own.chain !== own.n) {
      this.supersede(own);
      this.queue(ask.agent, [demand], 'superseding', { before: own });
    } else this.join(own, demand);
    return demand;
  }

  refusal({ agent, timer, mention, comment }: Ask, explicit: boolean): string | undefined {
    const status = this.around.status(agent);
    if (status === 'terminated' || (status === 'paused' && explicit)) return 'agent_not_invokable';
    if (timer && !this.around.heartbeats(agent)) return 'heartbeat_disabled';
    if (comment) return undefined;
    if (isClosed(this.status)) return 'issue_terminal_status';
    return this.openBlockers().length > 0 && !mention ? 'issue_dependencies_blocked' : undefined;
  }

  /** Of identical refusals within a minute the first is written. */
  private refuse(ask: Ask, code: string): undefined | Demand {
    const last = this.refusals.get(`${ask.agent} ${code}`);
    if (last !== undefined && this.around.now - last < 60_000) return undefined;
    const demand = this.request(ask);
    this.skip(demand, code);
    return demand;
  }

  private skip(demand: Demand, code: string): void {
    this.refusals.set(`${demand.agent} ${code}`, this.around.now);
    demand.fate = `skipped ${code}`;
    this.waiting = this.waiting.filter((other) => other !== demand);
    this.around.tell({ of: 'changed', task: this.task });
  }

  private request(ask: Ask): Demand {
    const demand: Demand = { ...ask, comments: [...(ask.comments ?? [])], fate: 'arriving', joined: [] };
    this.demands.push(demand);
    this.opened = true;
    if (demand.outside) this.recovered = false;
    return demand;
  }

  private own(run: { agent: string; mention?: boolean; comment?: boolean }, reason: string): Demand {
    const { agent, mention = false, comment = false } = run;
    return this.request({ agent, reason, timer: false, outside: false, mention, comment });
  }

  private defer(demand: Demand): void {
    const first = this.waitingOf(demand.agent);
    if (first) {
      first.joined.push(demand);
      demand.fate = 'coalesced';
      return;
    }
    demand.fate = 'deferred';
    this.waiting.push(demand);
    this.around.tell({ of: 'opened', task: this.task, agent: demand.agent });
  }

  private join(run: Run, demand: Demand): void {
    demand.fate = 'coalesced';
    run.joined.push(demand);
    run.outside ||= demand.outside;
    run.mention ||= demand.mention;
    run.comment ||= demand.comment;
    run.comments = [...run.comments, ...demand.comments];
  }

  private supersede(run: Run): void {
    this.end(run, 'cancelled', { code: 'superseded' });
  }

  // Runs.

  /** A run for demands, each with those that it took along; `before` gives its own and what it was told, `after` its chain. */
  queue(agent: string, demands: Demand[], cause: string, { before, after, retryOf, parked, outside }: Queueing = {}): Run {
    const parts = [...demands, ...demands.flatMap(({ joined }) => joined)];
    const n = this.runs.length + 1;
    const kept = [...(before ? [before] : []), ...(after ? [after] : []), ...parts];
    const told = [...(after?.comments ?? []), ...(before?.comments ?? []), ...parts.flatMap(({ comments }) => comments)];
    const inherits = after !== undefined;
    const origin = after ?? retryOf ?? null;
    const run: Run = {
      n,
      agent,
      cause,
      chain: after ? after.chain : n,
      attempt: after ? after.attempt + (parked || isRecovery(cause) ? 1 : 0) : 0,
      retryOf: origin,
      reason: parked ? 'transient_failure_retry' : (after?.reason ?? demands[0]?.reason ?? ''),
      lost: cause === 'process_lost' || (inherits && after.lost),
      recovered: isRecovery(cause) || (inherits && after.recovered),
      startsLost: inherits && after.code === 'start_lost' ? after.startsLost + 1 : 0,
      status: parked ? 'scheduled_retry' : 'queued',
      outside: outside ?? parts.some((part) => part.outside),
      mention: kept.some(({ mention }) => mention),
      comment: kept.some(({ comment }) => comment),
      comments: [...new Set(told)],
      told: null,
      demands: [...demands, ...(before?.demands ?? [])],
      joined: [...(before?.joined ?? []), ...demands.flatMap(({ joined }) => joined)],
      dueAt: parked?.dueAt ?? 0,
      begun: false,
      started: false,
      commented: false,
      code: null,
      family: null,
      requeue: false,
      retry: null,
      exhausted: false,
    };
    for (const demand of run.demands) demand.fate = 'queued';
    this.waiting = this.waiting.filter((demand) => !demands.includes(demand));
    this.runs.push(run);
    if (origin) origin.retry = run;
    if (origin && parked) origin.exhausted = false;
    if (isRecovery(cause)) this.recovered = true;
    this.around.tell({ of: 'opened', task: this.task, agent });
    return run;
  }

  start(run: Run): void {
    run.status = 'running';
    run.started = true;
    this.fated(run, 'claimed');
    this.around.tell({ of: 'started', task: this.task, agent: run.agent, run });
  }

  /** The end by itself; what follows it is asked by `endAndFollow`. */
  private end(run: Run, status: Status, { code = null, family = null, requeue = false, fate }: Ending = {}): void {
    Object.assign(run, { status, code, family, requeue, told: run.comments });
    if (status === 'succeeded' && run.agent === this.assignee) this.recovered = false;
    this.ended.push(run);
    if (status === 'succeeded' && run.agent === this.assignee) this.recovered = false;
    if (fate) this.fated(run, fate);
    if (code !== 'superseded') this.around.tell({ of: 'changed', task: this.task });
  }

  private fated(run: Run, fate: string): void {
    for (const demand of run.demands) demand.fate = fate;
  }

  stop(run: Run, code: string, how: 'cancelled' | 'skipped' = 'cancelled'): void {
    this.end(run, 'cancelled', { code, fate: `${how} ${code}` });
  }

  endAndFollow(run: Run, status: Status, ending: Ending): void {
    this.end(run, status, ending);
    const { agent } = run;
    const waiting = this.waitingOf(agent);
    const code = waiting && this.refusalOfWaiting(waiting);
    const joining = code === undefined ? waiting : undefined;
    this.firstRule(run, joining);
    if (!waiting || !this.waiting.includes(waiting)) return;
    if (code !== undefined) this.skip(waiting, code);
    else this.queue(agent, [waiting], 'deferred');
  }

  private refusalOfWaiting(waiting: Demand): string | undefined {
    const parts = [waiting, ...waiting.joined];
    const work = {
      agent: waiting.agent,
      mention: parts.some(({ mention }) => mention),
      comment: parts.some(({ comment }) => comment),
    };
    const code = this.obstacle(work);
    return code ?? (waiting.timer && !this.around.heartbeats(waiting.agent) ? 'heartbeat_disabled' : undefined);
  }

  obstacle({ agent, mention, comment, repeats = false }: Work): string | undefined {
    const exempt = mention || comment;
    if (this.around.status(agent) === 'terminated') return 'agent_terminated';
    if (isClosed(this.status) && (repeats || !exempt)) return 'issue_terminal_status';
    if (this.assignee !== agent && !exempt) return 'issue_assignee_changed';
    return this.openBlockers().length > 0 && !exempt ? 'issue_dependencies_blocked' : undefined;
  }

  obstacleOfStart = (run: Run): string | undefined => this.obstacle({ ...run, repeats: repeating.includes(run.cause) });

  // The arbiter's rules, in their order.

  private firstRule(run: Run, joining: Demand | undefined): void {
    const others = joining ? [joining] : [];
    const isOutside = [...others, ...others.flatMap(({ joined }) => joined)].some(({ outside }) => outside);
    const failed = run.status === 'failed';
    const transient = run.family === 'transient_upstream' || run.family === 'quota';
    const code = this.obstacle({ ...run, repeats: true });
    const goesOn = code === undefined || code === 'issue_dependencies_blocked';
    const awaited = this.isToDo() && this.assignee === run.agent;
    if (run.requeue) return this.requeue(run, others, isOutside);
    if (joining && isOutside) return void this.queue(run.agent, others, 'deferred');
    if (failed && transient && goesOn) return this.retryOrGiveUp(run, others, awaited);
    if (failed && run.family === 'process_lost' && !run.lost && goesOn)
      return void this.queue(run.agent, [this.own(run, 'process_lost_retry'), ...others], 'process_lost', {
        after: run,
        outside: run.outside,
      });
    if (run.status === 'succeeded') return this.askForComment(run, others, awaited);
    if ((failed || run.status === 'timed_out') && awaited && code === undefined) this.recover(run, others, isOutside);
  }

  private requeue(run: Run, others: Demand[], isOutside: boolean): void {
    if (isOutside) return void this.queue(run.agent, others, 'requeued', { before: run });
    const carried = [...run.demands, ...others];
    const next = this.queue(run.agent, carried, 'requeued', { after: run, outside: run.outside });
    next.joined = [...run.joined, ...others.flatMap(({ joined }) => joined)];
  }

  private retryOrGiveUp(run: Run, others: Demand[], awaited: boolean): void {
    if (run.attempt < this.around.delays(run.agent).length) return this.park(run, others);
    run.exhausted = true;
    if (awaited) this.escalate();
  }

  private park(run: Run, others: Demand[], before?: Run): void {
    const dueAt = this.around.now + this.around.delays(run.agent)[run.attempt]!;
    const demand = this.own(run, 'transient_failure_retry');
    this.queue(run.agent, [demand, ...others], 'retry', {
      after: run,
      parked: { dueAt },
      outside: false,
      ...(before && { before }),
    });
  }

  private askForComment(run: Run, others: Demand[], awaited: boolean): void {
    const owes = this.around.owesComments(run.agent) && run.reason === 'issue_assigned' && !run.commented;
    if (!owes || !awaited || this.obstacle(run)) return;
    const demand = this.own(run, 'missing_issue_comment');
    this.queue(run.agent, [demand, ...others], 'missing_issue_comment', { retryOf: run });
  }

  private recover(run: Run, others: Demand[], isOutside: boolean): void {
    if (run.recovered || run.attempt >= this.around.delays(run.agent).length) return this.escalate();
    const { cause, reason } = this.recoveryCause();
    this.queue(run.agent, [this.own(run, reason), ...others], cause, { after: run, outside: isOutside });
  }

  private recoveryCause() {
    return this.status === 'in_progress'
      ? { cause: 'continuation_recovery', reason: 'issue_continuation_needed' }
      : { cause: 'assignment_recovery', reason: 'issue_assignment_recovery' };
  }

  escalate(): void {
    this.move('blocked');
  }

  isToDo = (): boolean => this.isIssue && (this.status === 'todo' || this.status === 'in_progress');

  // What is asked by hand.

  scheduleRetry(run: Run): string | undefined {
    if (run.status !== 'failed' && run.status !== 'timed_out') return 'run_not_retryable';
    const recovery = this.queuedRecovery(run.agent);
    const successor = run.retry;
    if (successor && (isOpen(successor) || successor.started) && successor !== recovery)
      return successor.cause === 'retry' ? undefined : 'run_not_retryable';
    const code = this.obstacle({ ...run, repeats: true });
    if (code !== undefined) return code === 'issue_assignee_changed' ? 'run_not_retryable' : code;
    const open = this.openOf(run.agent);
    if (open && open !== recovery) return 'run_not_retryable';
    if (run.attempt >= this.around.delays(run.agent).length) run.exhausted = true;
    else {
      if (recovery) this.supersede(recovery);
      this.park(run, [], recovery);
    }
    return undefined;
  }

  private queuedRecovery = (agent: string): Run | undefined =>
    this.runs.find((run) => run.agent === agent && run.status === 'queued' && isRecovery(run.cause) && !run.outside);

  cancelDemand(demand: Demand): string | undefined {
    const waiting = this.waiting.find((first) => first === demand || first.joined.includes(demand));
    if (waiting) return this.withdrawWaiting(waiting, demand);
    const run = this.open().find(({ demands }) => demands.includes(demand));
    if (run && run.status !== 'running') return this.withdrawFromRun(run, demand);
    return demand.fate.startsWith('cancelled') ? undefined : 'wakeup_not_open';
  }

  private withdrawWaiting(waiting: Demand, demand: Demand): undefined {
    const others = waiting.joined.filter((other) => other !== demand);
    this.withdraw(demand, 'wakeup_cancelled');
    if (waiting === demand) {
      demand.joined = [];
      for (const other of others) this.defer(other);
    } else waiting.joined = others;
  }

  private withdrawFromRun(run: Run, demand: Demand): string | undefined {
    if (run.joined.length > 0) return 'wakeup_shared';
    if (run.demands.length === 1) this.stop(run, 'wakeup_cancelled');
    else {
      run.demands = run.demands.filter((other) => other !== demand);
      this.withdraw(demand, 'wakeup_cancelled');
    }
    return undefined;
  }

  private withdraw(demand: Demand, code: string): void {
    demand.fate = `cancelled ${code}`;
    this.waiting = this.waiting.filter((other) => other !== demand);
    this.around.tell({ of: 'changed', task: this.task });
  }

  /** What waits goes with all that has joined it. */
  withdrawUnit(first: Demand, code: string): void {
    for (const demand of [first, ...first.joined]) this.withdraw(demand, code);
    first.joined = [];
  }

  // The task itself.

  move(to: string): void {
    if (to === this.status) return;
    const from = this.status;
    this.status = to;
    this.agentReplies = 0;
    this.movedAt = this.around.stamp();
    this.around.tell({ of: 'moved', task: this.task, from, to, at: this.movedAt });
  }

  close(code: string): void {
    const over = ({ status, mention, comment }: Run) =>
      status === 'scheduled_retry' || (status === 'queued' && !mention && !comment);
    for (const run of this.open().filter(over)) this.stop(run, code);
    for (const first of this.waiting)
      if (![first, ...first.joined].some(({ mention, comment }) => mention || comment)) this.withdrawUnit(first, code);
  }

  takeFrom(former: string | null): void {
    const own = ({ agent, mention, status }: Run) => agent === former && !mention && status !== 'running';
    for (const run of this.open().filter(own)) this.stop(run, 'issue_reassigned');
    for (const first of this.waiting)
      if (first.agent === former && ![first, ...first.joined].some(({ mention }) => mention))
        this.withdrawUnit(first, 'issue_reassigned');
  }

  /** Comments that the agent is still to be told of. */
  untold = (to: string | null): string[] => [
    ...this.open()
      .filter(({ agent, status }) => agent === to && status !== 'running')
      .flatMap(({ comments }) => comments),
    ...this.waiting
      .filter(({ agent }) => agent === to)
      .flatMap((first) => [first, ...first.joined].flatMap(({ comments }) => comments)),
  ];

  /** The assignee is woken by what happens to its task. */
  wake(reason: string, by: Who, { outside = false, comments = [] }: { outside?: boolean; comments?: string[] } = {}): void {
    const comment = comments.length > 0;
    const busy = reason === 'issue_blockers_resolved' && this.running()?.agent !== this.assignee;
    const ownDoing = by === this.assignee && !busy;
    if (this.assignee === null || ((this.status === 'backlog' || isClosed(this.status) || ownDoing) && !comment)) return;
    this.takeIn({ agent: this.assignee, reason, timer: false, outside, mention: false, comment, comments }, false);
  }

  endWorkOf(agent: string): void {
    for (const first of this.waiting.filter((demand) => demand.agent === agent)) this.withdrawUnit(first, 'agent_terminated');
    const run = this.openOf(agent);
    if (run) this.endAndFollow(run, 'cancelled', { code: 'agent_terminated', fate: 'cancelled agent_terminated' });
  }

  handBack(run: Run, code: string): void {
    this.endAndFollow(run, 'cancelled', { code, requeue: true });
  }

  /** What nobody will take up again: once more, or by a person. */
  recoverStranded(): void {
    const { assignee } = this;
    if (assignee === null || !this.opened || !this.isToDo() || this.open().length > 0 || this.waiting.length > 0) return;
    if (this.openBlockers().length > 0) return;
    const last = this.ended.findLast((run) => run.agent === assignee && !isTakenBack(run));
    if (this.around.status(assignee) === 'terminated') return this.escalate();
    if (!last || !needsRecovery(last)) return;
    if (this.recovered) return this.escalate();
    const { cause, reason } = this.recoveryCause();
    this.queue(assignee, [this.own({ agent: assignee }, reason)], cause);
  }
}

const passed = [
  'issue_dependencies_blocked',
  'issue_terminal_status',
  'issue_assignee_changed',
  'issue_reassigned',
  'issue_done',
  'issue_cancelled',
];
const needsRecovery = ({ status, started, code }: Run): boolean =>
  status === 'failed' || status === 'timed_out' || (status === 'cancelled' && !started && passed.includes(code ?? ''));

/** It was about nothing but a comment that is not there any more. */
const isTakenBack = ({ code, started }: Run): boolean => code === 'comment_removed' && !started;

interface Queueing {
  readonly before?: Run;
  readonly after?: Run;
  readonly retryOf?: Run;
  readonly parked?: { readonly dueAt: number };
  readonly outside?: boolean;
}
interface Ending {
  readonly code?: string | null;
  readonly family?: string | null;
  readonly requeue?: boolean;
  readonly fate?: string;
}
interface Work {
  readonly agent: string;
  readonly mention: boolean;
  readonly comment: boolean;
  readonly repeats?: boolean;
}
