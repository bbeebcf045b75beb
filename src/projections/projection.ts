import type { Recorded } from '../events/event.js';
import type { LedgerEvent } from '../events/ledger-event.js';
import { readModelName } from '../events/operations.js';

/**
 * A read model as a pure fold from events to rows. The same definition is run by the live projector, by a rebuild,
 * by an as-of query, by a diff, and by a test without a database; so it knows no clock, no chance and no I/O, and never
 * changes a row in place.
 *
 * A row's properties are the columns of the table in `migrations/read-models/<name>.v<version>.sql`. Times are ISO 8601 in UTC with
 * milliseconds, lists and objects are `jsonb`, absent is `null`.
 */
export interface Projection<Row extends object> {
  /** table name, and with the version the name of its schema: `run_status` in `run_status_v1` */
  readonly name: string;
  readonly version: number;
  /** columns of type text or date */
  readonly key: readonly (keyof Row & string)[];
  /**
   * `stream`: each row is fed by one stream, so a stream whose event cannot be folded is parked and the rest goes on.
   * `wider`: rows gather many streams, so such an event halts the projection.
   */
  readonly keyedBy: 'stream' | 'wider';
  /** Few rows at a time: the projector keeps all of them in memory, and never asks for one that is not there. */
  readonly sparse?: true;
  /**
   * Columns that are meant to say something else than in the version before; a cut-over is refused for any other. A column that only one
   * of both has is not compared.
   */
  readonly differs?: readonly (keyof Row & string)[];
  /** the statements that make the table and its indexes, where they are not in a file of `migrations/read-models` */
  readonly ddl?: string;
  readonly on: Handlers<Row>;
}

export type Handlers<Row> = {
  readonly [Type in LedgerEvent['type']]?: Handler<Row, Type>;
};

export type Handler<Row, Type extends LedgerEvent['type']> = (event: Fact<Type>) => Change<Row> | readonly Change<Row>[];

/** An event of this type as the store keeps it. */
export type Fact<Type extends LedgerEvent['type']> = Recorded<Extract<LedgerEvent, { type: Type }>>;

/** How one row changes: it gets the row or `undefined`, and answers the new row, or `undefined` for none. */
export interface Change<Row> {
  readonly key: readonly string[];
  readonly fold: (row: Row | undefined) => Row | undefined;
  /** there can be no row yet, so none has to be looked for */
  readonly creates?: true;
}

/** `key` in the order of the projection's `key` columns. */
export const change = <Row>(key: readonly string[], fold: (row: Row | undefined) => Row | undefined): Change<Row> => ({
  key,
  fold,
});

/** Like `change`, for rows that must be there already: without one, nothing happens. */
export const amend = <Row>(key: readonly string[], fold: (row: Row) => Row | undefined): Change<Row> => ({
  key,
  fold: (row) => row && fold(row),
});

/** Like `change`, for rows that begin with this event. */
export const create = <Row>(key: readonly string[], row: NoInfer<Row>): Change<Row> => ({ key, fold: () => row, creates: true });

export const remove = <Row>(key: readonly string[]): Change<Row> => ({ key, fold: () => undefined });

export const projection = <Row extends object>(definition: Projection<Row>): Projection<Row> => definition;

/** A projection for those who run it, and do not look into its rows. */
export type AnyProjection = Projection<Record<string, unknown>>;

/** What its rows are typed with matters to its fold and to its queries alone. */
export const anyProjection = (of: Omit<AnyProjection, 'on'> & { readonly on: object }): AnyProjection => of as AnyProjection;

/** The name of a read model: of the schema that its table lives in. */
export const readModelOf = ({ name, version }: Pick<Projection<object>, 'name' | 'version'>, generation?: number): string =>
  readModelName(name, version, generation);
