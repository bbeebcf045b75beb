import { createHash } from 'node:crypto';
import type pg from 'pg';

export const hashOfAddress = (publicId: string): Buffer => createHash('sha256').update(publicId).digest();

/** The tables of a database in which one of these texts stands somewhere, as it is or as bytes. */
export async function tablesWith(db: pg.Pool, texts: readonly string[]): Promise<string[]> {
  const tables = await db.query<{ name: string }>(`
    select format('%I.%I', table_schema, table_name) as name
    from information_schema.tables
    where table_schema not in ('pg_catalog', 'information_schema')
      and table_type = 'BASE TABLE'
    order by 1`);
  const patterns = texts.flatMap((text) => [`%${text}%`, `%${Buffer.from(text).toString('hex')}%`]);
  const found: string[] = [];
  for (const { name } of tables.rows) {
    const { rowCount } = await db.query(`select from ${name} row where row::text like any($1) limit 1`, [patterns]);
    if (rowCount) found.push(name);
  }
  return found;
}
