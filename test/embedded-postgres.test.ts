import { spawn } from 'node:child_process';
import {
  chmodSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPool } from '../src/database.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../src/embedded-postgres.js';
import { launch } from '../src/embedded-postgres/launch.js';
import { postmaster, within } from '../src/embedded-postgres/postmaster.js';

let home: string;
let running: Set<number>;
let folders: Set<string>;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'run-ledger-home-'));
  chmodSync(home, 0o755);
  running = new Set();
  folders = new Set([home]);
});

afterEach(async () => {
  for (const pid of running) await ended(pid);
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

describe('the embedded Postgres', () => {
  it("keeps what it acknowledged, asks for a random password, and is its owner's alone", async () => {
    const server = await start();
    expect(await ask(server, 'show fsync')).toEqual({ fsync: 'on' });
    expect(await ask(server, 'show synchronous_commit')).toEqual({ synchronous_commit: 'on' });
    expect(await ask(server, 'show listen_addresses')).toEqual({ listen_addresses: '127.0.0.1' });
    expect(modeOf(join(home, 'postgres.password'))).toBe('600');
    expect(modeOf(server.dataDir)).toBe('700');
    await expect(ask({ url: server.url.replace(/:[^:@]+@/, ':wrong@') }, 'select 1')).rejects.toThrow(
      'password authentication failed',
    );
  });

  it('comes back with its data at the same port after a clean stop', async () => {
    const first = await start();
    await ask(first, 'create table kept as select 7 as n');
    await first.stop();
    expect(postmaster(first.dataDir)).toBeUndefined();
    const second = await start();
    expect(second).toMatchObject({ joined: false, port: first.port });
    expect(await ask(second, 'select n from kept')).toEqual({ n: 7 });
  });

  it('comes back with its data after it was killed', async () => {
    const first = await start();
    await ask(first, 'create table kept as select 7 as n');
    process.kill(first.pid, 'SIGKILL');
    const second = await start();
    expect(second.pid).not.toBe(first.pid);
    expect(await ask(second, 'select n from kept')).toEqual({ n: 7 });
  });

  it('is joined by a second process, and goes on until the last one leaves', async () => {
    const first = await start();
    const second = await start();
    expect(second).toMatchObject({ joined: true, pid: first.pid, url: first.url });
    const pool = createPool(second.url, 'read');
    await pool.query('select 1');
    await first.stop();
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await pool.end();
    await second.stop();
    expect(postmaster(first.dataDir)).toBeUndefined();
  });

  it('runs once when several processes start it at the same time', async () => {
    const servers = await Promise.all([start(), start(), start()]);
    expect(new Set(servers.map(({ pid }) => pid)).size).toBe(1);
    expect(await ask(servers[2], 'select 1 as one')).toEqual({ one: 1 });
  });

  it('is not fooled by the lock file of a dead one whose pid now belongs to another program', async () => {
    const first = await start();
    await first.stop();
    const other = spawn('sleep', ['60']);
    const lock = [other.pid, first.dataDir, 1, first.port, '', '127.0.0.1', '', 'ready', ''];
    writeFileSync(join(first.dataDir, 'postmaster.pid'), lock.join('\n'));
    const second = await start();
    expect(second.joined).toBe(false);
    expect(await ask(second, 'select 1 as one')).toEqual({ one: 1 });
    other.kill();
  });

  it('waits for a lock file that is not written yet, and joins the server that writes it', async () => {
    const first = await start();
    const lock = join(first.dataDir, 'postmaster.pid');
    const written = readFileSync(lock, 'utf8');
    writeFileSync(lock, '');
    const second = start();
    expect(postmaster(first.dataDir)).toBeUndefined();
    expect(readFileSync(lock, 'utf8')).toBe('');
    writeFileSync(lock, written);
    expect(await second).toMatchObject({ joined: true, pid: first.pid });
  });

  it('starts over an empty lock file that a crash has left', async () => {
    const first = await start();
    await first.stop();
    const lock = join(first.dataDir, 'postmaster.pid');
    writeFileSync(lock, '');
    utimesSync(lock, 0, 0);
    const second = await start();
    expect(second.joined).toBe(false);
    expect(await ask(second, 'select 1 as one')).toEqual({ one: 1 });
  });

  it('leaves no process behind when it does not start in time', async () => {
    const bin = join(home, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'postgres'), '#!/bin/sh\necho "I am $$"\nexec sleep 60\n', { mode: 0o755 });
    const cluster = { bin, dataDir: home, user: {}, durable: true };
    await expect(launch(cluster, 1, { startMs: 500 })).rejects.toThrow(/did not start on .*: I am \d+/);
    const pid = Number(/\d+/.exec(readFileSync(join(home, 'server.log'), 'utf8'))?.[0]);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it('moves to another port when somebody has taken its own', async () => {
    const first = await start();
    await first.stop();
    const other = createServer().listen(first.port, '127.0.0.1');
    const second = await start();
    expect(second.port).not.toBe(first.port);
    other.close();
  });

  it('says what to do when the password of its data is gone', async () => {
    const server = await start();
    await server.stop();
    rmSync(join(home, 'postgres.password'));
    await expect(start()).rejects.toThrow('put it back, or remove both to begin anew');
  });
});

const asRoot = process.getuid?.() === 0 ? describe : describe.skip;

asRoot('the embedded Postgres of root', () => {
  it('keeps its data where its user can reach it, and leaves a note, when the folder is closed to that user', async () => {
    chmodSync(home, 0o700);
    const server = await start();
    folders.add(server.dataDir);
    expect(await ask(server, 'select 1 as one')).toEqual({ one: 1 });
    expect(readFileSync(join(home, 'postgres.location'), 'utf8')).toContain(server.dataDir);
  });

  it('goes on as the user whose data it finds', async () => {
    const first = await start();
    await ask(first, 'create table kept as select 7 as n');
    await first.stop();
    const [nobody, nogroup] = [65534, 65534];
    const files = readdirSync(first.dataDir, { recursive: true, encoding: 'utf8' });
    for (const file of ['.', ...files]) lchownSync(join(first.dataDir, file), nobody, nogroup);
    const second = await start();
    expect(await ask(second, 'select n from kept')).toEqual({ n: 7 });
    expect(statSync(join(second.dataDir, 'postmaster.pid')).uid).toBe(nobody);
  });
});

async function start(): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ home });
  running.add(server.pid);
  return server;
}

async function ask({ url }: { url: string }, sql: string): Promise<unknown> {
  const pool = createPool(url, 'admin');
  try {
    return (await pool.query(sql)).rows[0];
  } finally {
    await pool.end();
  }
}

/** At once, but not by SIGKILL, which would leave shared memory behind. */
async function ended(pid: number): Promise<void> {
  await within(10_000, () => {
    try {
      process.kill(pid, 'SIGQUIT');
      return undefined;
    } catch {
      return true;
    }
  });
}

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);
