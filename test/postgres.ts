import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { createPool } from '../src/database.js';
import { startEmbeddedPostgres } from '../src/embedded-postgres.js';
import { migrate } from '../src/migrator.js';

export interface TestDatabase {
  url: string;
  pool: pg.Pool;
  /** Closes `pool`, cuts off whoever is still connected, and removes the database. */
  drop(): Promise<void>;
}

/** A migrated database of the test file's own, on the one Postgres of the test run; about 20 ms. */
export function freshDatabase(): Promise<TestDatabase> {
  return createDatabase('template migrated strategy file_copy');
}

/** A database in which nothing has run yet. */
export function emptyDatabase(): Promise<TestDatabase> {
  return createDatabase('');
}

/** What a database holds that nobody is connected to, in one of the caller's own; about 50 ms. */
export function copyOf({ url }: TestDatabase): Promise<TestDatabase> {
  return createDatabase(`template ${new URL(url).pathname.slice(1)} strategy file_copy`);
}

async function createDatabase(how: string): Promise<TestDatabase> {
  const server = await testServer();
  const name = `test_${randomBytes(6).toString('hex')}`;
  await administer(server, (admin) => admin.query(`create database ${name} ${how}`));
  const url = inDatabase(server, name);
  const pool = createPool(url, 'read');
  const drop = async () => {
    await pool.end();
    await administer(server, (admin) => admin.query(`drop database if exists ${name} with (force)`));
  };
  return { url, pool, drop };
}

let started: Promise<string> | undefined;

/** The url of the test run's server; whichever test process comes first starts it and prepares the template. */
function testServer(): Promise<string> {
  started ??= startEmbeddedPostgres({ home: process.env.TEST_LEDGER_HOME ?? '', durable: false }).then(async ({ url }) => {
    await administer(url, (admin) => prepareTemplate(url, admin));
    return url;
  });
  return started;
}

async function prepareTemplate(server: string, admin: pg.Client): Promise<void> {
  await admin.query('select pg_advisory_lock(1)');
  const { rowCount } = await admin.query(`select 1 from pg_database where datname = 'migrated'`);
  if (rowCount) return;
  await admin.query('drop database if exists migrating');
  await admin.query('create database migrating');
  const pool = createPool(inDatabase(server, 'migrating'), 'admin');
  await migrate(pool).finally(() => pool.end());
  await admin.query('alter database migrating rename to migrated');
}

async function administer(server: string, work: (admin: pg.Client) => Promise<unknown>): Promise<void> {
  const admin = new pg.Client(server);
  await admin.connect();
  try {
    await work(admin);
  } finally {
    await admin.end();
  }
}

function inDatabase(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = name;
  return url.href;
}
