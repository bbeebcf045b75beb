import { IsOptional } from 'class-validator';
import { beginning, nameUuid, taskStream, type AgentId, type Position, type Recorded, type RunId, type TaskId } from '../events/event.js';
import type { LaneEvent } from '../events/lane.js';
import type { Moving, Place } from '../events/run.js';
import type { EventStore, Write } from '../event-store/event-store.js';
import type { CommandContext, Sendable } from './decider.js';
import { Int, Slug } from './fields.js';
import type { Clock, Ledger } from './ledger.js';
import { PromoteRetry, promoteRetry } from './retry.js';
import { toWrite } from './write.js';

/** Every parked run that is due and not held becomes queued, in order of due time; all of them, unless `limit` asks for fewer. */
export class PromoteDueRetries {
  /** without one: of all companies */
  @IsOptional() @Slug() company?: string;
  @IsOptional() @Int(1, 1_000_000) limit?: number;
}

export interface PromotedRetries {
  readonly promoted: number;
  /** the first thousand */
  readonly runIds: readonly RunId[];
  readonly truncated?: true;
  /** due, and left where they are because their agent is paused */
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

/** The list of parked runs. It follows the log, and may be a moment behind. */
export abstract class DueRetries {
  /** Resolves when the list shows everything up to `position`. @throws ProjectionBehind after 2 s */
  abstract caughtUp(position: Position): Promise<void>;
  /** Lanes with a run that is due at `now` (ISO), by due time, company and task, after the one given; at most `limit`. */
  abstract due(now: string, limit: number, page: { company?: string; after?: DueLane }): Promise<DueLane[]>;
  /** The earliest due time of all, of agents that are not held. */
  abstract nextDue(): Promise<string | undefined>;
}

export interface PromotionPorts {
  readonly store: EventStore;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly dueRetries: DueRetries;
}

export const promoteDueRetries: Sendable<PromoteDueRetries, PromotedRetries> = { command: PromoteDueRetries };

/** How many lanes are read and appended to at a time. */
const page = 2_000;

export async function promoteDue(command: PromoteDueRetries, context: CommandContext, ports: PromotionPorts) {
  const start = await ports.store.head();
  await ports.dueRetries.caughtUp(start);
  const promotion = new Promotion(context, ports, command.limit ?? Infinity);
  await promotion.run(command.company);
  return { answer: promotion.answer(), position: promotion.position || start, replayed: false };
}

/** The promotion of what is due at one moment. The list is only where it starts from: each append is conditional. */
class Promotion {
  position: Position = beginning;
  private readonly now: string;
  private readonly promoted: RunId[] = [];
  private held = 0;
  private readonly pauses = new Map<string, boolean>();

  constructor(
    private readonly context: CommandContext,
    private readonly ports: PromotionPorts,
    private readonly limit: number,
  ) {
    this.now = ports.clock.now().toISOString();
  }

  async run(company: string | undefined): Promise<void> {
    let after: DueLane | undefined;
    do {
      const lanes = await this.ports.dueRetries.due(this.now, page, { company, after });
      await this.promote(lanes);
      after = lanes.length < page ? undefined : lanes.at(-1);
    } while (after && this.promoted.length < this.limit);
  }

  answer(): PromotedRetries {
    const { length } = this.promoted;
    return { promoted: length, runIds: this.promoted.slice(0, 1_000), ...(length > 1_000 && { truncated: true as const }), held: this.held };
  }

  private async promote(lanes: readonly DueLane[]): Promise<void> {
    const due: DueLane[] = [];
    let room = this.limit - this.promoted.length;
    for (const lane of lanes) {
      const runs = (await this.unheld(lane)).slice(0, room);
      room -= runs.length;
      if (runs.length > 0) due.push({ ...lane, runs });
    }
    const results = await this.ports.ledger.append(due.map((lane) => this.write(lane)));
    for (const [index, result] of results.entries()) {
      if (result.outcome === 'appended') this.record(result.events);
      else await this.promoteOneByOne(due[index]!);
    }
  }

  private async unheld({ company, runs }: DueLane): Promise<DueRun[]> {
    const unheld: DueRun[] = [];
    for (const run of runs) {
      if (run.dueAt > this.now) continue;
      if (await this.isPaused(company, run.agent)) this.held += 1;
      else unheld.push(run);
    }
    return unheld;
  }

  private async isPaused(company: string, agent: AgentId): Promise<boolean> {
    const key = `${company} ${agent}`;
    const known = this.pauses.get(key) ?? (await this.ports.ledger.agent(company, agent, true))?.status === 'paused';
    this.pauses.set(key, known);
    return known;
  }

  private write({ company, task, revision, runs }: DueLane): Write<LaneEvent> {
    const events = runs.map(({ chain: _, ...run }): LaneEvent => ({
      type: 'RetryPromoted',
      data: { ...run, from: 'scheduled_retry', trigger: 'due', promotedAt: this.now },
    }));
    return toWrite(taskStream(company, task), revision, events, this.context, runs[0]?.chain);
  }

  private record(events: readonly Recorded<LaneEvent>[]): void {
    this.ports.ledger.follow(events);
    for (const event of events) if (event.type === 'RetryPromoted') this.promoted.push(event.data.runId);
    this.position = events.at(-1)?.position ?? this.position;
  }

  /** The list was behind: the lane itself is asked. */
  private async promoteOneByOne({ company, task, runs }: DueLane): Promise<void> {
    for (const { runId } of runs) {
      const command = Object.assign(new PromoteRetry(), { company, run: runId });
      const commandId = nameUuid(this.context.commandId, company, task, runId);
      const { outcome } = await this.ports.ledger.handle(promoteRetry, command, { ...this.context, commandId });
      this.record(outcome.events);
    }
  }
}
