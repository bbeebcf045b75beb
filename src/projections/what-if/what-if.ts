import { agents, type Agent, type AgentEvent, type RetryPolicy } from '../../events/agent.js';
import { agentStream, type Position, type Recorded } from '../../events/event.js';
import { lanes } from '../../events/evolve-lane.js';
import type { Lane, LaneEvent } from '../../events/lane.js';
import type { LedgerEvent } from '../../events/ledger-event.js';
import type { RunFailed, RunTimedOut } from '../../events/run.js';
import type { EventStore } from '../../event-store/event-store.js';
import { FailingChains, type ChainReport } from './failing-chains.js';
import type { Period } from './period.js';
import type { Failure } from './redecide.js';
import { StreamsAt } from './streams-at.js';

export interface WhatIfReport extends ChainReport {
  readonly policy: Omit<RetryPolicy, 'name' | 'version'>;
  readonly period: { readonly from: Position; readonly to: Position; readonly firstAt: string; readonly lastAt: string };
  /** whose chains; `null`: of all */
  readonly company: string | null;
  /** events that were looked at */
  readonly events: number;
}

export interface Looked {
  readonly done: number;
  readonly total: number;
}

const pageSize = 2_000;
const mostLanes = 4_000;
const mostAgents = 4_000;

/** Asks the history what would have been decided under other rules. Nothing is written. */
export class WhatIf {
  constructor(private readonly store: EventStore) {}

  /** Every failure of the period under another retry policy, for all agents; says after each page how far it has come. */
  async *retryPolicy(policy: RetryPolicy, period: Period, company?: string): AsyncGenerator<Looked, WhatIfReport> {
    const reading = new Reading(this.store, new FailingChains(policy));
    const total = (await this.store.count({ upTo: period.to })) - (await this.store.count({ upTo: period.after }));
    let ends: { first: Recorded; last: Recorded } | undefined;
    let done = 0;
    for await (const page of this.pages(period)) {
      const own = page.filter((event) => company === undefined || event.company === company);
      await reading.take(own, ends?.last.position ?? period.after);
      done += page.length;
      ends = { first: ends?.first ?? page[0]!, last: page.at(-1)! };
      yield { done, total };
    }
    await reading.finish(period.to);
    const { name: _, version: __, ...asked } = policy;
    const { first, last } = ends!;
    const shown = { from: first.position, to: last.position, firstAt: first.recordedAt, lastAt: last.recordedAt };
    return { policy: asked, period: shown, company: company ?? null, events: done, ...reading.chains.report() };
  }

  private async *pages({ after, to }: Period): AsyncGenerator<Recorded<LedgerEvent>[]> {
    for (let last = after; last < to;) {
      const read = await this.store.readAll<LedgerEvent>({ after: last, limit: pageSize });
      const page = read.filter(({ position }) => position <= to);
      if (page.length === 0) return;
      yield page;
      last = page.at(-1)!.position;
    }
  }
}

/** A failure whose append has not been read to its end yet. */
type Pending = Omit<Failure, 'followed'> & { readonly followed: Recorded<LaneEvent>[] };
type FailureEvent = Recorded<RunFailed | RunTimedOut>;

/** The log page by page, with the streams that failures are decided on as they stood then. */
class Reading {
  private readonly lanes: StreamsAt<Lane, LaneEvent>;
  private readonly agents: StreamsAt<Agent | undefined, AgentEvent>;
  private pending: Pending | undefined;

  constructor(
    private readonly store: EventStore,
    readonly chains: FailingChains,
  ) {
    this.lanes = new StreamsAt(store, lanes, mostLanes);
    this.agents = new StreamsAt(store, agents, mostAgents);
  }

  /** `before`: the position that the page begins behind. */
  async take(page: readonly Recorded<LedgerEvent>[], before: Position): Promise<void> {
    const failures = page.filter(isFailure);
    await this.lanes.load(
      failures.map(({ stream }) => stream),
      before,
    );
    await this.agents.load(failures.map(agentOf), before);
    for (const event of page) this.read(event);
  }

  /** The append of the last failure may go on behind the period. */
  async finish(to: Position): Promise<void> {
    if (!this.pending) return;
    for (const event of await this.store.readAll<LedgerEvent>({ after: to, limit: mostOfAppend })) {
      if (!this.belongs(event)) break;
      this.pending.followed.push(event);
    }
    this.settle();
  }

  private read(event: Recorded<LedgerEvent>): void {
    if (this.pending && this.belongs(event)) this.pending.followed.push(event);
    else this.readAnew(event);
    if (isOfLane(event)) this.lanes.advance(event);
    else if (isOfAgent(event)) this.agents.advance(event);
  }

  private readAnew(event: Recorded<LedgerEvent>): void {
    this.settle();
    if (isFailure(event)) this.begin(event);
    else if (isOfLane(event)) this.chains.follow(event, false);
  }

  private begin(event: FailureEvent): void {
    const lane = this.lanes.at(event.stream);
    const agent = this.agents.at(agentOf(event));
    if (lane && agent) this.pending = { event, lane, agent, followed: [] };
  }

  /** The events of an append follow each other, and share their command. */
  private belongs(event: Recorded<LedgerEvent>): event is Recorded<LaneEvent> {
    const failure = this.pending?.event;
    return failure?.stream === event.stream && failure.metadata.commandId === event.metadata.commandId;
  }

  private settle(): void {
    const { pending } = this;
    if (!pending) return;
    this.pending = undefined;
    this.chains.failed(pending);
    for (const event of pending.followed) this.chains.follow(event, true);
  }
}

/** More than any decision on the end of a run writes. */
const mostOfAppend = 100;

const isOfLane = (event: Recorded<LedgerEvent>): event is Recorded<LaneEvent> => event.stream.startsWith('task-');
const isOfAgent = (event: Recorded<LedgerEvent>): event is Recorded<AgentEvent> => event.stream.startsWith('agent-');
const isFailure = (event: Recorded<LedgerEvent>): event is FailureEvent =>
  event.type === 'RunFailed' || event.type === 'RunTimedOut';
const agentOf = ({ company, data }: FailureEvent) => agentStream(company, data.agent);
