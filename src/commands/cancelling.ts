import type { AgentId, WakeupId } from '../events/event.js';
import type { LaneEvent, OpenRun } from '../events/lane.js';
import type { RunCancelled } from '../events/run.js';
import type { World } from './decider.js';
import { moving } from './lane.js';

export type Cancelling = Pick<RunCancelled['data'], 'code' | 'reason' | 'intent' | 'wakeups'>;

export const cancelled = (run: OpenRun, { now }: World, cancelling: Cancelling): LaneEvent => ({
  type: 'RunCancelled',
  data: { ...moving(run), ...cancelling, cancelledAt: now.toISOString() },
});

/** A demand that has no run of its own. */
export const withdrawn = (
  { wakeupId, agent }: { readonly wakeupId: WakeupId; readonly agent: AgentId },
  { now }: World,
  { code, reason }: Pick<Cancelling, 'code' | 'reason'>,
): LaneEvent => ({ type: 'WakeupCancelled', data: { wakeupId, agent, code, reason, cancelledAt: now.toISOString() } });
