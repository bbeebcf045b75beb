import { spawn, spawnSync } from 'node:child_process';
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
import { join } from 'node:path';
import type { RunsAs } from './binaries.js';
import { lockOf, removeStaleLock, within, type Postmaster } from './postmaster.js';

const maxLogBytes = 5_000_000;

/** The files of one Postgres, and how it is run. */
export interface Cluster {
  /** folder with `initdb` and `postgres` */
  bin: string;
  dataDir: string;
  user: RunsAs;
  durable: boolean;
}

/** Beside the final folder and then renamed, so that two starters never meet in a half-made one. */
export function initialise(cluster: Cluster, password: string): void {
  const { dataDir, user } = cluster;
  const half = `${dataDir}.${process.pid}`;
  const passwordFile = `${half}.password`;
  mkdirSync(half, { recursive: true, mode: 0o700 });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (user.uid !== undefined) [half, passwordFile].forEach((path) => chownSync(path, user.uid, user.gid));
  try {
    initdb({ ...cluster, dataDir: half }, passwordFile);
    renameSync(half, dataDir);
  } catch (error) {
    if (!existsSync(join(dataDir, 'PG_VERSION'))) throw error;
  } finally {
    rmSync(passwordFile, { force: true });
    rmSync(half, { recursive: true, force: true });
  }
}

/** Tries again when it fails at once, because the orphans of a killed server hold its shared memory for a moment. */
export async function launch(
  cluster: Cluster,
  port: number,
  { tries = 3, startMs = 30_000 } = {},
): Promise<{ server: Postmaster; joined: boolean }> {
  removeStaleLock(cluster.dataDir);
  const child = spawnServer(cluster, port);
  const ended = () => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
  child.on('error', () => {});
  child.unref();
  const outcome = await within(startMs, () => {
    const lock = lockOf(cluster.dataDir);
    if (typeof lock === 'object') return lock.ready ? lock : undefined;
    return ended() && lock !== 'written' ? 'failed' : undefined;
  });
  if (typeof outcome === 'object') return { server: outcome, joined: outcome.pid !== child.pid };
  if (outcome === 'failed' && tries > 1) return launch(cluster, port, { tries: tries - 1, startMs });
  // At once: whatever it was doing, it recovers from that at the next start.
  child.kill('SIGQUIT');
  await within(5_000, () => ended() || undefined);
  const log = readFileSync(join(cluster.dataDir, 'server.log'), 'utf8');
  throw new Error(`Postgres did not start on ${cluster.dataDir}: ${log.slice(-800)}`);
}

function initdb({ bin, dataDir, user, durable }: Cluster, passwordFile: string): void {
  const args = ['-D', dataDir, '-U', 'ledger', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`];
  args.push('-E', 'UTF8', '--locale=C', '--no-instructions', ...(durable ? [] : ['--no-sync']));
  const { status, error, stdout, stderr } = spawnSync(join(bin, 'initdb'), args, {
    ...user,
    cwd: '/',
    env: plainEnv,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`initdb could not prepare ${dataDir}: ${error?.message ?? stdout + stderr}`);
}

function spawnServer({ bin, dataDir, user, durable }: Cluster, port: number) {
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

/** Postgres reads PGDATA, PGPORT and the like; nothing of the operator's environment may reach it. */
const plainEnv = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
