import { catalogue } from '../commands/catalogue.js';
import { Contention, OutcomeUnknown, Rejected } from '../commands/decider.js';
import type { Dispatch } from '../commands/dispatch.js';
import { isOutage } from '../database.js';
import { nameUuid, type Recorded, type StreamId } from '../events/event.js';
import type { LedgerEvent } from '../events/ledger-event.js';
import { StoreUnavailable, type EventStore } from '../event-store/event-store.js';
import type { Log } from '../log.js';
import type { Policy, PolicyIndex, Reaction } from '../policies/policy.js';
import { ProjectionBehind } from '../projections/projector/progress.js';
import { TermOver } from '../projections/projector/projector-term.js';
import type { ParkedReaction, ParkedReactions } from './parked-reactions.js';

export interface ReactionPorts {
  readonly store: EventStore;
  /** made anew for a few events that the read models have reached */
  readonly index: () => PolicyIndex;
  readonly dispatch: Pick<Dispatch, 'send'>;
  readonly log: Log;
}

/** Of one policy. */
export interface ReactionParts {
  readonly parked: Pick<ParkedReactions, keyof ParkedReactions>;
  readonly counts: Record<'sent' | 'refused' | 'parked', number>;
}

/** Whether somebody else may own the policy by now, or this process ends; asked before each act. */
export type IsOver = () => boolean;

type Happened = Recorded<LedgerEvent>;

/** As many streams as are reacted to at once. */
const atOnce = 8;

/**
 * What a policy wants done, carried out under the same ids however often. What will not go away by being tried again is parked, and is
 * no error; whatever comes for the same stream waits behind it.
 */
export class PolicyReactions {
  private constructor(
    private readonly policy: Policy,
    private readonly ports: ReactionPorts,
    private readonly parts: ReactionParts,
    private readonly isOver: IsOver,
    private readonly parked: Set<StreamId>,
  ) {}

  static async begin(policy: Policy, ports: ReactionPorts, parts: ReactionParts, isOver: IsOver): Promise<PolicyReactions> {
    return new PolicyReactions(policy, ports, parts, isOver, new Set(await parts.parked.streams()));
  }

  /** Answers whether there was anything to do. */
  async reactTo(event: Happened, index: PolicyIndex): Promise<boolean> {
    const reactions = await this.ask(event, index).catch((error: unknown) => this.failedAt(event, error));
    await this.carryOutAll(event, reactions);
    return reactions.length > 0;
  }

  /** What is parked is tried once more, in its order. */
  async retryParked(): Promise<void> {
    const waiting = await this.parts.parked.streams();
    // What somebody has dropped holds nothing up any more.
    for (const stream of this.parked) if (!waiting.includes(stream)) this.parked.delete(stream);
    for (const stream of waiting) {
      this.parked.add(stream);
      for (let first = await this.parts.parked.first(stream); first; first = await this.parts.parked.first(stream)) {
        if (this.isOver() || !(await this.retry(first))) break;
      }
      if (await this.parts.parked.first(stream)) continue;
      this.parked.delete(stream);
      this.ports.log.info(`policy ${this.policy.name} goes on with ${stream}`);
    }
  }

  private async ask(event: Happened, index: PolicyIndex): Promise<readonly Reaction[]> {
    // The table is keyed by the event's own type, which the compiler cannot follow through a union.
    const react = this.policy.on[event.type] as
      ((event: Happened, index: PolicyIndex) => readonly Reaction[] | Promise<readonly Reaction[]>) | undefined;
    return (await react?.(event, index)) ?? [];
  }

  private async failedAt(event: Happened, error: unknown): Promise<readonly Reaction[]> {
    this.refusePassing(error);
    await this.park(event, { stream: event.stream, commandId: nameUuid(this.policy.name, event.id) }, sentenceOf(error));
    return [];
  }

  /** In order where they are to one stream, else side by side; all have ended when it throws. */
  private async carryOutAll(event: Happened, reactions: readonly Reaction[]): Promise<void> {
    const streams = new Set(reactions.map(({ stream }) => stream)).values();
    const inTurn = async () => {
      for (const stream of streams)
        for (const reaction of reactions) if (reaction.stream === stream) await this.carryOut(event, reaction);
    };
    const ends = await Promise.allSettled(Array.from({ length: Math.min(atOnce, reactions.length) }, inTurn));
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed) throw failed.reason;
  }

  private async carryOut(event: Happened, { kind, fields, stream }: Reaction): Promise<void> {
    const command = kind.command.name;
    const commandId = nameUuid(this.policy.name, event.id, stream, command);
    const parking = { stream, command, fields, commandId };
    if (this.isOver()) throw new TermOver(`policy ${this.policy.name}: its term ended before all was carried out`);
    if (this.parked.has(stream)) return this.park(event, parking, 'waits until what came before it is carried out');
    try {
      await this.send(event, kind, fields, commandId);
    } catch (error) {
      this.refusePassing(error);
      await this.park(event, parking, sentenceOf(error));
    }
  }

  /** A refusal is an answer. */
  private async send({ id, metadata }: Happened, kind: Reaction['kind'], fields: object, commandId: string): Promise<void> {
    const actor = { type: 'system', id: `policy-${this.policy.name}` } as const;
    const { correlationId } = metadata;
    try {
      await this.ports.dispatch.send(kind, fields, { commandId, actor, causationId: id, correlationId });
      this.parts.counts.sent++;
    } catch (error) {
      if (!(error instanceof Rejected)) throw error;
      this.parts.counts.refused++;
    }
  }

  /** What may go well a little later ends the term; the event is come by again. */
  private refusePassing(error: unknown): void {
    if (this.isOver() || isPassing(error)) throw error;
  }

  private async park(event: Happened, what: Parking, error: string): Promise<void> {
    const { stream, position } = event;
    const reaction = { command: null, fields: null, ...what };
    await this.parts.parked.park({ ...reaction, position, eventStream: stream, eventRevision: event.revision, error });
    this.parts.counts.parked++;
    if (!this.parked.has(what.stream))
      this.ports.log.error(
        `policy ${this.policy.name}: what ${event.type} at position ${position} leads to on ${what.stream} is parked, ` +
          `and tried again: ${error}`,
      );
    this.parked.add(what.stream);
  }

  /** Answers whether it is done with. */
  private async retry(parked: ParkedReaction): Promise<boolean> {
    const { eventStream, eventRevision: from, commandId } = parked;
    const [event] = await this.ports.store.readStream<LedgerEvent>(eventStream, { from, to: from });
    try {
      if (!event) throw new Error(`${eventStream} has no revision ${from}`);
      await this.retryFor(event, parked);
    } catch (error) {
      this.refusePassing(error);
      await this.parts.parked.failedAgain(commandId, sentenceOf(error));
      return false;
    }
    await this.parts.parked.remove(commandId);
    return true;
  }

  private async retryFor(event: Happened, { command, fields, commandId }: ParkedReaction): Promise<void> {
    if (command === null) return this.carryOutAll(event, await this.ask(event, this.ports.index()));
    const kind = catalogue.find((execution) => execution.command.name === command);
    if (!kind) throw new Error(`there is no command ${command} in this version of the ledger`);
    await this.send(event, kind, fields ?? {}, commandId);
  }
}

type Parking = Pick<ParkedReaction, 'stream' | 'commandId'> & Partial<Pick<ParkedReaction, 'command' | 'fields'>>;

const isPassing = (error: unknown): boolean =>
  [StoreUnavailable, OutcomeUnknown, Contention, ProjectionBehind].some((kind) => error instanceof kind) || isOutage(error);

const sentenceOf = (error: unknown): string => (error instanceof Error ? `${error.name}: ${error.message}` : String(error));
