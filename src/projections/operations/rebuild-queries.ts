import { sql } from 'kysely';
import type { Actor } from '../../events/event.js';
import type { Comparison, ReadModelName, RebuildPurpose } from '../../events/operations.js';
import type { ReadModels } from '../read-models.js';
import { rebuilds, type RebuildPhase, type RebuildRow } from './rebuilds.js';

/** A rebuild as every door shows it. */
export interface RebuildView {
  /** the name of the read model that it builds */
  readonly id: ReadModelName;
  readonly projection: string;
  readonly version: number;
  readonly generation: number;
  /** the read model that it is compared with */
  readonly beside: ReadModelName;
  readonly purpose: RebuildPurpose;
  readonly phase: Exclude<RebuildPhase, 'filled'> | 'indexing' | 'catching_up' | 'comparing';
  readonly paused: boolean;
  /** the limit that it keeps to; null for none */
  readonly eventsPerSecond: number | null;
  readonly reason: string;
  readonly startedBy: Actor;
  readonly startedAt: string;
  /** while it is at work */
  readonly progress?: RebuildProgress;
  readonly filledAt?: string;
  /** that were folded to fill it, and the rows that came of them */
  readonly events?: number;
  readonly rows?: number;
  readonly comparedAt?: string;
  readonly comparison?: Comparison;
  /** why it failed */
  readonly error?: string;
  readonly endedAt?: string;
}

export interface RebuildProgress {
  /** events */
  readonly done: number;
  readonly total: number;
  /** events per second, lately */
  readonly rate: number;
  /** of the phase that it is in; null while that cannot be told */
  readonly etaSeconds: number | null;
  readonly movedAt: string;
  /** what it waits for, though nobody has paused it */
  readonly trouble?: string;
}

/** Something is still to be done about it: by the ledger, or by an operator who says what becomes of it. */
export const isOpen = ({ phase, endedAt }: RebuildView): boolean =>
  endedAt === undefined && phase !== 'live' && phase !== 'former';

type Found = RebuildRow & { readonly [Column in keyof ProgressRow]: ProgressRow[Column] | null };
interface ProgressRow {
  readonly doing: 'filling' | 'indexing' | 'catching_up' | 'comparing';
  readonly done: number;
  readonly total: number;
  readonly rate: number;
  readonly moved_at: string;
  readonly trouble: string | null;
}

const shownAtOnce = 200;

export class RebuildQueries {
  constructor(private readonly readModels: ReadModels) {}

  /** The last two hundred, the newest first. */
  async list({ projection }: { readonly projection?: string } = {}): Promise<RebuildView[]> {
    const { rows } = await sql<Found>`
      ${await this.rebuilds()}
      where ${projection ?? null}::text is null
        or projection = ${projection ?? null}
      order by position desc
      limit ${shownAtOnce}`.execute(this.readModels.kysely);
    return rows.map(shown);
  }

  async get(id: ReadModelName): Promise<RebuildView | undefined> {
    const { rows } = await sql<Found>`
      ${await this.rebuilds()}
      where rebuild = ${id}`.execute(this.readModels.kysely);
    return rows[0] && shown(rows[0]);
  }

  private async rebuilds() {
    return sql`
      select rebuilds.*, progress.phase as doing, done, total, rate, moved_at, coalesce(${nobody}, trouble) as trouble
      from ${await this.readModels.table(rebuilds)} rebuilds
      left join rebuild_progress progress on read_model = rebuild`;
  }
}

/** For a moment that is so whenever the work goes from one process to another. */
const nobody = sql`
  case when not paused
    and coalesce(moved_at, started_at) < clock_timestamp() - interval '10 s'
    and not exists (
      select
      from owners
      where name = 'rebuild ' || rebuild
        and expires_at > clock_timestamp()
    )
  then 'no server works on it: see that one with the role projector runs that knows version ' || version || ' and what it is compared with'
  end`;

function shown(row: Found): RebuildView {
  const { version, generation, beside, purpose, paused, reason, events, rows, error } = row;
  return {
    id: row.rebuild,
    projection: row.projection,
    version,
    generation,
    beside,
    purpose,
    phase: phaseOf(row),
    paused,
    eventsPerSecond: row.events_per_second,
    reason,
    startedBy: row.actor,
    startedAt: row.started_at,
    ...progressOf(row),
    ...(row.filled_at !== null && { filledAt: row.filled_at, events: events ?? 0, rows: rows ?? 0 }),
    ...(row.compared_at !== null && { comparedAt: row.compared_at, comparison: row.comparison! }),
    ...(error !== null && { error }),
    ...(row.ended_at !== null && { endedAt: row.ended_at }),
  };
}

function phaseOf({ phase, doing }: Found): RebuildView['phase'] {
  if (phase !== 'filling' && phase !== 'filled') return phase;
  if (phase === 'filled' && doing !== 'comparing') return 'catching_up';
  // The row follows the work, and may be a moment behind it.
  return doing ?? 'filling';
}

function progressOf(row: Found): { progress?: RebuildProgress } {
  const { phase, paused, moved_at, trouble } = row;
  if (phase !== 'filling' && phase !== 'filled') return {};
  if (moved_at === null && trouble === null) return {};
  const [done, total, rate] = [row.done ?? 0, row.total ?? 0, row.rate ?? 0];
  const etaSeconds = paused || total === 0 ? null : secondsFor(Math.max(0, total - done), rate);
  const progress = { done, total, rate: Math.round(rate), etaSeconds, movedAt: moved_at ?? row.started_at };
  return { progress: trouble === null ? progress : { ...progress, trouble } };
}

function secondsFor(left: number, rate: number): number | null {
  if (left === 0) return 0;
  return rate > 0 ? Math.ceil(left / rate) : null;
}
