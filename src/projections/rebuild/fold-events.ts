import type { Recorded } from '../../events/event.js';
import type { LedgerEvent } from '../../events/ledger-event.js';
import type { AnyProjection, Change } from '../projection.js';
import { applyChanges, changesOf, keyOf, type Rows } from '../projector/fold.js';
import type { Page } from '../projector/log-pages.js';
import { Unfoldable } from '../projector/projector-term.js';

export type Row = Record<string, unknown>;

/** A share of all keys: those whose hash leaves `n` when it is divided by `of`. */
export interface Share {
  readonly n: number;
  readonly of: number;
}
export const everything: Share = { n: 0, of: 1 };

/** Rows that are held in memory at once; more than these go another way. */
export const mostRows = 100_000;

/** What events make of rows. Fails on the first event that cannot be folded. */
export class Fold {
  readonly rows: Rows<Row> = new Map();

  constructor(
    private readonly projection: AnyProjection,
    private readonly skipped: ReadonlySet<string>,
    private readonly share = everything,
  ) {}

  get outgrown(): boolean {
    return this.rows.size > mostRows;
  }

  take(event: Recorded<LedgerEvent>): void {
    if (this.skipped.size > 0 && this.skipped.has(event.id)) return;
    try {
      this.apply(changesOf(this.projection, event));
    } catch (cause) {
      throw unfoldable(this.projection, event, cause);
    }
  }

  takeAll(page: Page): void {
    for (const event of page) this.take(event);
  }

  /** Takes the rows away. */
  *drain(): Generator<Row> {
    for (const row of this.rows.values()) if (row) yield row;
    this.rows.clear();
  }

  private apply(changes: readonly Change<Row>[]): void {
    const { share, rows } = this;
    const mine = share.of === 1 ? changes : changes.filter(({ key }) => hash(keyOf(key)) % share.of === share.n);
    if (mine.length === 0) return;
    applyChanges(rows, mine);
    // A row that is gone is as one that never was.
    for (const { key } of mine) if (rows.get(keyOf(key)) === undefined) rows.delete(keyOf(key));
  }
}

function unfoldable({ name, version }: AnyProjection, event: Recorded, cause: unknown): Unfoldable {
  const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  return new Unfoldable(
    `version ${version} of ${name} cannot fold ${event.type} at position ${event.position} ` +
      `(${event.stream} revision ${event.revision}): ${why}`,
    { cause },
  );
}

/** FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/ */
function hash(text: string): number {
  let sum = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) sum = Math.imul(sum ^ text.charCodeAt(at), 0x01000193);
  return sum >>> 0;
}
