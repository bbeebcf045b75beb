import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../dist/embedded-postgres.js';

const home = fileURLToPath(new URL('../.ledger', import.meta.url));
const made = new Set();

/**
 * A Postgres that keeps what it was told to: the one of DATABASE_URL, or the embedded one, which stays under bench/ between runs.
 * Databases that are made here are dropped by `close`.
 */
export async function openPostgres() {
  const server = process.env.DATABASE_URL
    ? { url: process.env.DATABASE_URL, stop: async () => {} }
    : await startEmbeddedPostgres({ home });
  const admin = new pg.Client(server.url);
  await admin.connect();
  await refuseForgetful(admin);
  return {
    dataDir: server.dataDir,
    version: (await admin.query('show server_version')).rows[0].server_version,
    /** An empty database, or a copy of one that nobody is connected to; its url. */
    async database(name, template) {
      await admin.query(`drop database if exists ${name} with (force)`);
      await admin.query(`create database ${name} ${template ? `template ${template}` : ''}`);
      made.add(name);
      return urlOf(server.url, name);
    },
    async drop(name) {
      await admin.query(`drop database if exists ${name} with (force)`);
      made.delete(name);
    },
    /** So that no checkpoint of one side falls into the time of the next. */
    checkpoint: () => admin.query('checkpoint'),
    async close() {
      for (const name of made) await admin.query(`drop database if exists ${name} with (force)`);
      await admin.end();
      await server.stop();
    },
  };
}

async function refuseForgetful(admin) {
  for (const name of ['fsync', 'synchronous_commit', 'full_page_writes']) {
    const { rows } = await admin.query(`show ${name}`);
    if (rows[0][name] !== 'on')
      throw new Error(`${name} is ${rows[0][name]}: what is measured here is to be durable; set it to on`);
  }
}

function urlOf(server, database) {
  const url = new URL(server);
  url.pathname = database;
  return url.href;
}
