import type { JsonObject, RunId, WakeupId } from '../events/event.js';
import { heldAmong, type Work } from './held.js';
import { newestFirst, type ListOf } from './newest-first.js';
import type { Page, PageRequest } from './paging.js';
import type { ReadModels } from './read-models.js';
import { wakeupRequests, type WakeupRow, type WakeupStatus } from './wakeup-requests.js';

/** A demand as every door shows it. One that joined another has the other's run and times. */
export interface Wakeup {
  readonly id: WakeupId;
  readonly company: string;
  readonly agent: string;
  readonly task: string;
  readonly source: string;
  readonly trigger: string;
  readonly reason: string;
  readonly status: WakeupStatus;
  readonly code?: string;
  readonly run?: RunId;
  readonly coalescedInto?: WakeupId;
  readonly coalescedCount: number;
  /** waits, and is kept where it is because its agent is paused, or its task, one above it or the company held */
  readonly held?: true;
  readonly commentIds: readonly string[];
  readonly payload: JsonObject;
  /** `user:alice` */
  readonly requestedBy: string;
  readonly requestedAt: string;
  readonly claimedAt?: string;
  readonly finishedAt?: string;
}

export interface WakeupFilters {
  readonly status?: readonly WakeupStatus[];
  readonly agent?: readonly string[];
  readonly task?: readonly string[];
  readonly reason?: readonly string[];
}

export class WakeupRequestsQueries {
  constructor(private readonly readModels: ReadModels) {}

  async get(company: string, id: WakeupId): Promise<Wakeup | undefined> {
    return (await this.shown(company, await this.rows(company, [id])))[0];
  }

  /** Newest first. @throws InvalidCursor */
  async list(company: string, filters: WakeupFilters, page: PageRequest): Promise<Page<Wakeup>> {
    const table = { schema: await this.readModels.nameOf(wakeupRequests.name), table: wakeupRequests.name };
    const list = { ...wakeupList(company, filters, page), ...table };
    const { rows, next } = await newestFirst<WakeupRow>(this.readModels.kysely, list);
    return { items: await this.shown(company, rows), next };
  }

  private async rows(company: string, ids: readonly WakeupId[]): Promise<WakeupRow[]> {
    const valid = ids.filter((id) => uuid.test(id));
    if (valid.length === 0) return [];
    const db = await this.readModels.of(wakeupRequests);
    return db.selectFrom('wakeup_requests').selectAll().where('company', '=', company).where('wakeup_id', 'in', valid).execute();
  }

  private shown(company: string, rows: readonly WakeupRow[]): Promise<Wakeup[]> {
    return shownWakeups(rows, {
      wakeups: (ids) => this.rows(company, ids),
      heldAmong: (works) => heldAmong(this.readModels, company, works),
    });
  }
}

/** Newest first, by whatever holds the rows. */
export const wakeupList = (
  company: string,
  { task, agent, reason, status }: WakeupFilters,
  page: PageRequest,
): ListOf<WakeupRow> => ({
  name: 'wakeups',
  company,
  order: ['requested_at', 'wakeup_id'],
  filters: [
    ['task', task],
    ['agent', agent],
    ['status', status],
    ['reason', reason],
  ],
  page,
});

/** What a row of a demand does not say by itself; of the same moment as the row. */
export interface AroundWakeups {
  wakeups(ids: readonly WakeupId[]): Promise<readonly WakeupRow[]>;
  heldAmong(works: readonly Work[]): Promise<(work: Work) => boolean>;
}

/** Rows as every door shows them, the present ones and those of the past. */
export async function shownWakeups(rows: readonly WakeupRow[], around: AroundWakeups): Promise<Wakeup[]> {
  const waiting = rows.filter(({ status }) => open.includes(status));
  const [leads, isHeld] = await Promise.all([leadsOf(rows, around), around.heldAmong(waiting)]);
  return rows.map((row) => shown(row, leads.get(row.coalesced_into ?? ''), isHeld(row)));
}

/** One that was joined may have joined another before; then that one is followed too, but a few steps at most. */
async function leadsOf(
  rows: readonly WakeupRow[],
  { wakeups }: Pick<AroundWakeups, 'wakeups'>,
): Promise<Map<WakeupId, WakeupRow>> {
  const known = new Map<WakeupId, WakeupRow>();
  for (let wanted = joined(rows), step = 0; wanted.length > 0 && step < 3; step++) {
    const found = await wakeups(wanted);
    for (const row of found) known.set(row.wakeup_id, row);
    wanted = joined(found).filter((id) => !known.has(id));
  }
  return new Map([...known].map(([id, row]) => [id, lastOf(row, known)]));
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

const joined = (rows: readonly WakeupRow[]): WakeupId[] => [...new Set(rows.flatMap((row) => row.coalesced_into ?? []))];

function lastOf(row: WakeupRow, known: ReadonlyMap<WakeupId, WakeupRow>): WakeupRow {
  const next = row.coalesced_into === null ? undefined : known.get(row.coalesced_into);
  return next && next !== row ? lastOf(next, new Map([...known].filter(([id]) => id !== row.wakeup_id))) : row;
}

const open: readonly WakeupStatus[] = ['queued', 'deferred', 'coalesced'];

function shown(row: WakeupRow, lead: WakeupRow | undefined, isHeld: boolean): Wakeup {
  const fate = lead ?? row;
  const waits = open.includes(row.status) && open.includes(fate.status);
  return {
    id: row.wakeup_id,
    company: row.company,
    agent: row.agent,
    task: row.task,
    source: row.source,
    trigger: row.trigger,
    reason: row.reason,
    status: row.status,
    code: row.code ?? undefined,
    run: fate.run ?? undefined,
    coalescedInto: row.coalesced_into ?? undefined,
    coalescedCount: row.coalesced_count,
    held: waits && isHeld ? true : undefined,
    commentIds: row.comment_ids,
    payload: row.payload,
    requestedBy: row.requested_by,
    requestedAt: row.requested_at,
    claimedAt: fate.claimed_at ?? undefined,
    finishedAt: fate.finished_at ?? undefined,
  };
}
