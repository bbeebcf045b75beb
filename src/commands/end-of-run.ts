import type { EndedRun, Lane, LaneEvent, Waiting } from '../events/lane.js';
import type { World } from './decider.js';

/**
 * A run has ended, and something has to follow. `lane` is the lane after the end; `joining` is the demand of the same agent that has
 * waited for this end, and is carried by whatever run a rule opens.
 */
export interface End {
  readonly lane: Lane;
  readonly run: EndedRun;
  readonly joining: Waiting | undefined;
  readonly world: World;
}

/** Undefined: it does not apply. */
export type Rule = (end: End) => LaneEvent[] | undefined;

/** Work that is still the agent's to do. */
export const isAwaited = (lane: Lane, run: EndedRun): boolean => isToDo(lane) && lane.assignee === run.agent;

export const isToDo = ({ kind, status }: Lane): boolean =>
  kind !== 'heartbeat' && (status === 'todo' || status === 'in_progress');
