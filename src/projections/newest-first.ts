import { sql, type Kysely, type RawBuilder } from 'kysely';
import { cursorAt, InvalidCursor, keyIn, limitOf, type PageRequest } from './paging.js';

/** One of these values in a column; the ledger has an index `(company, column, …order)` for each. */
export type Filters<Row> = readonly (readonly [column: keyof Row & string, values: readonly string[] | undefined])[];

export interface ListOf<Row> {
  /** names the list in its cursors */
  readonly name: string;
  readonly company: string;
  /** newest first by these columns, the last of them unique within a company */
  readonly order: readonly (keyof Row & string)[];
  /** most selective first: the first one that is given chooses the index, the others only pass or drop what it finds */
  readonly filters: Filters<Row>;
  /** text that must occur, in whatever case */
  readonly contains?: readonly [column: keyof Row & string, text: string | undefined];
  readonly page: PageRequest;
  readonly limits?: { readonly otherwise: number; readonly most: number };
}

/** A list whose rows are in a table. */
export interface List<Row> extends ListOf<Row> {
  readonly schema: string;
  readonly table: string;
}

/** How many rows one page may cost: a filter that drops more gets a partial page that goes on from there. */
const mostScanned = 3_000;

export async function newestFirst<Row>(
  db: Kysely<Record<string, object>>,
  list: List<Row>,
): Promise<{ rows: Row[]; next?: string }> {
  const limit = limitOf(list.page, list.limits);
  const given = list.filters.filter(([, values]) => values && values.length > 0);
  const dropping = given.length > 1 || Boolean(list.contains?.[1]);
  const scanned = dropping ? mostScanned : limit + 1;
  const found = await sql<Row>`
    with scanned as (${scan(list, given[0], scanned)})
    select *
    from scanned
    where ${kept(list, given.slice(1))}
    order by ${newest(list)}
    limit ${limit + 1}`
    .execute(db)
    .catch((error: unknown) => refuseCursor(error, list.page.cursor));
  const rows = found.rows.slice(0, limit);
  if (found.rows.length > limit) return { rows, next: cursorOf(list, rows.at(-1)!) };
  return dropping ? { rows, next: await endOfScan(db, list, given[0]) } : { rows };
}

type Given<Row> = List<Row>['filters'][number];

/** Index order for each value of the filter, merged. */
function scan<Row>(list: List<Row>, filter: Given<Row> | undefined, limit: number): RawBuilder<unknown> {
  return sql`
    select found.*
    from unnest(${filter ? [...new Set(filter[1])] : ['']}::text[]) as filter (value)
    cross join lateral (
      select *
      from ${sql.id(list.schema, list.table)}
      where company = ${list.company}
        and ${filter ? sql`${sql.id(filter[0])} = filter.value` : sql`true`}
        and ${beyond(list)}
      order by ${newest(list)}
      limit ${limit}
    ) found
    order by ${newest(list)}
    limit ${limit}`;
}

function beyond<Row>({ name, order, page: { cursor } }: List<Row>): RawBuilder<unknown> {
  if (cursor === undefined) return sql`true`;
  return sql`(${columns(order)}) < (${sql.join(keyIn(name, order.length, cursor))})`;
}

function kept<Row>({ contains }: List<Row>, filters: Filters<Row>): RawBuilder<unknown> {
  const conditions = filters.map(([column, values]) => sql`${sql.id(column)} = any(${values}::text[])`);
  if (contains?.[1]) conditions.push(sql`strpos(lower(${sql.id(contains[0])}), lower(${contains[1]})) > 0`);
  return conditions.length > 0 ? sql.join(conditions, sql` and `) : sql`true`;
}

/** Where the scan stopped short of the end, if it did. */
async function endOfScan<Row>(db: Kysely<Record<string, object>>, list: List<Row>, filter: Given<Row> | undefined) {
  const { rows } = await sql<Row>`
    select ${columns(list.order)}
    from (${scan(list, filter, mostScanned)}) scanned
    order by ${newest(list)}
    offset ${mostScanned - 1}`.execute(db);
  return rows[0] && cursorOf(list, rows[0]);
}

const columns = (names: readonly string[]) => sql.join(names.map((name) => sql.id(name)));
const newest = <Row>({ order }: List<Row>) => sql.join(order.map((column) => sql`${sql.id(column)} desc`));
const cursorOf = <Row>({ name, order }: List<Row>, row: Row): string =>
  cursorAt(
    name,
    order.map((column) => String(row[column])),
  );

/** A key of the right form may still hold what is no time or no id. */
function refuseCursor(error: unknown, cursor: string | undefined): never {
  if (cursor !== undefined && error instanceof Error && 'code' in error && String(error.code).startsWith('22'))
    throw new InvalidCursor(cursor);
  throw error;
}
