import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { applicationName } from './database.js';
import { binaries, runsAs, systemFolder, type RunsAs } from './postgres-binaries.js';
import { postmaster, within, type Postmaster } from './postmaster.js';

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
const maxLogBytes = 5_000_000;

/**
 * Starts Postgres under `home`, or joins the one that runs there. Two processes that start at once end up with one server.
 * The server survives a killed parent; the next start joins it.
 */
export async function startEmbeddedPostgres({ home, durable = true }: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const user = runsAs();
  const paths = locate(resolve(home), user);
  const password = keptPassword(paths);
  const url = (port: number) => `postgres://ledger:${password}@127.0.0.1:${port}/postgres`;
  const handle = ({ pid, port }: Postmaster, joined: boolean): EmbeddedPostgres => {
    const { dataDir, note } = paths;
    return { url: url(port), port, pid, dataDir, joined, note, stop: () => stopIfLast(url(port), dataDir) };
  };

  const before = await settled(paths.dataDir, url);
  if (before) return handle(before, true);
  const bin = binaries(user);
  if (!existsSync(join(paths.dataDir, 'PG_VERSION'))) initialise(bin, paths.dataDir, password, user, durable);
  const port = await keptPort(paths.portFile);
  const { server, joined } = await launch(bin, paths.dataDir, port, user, durable);
  return handle(server, joined);
}

interface Paths {
  dataDir: string;
  passwordFile: string;
  portFile: string;
  note?: string;
}

/** Root's Postgres runs as another user: where that one cannot reach `home`, the data goes where it can. */
function locate(home: string, user: RunsAs): Paths {
  mkdirSync(home, { recursive: true });
  const files = { passwordFile: join(home, 'postgres.password'), portFile: join(home, 'postgres.port') };
  const inside = join(home, 'postgres');
  if (user.uid === undefined || canReach(home, user)) return { dataDir: inside, ...files };
  const outside = join(systemFolder, createHash('sha256').update(home).digest('hex').slice(0, 16));
  mkdirSync(systemFolder, { recursive: true, mode: 0o755 });
  const note =
    `Postgres runs as user ${user.uid} for root, who cannot reach ${home}: the data is in ${outside}. ` +
    'To keep it elsewhere, set LEDGER_HOME to a folder that user can reach, or start as a normal user.';
  writeFileSync(join(home, 'postgres.location'), `${note}\n`);
  return { dataDir: outside, note, ...files };
}

function canReach(folder: string, user: RunsAs): boolean {
  return spawnSync('/bin/sh', ['-c', 'test -x "$0"', folder], { ...user, cwd: '/' }).status === 0;
}

/** Made once; whoever comes second reads what the first one wrote. */
function keptPassword({ passwordFile, dataDir }: Paths): string {
  if (!existsSync(passwordFile) && existsSync(join(dataDir, 'PG_VERSION'))) {
    throw new Error(`${passwordFile} is missing, and the data in ${dataDir} needs it: put it back, or remove both to begin anew`);
  }
  try {
    writeFileSync(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readFileSync(passwordFile, 'utf8').trim();
}

/** The running server once it takes connections; undefined when none runs, or when the one that did has gone. */
async function settled(dataDir: string, url: (port: number) => string): Promise<Postmaster | undefined> {
  const answer = await within(startMs, async () => {
    const server = postmaster(dataDir);
    if (!server) return 'none';
    return server.ready && (await takesConnections(url(server.port))) ? server : undefined;
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

/** Beside the final folder and then renamed, so that two starters never meet in a half-made one. */
function initialise(bin: string, dataDir: string, password: string, user: RunsAs, durable: boolean): void {
  const half = `${dataDir}.${process.pid}`;
  const passwordFile = `${half}.password`;
  mkdirSync(half, { recursive: true, mode: 0o700 });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (user.uid !== undefined) [half, passwordFile].forEach((path) => chownSync(path, user.uid, user.gid));
  try {
    initdb(bin, half, passwordFile, user, durable);
    renameSync(half, dataDir);
  } catch (error) {
    if (!existsSync(join(dataDir, 'PG_VERSION'))) throw error;
  } finally {
    rmSync(passwordFile, { force: true });
    rmSync(half, { recursive: true, force: true });
  }
}

function initdb(bin: string, folder: string, passwordFile: string, user: RunsAs, durable: boolean): void {
  const args = ['-D', folder, '-U', 'ledger', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`];
  args.push('-E', 'UTF8', '--locale=C', '--no-instructions', ...(durable ? [] : ['--no-sync']));
  const { status, error, stdout, stderr } = spawnSync(join(bin, 'initdb'), args, {
    ...user,
    cwd: '/',
    env: plainEnv,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`initdb could not prepare ${folder}: ${error?.message ?? stdout + stderr}`);
}

/** Postgres reads PGDATA, PGPORT and the like; nothing of the operator's environment may reach it. */
const plainEnv = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

/** The same port at every start, as long as nobody else has taken it. */
async function keptPort(file: string): Promise<number> {
  const kept = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  const port = await freePort(kept).catch(() => freePort(0));
  if (port !== kept) writeFileSync(file, `${port}\n`);
  return port;
}

function freePort(wanted: number): Promise<number> {
  return new Promise((done, fail) => {
    const probe = createServer();
    probe.once('error', fail);
    probe.listen(wanted, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => (address !== null && typeof address === 'object' ? done(address.port) : fail(new Error('no free port'))));
    });
  });
}

/** A second try, because the orphans of a killed server hold its shared memory for a moment. */
async function launch(
  bin: string,
  dataDir: string,
  port: number,
  user: RunsAs,
  durable: boolean,
  tries = 3,
): Promise<{ server: Postmaster; joined: boolean }> {
  const child = spawnServer(bin, dataDir, port, user, durable);
  const ended = { yes: false };
  child.once('exit', () => (ended.yes = true));
  child.once('error', () => (ended.yes = true));
  child.unref();
  const server = await within(startMs, () => {
    const found = postmaster(dataDir);
    if (found?.ready) return found;
    return ended.yes && !found ? 'failed' : undefined;
  });
  if (server && server !== 'failed') return { server, joined: server.pid !== child.pid };
  if (server === 'failed' && tries > 1) return launch(bin, dataDir, port, user, durable, tries - 1);
  throw new Error(`Postgres did not start on ${dataDir}: ${readFileSync(join(dataDir, 'server.log'), 'utf8').slice(-800)}`);
}

function spawnServer(bin: string, dataDir: string, port: number, user: RunsAs, durable: boolean) {
  const log = openLog(join(dataDir, 'server.log'), user);
  const args = Object.entries(settings(dataDir, port, durable)).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(join(bin, 'postgres'), ['-D', dataDir, ...args], {
    ...user,
    cwd: '/',
    env: plainEnv,
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  return child;
}

function openLog(file: string, user: RunsAs): number {
  const tooLong = existsSync(file) && statSync(file).size > maxLogBytes;
  const log = openSync(file, tooLong ? 'w' : 'a', 0o600);
  if (user.uid !== undefined) chownSync(file, user.uid, user.gid);
  return log;
}

function settings(dataDir: string, port: number, durable: boolean): Record<string, string | number> {
  return {
    listen_addresses: '127.0.0.1',
    port,
    // A socket path may not be longer than about 100 bytes.
    unix_socket_directories: dataDir.length < 80 ? dataDir : '',
    max_connections: 200,
    timezone: 'UTC',
    jit: 'off',
    log_checkpoints: 'off',
    // Statements carry payloads, which do not belong in a log.
    log_min_error_statement: 'panic',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', autovacuum: 'off' }),
  };
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
