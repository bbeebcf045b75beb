import type { AgentId, RunId, TaskId } from '../events/event.js';
import type { Blocker, TaskKind, TaskPriority, TaskStatus } from '../events/task.js';
import { newestFirst } from './newest-first.js';
import type { Page, PageRequest } from './paging.js';
import type { ReadModels } from './read-models.js';
import { tasks, type TaskHold, type TaskRow } from './tasks.js';

/** A task as every door shows it. */
export interface Task {
  readonly id: TaskId;
  readonly company: string;
  readonly kind: TaskKind;
  readonly title: string;
  readonly status: TaskStatus;
  readonly priority: TaskPriority;
  readonly parent?: TaskId;
  readonly labels: readonly string[];
  readonly assignee?: AgentId;
  /** why it is blocked, if somebody said so */
  readonly why?: string;
  /** nothing on it starts until it is released; one above it may be held as well */
  readonly held?: TaskHold;
  /** what has to be done first: open, and done */
  readonly blockedBy: readonly Blocker[];
  readonly openedAt: string;
  readonly changedAt: string;
  readonly lastRun?: RunId;
  readonly openRuns: number;
  /** the run that holds the lane */
  readonly running?: RunId;
  /** what `If-Match` is compared with */
  readonly revision: number;
}

export interface TaskFilters {
  readonly status?: readonly TaskStatus[];
  readonly assignee?: readonly AgentId[];
}

export class TasksQueries {
  constructor(private readonly readModels: ReadModels) {}

  async get(company: string, task: TaskId): Promise<Task | undefined> {
    const db = await this.readModels.of(tasks);
    const row = await db
      .selectFrom('tasks')
      .selectAll()
      .where('company', '=', company)
      .where('task', '=', task)
      .executeTakeFirst();
    return row && shownTask(row);
  }

  /** Newest first. @throws InvalidCursor */
  async list(company: string, { assignee, status }: TaskFilters, page: PageRequest): Promise<Page<Task>> {
    const { rows, next } = await newestFirst<TaskRow>(this.readModels.kysely, {
      name: 'tasks',
      schema: await this.readModels.nameOf(tasks.name),
      table: tasks.name,
      company,
      order: ['opened_at', 'task'],
      filters: [
        ['assignee', assignee],
        ['status', status],
      ],
      page,
    });
    return { items: rows.map(shownTask), next };
  }
}

/** A row as every door shows it, a present one and one of the past. */
export const shownTask = (row: TaskRow): Task => ({
  id: row.task,
  company: row.company,
  kind: row.kind,
  title: row.title,
  status: row.status,
  priority: row.priority,
  parent: row.parent ?? undefined,
  labels: row.labels,
  assignee: row.assignee ?? undefined,
  why: row.why ?? undefined,
  held: row.held ?? undefined,
  blockedBy: row.blockers,
  openedAt: row.opened_at,
  changedAt: row.changed_at,
  lastRun: row.last_run ?? undefined,
  openRuns: row.open_runs,
  running: row.running ?? undefined,
  revision: row.revision,
});
