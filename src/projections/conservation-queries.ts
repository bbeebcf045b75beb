import type { TaskId } from '../events/event.js';
import { conservation } from './conservation.js';
import type { ConservationRow } from './lane-account.js';
import type { ReadModels } from './read-models.js';

/** Of all lanes: what the live check has counted, for whoever watches it. */
export interface Conserved {
  readonly requested: number;
  readonly open: number;
  /** 0, or the ledger has a defect */
  readonly violations: number;
}

export class ConservationQueries {
  constructor(private readonly readModels: ReadModels) {}

  /** The account of one lane, with where each open demand is. */
  async get(company: string, task: TaskId): Promise<ConservationRow | undefined> {
    const db = await this.readModels.of(conservation);
    return db
      .selectFrom(conservation.name)
      .selectAll()
      .where('company', '=', company)
      .where('task', '=', task)
      .executeTakeFirst();
  }

  async totals(): Promise<Conserved> {
    const db = await this.readModels.of(conservation);
    const { sum } = db.fn;
    const found = await db
      .selectFrom(conservation.name)
      .select([
        sum<number>('requested').as('requested'),
        sum<number>('open').as('open'),
        sum<number>('violations').as('violations'),
      ])
      .executeTakeFirstOrThrow();
    const { requested, open, violations } = found;
    return { requested: Number(requested ?? 0), open: Number(open ?? 0), violations: Number(violations ?? 0) };
  }
}
