import type { Recorded } from '../events/event.js';
import type { LedgerEvent } from '../events/ledger-event.js';

/**
 * A read model as a pure fold from events to rows. The same definition is run by the live projector, by a rebuild,
 * by an as-of query, by a diff, and by a test without a database; so it knows no clock, no chance and no I/O, and never
 * changes a row in place.
 */
export interface Projection<Row extends object> {
  /** table name, and with the version the name of its schema: `run_status` in `run_status_v1` */
  readonly name: string;
  readonly version: number;
  readonly key: readonly (keyof Row & string)[];
  /**
   * `stream`: each row is fed by one stream, so a stream whose event cannot be folded is parked and the rest goes on.
   * `wider`: rows gather many streams, so such an event halts the projection.
   */
  readonly keyedBy: 'stream' | 'wider';
  readonly on: Handlers<Row>;
}

export type Handlers<Row> = {
  readonly [Type in LedgerEvent['type']]?: (event: Recorded<Extract<LedgerEvent, { type: Type }>>) => Change<Row> | readonly Change<Row>[];
};

/** How one row changes: it gets the row or `undefined`, and answers the new row, or `undefined` for none. */
export interface Change<Row> {
  readonly key: readonly string[];
  readonly fold: (row: Row | undefined) => Row | undefined;
}

/** `key` in the order of the projection's `key` columns. */
export const change = <Row>(key: readonly string[], fold: (row: Row | undefined) => Row | undefined): Change<Row> => ({ key, fold });

/** Like `change`, for rows that must be there already: without one, nothing happens. */
export const amend = <Row>(key: readonly string[], fold: (row: Row) => Row | undefined): Change<Row> => ({
  key,
  fold: (row) => row && fold(row),
});

export const projection = <Row extends object>(definition: Projection<Row>): Projection<Row> => definition;
