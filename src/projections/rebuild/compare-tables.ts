import type pg from 'pg';
import type { Comparison, DifferenceSample } from '../../events/operations.js';

/** Two tables of one name, in two schemas, with the same key. */
export interface Tables {
  readonly name: string;
  readonly key: readonly string[];
  readonly live: string;
  readonly rebuilt: string;
  /** columns that may differ */
  readonly meant: readonly string[];
}

/** A column that both have, and how it is compared. */
interface Both {
  readonly column: string;
  readonly live: string;
  readonly rebuilt: string;
  readonly differs: string;
  readonly meant: boolean;
}

const samples = 10;
const sampleLength = 200;

/** As the transaction of `client` sees them. Counts come from one join of both; only what differs is looked at again. */
export async function compareTables(client: pg.PoolClient, tables: Tables): Promise<Omit<Comparison, 'position'>> {
  await client.query(`set local work_mem = '64MB'`);
  await client.query(`set local timezone = 'UTC'`);
  const { both, ...onlyOf } = await columnsOf(client, tables);
  const sql = statements(tables, both);
  const counts = await one<Counts>(client, sql.counts);
  const columns = counts.differing > 0 ? await differingColumns(client, sql, both) : [];
  const changed = columns.some(({ meant }) => !meant) ? (await one<{ rows: number }>(client, sql.changed)).rows : 0;
  const { liveRows, rebuiltRows, onlyLive, onlyRebuilt } = counts;
  return {
    liveRows,
    rebuiltRows,
    onlyLive: { rows: onlyLive, samples: onlyLive > 0 ? await keys(client, sql.onlyLive) : [] },
    onlyRebuilt: { rows: onlyRebuilt, samples: onlyRebuilt > 0 ? await keys(client, sql.onlyRebuilt) : [] },
    changed: { rows: changed, samples: changed > 0 ? await changedRows(client, sql.changedRows, both) : [] },
    columns,
    ...onlyOf,
    agrees: onlyLive + onlyRebuilt + changed === 0,
  };
}

interface Counts {
  liveRows: number;
  rebuiltRows: number;
  onlyLive: number;
  onlyRebuilt: number;
  differing: number;
}

function statements({ name, key, live, rebuilt }: Tables, both: readonly Both[]) {
  const sameKey = key.map((column) => `live.${column} = rebuilt.${column}`).join(' and ');
  const joined = `${live}.${name} live\n      join ${rebuilt}.${name} rebuilt on ${sameKey}`;
  const anyOf = (columns: readonly Both[]) => columns.map(({ differs }) => differs).join(' or ') || 'false';
  const unmeant = anyOf(both.filter(({ meant }) => !meant));
  const keyOf = (side: string) => `array[${key.map((column) => `${side}.${column}::text`).join(', ')}]`;
  const orderOf = (side: string) => key.map((column) => `${side}.${column}`).join(', ');
  const onlyOf = (side: string, other: string, from: string) => `
      select ${keyOf(side)} as key
      from ${from}.${name} ${side}
      left join ${from === live ? rebuilt : live}.${name} ${other} on ${sameKey}
      where ${other}.${key[0]} is null
      order by ${orderOf(side)}
      limit ${samples}`;
  return {
    counts: `
      select
        count(live.${key[0]}) as "liveRows",
        count(rebuilt.${key[0]}) as "rebuiltRows",
        count(*) filter (where rebuilt.${key[0]} is null) as "onlyLive",
        count(*) filter (where live.${key[0]} is null) as "onlyRebuilt",
        count(*) filter (where live.${key[0]} is not null and rebuilt.${key[0]} is not null and (${anyOf(both)})) as differing
      from ${live}.${name} live
      full join ${rebuilt}.${name} rebuilt on ${sameKey}`,
    columns: `
      select ${both.map(({ differs }, n) => `count(*) filter (where ${differs}) as "${n}"`).join(', ')}
      from ${joined}
      where ${anyOf(both)}`,
    changed: `
      select count(*) as rows
      from ${joined}
      where ${unmeant}`,
    onlyLive: onlyOf('live', 'rebuilt', live),
    onlyRebuilt: onlyOf('rebuilt', 'live', rebuilt),
    changedRows: `
      select ${[`${keyOf('live')} as key`, ...both.map(sampleOf)].join(', ')}
      from ${joined}
      where ${unmeant}
      order by ${orderOf('live')}
      limit ${samples}`,
  };
}

const sampleOf = ({ differs, live, rebuilt }: Both, n: number): string =>
  `case when ${differs} then array[left(${live}::text, ${sampleLength}), left(${rebuilt}::text, ${sampleLength})] end as "${n}"`;

async function one<Row extends object>(client: pg.PoolClient, statement: string): Promise<Row> {
  const { rows } = await client.query<Row>(statement);
  return rows[0]!;
}

async function differingColumns(
  client: pg.PoolClient,
  sql: { columns: string },
  both: readonly Both[],
): Promise<Comparison['columns']> {
  const counts = await one<Record<string, number>>(client, sql.columns);
  return both.map(({ column, meant }, n) => ({ column, rows: counts[n]!, meant })).filter(({ rows }) => rows > 0);
}

async function keys(client: pg.PoolClient, statement: string): Promise<DifferenceSample[]> {
  const { rows } = await client.query<{ key: string[] }>(statement);
  return rows;
}

async function changedRows(client: pg.PoolClient, statement: string, both: readonly Both[]): Promise<DifferenceSample[]> {
  const { rows } = await client.query<{ key: string[]; [n: number]: [string | null, string | null] | null }>(statement);
  return rows.map((row) => ({
    key: row.key,
    columns: both.flatMap(({ column }, n) => {
      const values = row[n];
      return values ? { column, live: values[0], rebuilt: values[1] } : [];
    }),
  }));
}

interface ColumnOfBoth {
  readonly column: string;
  readonly live: boolean;
  readonly rebuilt: boolean;
  /** of the same type and collation */
  readonly alike: boolean;
}

async function columnsOf(
  client: pg.PoolClient,
  { name, key, live, rebuilt, meant }: Tables,
): Promise<{ both: Both[]; onlyLiveColumns: string[]; onlyRebuiltColumns: string[] }> {
  const { rows } = await client.query<ColumnOfBoth>(
    `select
       attname as column,
       bool_or(attrelid = to_regclass($1)) as live,
       bool_or(attrelid = to_regclass($2)) as rebuilt,
       count(distinct (atttypid, attcollation)) = 1 as alike
     from pg_attribute
     where attrelid in (to_regclass($1), to_regclass($2))
       and attnum > 0
       and not attisdropped
     group by attname
     order by min(attnum), attname`,
    [`${live}.${name}`, `${rebuilt}.${name}`],
  );
  const both = rows.filter((row) => row.live && row.rebuilt && !key.includes(row.column));
  return {
    both: both.map((row) => compared(row, meant)),
    onlyLiveColumns: rows.filter((row) => !row.rebuilt).map(({ column }) => column),
    onlyRebuiltColumns: rows.filter((row) => !row.live).map(({ column }) => column),
  };
}

/** What is not of one type is compared as it is written. */
function compared({ column, alike }: ColumnOfBoth, meant: readonly string[]): Both {
  const as = alike ? '' : '::text collate "C"';
  const [live, rebuilt] = [`live.${column}`, `rebuilt.${column}`];
  return { column, live, rebuilt, differs: `${live}${as} is distinct from ${rebuilt}${as}`, meant: meant.includes(column) };
}
