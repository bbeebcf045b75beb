import type { Position, RoutineId } from '../../events/event.js';
import type { Progress } from '../projector/progress.js';
import type { ReadModels } from '../read-models.js';
import { routines } from './routines.js';

/** A routine of which at least one slot has come. */
export interface DueRoutine {
  readonly company: string;
  readonly routine: RoutineId;
  readonly dueAt: string;
}

/** What the scheduler starts from. Paused routines are among it, since their slots are recorded too; archived ones are not. */
export class DueRoutinesQueries {
  constructor(
    private readonly readModels: ReadModels,
    private readonly progress: Progress,
  ) {}

  caughtUp(position: Position): Promise<void> {
    return this.progress.reached([routines.name], position);
  }

  /** At most `limit`, by due time. */
  async due(now: string, limit: number): Promise<DueRoutine[]> {
    const db = await this.readModels.of(routines);
    const rows = await db
      .selectFrom('routines')
      .select(['company', 'routine', 'next_due_at'])
      .where('next_due_at', '<=', now)
      .orderBy('next_due_at')
      .orderBy('company')
      .orderBy('routine')
      .limit(limit)
      .execute();
    return rows.map(({ company, routine, next_due_at: dueAt }) => ({ company, routine, dueAt: dueAt! }));
  }

  /** The time of the first that is due, which may have passed; undefined: none is to come. */
  async nextDue(): Promise<string | undefined> {
    const db = await this.readModels.of(routines);
    const row = await db
      .selectFrom('routines')
      .select('next_due_at')
      .where('next_due_at', 'is not', null)
      .orderBy('next_due_at')
      .limit(1)
      .executeTakeFirst();
    return row?.next_due_at ?? undefined;
  }
}
