import type { RoutineId, RunId, TaskId } from '../../events/event.js';
import type { FireId, FireSource, TriggerId } from '../../events/routine.js';

/** A fire as an answer to a command shows it: the shape of the read model's. */
export interface FireView {
  readonly id: FireId;
  readonly company: string;
  readonly routine: RoutineId;
  readonly trigger?: TriggerId;
  readonly source: FireSource;
  readonly slot?: string;
  readonly firedAt: string;
  /** `pending`: its task has not answered yet; what comes of it is recorded when it does */
  readonly outcome: 'pending' | 'created' | 'coalesced' | 'skipped' | 'suppressed' | 'failed' | 'caught_up';
  readonly code?: string;
  readonly reason?: string;
  readonly task?: TaskId;
  readonly run?: RunId;
  /** the fire that opened the task which it has joined */
  readonly into?: FireId;
  readonly fingerprint?: string;
  readonly count?: number;
  readonly lastSlot?: string;
}
