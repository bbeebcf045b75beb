import type { AgentId, Event, JsonObject, RoutineId, RunId, TaskId, WakeupId } from './event.js';
import type { TaskPriority } from './task.js';

export const concurrencyPolicies = ['coalesce_if_active', 'skip_if_active', 'always_enqueue'] as const;
export type ConcurrencyPolicy = (typeof concurrencyPolicies)[number];
export const catchUpPolicies = ['skip_missed', 'enqueue_missed_with_cap'] as const;
export type CatchUpPolicy = (typeof catchUpPolicies)[number];
export const signings = ['bearer', 'hmac_sha256', 'github_hmac', 'none'] as const;
export type Signing = (typeof signings)[number];
export const variableTypes = ['text', 'textarea', 'number', 'boolean', 'select'] as const;
export type VariableType = (typeof variableTypes)[number];
export const gapPolicies = ['shift', 'skip'] as const;
export const overlapPolicies = ['once', 'twice'] as const;

export type TriggerId = string;
/** `<routine>@<n>`, n = 1, 2, 3 … within the routine */
export type FireId = string;

/** What a daylight-saving change does to the slots in it. */
export interface DstPolicy {
  /** of an hour that is skipped: its slots come at the first instant after it, or not at all */
  readonly gap: (typeof gapPolicies)[number];
  /** of an hour that comes twice: its slots come in the first of the two, or in both */
  readonly overlap: (typeof overlapPolicies)[number];
}

/** The times of the clock at which something is due: a cron expression of five fields, read in an IANA zone. */
export interface Schedule {
  readonly cron: string;
  readonly zone: string;
  readonly dst: DstPolicy;
}

interface OneTrigger {
  readonly id: TriggerId;
  readonly enabled: boolean;
}
/** `nextSlot`: the next that is to be fired, ISO 8601 in UTC; null: none will come, or it is switched off */
export type ScheduleTrigger = OneTrigger & Schedule & { readonly kind: 'schedule'; readonly nextSlot: string | null };
export type WebhookTrigger = OneTrigger & { readonly kind: 'webhook'; readonly signing: Signing; readonly windowSec: number };
export type ApiTrigger = OneTrigger & { readonly kind: 'api' };
export type Trigger = ScheduleTrigger | WebhookTrigger | ApiTrigger;

/** Filled into `{{name}}` of the templates. */
export interface Variable {
  readonly name: string;
  readonly type: VariableType;
  readonly label: string | null;
  readonly default: string | number | boolean | null;
  readonly required: boolean;
  /** of a select: what may be chosen */
  readonly options: readonly string[];
}

export interface RoutineDefinition {
  /** templates */
  readonly title: string;
  readonly description: string | null;
  readonly agent: AgentId | null;
  readonly priority: TaskPriority;
  readonly concurrency: ConcurrencyPolicy;
  readonly catchUp: CatchUpPolicy;
  readonly variables: readonly Variable[];
  /** paths into the payload that do not count for the fingerprint: `delivery.id`, `items.*.seen` */
  readonly fingerprintIgnore: readonly string[];
  /** its slots come up to so much later, each trigger's by an offset of its own; 0: on time */
  readonly spreadSec: number;
  /** outside of these, fires are suppressed, and no slots come */
  readonly activeFrom: string | null;
  readonly activeUntil: string | null;
  readonly triggers: readonly Trigger[];
}

export type RoutineDefined = Event<'RoutineDefined', RoutineDefinition & { routine: RoutineId; definedAt: string }>;
export type RoutineChanged = Event<'RoutineChanged', RoutineDefinition & { routine: RoutineId; changedAt: string }>;
/** Its fires are suppressed until it is resumed, those excepted that a person asks for. */
export type RoutinePaused = Event<'RoutinePaused', { routine: RoutineId; reason: string; pausedAt: string }>;
export type RoutineResumed = Event<'RoutineResumed', { routine: RoutineId; reason: string; resumedAt: string }>;
/** For good. */
export type RoutineArchived = Event<'RoutineArchived', { routine: RoutineId; reason: string; archivedAt: string }>;
/** The former secret is taken until `overlapUntil`. Neither is in the log. */
export type TriggerSecretRotated = Event<
  'TriggerSecretRotated',
  { routine: RoutineId; trigger: TriggerId; overlapUntil: string; rotatedAt: string }
>;

export const fireSources = ['schedule', 'webhook', 'api', 'manual'] as const;
export type FireSource = (typeof fireSources)[number];

/** What a task is to be told: to open it, or to be woken on it. */
export interface FireOrder {
  readonly task: TaskId;
  readonly agent: AgentId;
  readonly priority: TaskPriority;
  readonly concurrency: ConcurrencyPolicy;
  readonly title: string;
  /** of its wakeup: routine, fire, trigger, source, slot, description, variables and what the sender gave */
  readonly payload: JsonObject;
}

/**
 * Work was asked for. What comes of it is the event after it if it comes to nothing (FireSuppressed, FireFailed); else `order` goes to
 * its task, whose answer is recorded as FireCreated, FireCoalesced, FireSkipped or FireFailed, or leads to FireRedirected.
 */
export type RoutineFired = Event<
  'RoutineFired',
  {
    routine: RoutineId;
    fire: FireId;
    /** place among the routine's fires, from 1 */
    n: number;
    /** none: fired by hand */
    trigger: TriggerId | null;
    source: FireSource;
    /** of a schedule: when it was due, before it was spread */
    slot: string | null;
    /** of a schedule: the slot after it */
    nextSlot: string | null;
    /** SHA-256 in hex; null where the templates could not be filled in */
    fingerprint: string | null;
    order: FireOrder | null;
    firedAt: string;
  }
>;
/** The fire has opened its task, and woken its agent there. */
export type FireCreated = Event<
  'FireCreated',
  { routine: RoutineId; fire: FireId; task: TaskId; wakeupId: WakeupId; run: RunId | null; createdAt: string }
>;
/** The fire has joined an open task, and woken its agent there; `into` is the fire that opened it. */
export type FireCoalesced = Event<
  'FireCoalesced',
  { routine: RoutineId; fire: FireId; task: TaskId; into: FireId; wakeupId: WakeupId; run: RunId | null; coalescedAt: string }
>;
/** The task was at work already (`task_active`), or refused the wake by this code. */
export type FireSkipped = Event<
  'FireSkipped',
  { routine: RoutineId; fire: FireId; task: TaskId; code: string; skippedAt: string }
>;
export type SuppressedCode = 'routine_paused' | 'trigger_disabled' | 'outside_window';
export type FireSuppressed = Event<
  'FireSuppressed',
  { routine: RoutineId; fire: FireId; code: SuppressedCode; reason: string; suppressedAt: string }
>;
/** `task`: where it had been opened already. */
export type FireFailed = Event<
  'FireFailed',
  { routine: RoutineId; fire: FireId; task: TaskId | null; code: string; reason: string; failedAt: string }
>;
/** The task that it was to join was closed meanwhile: it opens one of its own. */
export type FireRedirected = Event<
  'FireRedirected',
  { routine: RoutineId; fire: FireId; from: TaskId; order: FireOrder; redirectedAt: string }
>;
/** How the task ended that a fire has opened: completed when it was done; failed when it was cancelled, or for as long as it is blocked. */
export type FireConcluded = Event<
  'FireConcluded',
  {
    routine: RoutineId;
    fire: FireId;
    task: TaskId;
    status: 'done' | 'cancelled' | 'blocked';
    outcome: 'completed' | 'failed';
    reason: string | null;
    concludedAt: string;
  }
>;
/** The task is to be done again, or goes on. */
export type FireReopened = Event<'FireReopened', { routine: RoutineId; fire: FireId; task: TaskId; reopenedAt: string }>;
/** Slots that are not fired, as one fact: missed, passed while the routine was paused, or before its schedule was changed. */
export type SlotsMissed = Event<
  'SlotsMissed',
  {
    routine: RoutineId;
    fire: FireId;
    n: number;
    trigger: TriggerId;
    code: 'missed' | 'routine_paused' | 'schedule_changed';
    count: number;
    first: string;
    last: string;
    nextSlot: string | null;
    missedAt: string;
  }
>;

export type FireEvent =
  | RoutineFired
  | FireCreated
  | FireCoalesced
  | FireSkipped
  | FireSuppressed
  | FireFailed
  | FireRedirected
  | FireConcluded
  | FireReopened
  | SlotsMissed;
export type RoutineEvent =
  RoutineDefined | RoutineChanged | RoutinePaused | RoutineResumed | RoutineArchived | TriggerSecretRotated | FireEvent;

export const routineStatuses = ['active', 'paused', 'archived'] as const;
export type RoutineStatus = (typeof routineStatuses)[number];

/** What the next decision about a routine needs to know. Everything else is a read model. */
export interface Routine extends RoutineDefinition {
  readonly routine: RoutineId;
  readonly status: RoutineStatus;
  /** why, and since when it is paused or archived */
  readonly reason: string | null;
  readonly since: string;
  /** number of the last fire, or fact about missed slots */
  readonly fires: number;
  /** fires that have no outcome yet */
  readonly pending: readonly PendingFire[];
  /**
   * the newest task of each fingerprint, the 500 that were used last and open ones before others, oldest first; one that is ordered
   * counts as open
   */
  readonly tasks: readonly FireTask[];
}

export type PendingFire = FireOrder & { readonly fire: FireId; readonly fingerprint: string };
export interface FireTask {
  readonly fingerprint: string;
  readonly task: TaskId;
  readonly open: boolean;
}
