import { isClosed, ReferenceLane, type Demand, type News, type Run, type Surroundings } from './reference-lane.js';
import { agents, parents, policies, tasks, type AgentName, type Ending, type Step, type Who } from './steps.js';

interface Lease {
  readonly run: Run;
  readonly task: string;
  expiresAt: number;
  beaten: boolean;
}
type Held = { readonly interrupt: boolean };

const leaseMs = 30_000;
/**
 * What the ledger must do, told a second time and from the page on the domain only: it knows nothing of events, and shares no code with
 * the decisions. Each step is answered with the code of its refusal, or nothing; what others are to do about it waits until `react`.
 */
export class Reference implements Surroundings {
  now = 0;
  readonly lanes = new Map<string, ReferenceLane>();
  readonly leases = new Map<string, Lease>();
  /** all that were ever given, with the lane's last one last */
  readonly claims: { task: string; run: Run }[] = [];
  company: Held | null = null;
  private readonly agents = new Map<string, { status: 'active' | 'paused' | 'terminated'; interrupt: boolean }>();
  private news: News[] = [];
  private stamps = 0;
  private comments = 0;

  constructor() {
    for (const agent of agents) this.agents.set(agent, { status: 'active', interrupt: false });
    for (const task of tasks) this.lanes.set(task, new ReferenceLane(task, !task.startsWith('heartbeat'), this));
    this.lane('heartbeat~fixer').assignee = 'fixer';
    for (const [task, assignee] of [
      ['ACME-1', 'fixer'],
      ['ACME-2', 'reviewer'],
      ['ACME-3', 'fixer'],
    ] as const) {
      const lane = this.lane(task);
      Object.assign(lane, { opened: true, assignee, movedAt: this.stamp() });
      lane.wake('issue_assigned', 'person', { outside: true });
    }
    this.react();
  }

  status = (agent: string) => this.agents.get(agent)!.status;
  statusOf = (agent: string) => ({ ...this.agents.get(agent) });
  delays = (agent: string): readonly number[] => policies[agent as AgentName].retry.delaysMs;
  heartbeats = (agent: string): boolean => 'heartbeat' in policies[agent as AgentName];
  owesComments = (agent: string): boolean => 'requireComment' in policies[agent as AgentName];
  tell = (what: News): void => void this.news.push(what);
  stamp = (): number => ++this.stamps;
  lane = (task: string): ReferenceLane => this.lanes.get(task)!;

  do(step: Step): string | undefined {
    switch (step.do) {
      case 'wake':
        return this.requestWakeup(step.agent, this.lane(step.task), step.by, step.source === 'timer');
      case 'claim':
        return this.claim(step.agent, step.meanwhile);
      case 'finish':
        return this.finish(step.task, step.ending, step.stale === true);
      case 'recordProcess':
        return this.recordProcess(step.task);
      case 'beat':
        return this.beat(step.task);
      case 'cancelRun':
        return this.cancelRun(this.lane(step.task), step.pick, step.intent);
      case 'scheduleRetry': {
        const run = pickOf(this.lane(step.task).runs, step.pick);
        return run && this.lane(step.task).scheduleRetry(run);
      }
      case 'retryNow':
        return this.retryNow(this.lane(step.task), step.pick);
      case 'cancelWakeup': {
        const demand = pickOf(this.lane(step.task).demands, step.pick);
        return demand && this.lane(step.task).cancelDemand(demand);
      }
      case 'promote':
        return this.promote();
      case 'advance':
        return void (this.now += step.ms);
      case 'reap':
        return this.reap();
      case 'assign':
        return this.assign(this.lane(step.task), step.agent, step.by);
      case 'setStatus':
        return this.setStatus(this.lane(step.task), step.status, step.by);
      case 'setBlockers':
        return this.setBlockers(this.lane(step.task), step.blockedBy);
      case 'comment':
        return this.comment(this.lane(step.task), step);
      case 'removeComment':
        return this.removeComment(this.lane(step.task), step.pick);
      case 'pause':
        return this.pause(step.agent, step.interrupt);
      case 'resume':
        return this.resume(step.agent);
      case 'terminate':
        return this.terminate(step.agent);
      case 'holdTask':
        return this.holdTask(this.lane(step.task), step.subtree, step.interrupt);
      case 'releaseTask':
        return this.releaseTask(this.lane(step.task));
      case 'holdCompany':
        if (this.company && (this.company.interrupt || !step.interrupt)) return undefined;
        this.company = { interrupt: step.interrupt };
        if (step.interrupt) this.tell({ of: 'held', task: null, subtree: true });
        return undefined;
      case 'releaseCompany':
        return void (this.company = null);
      case 'react':
        return undefined;
    }
  }

  // Demands and runs.

  private requestWakeup(agent: string, lane: ReferenceLane, by: Who, timer: boolean): string | undefined {
    const ask = {
      agent,
      reason: 'requested',
      timer,
      outside: by === 'person' && !timer,
      mention: lane.assignee !== agent,
      comment: false,
    };
    const code = lane.refusal(ask, true);
    lane.takeIn(ask, true);
    return code === 'agent_not_invokable' ? code : undefined;
  }

  private claim(agent: string, meanwhile?: Step): undefined {
    if (this.status(agent) === 'paused') return undefined;
    for (let look = 0, next = meanwhile; look < 3; look++, next = undefined) {
      const ready = [...this.lanes.values()].flatMap((lane) => {
        const run = lane.openOf(agent);
        return run?.status === 'queued' && !this.leases.has(lane.task) && !this.isLaneHeld(lane) ? [{ lane, run }] : [];
      });
      if (ready.length > 0 && next) this.do(next);
      const started = ready.filter(({ lane, run }) => this.start(lane, run));
      if (ready.length === 0 || started.length > 0) return undefined;
    }
    return undefined;
  }

  private start(lane: ReferenceLane, run: Run): boolean {
    if (run.status !== 'queued') return false;
    const code = lane.obstacleOfStart(run);
    if (code !== undefined) {
      lane.stop(run, code, 'skipped');
      return false;
    }
    if (this.holdOf(lane, run.agent) || lane.running()) return false;
    lane.start(run);
    this.leases.set(lane.task, { run, task: lane.task, expiresAt: this.now + leaseMs, beaten: false });
    this.claims.push({ task: lane.task, run });
    return true;
  }

  private finish(task: string, ending: Ending, stale: boolean): string | undefined {
    const claim = stale ? this.staleClaim(task) : this.currentClaim(task);
    if (!claim) return undefined;
    const { run } = claim;
    const lane = this.lane(task);
    if (this.leases.get(task)?.run !== run)
      return run.status === 'cancelled' && run.code !== 'start_lost' ? undefined : 'stale_lease';
    if (run.status === 'running') this.end(lane, run, ending);
    this.leases.delete(task);
    return undefined;
  }

  currentClaim = (task: string) => this.claims.findLast((claim) => claim.task === task);
  staleClaim = (task: string) => this.claims.filter((claim) => claim.task === task).at(-2);

  private end(lane: ReferenceLane, run: Run, ending: Ending): void {
    if (ending.outcome === 'succeeded') lane.endAndFollow(run, 'succeeded', { fate: 'completed' });
    else if (ending.outcome !== 'cancelled') {
      const family = ending.outcome === 'failed' ? ending.errorFamily : 'timeout';
      const code = ending.outcome === 'failed' ? 'adapter_failed' : 'timeout';
      lane.endAndFollow(run, ending.outcome, { family, code, fate: 'failed' });
    } else if (ending.intent === 'requeue') lane.handBack(run, 'cancelled');
    else lane.endAndFollow(run, 'cancelled', { code: 'cancelled', fate: 'cancelled cancelled' });
  }

  private recordProcess(task: string): string | undefined {
    const claim = this.currentClaim(task);
    if (!claim) return undefined;
    if (this.leases.get(task)?.run !== claim.run) return 'stale_lease';
    if (claim.run.status === 'running' && !claim.run.begun) Object.assign(claim.run, { begun: true, startsLost: 0 });
    return undefined;
  }

  private beat(task: string): undefined {
    const lease = this.leases.get(task);
    if (lease) Object.assign(lease, { beaten: true, expiresAt: this.now + leaseMs });
  }

  private cancelRun(lane: ReferenceLane, pick: number, intent: 'stop' | 'requeue'): string | undefined {
    const run = pickOf(lane.runs, pick);
    if (!run || !['queued', 'scheduled_retry', 'running'].includes(run.status)) return undefined;
    if (intent === 'stop') lane.endAndFollow(run, 'cancelled', { code: 'cancelled', fate: 'cancelled cancelled' });
    else if (run.status !== 'running') return 'run_not_running';
    else lane.handBack(run, 'cancelled');
    return undefined;
  }

  private retryNow(lane: ReferenceLane, pick: number): undefined {
    const run = pickOf(lane.runs, pick);
    const retry = run && lane.ended.includes(run) ? (run.retry ?? run) : run;
    if (retry?.status === 'scheduled_retry' && !this.holdOf(lane, retry.agent)) retry.status = 'queued';
  }

  private promote(): undefined {
    for (const lane of this.lanes.values())
      for (const run of lane.open())
        if (run.status === 'scheduled_retry' && run.dueAt <= this.now && !this.holdOf(lane, run.agent)) run.status = 'queued';
  }

  private reap(): undefined {
    const expired = [...this.leases.values()].filter(({ expiresAt }) => expiresAt < this.now);
    for (const { task } of expired) this.leases.delete(task);
    for (const { run, beaten, task } of expired) {
      if (run.status !== 'running') continue;
      const begun = beaten || run.begun || run.startsLost >= 3;
      if (begun) this.lane(task).endAndFollow(run, 'failed', { code: 'process_lost', family: 'process_lost', fate: 'failed' });
      else this.lane(task).handBack(run, 'start_lost');
    }
  }

  // Tasks.

  private assign(lane: ReferenceLane, agent: string | null, by: Who): string | undefined {
    if (agent === lane.assignee) return undefined;
    if (agent !== null && this.status(agent) === 'terminated') return 'agent_terminated';
    const before = lane.untold(lane.assignee);
    const former = lane.assignee;
    lane.assignee = agent;
    this.tell({ of: 'changed', task: lane.task });
    lane.takeFrom(former);
    if (agent !== null && lane.status === 'blocked' && lane.openBlockers().length === 0) lane.move('todo');
    const own = lane.comments.filter((comment) => comment.by === agent).map(({ id }) => id);
    const comments = [...new Set(before)].filter(
      (id) => ![...lane.untold(former), ...lane.untold(agent)].includes(id) && !own.includes(id),
    );
    const isPersons = lane.comments.some(({ id, by: author }) => author === 'person' && comments.includes(id));
    lane.wake('issue_assigned', by, { outside: by === 'person' || isPersons, comments });
    return undefined;
  }

  private setStatus(lane: ReferenceLane, to: string, by: Who): string | undefined {
    if (!lane.opened) return 'task_not_found';
    const from = lane.status;
    if (from === to) return undefined;
    lane.move(to);
    if (isClosed(to)) lane.close(to === 'done' ? 'issue_done' : 'issue_cancelled');
    if (from === 'backlog' || isClosed(from) || (from === 'blocked' && (to === 'todo' || to === 'in_progress')))
      lane.wake('issue_status_changed', by, { outside: by === 'person' });
    return undefined;
  }

  private setBlockers(lane: ReferenceLane, names: readonly string[]): string | undefined {
    if (names.some((name) => name === lane.task || this.waitsFor(name, lane.task))) return 'blocker_cycle';
    if (names.length === lane.blockers.length && lane.blockers.every(({ task }) => names.includes(task))) return undefined;
    const before = lane.openBlockers();
    const setAt = this.stamp();
    lane.blockers = names.map(
      (task) => lane.blockers.find((known) => known.task === task) ?? { task, open: !isClosed(this.lane(task).status), setAt },
    );
    this.tell({ of: 'blockersSet', task: lane.task, names });
    this.freed(lane, before, 'person');
    return undefined;
  }

  private waitsFor = (task: string, other: string, seen: readonly string[] = []): boolean =>
    !seen.includes(task) &&
    this.lane(task)
      .openBlockers()
      .some((name) => name === other || this.waitsFor(name, other, [...seen, task]));

  private freed(lane: ReferenceLane, before: readonly string[], by: Who): void {
    if (before.length > 0 && lane.openBlockers().length === 0) lane.wake('issue_blockers_resolved', by);
  }

  private comment(lane: ReferenceLane, step: Extract<Step, { do: 'comment' }>): string | undefined {
    const { by, reopen, resume, interrupt, mentions } = step;
    const id = `comment-${++this.comments}`;
    if (!lane.opened) return 'task_not_found';
    if (by !== 'person' && (reopen || resume || interrupt)) return 'not_permitted';
    if (resume && lane.status === 'cancelled') return 'issue_terminal_status';
    if (resume && lane.openBlockers().length > 0) return 'issue_dependencies_blocked';
    const isAgent = by === 'fixer' || by === 'reviewer';
    const replies = lane.agentReplies;
    lane.agentReplies = by === 'person' ? 0 : isAgent ? replies + 1 : replies;
    const said = { id, by, demands: [] as Demand[], removed: false };
    lane.comments.push(said);
    const running = lane.running();
    if (isAgent && running?.agent === by) running.commented = true;
    const isShut = isClosed(lane.status) || (lane.status === 'blocked' && lane.openBlockers().length === 0);
    const isReopened = isShut && (reopen === true || resume === true || (by === 'person' && lane.assignee !== null));
    if (isReopened) lane.move('todo');
    const inRow = isReopened ? 0 : replies;
    const assignee = lane.assignee !== by && !isClosed(lane.status) ? lane.assignee : null;
    const others = mentions.filter((agent) => agent !== assignee && agent !== by);
    for (const agent of [...(assignee === null ? [] : [assignee]), ...others]) {
      const own = agent === assignee;
      const reason = own ? (isReopened ? 'issue_reopened_via_comment' : 'issue_commented') : 'issue_comment_mentioned';
      const isLoop = isAgent && inRow >= policies[agent as AgentName].maxAgentReplies;
      const ask = { agent, reason, timer: false, outside: by === 'person', mention: !own, comment: true, comments: [id] };
      const demand = lane.takeIn(ask, false, isLoop ? 'comment_loop' : undefined);
      if (demand) said.demands.push(demand);
    }
    const at = interrupt && lane.running();
    if (at) lane.handBack(at, 'interrupted');
    return undefined;
  }

  /** Whoever was not told of it yet never is; a demand that is about nothing else is given up. */
  private removeComment(lane: ReferenceLane, pick: number): undefined {
    const comment = pickOf(lane.comments, pick);
    if (!comment || comment.removed) return undefined;
    comment.removed = true;
    const without = (of: { comments: string[] }) => (of.comments = of.comments.filter((id) => id !== comment.id));
    lane.demands.forEach(without);
    lane.runs.forEach(without);
    const removed = lane.comments.filter((other) => other.removed).flatMap(({ demands }) => demands);
    const isEmpty = (parts: Demand[]) =>
      parts.some((part) => comment.demands.includes(part)) && parts.every((part) => removed.includes(part));
    for (const first of lane.waiting) if (isEmpty([first, ...first.joined])) lane.withdrawUnit(first, 'comment_removed');
    for (const run of lane.open())
      if (run.status !== 'running' && isEmpty([...run.demands, ...run.joined])) lane.stop(run, 'comment_removed');
  }

  // Holds.

  private pause(name: string, interrupt: boolean): string | undefined {
    const agent = this.agents.get(name)!;
    if (agent.status === 'terminated') return 'agent_terminated';
    if (agent.status === 'paused' && (agent.interrupt || !interrupt)) return undefined;
    Object.assign(agent, { status: 'paused', interrupt });
    if (interrupt) this.tell({ of: 'paused', agent: name });
    return undefined;
  }

  private resume(name: string): string | undefined {
    const agent = this.agents.get(name)!;
    if (agent.status === 'terminated') return 'agent_terminated';
    agent.status = 'active';
    return undefined;
  }

  private terminate(name: string): undefined {
    const agent = this.agents.get(name)!;
    if (agent.status === 'terminated') return;
    agent.status = 'terminated';
    this.tell({ of: 'terminated', agent: name });
  }

  private holdTask(lane: ReferenceLane, subtree: boolean, interrupt: boolean): string | undefined {
    if (!lane.opened) return 'task_not_found';
    if (isClosed(lane.status)) return 'issue_terminal_status';
    const wider = { subtree: subtree || lane.held?.subtree === true, interrupt: interrupt || lane.held?.interrupt === true };
    if (lane.held?.subtree === wider.subtree && lane.held.interrupt === wider.interrupt) return undefined;
    lane.held = wider;
    if (wider.interrupt) this.tell({ of: 'held', task: lane.task, subtree: wider.subtree });
    const running = lane.running();
    if (running && wider.interrupt) lane.handBack(running, 'task_held');
    return undefined;
  }

  private releaseTask(lane: ReferenceLane): string | undefined {
    if (!lane.opened) return 'task_not_found';
    lane.held = null;
    return undefined;
  }

  private isBelow = (task: string | null, above: string): boolean =>
    task !== null && (task === above || this.isBelow(parents[task] ?? null, above));

  private holdsOn(lane: ReferenceLane, agent: string): { code: string; interrupt: boolean }[] {
    const own = this.agents.get(agent)!;
    const above = parents[lane.task];
    const holders = [lane.held, above ? this.lane(above).held : null];
    return [
      ...(own.status === 'terminated' ? [{ code: 'agent_terminated', interrupt: true }] : []),
      ...(own.status === 'paused' ? [{ code: 'agent_paused', interrupt: own.interrupt }] : []),
      ...(this.company ? [{ code: 'company_held', ...this.company }] : []),
      ...holders.flatMap((held, up) =>
        held && (up === 0 || held.subtree) ? [{ code: 'task_held', interrupt: held.interrupt }] : [],
      ),
    ];
  }
  holdOf = (lane: ReferenceLane, agent: string) => this.holdsOn(lane, agent)[0]?.code;
  private isLaneHeld = (lane: ReferenceLane): boolean =>
    this.holdsOn(lane, lane.assignee ?? 'fixer').some(({ code }) => code === 'company_held' || code === 'task_held');

  // What follows on other lanes, in the order in which it came to be known.

  react(): void {
    const policies = [this.interruptFor, this.endTerminated, this.blockers, this.children, this.stranded];
    const passed = policies.map(() => 0);
    while (passed.some((count) => count < this.news.length))
      for (const [place, policy] of policies.entries())
        while (passed[place]! < this.news.length) policy.call(this, this.news[passed[place]!++]!);
    this.news = [];
  }

  private interruptFor(news: News): void {
    if (news.of === 'started') return this.interrupt(this.lane(news.task), news.run!);
    const isMeant = (lane: ReferenceLane, run: Run): boolean => {
      if (news.of === 'paused') return run.agent === news.agent;
      if (news.of !== 'held') return false;
      return news.task === null || lane.task === news.task || (news.subtree && this.isBelow(lane.task, news.task));
    };
    for (const lane of this.lanes.values()) {
      const running = lane.running();
      if (running && isMeant(lane, running)) this.interrupt(lane, running);
    }
  }

  private interrupt(lane: ReferenceLane, run: Run): void {
    const hold = run.status === 'running' ? this.holdsOn(lane, run.agent).find(({ interrupt }) => interrupt) : undefined;
    // A start of an agent that was terminated is another policy's.
    if (!hold) return;
    if (hold.code === 'agent_terminated') lane.endWorkOf(run.agent);
    else lane.handBack(run, hold.code);
  }

  private endTerminated(news: News): void {
    if (news.of === 'terminated') for (const lane of this.lanes.values()) lane.endWorkOf(news.agent);
    if ((news.of === 'opened' || news.of === 'started') && this.status(news.agent) === 'terminated')
      this.lane(news.task).endWorkOf(news.agent);
  }

  private blockers(news: News): void {
    if (news.of === 'moved' && isClosed(news.from) !== isClosed(news.to))
      for (const lane of this.lanes.values()) this.observe(lane, [news.task]);
    if (news.of === 'blockersSet') this.observe(this.lane(news.task), news.names);
    if (news.of === 'blockersSet' || news.of === 'blockerReopened' || news.of === 'ringDropped') this.dropRing(news.task);
  }

  private observe(lane: ReferenceLane, names: readonly string[]): void {
    const before = lane.openBlockers();
    for (const known of lane.blockers.filter(({ task }) => names.includes(task))) {
      const open = !isClosed(this.lane(known.task).status);
      if (known.open === open) continue;
      lane.blockers = lane.blockers.map((edge) => (edge === known ? { ...edge, open } : edge));
      this.tell(open ? { of: 'blockerReopened', task: lane.task, names: [known.task] } : { of: 'changed', task: lane.task });
    }
    this.freed(lane, before, 'system');
  }

  private dropRing(begin: string): void {
    const ring = this.ring(begin, begin, []);
    const last = ring?.reduce((latest, edge) => (edge.setAt > latest.setAt ? edge : latest));
    if (!last) return;
    const lane = this.lane(last.of);
    const before = lane.openBlockers();
    lane.blockers = lane.blockers.filter(({ task }) => task !== last.task);
    this.tell({ of: 'ringDropped', task: lane.task, names: [] });
    this.freed(lane, before, 'system');
  }

  private ring(from: string, begin: string, way: readonly Edge[]): readonly Edge[] | undefined {
    let shortest: readonly Edge[] | undefined;
    for (const { task, open, setAt } of this.lane(from).blockers) {
      if (!open || way.some((edge) => edge.of === task)) if (task !== begin || !open) continue;
      const further = [...way, { of: from, task, setAt }];
      const found = task === begin ? further : this.ring(task, begin, further);
      if (found && (!shortest || found.length < shortest.length)) shortest = found;
    }
    return shortest;
  }

  private children(news: News): void {
    if (news.of !== 'moved' || !isClosed(news.to)) return;
    const parent = parents[news.task];
    const all = [...this.lanes.values()].filter(({ task }) => parents[task] === parent);
    if (!parent || !all.every(({ status }) => isClosed(status)) || Math.max(...all.map(({ movedAt }) => movedAt)) !== news.at)
      return;
    this.lane(parent).wake('issue_children_completed', 'system');
  }

  private stranded(news: News): void {
    if (news.of === 'terminated')
      for (const lane of this.lanes.values()) if (lane.assignee === news.agent) lane.recoverStranded();
    if (news.of === 'moved' || news.of === 'changed' || news.of === 'blockersSet' || news.of === 'ringDropped')
      this.lane(news.task).recoverStranded();
  }
}

interface Edge {
  readonly of: string;
  readonly task: string;
  readonly setAt: number;
}

export const pickOf = <T>(list: readonly T[], pick: number): T | undefined =>
  list.at(-1 - (pick % Math.max(Math.min(list.length, 4), 1)));

/** How everything stands, in words that the real thing can say as well. */
export const standOf = (reference: Reference): string[] =>
  [...reference.lanes.values()].flatMap((lane) => [
    `${lane.task} ${lane.status}, ${String(lane.assignee)}${lane.held ? ', held' : ''}`,
    ...lane.blockers.map(({ task, open }) => `  ${open ? 'waits' : 'waited'} for ${task}`),
    ...lane.runs.map((run) => {
      const about = (run.told ?? run.comments).map((id) => ` ${id}`).join('');
      return `  ${lane.task}.${run.n} ${run.agent} ${run.cause} ${run.status} ${run.code ?? ''} chain ${run.chain} attempt ${run.attempt}${run.exhausted ? ' exhausted' : ''}${about}`;
    }),
    ...lane.demands.map(({ agent, reason, fate }) => `  ${reason} of ${agent} ${fate}`),
  ]);

/** The same for two that go on in the same way, whatever their past was. */
export function signatureOf({ now, company, lanes, leases, statusOf }: Reference): string {
  const leased = [...leases.values()].map(({ run, task, expiresAt, beaten }) => [task, run.n, expiresAt - now, beaten]);
  const stand = [...lanes.values()].map(
    ({ task, runs, demands, waiting, recovered, agentReplies, held, movedAt: _, ...lane }) => [
      task,
      lane.status,
      lane.assignee,
      lane.blockers,
      [recovered, agentReplies, held],
      runs.map((run) => ({
        ...run,
        retryOf: run.retryOf?.n,
        retry: run.retry?.n,
        dueAt: Math.max(run.dueAt - now, 0),
        ...numbersOf(run, demands),
      })),
      waiting.map((first) => demands.indexOf(first)),
      demands.map((demand) => ({ ...demand, joined: demand.joined.map((other) => demands.indexOf(other)) })),
    ],
  );
  return JSON.stringify([company, agents.map(statusOf), leased, stand]);
}

const numbersOf = (run: Run, all: readonly Demand[]) => ({
  demands: run.demands.map((demand) => all.indexOf(demand)),
  joined: run.joined.map((demand) => all.indexOf(demand)),
});
