import type pg from 'pg';
import { beginning, type Position, type Recorded } from '../../events/event.js';
import type { LedgerEvent } from '../../events/ledger-event.js';
import { positionInWords } from '../../events/positions.js';
import type { EventStore } from '../../event-store/event-store.js';
import { conservation, unopened } from './conservation.js';
import { LaneAccount, type ConservationRow } from './lane-account.js';
import { applyChanges, changesOf, keyOf, type Rows } from '../projector/fold.js';

/** What was looked at, and whether it is as it should be. */
export interface Finding {
  readonly name: string;
  readonly ok: boolean;
  /** what was seen */
  readonly sentence: string;
  /** what would mend it */
  readonly remedy?: string;
}

/**
 * Counts every demand of the log anew, and compares that with the live rows. What was counted is remembered for the store, so that the
 * next call reads only what has come since; one that would take longer than `patienceMs` says how far it has come.
 */
export function conservationChecks(db: pg.Pool, store: EventStore, patienceMs = 20_000): Promise<Finding[]> {
  const audit = audits.get(store) ?? new Audit(store);
  audits.set(store, audit);
  return audit.alone(async () => {
    const until = performance.now() + patienceMs;
    const [live, head] = [await liveAccount(db), await store.head()];
    if (live) await audit.advance(live.position, until);
    const compared = live?.position === audit.position ? audit.totals() : undefined;
    await audit.advance(head, until);
    return [ofTheLog(audit, head), ...(live ? [ofTheRows(live, compared)] : [])];
  });
}

const audits = new WeakMap<EventStore, Audit>();

const columns = ['requested', 'delivered', 'coalesced', 'skipped', 'cancelled', 'open', 'violations'] as const;
type Totals = Record<(typeof columns)[number], number> & { readonly first: string | null };

const nothing: Totals = {
  requested: 0,
  delivered: 0,
  coalesced: 0,
  skipped: 0,
  cancelled: 0,
  open: 0,
  violations: 0,
  first: null,
};

const added = (totals: Totals, row: ConservationRow): Totals => ({
  requested: totals.requested + row.requested,
  delivered: totals.delivered + row.delivered,
  coalesced: totals.coalesced + row.coalesced,
  skipped: totals.skipped + row.skipped,
  cancelled: totals.cancelled + row.cancelled,
  open: totals.open + row.open,
  violations: totals.violations + row.violations,
  first: totals.first ?? (row.first_violation && `${row.task} of ${row.company} ${row.first_violation}`),
});

const pageSize = 5_000;

/** Lanes on which nothing is open are added up and forgotten, so that a long log needs no more memory than a short one. */
class Audit {
  position: Position = beginning;
  private rows: Rows<ConservationRow> = new Map();
  private closed = nothing;
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly store: EventStore) {}

  /** One call after the other. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.last.then(work);
    this.last = done.catch(() => {});
    return done;
  }

  /** To this position of the log, or as far as the time goes. */
  async advance(to: Position, until: number): Promise<void> {
    while (this.position < to && performance.now() < until) {
      const page = await this.store.readAll<LedgerEvent>({ after: this.position, limit: pageSize });
      const events = page.filter(({ position }) => position <= to);
      for (const event of events) this.fold(event);
      this.position = events.at(-1)?.position ?? to;
      this.forgetClosed();
    }
  }

  totals(): Totals {
    return this.sum((row) => row);
  }

  /** Where no append is under way, whatever has no place by now has none. */
  totalsAtRest(): Totals {
    return this.sum((row) => new LaneAccount(row).endAppend().row());
  }

  private sum(seen: (row: ConservationRow) => ConservationRow): Totals {
    return [...this.rows.values()].reduce((totals, row) => (row ? added(totals, seen(row)) : totals), this.closed);
  }

  private fold(event: Recorded<LedgerEvent>): void {
    const changes = changesOf(conservation, event);
    const [change] = changes;
    if (!change) return;
    const { company, subject } = event;
    // Its number of runs was forgotten with it.
    if (!this.rows.has(keyOf(change.key))) this.rows.set(keyOf(change.key), { ...unopened(company, subject), last_run: null });
    applyChanges(this.rows, changes);
  }

  private forgetClosed(): void {
    for (const [key, row] of this.rows) {
      if (!row || !isQuiet(row)) continue;
      this.closed = added(this.closed, row);
      this.rows.delete(key);
    }
  }
}

const isQuiet = ({ demands, runs, adrift, stranded }: ConservationRow): boolean =>
  stranded === 0 && [demands, runs, adrift].every((kept) => Object.keys(kept).length === 0);

interface Live extends Totals {
  readonly position: Position;
}

/** The rows and the position that they are true for, in one snapshot. */
async function liveAccount(db: pg.Pool): Promise<Live | undefined> {
  const versions = await db.query<{ readModel: string }>(
    'select read_model as "readModel" from projection_versions where projection = $1',
    [conservation.name],
  );
  const readModel = versions.rows[0]?.readModel;
  if (readModel === undefined) return undefined;
  const sums = columns.map((column) => `coalesce(sum(${column}), 0)::float8 as ${column}`);
  const { rows } = await db.query<Live>(
    `select
       (select position from checkpoints where read_model = $1) as position,
       min(task || ' of ' || company || ' ' || first_violation) as first,
       ${sums.join(', ')}
     from ${readModel}.${conservation.name}`,
    [readModel],
  );
  return rows[0];
}

function ofTheLog(audit: Audit, head: Position): Finding {
  const isWhole = audit.position >= head;
  const totals = isWhole ? audit.totalsAtRest() : audit.totals();
  const far = isWhole
    ? ''
    : `, as far as ${positionInWords(audit.position)} of ${positionInWords(head)}: the next look goes on from there`;
  return finding('demands by the log', totals, `${counted(totals)}${far}`);
}

/** `compared`: what the log comes to at the position of the rows. */
function ofTheRows(live: Live, compared: Totals | undefined): Finding {
  const name = 'demands by the live rows';
  if (live.violations > 0 || !compared)
    return finding(name, live, `${counted(live)} at ${positionInWords(live.position)}, where the log was not counted`);
  const other = columns.filter((column) => live[column] !== compared[column]);
  if (other.length === 0) return finding(name, live, `the same as by the log at ${positionInWords(live.position)}`);
  const differences = other.map((column) => `${said(live[column])} ${column}, by the log ${said(compared[column])}`);
  const remedy = `rebuild ${conservation.name}: its rows are not what the log comes to`;
  return { name, ok: false, sentence: `at ${positionInWords(live.position)} ${differences.join('; ')}`, remedy };
}

function finding(name: string, { violations, first }: Totals, sentence: string): Finding {
  if (violations === 0) return { name, ok: true, sentence };
  const remedy = 'this is a defect of the ledger: keep the log, and report it with what ledger replay says of that task';
  return { name, ok: false, sentence: `${violations} violations, the first: ${first ?? 'unknown'}; ${sentence}`, remedy };
}

const counted = ({ requested, delivered, coalesced, skipped, cancelled, open }: Totals): string =>
  `${said(requested)} requested = ${said(delivered)} delivered + ${said(coalesced)} joined to those + ${said(skipped)} skipped + ${said(cancelled)} cancelled + ${said(open)} open`;

const said = (count: number): string => count.toLocaleString('en');
