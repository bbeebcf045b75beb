import { numberOfRun, type AgentId, type RunId, type TaskId, type WakeupId } from '../../events/event.js';
import type { OpenStatus, RunEvent } from '../../events/run.js';
import type { WakeupEvent } from '../../events/wakeup.js';
import type { Fact } from '../projection.js';

/**
 * The demands on a lane, counted: requested = delivered + coalesced into a delivered one + skipped + cancelled + open, after every
 * event. Told from the events alone, without the fold that decisions are made on, so that an error in that is found here. What is
 * closed is only counted, and what has joined another demand only counted there.
 */
export interface ConservationRow {
  readonly company: string;
  readonly task: TaskId;
  readonly requested: number;
  /** carried by a run when it was started */
  readonly delivered: number;
  /** joined to one that was delivered */
  readonly coalesced: number;
  readonly skipped: number;
  readonly cancelled: number;
  readonly open: number;
  /** those that are open, and those of the run that is running, which pass on if it is handed back */
  readonly demands: Readonly<Record<WakeupId, Demand>>;
  readonly runs: Readonly<Record<RunId, Run>>;
  /** joined to a demand that was withdrawn: the same append finds a place for them */
  readonly adrift: Readonly<Record<AgentId, Joined>>;
  /** found no place, and have no name here: nobody will ever be told of them */
  readonly stranded: number;
  /** number of the last run; null where the account was opened in the middle of a lane */
  readonly last_run: number | null;
  /** of the last append */
  readonly command_id: string;
  readonly violations: number;
  readonly first_violation: string | null;
}

/** How many have joined, and the sum of their names modulo 2^48: whoever leaves must have come. */
export interface Joined {
  readonly count: number;
  readonly names: number;
}
export interface Demand {
  readonly agent: AgentId;
  readonly at: 'arriving' | 'waiting' | 'on a run' | 'passing on' | 'nowhere';
  readonly run: RunId | null;
  readonly joined: Joined;
}
export interface Run {
  readonly agent: AgentId;
  readonly status: OpenStatus;
}

export type AccountedEvent = Fact<Exclude<RunEvent | WakeupEvent, { type: 'RetryExhausted' | 'RecoveryEscalated' }>['type']>;

type Coalesced = Fact<'WakeupCoalesced'>['data'];
type Opening = Fact<'RunQueued' | 'RetryScheduled'>['data'];
type Moving = Fact<
  'RunStarted' | 'RetryPromoted' | 'RetrySuperseded' | 'RunCancelled' | 'RunSucceeded' | 'RunFailed' | 'RunTimedOut'
>;
type Count = 'requested' | 'delivered' | 'coalesced' | 'skipped' | 'cancelled';

/** The account of one lane, kept from one event to the next: a copy of the row, which stays as it is. */
export class LaneAccount {
  private readonly demands: Map<WakeupId, Demand>;
  private readonly runs: Map<RunId, Run>;
  private readonly adrift: Map<AgentId, Joined>;
  private readonly counts: Record<Count, number>;
  private stranded: number;
  private lastRun: number | null;
  private commandId: string;
  private violations: number;
  private firstViolation: string | null;
  private revision = 0;

  constructor(private readonly before: ConservationRow) {
    const { requested, delivered, coalesced, skipped, cancelled } = before;
    this.counts = { requested, delivered, coalesced, skipped, cancelled };
    this.demands = new Map(Object.entries(before.demands));
    this.runs = new Map(Object.entries(before.runs));
    this.adrift = new Map(Object.entries(before.adrift));
    this.stranded = before.stranded;
    this.lastRun = before.last_run;
    this.commandId = before.command_id;
    this.violations = before.violations;
    this.firstViolation = before.first_violation;
  }

  record(event: AccountedEvent): this {
    if (event.metadata.commandId !== this.commandId) this.endAppend();
    this.commandId = event.metadata.commandId;
    this.revision = event.revision;
    this.account(event);
    this.balance();
    return this;
  }

  /** Between appends nothing is on its way, and whoever waits waits for a run. */
  endAppend(): this {
    for (const [id, demand] of this.demands) {
      const fault = this.faultOf(demand);
      if (!fault) continue;
      this.violated(`${id} ${fault}`);
      this.demands.set(id, { ...demand, at: 'nowhere', run: null });
    }
    for (const { count, names } of this.adrift.values()) {
      if (count > 0) this.violated(`${count} that had joined a withdrawn demand have found no place`);
      else if (names !== 0) this.violated('others have left a withdrawn demand than had joined it');
      this.stranded += count;
    }
    this.adrift.clear();
    return this;
  }

  row(): ConservationRow {
    return {
      company: this.before.company,
      task: this.before.task,
      ...this.counts,
      open: this.open(),
      demands: Object.fromEntries(this.demands),
      runs: Object.fromEntries(this.runs),
      adrift: Object.fromEntries(this.adrift),
      stranded: this.stranded,
      last_run: this.lastRun,
      command_id: this.commandId,
      violations: this.violations,
      first_violation: this.firstViolation,
    };
  }

  private faultOf({ at, agent }: Demand): string | undefined {
    if (at === 'arriving') return 'has found no place';
    if (at === 'passing on') return 'was passed on to no run';
    const isWaited = at !== 'waiting' || [...this.runs.values()].some((run) => run.status === 'running' && run.agent === agent);
    return isWaited ? undefined : `waits for ${agent}, which is at nothing`;
  }

  private account(event: AccountedEvent): void {
    switch (event.type) {
      case 'WakeupRequested':
        return this.request(event.data.wakeupId, event.data.agent);
      case 'WakeupCoalesced':
        return this.join(event.data);
      case 'WakeupDeferred':
        return this.place(event.data.wakeupId, event.data.agent, { at: 'waiting', run: null });
      case 'WakeupSkipped':
        return this.skip(event.data.wakeupId, event.data.agent);
      case 'WakeupCancelled':
        return this.withdraw(event.data.wakeupId, event.data.agent);
      case 'RunQueued':
        return this.openRun(event.data, 'queued');
      case 'RetryScheduled':
        return this.openRun(event.data, 'scheduled_retry');
      case 'RetryPromoted':
        if (this.moves(event, ['scheduled_retry']))
          this.runs.set(event.data.runId, { agent: event.data.agent, status: 'queued' });
        return;
      case 'RunStarted':
        return this.start(event);
      case 'RunSucceeded':
      case 'RunFailed':
      case 'RunTimedOut':
        if (this.moves(event, ['running'])) this.close(event.data.runId);
        return;
      case 'RunCancelled':
        return this.cancel(event);
      case 'RetrySuperseded':
        if (this.moves(event, ['queued', 'scheduled_retry'])) this.passOn(event.data.runId);
        return;
      case 'ProcessRecorded':
      case 'RunDetached':
      case 'RunReattached':
      case 'RunWentSilent':
      case 'SilenceDecided':
        if (this.runs.get(event.data.runId)?.status !== 'running')
          this.violated(`${event.data.runId} is not running, and ${event.type} says something new of it`);
    }
  }

  private request(id: WakeupId, agent: AgentId): void {
    if (this.demands.has(id)) return this.violated(`${id} was requested twice`);
    this.counts.requested++;
    this.demands.set(id, { agent, at: 'arriving', run: null, joined: nobody });
  }

  /** Who is open is taken from where it is, with those that have joined it. A run that goes on keeps what it carries. */
  private take(id: WakeupId, agent: AgentId): Joined | undefined {
    const demand = this.demands.get(id);
    if (demand?.at === 'on a run') return this.violated(`${id} was taken from ${demand.run}, which goes on`);
    this.demands.delete(id);
    if (demand) return demand.joined;
    const adrift = this.adrift.get(agent) ?? nobody;
    if (adrift.count === 0) return this.violated(`${id} is not open, and was given another place`);
    this.adrift.set(agent, without(adrift, id));
    return nobody;
  }

  private place(id: WakeupId, agent: AgentId, place: Pick<Demand, 'at' | 'run'>): void {
    const joined = this.take(id, agent);
    if (joined) this.demands.set(id, { agent, ...place, joined });
  }

  private join({ wakeupId: id, agent, into, runId }: Coalesced): void {
    const lead = this.demands.get(into);
    const isThere = lead && lead.run === runId && this.runs.get(runId ?? '')?.status !== 'running' && into !== id;
    if (!isThere) {
      this.violated(`${id} joined ${into}, which does not wait ${runId ? `for ${runId}` : 'by itself'}`);
      return this.place(id, agent, { at: 'nowhere', run: null });
    }
    const joined = this.take(id, agent);
    if (joined) this.demands.set(into, { ...lead, joined: together(lead.joined, joined, one(id)) });
  }

  private skip(id: WakeupId, agent: AgentId): void {
    const joined = this.take(id, agent);
    if (joined) this.counts.skipped += 1 + joined.count;
  }

  /** Those that had joined it are adrift until the same append finds a place for each. */
  private withdraw(id: WakeupId, agent: AgentId): void {
    const demand = this.demands.get(id);
    if (!demand) return this.withdrawJoined(id, agent);
    if (demand.run && this.runs.get(demand.run)?.status === 'running')
      return this.violated(`${id} was delivered with ${demand.run}, and then withdrawn`);
    this.counts.cancelled++;
    this.demands.delete(id);
    if (demand.joined.count > 0) this.adrift.set(agent, together(this.adrift.get(agent) ?? nobody, demand.joined));
  }

  private withdrawJoined(id: WakeupId, agent: AgentId): void {
    const lead = [...this.demands].find(
      ([, { at, agent: whose, joined }]) => at === 'waiting' && whose === agent && joined.count > 0,
    );
    if (!lead || this.adrift.has(agent)) return this.skipAdrift(id, agent);
    const [leadId, demand] = lead;
    this.demands.set(leadId, { ...demand, joined: without(demand.joined, id) });
    this.counts.cancelled++;
  }

  private skipAdrift(id: WakeupId, agent: AgentId): void {
    if (this.take(id, agent)) this.counts.cancelled++;
  }

  private openRun({ runId, agent, wakeupIds }: Opening, status: OpenStatus): void {
    const n = numberOfRun(runId);
    if (this.lastRun !== null && n !== this.lastRun + 1) this.violated(`${runId} was opened behind number ${this.lastRun}`);
    if (wakeupIds.length === 0) this.violated(`${runId} was opened, and nobody has asked for it`);
    this.lastRun = n;
    for (const id of wakeupIds) this.place(id, agent, { at: 'on a run', run: runId });
    this.runs.set(runId, { agent, status });
  }

  /** False of a run that is not there to be moved: one that has ended never changes. */
  private moves({ type, data }: Moving, from: readonly OpenStatus[]): boolean {
    const { runId, wakeupIds } = data;
    const run = this.runs.get(runId);
    const isAsSaid = run?.status === data.from && from.includes(run.status);
    if (!isAsSaid) this.violated(`${runId} is ${run?.status ?? 'over'}, and ${type} moves it from ${data.from}`);
    const carried = this.carriedBy(runId);
    const named = new Set(wakeupIds);
    if (run && (carried.length !== named.size || !carried.every(([id]) => named.has(id))))
      this.violated(`${runId} carries ${carried.length} demands, and ${type} names others`);
    return run !== undefined;
  }

  private start(event: Fact<'RunStarted'>): void {
    const { runId, agent } = event.data;
    if (!this.moves(event, ['queued'])) return;
    if (this.runs.get(runId)?.status !== 'running') this.deliver(runId, 1);
    this.runs.set(runId, { agent, status: 'running' });
  }

  private cancel(event: Fact<'RunCancelled'>): void {
    const { runId, wakeups } = event.data;
    if (!this.moves(event, ['queued', 'scheduled_retry', 'running'])) return;
    if (wakeups === 'passed') return this.passOn(runId);
    if (this.runs.get(runId)?.status !== 'running')
      for (const [, { joined }] of this.carriedBy(runId)) this.counts[wakeups] += 1 + joined.count;
    this.close(runId);
  }

  /** What was delivered with a run that is handed back is open again. */
  private passOn(runId: RunId): void {
    if (this.runs.get(runId)?.status === 'running') this.deliver(runId, -1);
    for (const [id, demand] of this.carriedBy(runId)) this.demands.set(id, { ...demand, at: 'passing on', run: null });
    this.runs.delete(runId);
  }

  private close(runId: RunId): void {
    for (const [id] of this.carriedBy(runId)) this.demands.delete(id);
    this.runs.delete(runId);
  }

  private deliver(runId: RunId, times: 1 | -1): void {
    for (const [, { joined }] of this.carriedBy(runId)) {
      this.counts.delivered += times;
      this.counts.coalesced += times * joined.count;
    }
  }

  private carriedBy(runId: RunId): [WakeupId, Demand][] {
    return [...this.demands].filter(([, { run }]) => run === runId);
  }

  private open(): number {
    let open = this.stranded;
    for (const { run, joined } of this.demands.values())
      if (!run || this.runs.get(run)?.status !== 'running') open += 1 + joined.count;
    for (const { count } of this.adrift.values()) open += count;
    return open;
  }

  private balance(): void {
    const { requested, delivered, coalesced, skipped, cancelled } = this.counts;
    const found = delivered + coalesced + skipped + cancelled + this.open();
    if (requested !== found) this.violated(`${requested} were requested, and ${found} are accounted for`);
  }

  private violated(sentence: string): undefined {
    this.violations++;
    this.firstViolation ??= `at ${this.revision}: ${sentence}`;
  }
}

const nobody: Joined = { count: 0, names: 0 };
const range = 2 ** 48;
const one = (id: WakeupId): Joined => ({ count: 1, names: parseInt(id.replaceAll('-', '').slice(0, 12), 16) });
const together = (...parts: readonly Joined[]): Joined =>
  parts.reduce((sum, { count, names }) => ({ count: sum.count + count, names: (sum.names + names) % range }), nobody);
const without = (joined: Joined, id: WakeupId): Joined => ({
  count: joined.count - 1,
  names: (joined.names - one(id).names + range) % range,
});
