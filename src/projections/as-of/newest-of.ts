import type { Filters, ListOf } from '../newest-first.js';
import { cursorAt, InvalidCursor, keyIn, limitOf } from '../paging.js';

/**
 * What `newestFirst` answers of a table, of rows that are in memory: the same filters, order, limits and cursors. Nothing that a filter
 * drops costs a page here, so no page is shorter than it could be.
 */
export function newestOf<Row>(rows: readonly Row[], list: ListOf<Row>): { rows: Row[]; next?: string } {
  const limit = limitOf(list.page, list.limits);
  const place = list.page.cursor === undefined ? undefined : placeIn(list, list.page.cursor);
  const found = rows
    .filter((row) => passes(row, list.filters) && has(row, list.contains))
    .toSorted((a, b) => compare(keyOf(list, b), keyOf(list, a)))
    .filter((row) => !place || compare(keyOf(list, row), place) < 0);
  const page = found.slice(0, limit);
  const last = found.length > limit ? page.at(-1) : undefined;
  return { rows: page, next: last && cursorAt(list.name, keyOf(list, last)) };
}

const passes = <Row>(row: Row, filters: Filters<Row>): boolean =>
  filters.every(([column, values]) => !values?.length || values.some((value) => value === row[column]));

function has<Row>(row: Row, [column, text]: NonNullable<ListOf<Row>['contains']> | readonly [] = []): boolean {
  if (!column || !text) return true;
  const value = row[column];
  return typeof value === 'string' && value.toLowerCase().includes(text.toLowerCase());
}

/** The first column of a list is a time, which compares like the text that it is. */
function placeIn<Row>({ name, order }: ListOf<Row>, cursor: string): string[] {
  const place = keyIn(name, order.length, cursor);
  if (Number.isNaN(Date.parse(place[0] ?? ''))) throw new InvalidCursor(cursor);
  return place;
}

const keyOf = <Row>({ order }: ListOf<Row>, row: Row): string[] => order.map((column) => String(row[column]));

function compare(a: readonly string[], b: readonly string[]): number {
  const first = a.findIndex((part, column) => part !== b[column]);
  return first < 0 ? 0 : a[first]! < b[first]! ? -1 : 1;
}
