import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { applicationName } from './database.js';
import { binaries, runsAs } from './embedded-postgres/binaries.js';
import { keptPassword, keptPort, locate } from './embedded-postgres/home.js';
import { initialise, launch } from './embedded-postgres/launch.js';
import { lockOf, postmaster, within, type Postmaster } from './embedded-postgres/postmaster.js';

export interface EmbeddedPostgresOptions {
  /** Folder of the ledger's own files (LEDGER_HOME); password, port and data are kept in it. */
  home: string;
  /** false: no fsync anywhere. Only for tests, where a crash loses nothing anybody wants. */
  durable?: boolean;
}

export interface EmbeddedPostgres {
  url: string;
  port: number;
  pid: number;
  dataDir: string;
  /** It ran already, started by another process or left behind by one that was killed. */
  joined: boolean;
  /** A sentence for the operator when the data is not under `home`, and what to do about it. */
  note: string | undefined;
  /** Ends the server, unless another process of the ledger still uses it. Close your pools first. */
  stop(): Promise<void>;
}

const startMs = 30_000;
const stopMs = 60_000;

/**
 * Starts Postgres under `home`, or joins the one that runs there. Two processes that start at once end up with one server.
 * The server survives a killed parent; the next start joins it.
 */
export async function startEmbeddedPostgres({ home, durable = true }: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const user = runsAs(join(home, 'postgres'));
  const paths = locate(resolve(home), user);
  const password = keptPassword(paths);
  const url = (port: number) => `postgres://ledger:${password}@127.0.0.1:${port}/postgres`;
  const handle = ({ pid, port }: Postmaster, joined: boolean): EmbeddedPostgres => {
    const { dataDir, note } = paths;
    return { url: url(port), port, pid, dataDir, joined, note, stop: () => stopIfLast(url(port), dataDir) };
  };

  const before = await settled(paths.dataDir, url);
  if (before) return handle(before, true);
  const cluster = { bin: binaries(user), dataDir: paths.dataDir, user, durable };
  if (!existsSync(join(paths.dataDir, 'PG_VERSION'))) initialise(cluster, password);
  const { server, joined } = await launch(cluster, await keptPort(paths.portFile));
  return handle(server, joined);
}

/** The running server once it takes connections; undefined when none runs, or when the one that did has gone. */
async function settled(dataDir: string, url: (port: number) => string): Promise<Postmaster | undefined> {
  const answer = await within(startMs, async () => {
    const lock = lockOf(dataDir);
    if (typeof lock === 'string') return lock === 'written' ? undefined : 'none';
    return lock.ready && (await takesConnections(url(lock.port))) ? lock : undefined;
  });
  if (answer === undefined)
    throw new Error(`the Postgres on ${dataDir} neither starts nor stops: see ${join(dataDir, 'server.log')}`);
  return answer === 'none' ? undefined : answer;
}

/** Not while it starts, stops or recovers. Any other complaint is for the one who connects next. */
async function takesConnections(url: string): Promise<boolean> {
  const client = new pg.Client(url);
  client.on('error', () => {});
  try {
    await client.connect();
    return true;
  } catch (error) {
    return !['57P03', 'ECONNREFUSED', 'ECONNRESET'].includes((error as NodeJS.ErrnoException).code ?? '');
  } finally {
    await client.end().catch(() => {});
  }
}

async function stopIfLast(url: string, dataDir: string): Promise<void> {
  const server = postmaster(dataDir);
  if (!server || (await othersUse(url))) return;
  process.kill(server.pid, 'SIGINT');
  const gone = await within(stopMs, () => (postmaster(dataDir) ? undefined : true));
  if (!gone)
    throw new Error(`Postgres (pid ${server.pid}) did not stop within ${stopMs / 1000} s: see ${join(dataDir, 'server.log')}`);
}

/** Sessions of our own, just closed, take a moment to leave the list. */
async function othersUse(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, application_name: 'stopping' });
  client.on('error', () => {});
  try {
    await client.connect();
    const alone = await within(500, async () => ((await otherSessions(client)) === 0 ? true : undefined));
    return alone === undefined;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

async function otherSessions(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ n: number }>(
    `select count(*)::int as n
       from pg_stat_activity
      where application_name like $1`,
    [`${applicationName('')}%`],
  );
  return rows[0]?.n ?? 0;
}
