import type { Agent } from '../events/agent.js';
import { companies } from '../events/company.js';
import { lanes } from '../events/evolve-lane.js';
import { companyStream, subjectOf, taskStream, type AgentId, type Event, type StreamId, type TaskId } from '../events/event.js';
import type { Lane } from '../events/lane.js';
import { StoreSealed, StoreUnavailable, type EventStore, type Write, type WriteResult } from '../event-store/event-store.js';
import {
  Contention,
  OutcomeUnknown,
  Rejected,
  type CommandContext,
  type Decision,
  type Lease,
  type Outcome,
  type World,
} from './decider.js';
import type { Folded, Written } from './folded.js';
import { Streams } from './streams.js';
import { Turns } from './turns.js';
import { toWrite } from './write.js';

/** The time and chance that decisions are made with. */
export interface Clock {
  now(): Date;
  random(): number;
}

/** Who holds a lane; kept beside the log, because a lease is renewed too often to be a fact. */
export interface Leases {
  of(company: string, task: string): Promise<Lease | undefined>;
  /** A lease that is over already is none; a release that is lost ends by its time. */
  release(company: string, task: string, token: string): Promise<void>;
}

export interface Patience {
  /** how many races a decision may lose */
  readonly races: number;
  /** how long an append of unknown outcome is sent again, in ms */
  readonly settleMs: number;
}

/**
 * Runs decisions on streams: read, fold, decide, append, and again after a lost race. Commands for one stream take turns
 * within a process, so that they decide on a state that is still true when they append.
 */
export class Ledger {
  readonly streams: Streams;
  private readonly turns = new Turns();

  constructor(
    private readonly store: EventStore,
    private readonly clock: Clock,
    private readonly leases: Leases,
    private readonly patience: Patience = { races: 10, settleMs: 8_000 },
  ) {
    this.streams = new Streams(store);
  }

  async handle<C extends object, State, E extends Event, Answer>(
    decision: Decision<C, State, E, Answer>,
    command: C,
    context: CommandContext,
  ): Promise<{ answer: Answer; outcome: Outcome<State, E> }> {
    const stream = decision.stream(command);
    const outcome = await this.turns.take(stream, () => this.decide({ decision, command, context, stream }));
    if (decision.fence?.ends) {
      const { company, task, token } = decision.fence.of(command);
      await this.leases.release(company, task, token);
    }
    return { answer: decision.answer(command, outcome), outcome };
  }

  /** Nothing but the identical writes, sent again until they are answered, tell what became of an append. */
  async append<E extends Event>(writes: readonly Write<E>[]): Promise<WriteResult<E>[]> {
    const started = performance.now();
    for (let pause = 25; ; pause = Math.min(pause * 2, 500)) {
      try {
        return await this.store.append(writes);
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        for (const { stream } of writes) this.streams.forget(stream);
        if (error instanceof StoreSealed) throw error;
        if (performance.now() - started + pause > this.patience.settleMs) throw unknownOutcome(writes, error);
        await new Promise((resume) => setTimeout(resume, pause));
      }
    }
  }

  private async decide<C extends object, State, E extends Event>(asked: Asked<C, State, E>): Promise<Outcome<State, E>> {
    const { decision, command, context, stream } = asked;
    for (let race = 0; race < this.patience.races; race++) {
      const { folded, known, written, events, world } = await this.propose(asked, race > 0);
      if (written) return this.recall(folded, stream, written);
      if (events.length === 0) return { ...known, events: [], replayed: false, world };
      const chain = decision.correlate?.(command, known.state);
      const [result] = await this.append([toWrite(stream, known.revision, events, context, chain)]);
      if (!result) throw new Error(`${stream}: the store gave no answer to a write`);
      if (result.outcome === 'refused') throw new Rejected('data_refused', result.reason);
      if (result.outcome === 'appended') {
        folded.advanceTo(result.position, result.events);
        return { ...ending(folded), events: result.events, replayed: false };
      }
    }
    throw new Contention(`${stream}: ${this.patience.races} races were lost to other writers; send the command again`);
  }

  /** A refusal, or nothing to do, may come of a kept state that is a moment old: it is said only of the head. */
  private async propose<C extends object, State, E extends Event>(
    asked: Asked<C, State, E>,
    isStale: boolean,
  ): Promise<Proposal<State, E>> {
    const early = !isStale && this.streams.isKept(asked.stream) ? await this.proposeEarly(asked) : undefined;
    return early ?? this.proposeOn(await this.streams.load(asked.decision.of, asked.stream, true), asked);
  }

  private async proposeEarly<C extends object, State, E extends Event>(
    asked: Asked<C, State, E>,
  ): Promise<Proposal<State, E> | undefined> {
    try {
      const proposal = await this.proposeOn(await this.streams.load(asked.decision.of, asked.stream, false), asked);
      return proposal.written || proposal.events.length > 0 ? proposal : undefined;
    } catch (error) {
      if (error instanceof Rejected) return undefined;
      throw error;
    }
  }

  /** `folded` moves on while World is read; what is decided and what is appended belong to one revision: that of `known`. */
  private async proposeOn<C extends object, State, E extends Event>(
    folded: Folded<State, E>,
    asked: Asked<C, State, E>,
  ): Promise<Proposal<State, E>> {
    const { decision, command, context, stream } = asked;
    const known = ending(folded);
    const written = folded.writtenBy(context.commandId);
    if (written) return { folded, known, written, events: [] };
    const world = await this.world(asked, known.state);
    const events = decision.decide(command, known.state, world);
    refuseMismatch(stream, known.revision, context.ifRevision);
    return { folded, known, events, world };
  }

  private async recall<State, E extends Event>(folded: Folded<State, E>, stream: StreamId, { from, to }: Written) {
    return { ...ending(folded), events: await this.store.readStream<E>(stream, { from, to }), replayed: true };
  }

  private async world<C extends object, State, E extends Event>(asked: Asked<C, State, E>, state: State): Promise<World> {
    const { decision, command, context, stream } = asked;
    const { company } = subjectOf(stream);
    const { atHead } = decision;
    const fence = decision.fence?.of(command);
    const [agents, tasks, itself, lease] = await Promise.all([
      this.agents(company, decision.agents?.(command, state) ?? [], atHead),
      this.tasks(company, decision.tasks?.(command, state) ?? [], decision),
      company === '' ? companies.initial : this.streams.state(companies, companyStream(company), atHead),
      fence && this.leases.of(fence.company, fence.task),
    ]);
    return {
      now: this.clock.now(),
      random: () => this.clock.random(),
      commandId: context.commandId,
      actor: context.actor,
      agent: (id) => agents.get(id),
      task: (id) => tasks.get(id),
      company: itself,
      lease,
    };
  }

  private async agents(company: string, ids: readonly (AgentId | null)[], atHead: boolean | undefined) {
    const known = new Map<AgentId, Agent | undefined>();
    for (const id of ids) if (id !== null && !known.has(id)) known.set(id, await this.streams.agent(company, id, atHead));
    return known;
  }

  /** Breadth first, each once. */
  private async tasks(
    company: string,
    ids: readonly (TaskId | null)[],
    { leadsTo, atHead }: Pick<Decision, 'leadsTo' | 'atHead'>,
  ) {
    const known = new Map<TaskId, Lane>();
    const asked = [...new Set(ids)];
    for (let next = 0; next < asked.length && next < mostTasks; next++) {
      const id = asked[next] ?? null;
      const lane = id === null ? undefined : await this.streams.state(lanes, taskStream(company, id), atHead);
      if (id === null || !lane?.opened) continue;
      known.set(id, lane);
      for (const further of leadsTo?.(lane) ?? []) if (!asked.includes(further)) asked.push(further);
    }
    return known;
  }
}

const mostTasks = 2_000;

/** A command on its way, with the stream that it is decided on. */
interface Asked<C extends object, State, E extends Event> {
  readonly decision: Decision<C, State, E>;
  readonly command: C;
  readonly context: CommandContext;
  readonly stream: StreamId;
}

/** What a decision comes to on the state that is known. */
interface Proposal<State, E extends Event> {
  readonly folded: Folded<State, E>;
  readonly known: Pick<Outcome<State, E>, 'state' | 'revision' | 'position'>;
  readonly events: readonly E[];
  readonly world?: World;
  /** the command was carried out before */
  readonly written?: Written;
}

const ending = <State, E extends Event>({ state, revision, position }: Folded<State, E>) => ({ state, revision, position });

function refuseMismatch(stream: StreamId, revision: number, wanted: number | undefined): void {
  if (wanted !== undefined && wanted !== revision)
    throw new Rejected(
      'revision_mismatch',
      `${stream} is at revision ${revision}, not ${wanted}: read it again, then decide again`,
    );
}

const unknownOutcome = ([first, ...others]: readonly Write[], cause: Error) =>
  new OutcomeUnknown(
    `${first?.stream}${others.length ? ` and ${others.length} others` : ''}: the append was not answered (${cause.message}); send the command again with the same key to find out`,
    { cause },
  );
