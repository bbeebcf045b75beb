import type { Recorded } from '../../events/event.js';
import type { LedgerEvent } from '../../events/ledger-event.js';
import type { Change, Projection } from '../projection.js';

/** Rows by key; `undefined` is a row that is known not to be there. */
export type Rows<Row> = Map<string, Row | undefined>;

/** Identifiers hold no line breaks. */
export const keyOf = (key: readonly unknown[]): string => key.join('\n');

const none: readonly never[] = [];

/** What an event changes, in order; nothing for a type that the projection has no handler for. */
export function changesOf<Row extends object>({ on }: Projection<Row>, event: Recorded<LedgerEvent>): readonly Change<Row>[] {
  // The table is keyed by the event's own type, which the compiler cannot follow through a union.
  const handler = on[event.type] as ((event: Recorded<LedgerEvent>) => Change<Row> | readonly Change<Row>[]) | undefined;
  const changes = handler?.(event);
  if (changes === undefined) return none;
  return 'fold' in changes ? [changes] : changes;
}

/** All changes of one event, or none of them when one throws. */
export function applyChanges<Row>(rows: Rows<Row>, changes: readonly Change<Row>[]): void {
  const [only] = changes;
  if (only && changes.length === 1) {
    rows.set(keyOf(only.key), only.fold(rows.get(keyOf(only.key))));
    return;
  }
  const changed: Rows<Row> = new Map();
  for (const { key, fold } of changes) {
    const id = keyOf(key);
    changed.set(id, fold(changed.has(id) ? changed.get(id) : rows.get(id)));
  }
  for (const [id, row] of changed) rows.set(id, row);
}

/** A history folded from nothing: the rows that a projector has at its end. */
export function foldLog<Row extends object>(projection: Projection<Row>, events: Iterable<Recorded<LedgerEvent>>): Row[] {
  const rows: Rows<Row> = new Map();
  for (const event of events) applyChanges(rows, changesOf(projection, event));
  return [...rows.values()].filter((row) => row !== undefined);
}
