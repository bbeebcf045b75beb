import { sql } from 'kysely';
import { taskOfRun, type JsonObject, type RunId, type TaskId, type WakeupId } from '../events/event.js';
import type { RunStatus } from '../events/run.js';
import { heldAmong, type Work } from './held.js';
import { newestFirst, type ListOf } from './newest-first.js';
import { cursorAt, keyIn, limitOf, type Page, type PageRequest } from './paging.js';
import type { ReadModels } from './read-models.js';
import { runStatus, type RunRow, type RunSilence } from './run-status.js';
import { tasks, type TaskRow } from './tasks.js';

/** A run as every door shows it. */
export interface Run {
  readonly id: RunId;
  readonly company: string;
  readonly task: string;
  readonly agent: string;
  readonly status: RunStatus;
  readonly chain: RunId;
  readonly n: number;
  readonly attempt: number;
  readonly maxAttempts?: number;
  readonly retryOf?: RunId;
  readonly retryReason?: string;
  readonly scheduledRetryAt?: string;
  readonly fallbackMode?: string;
  readonly cause: string;
  readonly source?: string;
  readonly wakeups: readonly WakeupId[];
  readonly queuedAt: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly exitCode?: number;
  readonly error?: string;
  readonly errorCode?: string;
  readonly errorFamily?: string;
  readonly worker?: string;
  readonly host?: string;
  readonly pid?: number;
  /** the run that holds its lane */
  readonly behind?: RunId;
  readonly exhausted: boolean;
  readonly supersededBy?: RunId;
  /** it runs, and has said nothing for long */
  readonly silence?: RunSilence;
  /** its process goes on without a worker */
  readonly detached?: true;
  /** what its task still waited for when it was started: it may answer, and not work */
  readonly blockedBy?: readonly TaskId[];
  /** waits, and is kept where it is because its agent is paused, or its task, one above it or the company held */
  readonly held?: true;
  /** of the task's stream: what `If-Match` is compared with */
  readonly revision: number;
  readonly context: JsonObject;
}

export interface RunFilters {
  readonly status?: readonly RunStatus[];
  readonly agent?: readonly string[];
  readonly task?: readonly string[];
  readonly chain?: readonly string[];
  readonly errorCode?: readonly string[];
  /** text in the error */
  readonly q?: string;
}

/** A running run whose lane nobody holds. */
export interface UnheldRun {
  readonly company: string;
  readonly task: string;
  readonly runId: RunId;
  readonly beaten: boolean;
}

export interface SilentRun {
  readonly company: string;
  readonly runId: RunId;
  /** of its start, if it has said nothing at all */
  readonly lastOutputAt: string;
}

export class RunStatusQueries {
  constructor(private readonly readModels: ReadModels) {}

  async get(company: string, run: RunId): Promise<Run | undefined> {
    const db = await this.readModels.of(runStatus);
    const query = db.selectFrom('run_status').selectAll().where('company', '=', company).where('run_id', '=', run);
    return (await this.shown(company, await query.execute()))[0];
  }

  /** Newest first. @throws InvalidCursor */
  async list(company: string, filters: RunFilters, page: PageRequest): Promise<Page<Run>> {
    const table = { schema: await this.readModels.nameOf(runStatus.name), table: runStatus.name };
    const { rows, next } = await newestFirst<RunRow>(this.readModels.kysely, { ...runList(company, filters, page), ...table });
    return { items: await this.shown(company, rows), next };
  }

  /** Parked runs, the first to come due first. @throws InvalidCursor */
  async parked(company: string, page: PageRequest): Promise<Page<Run>> {
    const limit = limitOf(page);
    const after = page.cursor === undefined ? undefined : keyIn('retries', 2, page.cursor);
    let query = (await this.readModels.of(runStatus)).selectFrom('run_status').selectAll().where('company', '=', company);
    query = query.where('status', '=', 'scheduled_retry');
    if (after) query = query.where(sql<boolean>`(scheduled_retry_at, run_id) > (${sql.join(after)})`);
    const found = await query
      .orderBy('scheduled_retry_at')
      .orderBy('run_id')
      .limit(limit + 1)
      .execute();
    const rows = found.slice(0, limit);
    const last = found.length > limit ? rows.at(-1) : undefined;
    return {
      items: await this.shown(company, rows),
      next: last && cursorAt('retries', [last.scheduled_retry_at ?? '', last.run_id]),
    };
  }

  /** Runs that are running by the log, and that no lease says anything of: at most `limit`. */
  async unheldRuns(limit: number): Promise<UnheldRun[]> {
    const runs = await this.readModels.table(runStatus);
    const { rows } = await sql<UnheldRun>`
      select company, task, run_id as "runId", true as beaten
      from ${runs} run
      where status = 'running'
        and not exists (
          select
          from lane_leases held
          where held.company = run.company
            and held.task = run.task
        )
      order by company, task
      limit ${limit}`.execute(this.readModels.kysely);
    return rows;
  }

  /** Runs that run and have said nothing for `ms`, by company and id, after the one given: at most `limit`. */
  async silentRuns(ms: number, limit: number, after?: SilentRun): Promise<SilentRun[]> {
    const runs = await this.readModels.table(runStatus);
    const { rows } = await sql<SilentRun>`
      select run.company, run.run_id as "runId", greatest(run.started_at, lease.output_at) as "lastOutputAt"
      from ${runs} run
      left join lane_leases lease on lease.company = run.company and lease.task = run.task and lease.run_id = run.run_id
      where run.status = 'running'
        and greatest(run.started_at, lease.output_at) < ledger_now() - ${ms} * interval '1 ms'
        and (run.company, run.run_id) > (${after?.company ?? ''}, ${after?.runId ?? ''})
      order by run.company, run.run_id
      limit ${limit}`.execute(this.readModels.kysely);
    return rows;
  }

  private shown(company: string, rows: readonly RunRow[]): Promise<Run[]> {
    return shownRuns(rows, {
      lanes: (names) => this.lanes(company, names),
      heldAmong: (works) => heldAmong(this.readModels, company, works),
    });
  }

  private async lanes(company: string, names: readonly TaskId[]): Promise<Map<TaskId, RunLane>> {
    const db = await this.readModels.of(tasks);
    const found = await db
      .selectFrom('tasks')
      .select(['task', 'running', 'revision'])
      .where('company', '=', company)
      .where('task', 'in', names)
      .execute();
    return new Map(found.map((lane) => [lane.task, lane]));
  }
}

/** Newest first, by whatever holds the rows. */
export const runList = (
  company: string,
  { chain, task, errorCode, agent, status, q }: RunFilters,
  page: PageRequest,
): ListOf<RunRow> => ({
  name: 'runs',
  company,
  order: ['queued_at', 'run_id'],
  filters: [
    ['task', task ?? chain?.map(taskOfRun)],
    ['chain', chain],
    ['error_code', errorCode],
    ['agent', agent],
    ['status', status],
  ],
  contains: ['error', q],
  page,
});

export type RunLane = Pick<TaskRow, 'running' | 'revision'>;

/** What a row of a run does not say by itself; of the same moment as the row. */
export interface AroundRuns {
  lanes(tasks: readonly TaskId[]): Promise<ReadonlyMap<TaskId, RunLane>>;
  heldAmong(works: readonly Work[]): Promise<(work: Work) => boolean>;
}

/** Rows as every door shows them, the present ones and those of the past. */
export async function shownRuns(rows: readonly RunRow[], around: AroundRuns): Promise<Run[]> {
  if (rows.length === 0) return [];
  const names = [...new Set(rows.map(({ task }) => task))];
  const [lanes, isHeld] = await Promise.all([around.lanes(names), around.heldAmong(rows.filter(waits))]);
  return rows.map((row) => shown(row, lanes.get(row.task), isHeld(row)));
}

const waits = ({ status }: RunRow): boolean => status === 'queued' || status === 'scheduled_retry';

function shown(row: RunRow, lane: RunLane | undefined, isHeld: boolean): Run {
  return {
    id: row.run_id,
    company: row.company,
    task: row.task,
    agent: row.agent,
    status: row.status,
    chain: row.chain,
    n: row.n,
    attempt: row.attempt,
    maxAttempts: row.max_attempts ?? undefined,
    retryOf: row.retry_of ?? undefined,
    retryReason: row.retry_reason ?? undefined,
    scheduledRetryAt: row.scheduled_retry_at ?? undefined,
    fallbackMode: row.fallback_mode ?? undefined,
    cause: row.cause,
    source: row.source ?? undefined,
    wakeups: row.wakeups,
    queuedAt: row.queued_at,
    startedAt: row.started_at ?? undefined,
    finishedAt: row.finished_at ?? undefined,
    exitCode: row.exit_code ?? undefined,
    error: row.error ?? undefined,
    errorCode: row.error_code ?? undefined,
    errorFamily: row.error_family ?? undefined,
    worker: row.worker ?? undefined,
    host: row.host ?? undefined,
    pid: row.pid ?? undefined,
    behind: row.status === 'queued' ? (lane?.running ?? undefined) : undefined,
    exhausted: row.exhausted,
    supersededBy: row.superseded_by ?? undefined,
    silence: row.silence ?? undefined,
    detached: row.detached ? true : undefined,
    blockedBy: row.blocked_by ?? undefined,
    held: waits(row) && isHeld ? true : undefined,
    revision: lane?.revision ?? row.revision,
    context: row.context,
  };
}
