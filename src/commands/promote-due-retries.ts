import {
  nameUuid,
  taskStream,
  type AgentId,
  type Appended,
  type Position,
  type RunId,
  type StreamId,
  type TaskId,
} from '../events/event.js';
import type { LaneEvent } from '../events/lane.js';
import type { Moving, Place } from '../events/run.js';
import type { EventStore, Write } from '../event-store/event-store.js';
import type { CommandContext, Sendable } from './decider.js';
import { Int, Optional, Slug } from './fields.js';
import type { Clock, Ledger } from './ledger.js';
import type { Turns } from './turns.js';
import { toWrite } from './write.js';

/** Every parked run that is due and not held becomes queued, in order of due time; all of them, unless `limit` asks for fewer. */
export class PromoteDueRetries {
  /** without one: of all companies */
  @Optional() @Slug() company?: string;
  @Optional() @Int(1, 1_000_000) limit?: number;
}

export interface PromotedRetries {
  readonly promoted: number;
  /** the first thousand */
  readonly runIds: readonly RunId[];
  readonly truncated?: true;
  /** due, and left where they are because their agent, task or company is held, or their agent was terminated */
  readonly held: number;
}

/** A lane with parked runs that are due, and what a promotion needs of it without reading its stream. */
export interface DueLane {
  readonly company: string;
  readonly task: TaskId;
  /** of the lane's stream, as far as the list has followed it */
  readonly revision: number;
  /** of the first of its runs; lanes come in this order */
  readonly dueAt: string;
  readonly runs: readonly DueRun[];
  /** those of the runs that are not to be promoted for now */
  readonly held: readonly RunId[];
}
export interface DueRun {
  readonly runId: RunId;
  readonly agent: AgentId;
  readonly chain: RunId;
  readonly attempt: number;
  readonly dueAt: string;
  readonly queuedAt: string;
  readonly wakeupIds: Moving['wakeupIds'];
  readonly place: Place;
}

/** The list of parked runs, and of what is held. It follows the log, and may be a moment behind. */
export abstract class DueRetries {
  /** Resolves when the list shows everything up to `position`, holds as well. @throws ProjectionBehind after 5 s */
  abstract caughtUp(position: Position): Promise<void>;
  /** Lanes with a run that is due at `now` (ISO), by due time, company and task, after the one given; at most `limit`. */
  abstract due(now: string, limit: number, page: { company?: string; after?: DueLane }): Promise<DueLane[]>;
  /** The earliest due time of all that is not held. */
  abstract nextDue(): Promise<string | undefined>;
}

export interface PromotionPorts {
  readonly store: EventStore;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly dueRetries: DueRetries;
  readonly promotions: Turns;
}

export const promoteDueRetries: Sendable<PromoteDueRetries, PromotedRetries> = { command: PromoteDueRetries };

/** How many lanes are read and appended to at a time. */
const page = 2_000;
/** How often in a row a look at the list may come to nothing because of other writers; what is left is due for the next call. */
const patience = 5;

export async function promoteDue(command: PromoteDueRetries, context: CommandContext, ports: PromotionPorts) {
  const promotion = new Promotion(command, context, ports);
  // Two of one process would only race each other over the same list.
  const position = await ports.promotions.take('promotion', () => promotion.run());
  return { answer: promotion.answer(), position, replayed: false };
}

/** The promotion of what is due at one moment. The list is only where it starts from: each append is conditional. */
class Promotion {
  private readonly now: string;
  private readonly limit: number;
  private readonly promoted: RunId[] = [];
  private readonly held = new Set<string>();

  constructor(
    private readonly command: PromoteDueRetries,
    private readonly context: CommandContext,
    private readonly ports: PromotionPorts,
  ) {
    this.now = ports.clock.now().toISOString();
    this.limit = command.limit ?? Infinity;
  }

  /** Answers a position that a reader of the effects has to have reached. */
  async run(): Promise<Position> {
    for (let fruitless = 0; ;) {
      const before = this.promoted.length;
      const head = await this.ports.store.head();
      await this.ports.dueRetries.caughtUp(head);
      const isDone = await this.promoteListed();
      fruitless = this.promoted.length > before ? 0 : fruitless + 1;
      if (isDone || fruitless === patience) return this.promoted.length > 0 ? this.ports.store.head() : head;
    }
  }

  answer(): PromotedRetries {
    const { length } = this.promoted;
    return {
      promoted: length,
      runIds: this.promoted.slice(0, 1_000),
      ...(length > 1_000 && { truncated: true as const }),
      held: this.held.size,
    };
  }

  /** Page by page, as long as the list is true; false when lanes had moved on since they were listed. */
  private async promoteListed(): Promise<boolean> {
    for (let after: DueLane | undefined; ;) {
      const lanes = await this.ports.dueRetries.due(this.now, page, { company: this.command.company, after });
      if (!(await this.promote(lanes))) return false;
      after = lanes.at(-1);
      if (lanes.length < page || this.promoted.length >= this.limit) return true;
    }
  }

  private async promote(lanes: readonly DueLane[]): Promise<boolean> {
    const due = this.within(lanes);
    const results = await this.ports.ledger.append(due.map((lane) => this.write(lane)));
    const appended = results.filter((result) => result.outcome === 'appended');
    for (const { position, events } of appended) this.record(position, events);
    return appended.length === results.length;
  }

  /** Runs that are due and not held, within the limit. */
  private within(lanes: readonly DueLane[]): DueLane[] {
    const within: DueLane[] = [];
    let room = this.limit - this.promoted.length;
    for (const lane of lanes) {
      const runs = this.unheld(lane).slice(0, room);
      room -= runs.length;
      if (runs.length > 0) within.push({ ...lane, runs });
    }
    return within;
  }

  private unheld({ company, runs, held }: DueLane): DueRun[] {
    const due = runs.filter(({ dueAt }) => dueAt <= this.now);
    for (const { runId } of due) if (held.includes(runId)) this.held.add(`${company} ${runId}`);
    return due.filter(({ runId }) => !held.includes(runId));
  }

  private write({ company, task, revision, runs }: DueLane): Write<LaneEvent> {
    const events = runs.map(({ chain: _, ...run }): LaneEvent => ({
      type: 'RetryPromoted',
      data: { ...run, from: 'scheduled_retry', trigger: 'due', promotedAt: this.now },
    }));
    const stream = taskStream(company, task);
    return toWrite(stream, revision, events, this.contextOf(stream, runs), runs[0]?.chain);
  }

  /** One command may promote several times on a lane; each of its writes has ids of its own, told by the runs in it. */
  private contextOf(stream: StreamId, runs: readonly DueRun[]): CommandContext {
    const { commandId, causationId = commandId } = this.context;
    const runIds = runs.map(({ runId }) => runId);
    return { ...this.context, causationId, commandId: nameUuid('promotion', commandId, stream, ...runIds) };
  }

  private record(position: Position, events: readonly Appended<LaneEvent>[]): void {
    this.ports.ledger.streams.followTo(position, events);
    for (const event of events) if (event.type === 'RetryPromoted') this.promoted.push(event.data.runId);
  }
}
