import { agents, type Agent } from '../events/agent.js';
import { agentStream, subjectOf, type AgentId, type Event, type Recorded, type Stream, type StreamId } from '../events/event.js';
import { StoreUnavailable, type EventStore, type Write, type WriteResult } from '../event-store/event-store.js';
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
import { Folded, type Written } from './folded.js';
import { RecentlyUsed } from './recently-used.js';
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
  private readonly folded = new RecentlyUsed<StreamId, Folded<unknown, Event>>(50_000);
  private readonly turns = new Turns();

  constructor(
    private readonly store: EventStore,
    private readonly clock: Clock,
    private readonly leases: Leases,
    private readonly patience: Patience = { races: 10, settleMs: 8_000 },
  ) {}

  async handle<C extends object, State, E extends Event, Answer>(
    decision: Decision<C, State, E, Answer>,
    command: C,
    context: CommandContext,
  ): Promise<{ answer: Answer; outcome: Outcome<State, E> }> {
    const outcome = await this.turns.take(decision.stream(command), () => this.decide(decision, command, context));
    if (decision.releases) await this.release(decision, command);
    return { answer: decision.answer(command, outcome), outcome };
  }

  /** The agent as this process knows it; `atHead` asks the store for what has come since. */
  async agent(company: string, id: AgentId, atHead = false): Promise<Agent | undefined> {
    return (await this.load(agents, agentStream(company, id), atHead)).state;
  }

  /** The state of a stream as this process knows it; `atHead` asks the store for what has come since. */
  async state<State, E extends Event>(of: Stream<State, E>, stream: StreamId, atHead = false): Promise<State> {
    return (await this.load(of, stream, atHead)).state;
  }

  /** Events that others appended, in log order: what is cached moves along, what has a gap is read anew when needed. */
  follow(events: readonly Recorded[]): void {
    for (const event of events) {
      const folded = this.folded.peek(event.stream);
      if (!folded || event.revision <= folded.revision) continue;
      if (event.revision === folded.revision + 1) folded.advance([event]);
      else this.folded.delete(event.stream);
    }
  }

  /** Nothing but the identical writes, sent again until they are answered, tell what became of an append. */
  async append<E extends Event>(writes: readonly Write<E>[]): Promise<WriteResult<E>[]> {
    const started = performance.now();
    for (let pause = 25; ; pause = Math.min(pause * 2, 500)) {
      try {
        return await this.store.append(writes);
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        for (const { stream } of writes) this.folded.delete(stream);
        if (performance.now() - started + pause > this.patience.settleMs) throw unknownOutcome(writes, error);
        await new Promise((resume) => setTimeout(resume, pause));
      }
    }
  }

  private async release<C extends object, State, E extends Event>({ lane }: Decision<C, State, E>, command: C): Promise<void> {
    const held = lane?.(command);
    if (held && 'lease' in command && typeof command.lease === 'string')
      await this.leases.release(held.company, held.task, command.lease);
  }

  private async decide<C extends object, State, E extends Event>(
    decision: Decision<C, State, E>,
    command: C,
    context: CommandContext,
  ): Promise<Outcome<State, E>> {
    const stream = decision.stream(command);
    for (let race = 0; race < this.patience.races; race++) {
      const { folded, known, written, events, world } = await this.propose(decision, command, context, race > 0);
      if (written) return this.recall(folded, stream, written);
      if (events.length === 0) return { ...known, events: [], replayed: false, world };
      const chain = decision.correlate?.(command, known.state);
      const [result] = await this.append([toWrite(stream, known.revision, events, context, chain)]);
      if (!result) throw new Error(`${stream}: the store gave no answer to a write`);
      if (result.outcome === 'refused') throw new Rejected('data_refused', result.reason);
      if (result.outcome === 'appended') {
        folded.advance(result.events);
        return { ...ending(folded), events: result.events, replayed: false };
      }
    }
    throw new Contention(`${stream}: ${this.patience.races} races were lost to other writers; send the command again`);
  }

  /** A refusal, or nothing to do, may come of a cached state that is a moment old: it is said only of the head. */
  private async propose<C extends object, State, E extends Event>(
    decision: Decision<C, State, E>,
    command: C,
    context: CommandContext,
    atHead: boolean,
  ): Promise<Proposal<State, E>> {
    const stream = decision.stream(command);
    const doubtful = !atHead && this.folded.peek(stream) !== undefined;
    try {
      const proposal = await this.proposeOn(await this.load(decision.of, stream, atHead), decision, command, context);
      if (!doubtful || proposal.written || proposal.events.length > 0) return proposal;
    } catch (error) {
      if (!doubtful || !(error instanceof Rejected)) throw error;
    }
    return this.propose(decision, command, context, true);
  }

  /** `folded` moves on while World is read; what is decided and what is appended belong to one revision: that of `known`. */
  private async proposeOn<C extends object, State, E extends Event>(
    folded: Folded<State, E>,
    decision: Decision<C, State, E>,
    command: C,
    context: CommandContext,
  ): Promise<Proposal<State, E>> {
    const known = ending(folded);
    const written = folded.writtenBy(context.commandId);
    if (written) return { folded, known, written, events: [] };
    const world = await this.world(decision, command, known.state, context);
    const events = decision.decide(command, known.state, world);
    refuseMismatch(decision.stream(command), known.revision, context.ifRevision);
    return { folded, known, events, world };
  }

  private async recall<State, E extends Event>(
    folded: Folded<State, E>,
    stream: StreamId,
    { from, to }: { from: number; to: number },
  ) {
    return { ...ending(folded), events: await this.store.readStream<E>(stream, { from, to }), replayed: true };
  }

  private async world<C extends object, State, E extends Event>(
    decision: Decision<C, State, E>,
    command: C,
    state: State,
    context: CommandContext,
  ): Promise<World> {
    const { company } = subjectOf(decision.stream(command));
    const named = new Set(decision.agents?.(command, state).filter((id) => id !== null) ?? []);
    const known = new Map<AgentId, Agent | undefined>();
    for (const id of named) known.set(id, await this.agent(company, id, decision.atHead));
    const lane = decision.lane?.(command);
    const lease = lane && (await this.leases.of(lane.company, lane.task));
    return {
      now: this.clock.now(),
      random: () => this.clock.random(),
      commandId: context.commandId,
      actor: context.actor,
      agent: (id) => known.get(id),
      lease,
    };
  }

  /** From the cache, read on from where it ends when it is missing, doubtful, or must be at the head. */
  private async load<State, E extends Event>(of: Stream<State, E>, stream: StreamId, atHead: boolean): Promise<Folded<State, E>> {
    // The cache holds what `of` folded: a stream has one kind, and a kind has one fold.
    const cached = this.folded.get(stream) as Folded<State, E> | undefined;
    if (cached && !atHead) return cached;
    const folded = cached && (await this.readOn(cached, stream)) ? cached : await this.readAnew(of, stream);
    this.folded.set(stream, folded as Folded<unknown, Event>);
    return folded;
  }

  /** False when the store does not have the last event that was folded: it was restored from a backup. */
  private async readOn<State, E extends Event>(folded: Folded<State, E>, stream: StreamId): Promise<boolean> {
    const [last, ...rest] = await this.store.readStream<E>(stream, { from: Math.max(folded.revision, 0) });
    if (folded.revision < 0) folded.advance(last ? [last, ...rest] : []);
    else if (last?.id !== folded.lastEventId) return false;
    else folded.advance(rest);
    return true;
  }

  private async readAnew<State, E extends Event>(of: Stream<State, E>, stream: StreamId): Promise<Folded<State, E>> {
    const folded = new Folded(of);
    folded.advance(await this.store.readStream<E>(stream));
    return folded;
  }
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
