import type { JsonObject } from '../events/event.js';
import type { RunStatus } from '../events/run.js';
import type { TaskKind, TaskPriority, TaskStatus } from '../events/task.js';

/** What the routes answer, as far as people at a terminal are shown it. */

export interface Page<T> {
  readonly items: readonly T[];
  readonly next?: string | null;
}

export interface Run {
  readonly id: string;
  readonly task: string;
  readonly agent: string;
  readonly status: RunStatus;
  readonly chain: string;
  readonly attempt: number;
  readonly maxAttempts?: number | null;
  readonly retryOf?: string | null;
  readonly retryReason?: string | null;
  readonly scheduledRetryAt?: string | null;
  readonly fallbackMode?: string | null;
  readonly cause: string;
  readonly wakeups?: readonly string[];
  readonly queuedAt: string;
  readonly startedAt?: string | null;
  readonly finishedAt?: string | null;
  readonly exitCode?: number | null;
  readonly error?: string | null;
  readonly errorCode?: string | null;
  readonly errorFamily?: string | null;
  readonly worker?: string | null;
  readonly behind?: string | null;
  readonly exhausted?: boolean;
  readonly held?: boolean | string | null;
  readonly context?: JsonObject | null;
}

export interface Wakeup {
  readonly id: string;
  readonly agent: string;
  readonly task: string;
  readonly source: string;
  readonly reason: string;
  readonly status: string;
  readonly code?: string | null;
  readonly run?: string | null;
  readonly coalescedInto?: string | null;
  readonly requestedBy?: string | { readonly type: string; readonly id: string } | null;
  readonly requestedAt: string;
}

export interface Agent {
  readonly id?: string;
  readonly agent?: string;
  readonly name: string;
  readonly adapter: string;
  readonly manager?: string | null;
  readonly status: string;
  readonly policy: AgentPolicy;
  readonly counts?: Readonly<Record<'running' | 'queued' | 'parked' | 'deferred' | 'held', number>>;
  readonly lastRun?: string | { readonly id: string; readonly status: string } | null;
  readonly lastSeen?: string | null;
}

export interface AgentPolicy {
  readonly maxConcurrentRuns: number;
  readonly wakeOnDemand: boolean;
  readonly heartbeat: { readonly enabled: boolean; readonly intervalSec: number };
  readonly retry: {
    readonly delaysMs: readonly number[];
    readonly jitterRatio: number;
    readonly maxNotBeforeMs: number;
    readonly notBeforeJitterMs: number;
  };
}

export interface Task {
  readonly id?: string;
  readonly task?: string;
  readonly title: string;
  readonly kind: TaskKind;
  readonly status: TaskStatus;
  readonly priority: TaskPriority;
  readonly assignee?: string | null;
  readonly parent?: string | null;
  readonly labels?: readonly string[];
}

/** An event as `…/events` shows it. */
export interface Fact {
  readonly type: string;
  readonly data: JsonObject;
  readonly revision: number;
  readonly position: string;
  readonly recordedAt: string;
  readonly metadata: { readonly actor: { readonly type: string; readonly id: string }; readonly causationId?: string };
}
