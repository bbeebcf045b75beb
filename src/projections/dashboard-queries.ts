import { sql } from 'kysely';
import { agentCounts } from './agent-counts.js';
import { dashboard, type DashboardRow } from './dashboard.js';
import { dueRetries } from './due-retries.js';
import type { ReadModels } from './read-models.js';
import { taskCounts } from './task-counts.js';

/** A company at a glance. */
export interface Dashboard {
  readonly company: string;
  readonly agents: { readonly active: number; readonly paused: number; readonly terminated: number };
  /** `open`: all but done and cancelled, so it includes the next two */
  readonly tasks: { readonly open: number; readonly inProgress: number; readonly blocked: number; readonly done: number };
  /** open runs, of whatever day */
  readonly runs: { readonly queued: number; readonly running: number; readonly parked: number };
  /** when the first parked run is due */
  readonly nextDue?: string;
  /** the last 14 UTC days, oldest first, by the day on which a run was opened */
  readonly runActivity: readonly DayOfRuns[];
}

export interface DayOfRuns {
  readonly date: string;
  readonly succeeded: number;
  /** timed out ones included */
  readonly failed: number;
  readonly other: number;
  readonly total: number;
}

const shownDays = 14;
const dayMs = 24 * 60 * 60 * 1000;

/** No row is counted when it is asked for: every number is kept, by company, status or day. */
export class DashboardQueries {
  constructor(private readonly readModels: ReadModels) {}

  /** `now` decides which day is the last one that is shown. */
  async get(company: string, now: Date): Promise<Dashboard> {
    const [byStatus, tasks, runs, nextDue, runActivity] = await Promise.all([
      this.agents(company),
      this.tasks(company),
      this.openRuns(company),
      this.nextDue(company),
      this.days(company, now),
    ]);
    return { company, agents: byStatus, tasks, runs, nextDue, runActivity };
  }

  private async agents(company: string): Promise<Dashboard['agents']> {
    const db = await this.readModels.of(agentCounts);
    const row = await db.selectFrom('agent_counts').selectAll().where('company', '=', company).executeTakeFirst();
    const { registered = 0, paused = [], terminated = 0 } = row ?? {};
    return { active: registered - paused.length - terminated, paused: paused.length, terminated };
  }

  private async tasks(company: string): Promise<Dashboard['tasks']> {
    const rows = await (
      await this.readModels.of(taskCounts)
    )
      .selectFrom('task_counts')
      .selectAll()
      .where('company', '=', company)
      .execute();
    const count = (status: string) => rows.find((row) => row.status === status)?.tasks ?? 0;
    const open = rows.reduce((sum, { tasks }) => sum + tasks, 0) - count('done') - count('cancelled');
    return { open, inProgress: count('in_progress'), blocked: count('blocked'), done: count('done') };
  }

  private async openRuns(company: string): Promise<Dashboard['runs']> {
    const db = await this.readModels.of(dashboard);
    const sum = (column: 'queued' | 'running' | 'parked') => sql<number>`coalesce(sum(${sql.ref(column)}), 0)::int`.as(column);
    return db
      .selectFrom('dashboard')
      .select([sum('queued'), sum('running'), sum('parked')])
      .where('company', '=', company)
      .where(sql<boolean>`queued + running + parked > 0`)
      .executeTakeFirstOrThrow();
  }

  private async nextDue(company: string): Promise<string | undefined> {
    const db = await this.readModels.of(dueRetries);
    const query = db.selectFrom('due_retries').select('due_at').where('company', '=', company);
    return (await query.orderBy('due_at').limit(1).executeTakeFirst())?.due_at;
  }

  private async days(company: string, now: Date): Promise<DayOfRuns[]> {
    const dates = Array.from({ length: shownDays }, (_, ago) => utcDay(new Date(now.getTime() - ago * dayMs))).toReversed();
    const db = await this.readModels.of(dashboard);
    const rows = await db.selectFrom('dashboard').selectAll().where('company', '=', company).where('day', 'in', dates).execute();
    const byDay = new Map(rows.map((row) => [row.day, row]));
    return dates.map((date) => dayOfRuns(date, byDay.get(date)));
  }
}

const utcDay = (time: Date) => time.toISOString().slice(0, 10);

function dayOfRuns(date: string, row: DashboardRow | undefined): DayOfRuns {
  if (!row) return { date, succeeded: 0, failed: 0, other: 0, total: 0 };
  const failed = row.failed + row.timed_out;
  const other = row.queued + row.running + row.parked + row.cancelled;
  return { date, succeeded: row.succeeded, failed, other, total: row.succeeded + failed + other };
}
