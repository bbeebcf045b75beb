import { lanes } from '../../events/evolve-lane.js';
import type { JsonObject, Recorded, RunId, TaskId } from '../../events/event.js';
import type { Lane, LaneEvent } from '../../events/lane.js';
import type { LedgerEvent } from '../../events/ledger-event.js';
import { differencesBetween } from './standing.js';
import { apply, type Difference } from './state-diff.js';

export type Fact = Recorded<LedgerEvent>;

/** An event, and what it changed. */
export interface Step {
  readonly event: Fact;
  /** what the same command wrote first, if that is not this event */
  readonly first?: Fact;
  readonly changes: readonly Difference[];
}

/** The events of one task in their order, each with the difference that it made. */
export class LaneStory {
  /** as it is behind the last event: all differences, put together */
  readonly state: JsonObject = {};
  /** what it was below, and what it waited for */
  readonly others = new Set<TaskId>();
  private lane: Lane = lanes.initial;
  private first: Fact | undefined;

  tell(event: Fact): Step {
    const before = this.lane;
    // On a task's stream are the events of its lane, and no others.
    this.lane = lanes.evolve(before, event as Fact & LaneEvent);
    const changes = differencesBetween(before, this.lane);
    apply(this.state, changes);
    this.meet(before);
    return { event, first: this.firstOf(event), changes };
  }

  /** Whether something is yet to come: of a run, or of what goes on with it, or of anything on the task. */
  isOpen(run?: RunId): boolean {
    const { open, waiting } = this.lane;
    if (run === undefined) return open.length + waiting.length > 0;
    return open.some(({ runId, retryOf }) => runId === run || retryOf === run);
  }

  private firstOf(event: Fact): Fact | undefined {
    if (this.first?.metadata.commandId === event.metadata.commandId) return this.first;
    this.first = event;
    return undefined;
  }

  private meet(before: Lane): void {
    const { parent, blockers } = this.lane;
    if (parent !== null) this.others.add(parent);
    if (blockers !== before.blockers) for (const { task } of blockers) this.others.add(task);
  }
}
