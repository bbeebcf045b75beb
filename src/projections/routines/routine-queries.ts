import type { AgentId, RoutineId } from '../../events/event.js';
import type { CatchUpPolicy, ConcurrencyPolicy, FireId, RoutineStatus, Trigger, Variable } from '../../events/routine.js';
import type { TaskPriority } from '../../events/task.js';
import { newestFirst } from '../newest-first.js';
import type { Page, PageRequest } from '../paging.js';
import type { ReadModels } from '../read-models.js';
import { routines, type RoutineRow } from './routines.js';

/** A routine as every door shows it. */
export interface Routine {
  readonly id: RoutineId;
  readonly company: string;
  readonly status: RoutineStatus;
  /** why it is paused or archived */
  readonly reason?: string;
  /** when it came to its status */
  readonly since: string;
  readonly title: string;
  readonly description?: string;
  readonly agent?: AgentId;
  readonly priority: TaskPriority;
  readonly concurrency: ConcurrencyPolicy;
  readonly catchUp: CatchUpPolicy;
  readonly variables: readonly Variable[];
  readonly fingerprintIgnore: readonly string[];
  readonly spreadSec: number;
  readonly activeFrom?: string;
  readonly activeUntil?: string;
  readonly triggers: readonly Trigger[];
  readonly definedAt: string;
  readonly changedAt: string;
  /** how often it was fired, each fact about missed slots included */
  readonly fires: number;
  readonly lastFire?: FireId;
  readonly lastFiredAt?: string;
  /** of its schedules, with the offset that spreads them */
  readonly nextDueAt?: string;
  /** what `If-Match` is compared with */
  readonly revision: number;
}

export interface RoutineFilters {
  readonly status?: readonly RoutineStatus[];
  readonly agent?: readonly AgentId[];
}

export class RoutinesQueries {
  constructor(private readonly readModels: ReadModels) {}

  async get(company: string, routine: RoutineId): Promise<Routine | undefined> {
    const row = await routineRow(this.readModels, company, routine);
    return row && shownRoutine(row);
  }

  /** Newest first. @throws InvalidCursor */
  async list(company: string, { agent, status }: RoutineFilters, page: PageRequest): Promise<Page<Routine>> {
    const { rows, next } = await newestFirst<RoutineRow>(this.readModels.kysely, {
      name: 'routines',
      schema: await this.readModels.nameOf(routines.name),
      table: routines.name,
      company,
      order: ['defined_at', 'routine'],
      filters: [
        ['agent', agent],
        ['status', status],
      ],
      page,
    });
    return { items: rows.map(shownRoutine), next };
  }
}

export async function routineRow(readModels: ReadModels, company: string, routine: RoutineId): Promise<RoutineRow | undefined> {
  const db = await readModels.of(routines);
  return db.selectFrom('routines').selectAll().where('company', '=', company).where('routine', '=', routine).executeTakeFirst();
}

const shownRoutine = (row: RoutineRow): Routine => ({
  id: row.routine,
  company: row.company,
  status: row.status,
  reason: row.reason ?? undefined,
  since: row.since,
  title: row.title,
  description: row.description ?? undefined,
  agent: row.agent ?? undefined,
  priority: row.priority,
  concurrency: row.concurrency,
  catchUp: row.catch_up,
  variables: row.variables,
  fingerprintIgnore: row.fingerprint_ignore,
  spreadSec: row.spread_sec,
  activeFrom: row.active_from ?? undefined,
  activeUntil: row.active_until ?? undefined,
  triggers: row.triggers,
  definedAt: row.defined_at,
  changedAt: row.changed_at,
  fires: row.fires,
  lastFire: row.last_fire ?? undefined,
  lastFiredAt: row.last_fired_at ?? undefined,
  nextDueAt: row.next_due_at ?? undefined,
  revision: row.revision,
});
