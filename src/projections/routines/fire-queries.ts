import type { RoutineId, RunId, TaskId } from '../../events/event.js';
import type { FireId, FireSource, TriggerId } from '../../events/routine.js';
import { newestFirst } from '../newest-first.js';
import type { Page, PageRequest } from '../paging.js';
import type { ReadModels } from '../read-models.js';
import { routineFires, type Conclusion, type FireOutcome, type FireRow } from './routine-fires.js';

/** A fire as every door shows it. One that has joined another's task is concluded as that one is. */
export interface Fire {
  readonly id: FireId;
  readonly company: string;
  readonly routine: RoutineId;
  readonly trigger?: TriggerId;
  readonly source: FireSource;
  /** of a schedule: when it was due; of slots that are not fired, the first */
  readonly slot?: string;
  readonly firedAt: string;
  /** `caught_up`: no fire, but `count` slots that are not fired, `slot` the first and `lastSlot` the last of them */
  readonly outcome: FireOutcome;
  readonly code?: string;
  readonly reason?: string;
  /** where it has led to; of a pending one, where it is on its way to */
  readonly task?: TaskId;
  readonly run?: RunId;
  /** the fire that opened the task which it has joined */
  readonly into?: FireId;
  readonly fingerprint?: string;
  readonly count?: number;
  readonly lastSlot?: string;
  /** how its task ended */
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
