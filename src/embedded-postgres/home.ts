import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { accessSync, constants, existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { systemFolder, type RunsAs } from './binaries.js';

/** Where a ledger keeps its Postgres, and what has to stay the same from one start to the next. */
export interface Paths {
  dataDir: string;
  passwordFile: string;
  portFile: string;
  note?: string;
}

/** Root's Postgres runs as another user: where that one cannot reach `home`, the data goes where it can. */
export function locate(home: string, user: RunsAs): Paths {
  makeOurs(home);
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

function makeOurs(home: string): void {
  try {
    mkdirSync(home, { recursive: true });
    accessSync(home, constants.R_OK | constants.W_OK);
  } catch (cause) {
    throw new Error(`${home} cannot be written by this user: start as its owner, or set LEDGER_HOME to a folder of your own`, {
      cause,
    });
  }
}

function canReach(folder: string, user: RunsAs): boolean {
  return spawnSync('/bin/sh', ['-c', 'test -x "$0"', folder], { ...user, cwd: '/' }).status === 0;
}

/** Made once; whoever comes second reads what the first one wrote. */
export function keptPassword({ passwordFile, dataDir }: Paths): string {
  if (!existsSync(passwordFile) && existsSync(join(dataDir, 'PG_VERSION'))) {
    throw new Error(`${passwordFile} is missing, and the data in ${dataDir} needs it: put it back, or remove both to begin anew`);
  }
  if (existsSync(passwordFile)) return readFileSync(passwordFile, 'utf8').trim();
  const mine = `${passwordFile}.${process.pid}`;
  writeFileSync(mine, randomBytes(24).toString('base64url'), { mode: 0o600 });
  try {
    // A link appears with its content, so nobody reads half a password.
    linkSync(mine, passwordFile);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(mine, { force: true });
  }
  return readFileSync(passwordFile, 'utf8').trim();
}

/** The same port at every start, as long as nobody else has taken it. */
export async function keptPort(file: string): Promise<number> {
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
