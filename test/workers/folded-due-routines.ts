import type { EventStore } from '../../src/event-store/event-store.js';
import type { DueRoutine } from '../../src/projections/routines/due-routines.js';
import { routines } from '../../src/projections/routines/routines.js';
import type { DueList } from '../../src/workers/due-loop.js';
import { Folding, Foldings } from '../folding.js';

/** What DueRoutinesQueries says of due routines, folded from the log of a store. */
export class FoldedDueRoutines implements DueList<DueRoutine> {
  private readonly rows = new Folding(routines);
  private readonly foldings: Foldings;

  constructor(store: EventStore) {
    this.foldings = new Foldings(store, [this.rows]);
  }

  caughtUp(): Promise<void> {
    return this.foldings.reachHead();
  }

  async due(now: string, limit: number): Promise<DueRoutine[]> {
    const due = this.all().filter(({ dueAt }) => dueAt <= now);
    return due.sort((a, b) => (a.dueAt < b.dueAt ? -1 : 1)).slice(0, limit);
  }

  async nextDue(): Promise<string | undefined> {
    return this.all()
      .map(({ dueAt }) => dueAt)
      .sort()[0];
  }

  private all(): DueRoutine[] {
    return this.rows
      .all()
      .flatMap(({ company, routine, next_due_at: dueAt }) => (dueAt === null ? [] : [{ company, routine, dueAt }]));
  }
}
