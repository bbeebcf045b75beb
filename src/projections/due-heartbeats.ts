import { sql } from 'kysely';
import type { AgentPolicy, AgentStatus } from '../events/agent.js';
import { heartbeatTask, type AgentId, type Position, type TaskId } from '../events/event.js';
import type { Moving } from '../events/run.js';
import type { Progress } from './projector/progress.js';
import { amend, create, projection, type Change, type Fact } from './projection.js';
import type { ReadModels } from './read-models.js';

/** An agent, and when its heartbeat is due. */
export interface DueHeartbeatsRow {
  readonly company: string;
  readonly agent: AgentId;
  readonly status: AgentStatus;
  /** 0: its heartbeat is off */
  readonly interval_sec: number;
  /** the end of its last run or its last tick; none since its heartbeat was switched on: then */
  readonly counted_from: string;
  /** its open runs on its own lane: as long as there is one, a tick would add nothing to it */
  readonly own_runs: number;
  /** null: not for now */
  readonly due_at: string | null;
}

export const dueHeartbeats = projection<DueHeartbeatsRow>({
  name: 'due_heartbeats',
  version: 1,
  key: ['company', 'agent'],
  keyedBy: 'wider',
  on: {
    AgentRegistered: ({ company, data: { agent, policy, registeredAt } }) =>
      create([company, agent], registered(company, agent, policy, registeredAt)),
    AgentChanged: ({ company, data }) => changed(company, data.agent, (row) => ofPolicy(row, data.policy, data.changedAt)),
    AgentPaused: ({ company, data }) => changed(company, data.agent, () => ({ status: 'paused' })),
    AgentResumed: ({ company, data }) => changed(company, data.agent, () => ({ status: 'active' })),
    AgentTerminated: ({ company, data }) => changed(company, data.agent, () => ({ status: 'terminated' })),
    WakeupRequested: ({ company, subject, data: { agent, source, requestedAt } }) =>
      source === 'timer' && isOwn(subject, agent) ? changed(company, agent, (row) => since(row, requestedAt)) : [],
    RunQueued: (event) => opened(event),
    RetryScheduled: (event) => opened(event),
    RunSucceeded: (event) => ended(event, event.data.finishedAt),
    RunFailed: (event) => ended(event, event.data.finishedAt),
    RunTimedOut: (event) => ended(event, event.data.finishedAt),
    RunCancelled: (event) => ended(event, event.data.cancelledAt),
    RetrySuperseded: (event) => ended(event, event.data.supersededAt),
  },
});

const isOwn = (task: TaskId, agent: AgentId): boolean => task === heartbeatTask(agent);

const intervalOf = ({ heartbeat: { enabled, intervalSec } }: AgentPolicy): number => (enabled ? intervalSec : 0);

function registered(company: string, agent: AgentId, policy: AgentPolicy, registeredAt: string): DueHeartbeatsRow {
  const row = { company, agent, status: 'active', counted_from: registeredAt, own_runs: 0, due_at: null } as const;
  return withDueTime({ ...row, interval_sec: intervalOf(policy) });
}

/** Switched on, it counts from now; another interval counts from where the one before it did. */
function ofPolicy(row: DueHeartbeatsRow, policy: AgentPolicy, changedAt: string): Partial<DueHeartbeatsRow> {
  const interval_sec = intervalOf(policy);
  return row.interval_sec === 0 ? { interval_sec, ...since(row, changedAt) } : { interval_sec };
}

type OfRun = { readonly company: string; readonly subject: TaskId };

const opened = ({ company, subject, data: { agent } }: OfRun & Fact<'RunQueued' | 'RetryScheduled'>) =>
  isOwn(subject, agent) ? changed(company, agent, (row) => ({ own_runs: row.own_runs + 1 })) : [];

/** What was cancelled before it ran was no run to count from, except where the next tick would be the same again. */
function ended({ company, subject, data: { agent, from } }: OfRun & { data: Pick<Moving, 'agent' | 'from'> }, at: string) {
  if (isOwn(subject, agent)) return changed(company, agent, (row) => ({ ...since(row, at), own_runs: row.own_runs - 1 }));
  return from === 'running' ? changed(company, agent, (row) => since(row, at)) : [];
}

const since = ({ counted_from }: DueHeartbeatsRow, at: string) => ({ counted_from: at > counted_from ? at : counted_from });

const changed = (
  company: string,
  agent: AgentId,
  change: (row: DueHeartbeatsRow) => Partial<DueHeartbeatsRow>,
): Change<DueHeartbeatsRow> => amend([company, agent], (row) => withDueTime({ ...row, ...change(row) }));

function withDueTime(row: DueHeartbeatsRow): DueHeartbeatsRow {
  const { status, interval_sec, own_runs, counted_from } = row;
  const isAwaited = status === 'active' && interval_sec > 0 && own_runs === 0;
  return { ...row, due_at: isAwaited ? new Date(Date.parse(counted_from) + interval_sec * 1_000).toISOString() : null };
}

export interface DueHeartbeat {
  readonly company: string;
  readonly agent: AgentId;
  readonly dueAt: string;
}

/** Whose heartbeat is due. */
export class DueHeartbeatsQueries {
  constructor(
    private readonly readModels: ReadModels,
    private readonly progress: Progress,
  ) {}

  /** Throws ProjectionBehind. */
  caughtUp(position: Position): Promise<void> {
    return this.progress.reached([dueHeartbeats.name], position);
  }

  /** The longest due first. */
  async due(now: string, limit: number): Promise<DueHeartbeat[]> {
    const { rows } = await sql<DueHeartbeat>`
      select company, agent, due_at as "dueAt"
      from ${await this.readModels.table(dueHeartbeats)}
      where due_at <= ${now}
      order by due_at, company, agent
      limit ${limit}`.execute(this.readModels.kysely);
    return rows;
  }

  async nextDue(): Promise<string | undefined> {
    const { rows } = await sql<{ next: string | null }>`
      select min(due_at) as next
      from ${await this.readModels.table(dueHeartbeats)}`.execute(this.readModels.kysely);
    return rows[0]?.next ?? undefined;
  }
}
