import {
  agentStream,
  companyStream,
  taskStream,
  type AgentId,
  type Position,
  type Recorded,
  type StreamId,
  type TaskId,
} from '../../events/event.js';
import type { LedgerEvent } from '../../events/ledger-event.js';
import type { EventStore } from '../../event-store/event-store.js';
import { comments } from '../comments.js';
import type { Work } from '../held.js';
import { holds, type HoldRow } from '../holds.js';
import type { Projection } from '../projection.js';
import { applyChanges, changesOf, type Rows } from '../projector/fold.js';
import { runStatus } from '../run-status.js';
import { tasks, type TaskRow } from '../tasks.js';
import { wakeupRequests } from '../wakeup-requests.js';
import { streamUpTo } from './stream-up-to.js';

/** The ledger as it stood at a position: the rows that single streams had, folded by the definitions that live rows come of. */
export class Past {
  private readonly streams = new Map<StreamId, Promise<PastStream>>();

  constructor(
    private readonly store: EventStore,
    private readonly company: string,
    private readonly position: Position,
  ) {}

  task(task: TaskId): Promise<PastStream> {
    return this.stream(taskStream(this.company, task));
  }

  /** What `heldAmong` of held.ts says of the present. */
  async heldAmong(works: readonly Work[]): Promise<(work: Work) => boolean> {
    if (works.length === 0) return () => false;
    const isCompanyHeld = (await this.holdsOn(companyStream(this.company))).length > 0;
    const [paused, held] = [new Set<AgentId>(), new Set<TaskId>()];
    for (const agent of new Set(works.map((work) => work.agent))) if (await this.isPaused(agent)) paused.add(agent);
    for (const task of new Set(works.map((work) => work.task))) if (await this.isTaskHeld(task)) held.add(task);
    return ({ agent, task }) => isCompanyHeld || paused.has(agent) || held.has(task);
  }

  private async isPaused(agent: AgentId): Promise<boolean> {
    return (await this.holdsOn(agentStream(this.company, agent))).some(({ status }) => status === 'paused');
  }

  /** Itself, or one above it with all below; parents that form a ring are gone round once. */
  private async isTaskHeld(task: TaskId): Promise<boolean> {
    const passed = new Set<TaskId>();
    for (let next: TaskId | null = task; next !== null && !passed.has(next); passed.add(next), next = await this.parentOf(next)) {
      const [hold] = await this.holdsOn(taskStream(this.company, next));
      if (hold && (hold.subtree || next === task)) return true;
    }
    return false;
  }

  private async parentOf(task: TaskId): Promise<TaskId | null> {
    return (await this.task(task)).lane?.parent ?? null;
  }

  private async holdsOn(stream: StreamId): Promise<readonly HoldRow[]> {
    return (await this.stream(stream)).holds;
  }

  private stream(stream: StreamId): Promise<PastStream> {
    const known = this.streams.get(stream) ?? folded(this.store, stream, this.position);
    this.streams.set(stream, known);
    return known;
  }
}

/** The rows that one stream has made. */
export type PastStream = Awaited<ReturnType<typeof folded>>;

async function folded(store: EventStore, stream: StreamId, position: Position) {
  const foldings = {
    runs: new Folding(runStatus),
    wakeups: new Folding(wakeupRequests),
    lanes: new Folding(tasks),
    comments: new Folding(comments),
    holds: new Folding(holds),
  };
  for await (const events of streamUpTo(store, stream, position))
    for (const folding of Object.values(foldings)) folding.follow(events);
  const [lane]: (TaskRow | undefined)[] = foldings.lanes.all();
  const [runs, wakeups] = [foldings.runs.all(), foldings.wakeups.all()];
  return { runs, wakeups, lane, comments: foldings.comments.all(), holds: foldings.holds.all() };
}

class Folding<Row extends object> {
  private readonly rows: Rows<Row> = new Map();

  constructor(private readonly projection: Projection<Row>) {}

  follow(events: readonly Recorded<LedgerEvent>[]): void {
    for (const event of events) applyChanges(this.rows, changesOf(this.projection, event));
  }

  /** In the order in which they came to be. */
  all(): Row[] {
    return [...this.rows.values()].filter((row) => row !== undefined);
  }
}
