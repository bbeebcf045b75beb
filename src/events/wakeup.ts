import type { AgentId, Event, JsonObject, RunId, TaskId, WakeupId } from './event.js';
import type { CommentId } from './task.js';

/** A demand that an agent runs. Its disposition is the event after it, in the same append. */
export type WakeupRequested = Event<
  'WakeupRequested',
  {
    wakeupId: WakeupId;
    agent: AgentId;
    source: WakeupSource;
    trigger: WakeupTrigger;
    reason: string;
    payload: JsonObject;
    /** what a person did: never made to wait behind a retry, never joined to one */
    outside: boolean;
    /** an agent that is asked although the task is not its own */
    mention: boolean;
    /** a comment, a reopening, a resumption: may be answered on a task that is closed or blocked */
    comment?: true;
    requestedAt: string;
  }
>;
/** Shares the fate of the wakeup that it joined: one that has a run already, or one that is deferred. */
export type WakeupCoalesced = Event<
  'WakeupCoalesced',
  {
    wakeupId: WakeupId;
    agent: AgentId;
    into: WakeupId;
    runId: RunId | null;
    /** the comments that it is about */
    commentIds?: readonly CommentId[];
    coalescedAt: string;
  }
>;
/** Waits for the end of the run that its agent is at on this lane. */
export type WakeupDeferred = Event<'WakeupDeferred', { wakeupId: WakeupId; agent: AgentId; behind: RunId; deferredAt: string }>;
/** `blockers`: those that were open, where they are the reason. */
export type WakeupSkipped = Event<
  'WakeupSkipped',
  { wakeupId: WakeupId; agent: AgentId; code: string; blockers?: readonly TaskId[]; skippedAt: string }
>;
export type WakeupCancelled = Event<
  'WakeupCancelled',
  { wakeupId: WakeupId; agent: AgentId; code: string; reason: string; cancelledAt: string }
>;

export type WakeupEvent = WakeupRequested | WakeupCoalesced | WakeupDeferred | WakeupSkipped | WakeupCancelled;

export const wakeupSources = ['timer', 'assignment', 'on_demand', 'automation'] as const;
export type WakeupSource = (typeof wakeupSources)[number];
export const wakeupTriggers = ['manual', 'ping', 'callback', 'system'] as const;
export type WakeupTrigger = (typeof wakeupTriggers)[number];
