import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type pg from 'pg';

const folder = new URL('../migrations/', import.meta.url);
const oldestPostgres = 14;

/**
 * Brings the database to the schema of this code: `migrations/NNNN_*.sql` in order, each in a transaction of its own, each once,
 * however many processes start at the same time. Answers the names of those that it ran.
 * Refuses a Postgres before 14, a migration that was edited after it ran, and a database that is ahead of this code.
 */
export async function migrate(pool: pg.Pool): Promise<string[]> {
  await refuseOldPostgres(pool);
  const migrations = readMigrations();
  if (pending(migrations, await applied(pool)).length === 0) return [];
  const ran: string[] = [];
  for (;;) {
    const name = await runNext(pool, migrations);
    if (name === undefined) return ran;
    ran.push(name);
  }
}

/** What this code has and the database has not run; throws the sentence of a database that is edited, or ahead of this code. */
export async function pendingMigrations(pool: pg.Pool): Promise<string[]> {
  return pending(readMigrations(), await applied(pool)).map(({ name }) => name);
}

interface Migration {
  name: string;
  sql: string;
  checksum: string;
}

type Applied = Map<string, string>;

function readMigrations(): Migration[] {
  return readdirSync(folder)
    .filter((name) => /^\d{4}_.*\.sql$/.test(name))
    .sort()
    .map((name) => {
      const sql = readFileSync(new URL(name, folder), 'utf8').replaceAll('\r\n', '\n');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    });
}

async function refuseOldPostgres(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ version: string }>(`select current_setting('server_version') as version`);
  const version = rows[0]?.version ?? '';
  if (Number.parseInt(version, 10) >= oldestPostgres) return;
  throw new Error(`Postgres ${version} is too old: point DATABASE_URL at version ${oldestPostgres} or newer`);
}

/** Looks into pg_tables, because `to_regclass` remembers across a wait for a lock that there was no such table. */
async function applied(db: pg.Pool | pg.PoolClient): Promise<Applied> {
  const { rowCount } = await db.query(`
    select 1
      from pg_tables
     where schemaname = current_schema()
       and tablename = 'schema_migrations'`);
  if (!rowCount) return new Map();
  const { rows } = await db.query<{ name: string; checksum: string }>('select name, checksum from schema_migrations');
  return new Map(rows.map(({ name, checksum }) => [name, checksum]));
}

function pending(migrations: Migration[], done: Applied): Migration[] {
  const known = new Set(migrations.map(({ name }) => name));
  const unknown = [...done.keys()].find((name) => !known.has(name));
  if (unknown)
    throw new Error(`the database has migration ${unknown}, which this version does not know: start a version that has it`);
  const edited = migrations.find(({ name, checksum }) => done.has(name) && done.get(name) !== checksum);
  if (edited) {
    throw new Error(
      `migrations/${edited.name} was edited after this database ran it: restore it, and put the change into a new migration`,
    );
  }
  return migrations.filter(({ name }) => !done.has(name));
}

/** The lock ends with the transaction; whoever waited for it looks again and finds the work done. */
async function runNext(pool: pg.Pool, migrations: Migration[]): Promise<string | undefined> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query(`select pg_advisory_xact_lock(hashtext('run-ledger schema_migrations'))`);
    const [next] = pending(migrations, await applied(client));
    if (next) await run(client, next);
    await client.query('commit');
    return next?.name;
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  } finally {
    client.release();
  }
}

async function run(client: pg.PoolClient, { name, sql, checksum }: Migration): Promise<void> {
  await client.query(`
    create table if not exists schema_migrations (
      name text primary key,
      checksum text not null,
      applied_at timestamptz not null default clock_timestamp()
    )`);
  await client.query(sql).catch((cause: unknown) => {
    throw new Error(`migrations/${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  });
  await client.query('insert into schema_migrations (name, checksum) values ($1, $2)', [name, checksum]);
}
