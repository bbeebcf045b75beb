import { sql, type RawBuilder } from 'kysely';
import { numberOfRun, taskOfRun, type AgentId, type Position, type RunId } from '../events/event.js';
import type { Place } from '../events/run.js';
import type { TaskKind, TaskPriority, TaskStatus } from '../events/task.js';
import { ReadyRuns, type ReadyRun } from '../commands/claim-runs.js';
import { heldSql, type HeldSql } from './held.js';
import { holds } from './holds.js';
import { patienceOfCommandsMs, type Progress } from './projector/progress.js';
import { amend, create, projection, remove, type Change, type Fact } from './projection.js';
import type { ReadModels } from './read-models.js';

/** A queued run, and where it stands among those of its agent. */
export interface ReadyRunRow {
  readonly company: string;
  readonly run_id: RunId;
  readonly task: string;
  readonly n: number;
  readonly agent: AgentId;
  readonly kind: TaskKind;
  /** 0 work in progress, 1 other work, 2 no issue, 3 blocked */
  readonly rank: number;
  /** 0 critical … 3 low */
  readonly priority: number;
  readonly ready_at: string;
}

export const readyRuns = projection<ReadyRunRow>({
  name: 'ready_runs',
  version: 1,
  key: ['company', 'run_id'],
  keyedBy: 'stream',
  sparse: true,
  on: {
    RunQueued: (event) => ready(event, event.data.queuedAt),
    RetryPromoted: (event) => ready(event, event.data.promotedAt),
    RunStarted: ({ company, data }) => remove([company, data.runId]),
    RunCancelled: ({ company, data }) => remove([company, data.runId]),
    RetrySuperseded: ({ company, data }) => remove([company, data.runId]),
    TaskChanged: ({ company, data }) =>
      data.queuedRuns.map((runId) => amend([company, runId], (run) => ({ ...run, priority: priorities[data.priority] }))),
    TaskStatusChanged: ({ company, data }) =>
      data.queuedRuns.map((runId) => amend([company, runId], (run) => ({ ...run, rank: rankOf(run.kind, data.to) }))),
  },
});

/** What claims start from. */
export class ReadyRunsQueries extends ReadyRuns {
  constructor(
    private readonly readModels: ReadModels,
    private readonly progress: Progress,
  ) {
    super();
  }

  caughtUp(position: Position): Promise<void> {
    return this.progress.reached([readyRuns.name, holds.name], position, patienceOfCommandsMs);
  }

  async candidates(company: string, agent: AgentId, limit: number): Promise<ReadyRun[]> {
    const ready = await this.readModels.table(readyRuns);
    const held = await heldSql(this.readModels);
    const { rows } = await sql<ReadyRun>`
      ${held.withHeld}
      select task, run_id as "runId"
      from ${ready} run
      where company = ${company}
        and agent = ${agent}
        and ${isLaneFree(held, 'run')}
      order by rank, priority, ready_at, n
      limit ${limit}`.execute(this.readModels.kysely);
    return rows;
  }
}

/** Of a row of the list, by the name that a query gives it: nobody has its lane, and it is not held. */
export const isLaneFree = ({ isLaneHeld }: HeldSql, run: string): RawBuilder<unknown> => sql`(
  not exists (
    select
    from lane_leases held
    where held.company = ${sql.ref(`${run}.company`)}
      and held.task = ${sql.ref(`${run}.task`)}
  )
  and not ${isLaneHeld(sql.ref(`${run}.company`), sql.ref(`${run}.task`))}
)`;

const priorities: Readonly<Record<TaskPriority, number>> = { critical: 0, high: 1, medium: 2, low: 3 };

function rankOf(kind: TaskKind, status: TaskStatus): number {
  if (status === 'blocked') return 3;
  if (kind === 'heartbeat') return 2;
  return status === 'in_progress' ? 0 : 1;
}

function ready({ company, data }: Fact<'RunQueued' | 'RetryPromoted'>, readyAt: string): Change<ReadyRunRow> {
  const { runId, agent, place } = data;
  return create([company, runId], {
    company,
    run_id: runId,
    task: taskOfRun(runId),
    n: numberOfRun(runId),
    agent,
    ...standing(place),
    ready_at: readyAt,
  });
}

const standing = ({ kind, taskStatus, priority }: Place) => ({
  kind,
  rank: rankOf(kind, taskStatus),
  priority: priorities[priority],
});
