import type { FireView } from '../../commands/routines/fire-view.js';
import type { RoutineId } from '../../events/event.js';
import type { FireId, TriggerId } from '../../events/routine.js';
import { newestFirst } from '../newest-first.js';
import type { Page, PageRequest } from '../paging.js';
import type { ReadModels } from '../read-models.js';
import { routineFires, type Conclusion, type FireOutcome, type FireRow } from './routine-fires.js';

/**
 * A fire as every door shows it, or slots that are not fired as one: `caught_up`, `count` of them, `slot` the first and `lastSlot`
 * the last.
 */
export interface Fire extends FireView {
  /** how its task ended, also where that is the task of the fire that it has joined */
  readonly concluded?: Conclusion;
}

export interface FireFilters {
  readonly outcome?: readonly FireOutcome[];
  readonly trigger?: readonly TriggerId[];
}

export class FiresQueries {
  constructor(private readonly readModels: ReadModels) {}

  async get(company: string, routine: RoutineId, fire: FireId): Promise<Fire | undefined> {
    return (await this.shown(company, routine, await fireRows(this.readModels, company, routine, [fire])))[0];
  }

  /** Of one routine, newest first. @throws InvalidCursor */
  async list(
    company: string,
    routine: RoutineId,
    page: PageRequest,
    { outcome, trigger }: FireFilters = {},
  ): Promise<Page<Fire>> {
    const { rows, next } = await newestFirst<FireRow>(this.readModels.kysely, {
      name: 'fires',
      schema: await this.readModels.nameOf(routineFires.name),
      table: routineFires.name,
      company,
      // Unique within the routine, which is always given.
      order: ['n'],
      filters: [
        ['routine', [routine]],
        ['outcome', outcome],
        ['trigger', trigger],
      ],
      page,
    });
    return { items: await this.shown(company, routine, rows), next };
  }

  private async shown(company: string, routine: RoutineId, rows: readonly FireRow[]): Promise<Fire[]> {
    const joined = [...new Set(rows.flatMap((row) => row.coalesced_into ?? []))];
    const leads = new Map((await fireRows(this.readModels, company, routine, joined)).map((row) => [row.fire, row]));
    return rows.map((row) => shownFire(row, leads.get(row.coalesced_into ?? '') ?? row));
  }
}

/** Those that there are of these fires of one routine, in any order. */
export async function fireRows(
  readModels: ReadModels,
  company: string,
  routine: RoutineId,
  fires: readonly FireId[],
): Promise<FireRow[]> {
  if (fires.length === 0) return [];
  const db = await readModels.of(routineFires);
  const ofRoutine = db.selectFrom('routine_fires').selectAll().where('company', '=', company).where('routine', '=', routine);
  return ofRoutine.where('fire', 'in', fires).execute();
}

/** `lead`: the fire that opened its task. */
const shownFire = (row: FireRow, lead: FireRow): Fire => ({
  id: row.fire,
  company: row.company,
  routine: row.routine,
  trigger: row.trigger ?? undefined,
  source: row.source,
  slot: row.slot ?? undefined,
  firedAt: row.fired_at,
  outcome: row.outcome,
  code: row.code ?? undefined,
  reason: row.reason ?? undefined,
  task: row.task ?? undefined,
  run: row.run ?? undefined,
  into: row.coalesced_into ?? undefined,
  fingerprint: row.fingerprint ?? undefined,
  count: row.count ?? undefined,
  lastSlot: row.last_slot ?? undefined,
  concluded: lead.concluded ?? undefined,
});
