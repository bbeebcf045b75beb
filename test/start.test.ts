import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { postmaster, within } from '../src/embedded-postgres/postmaster.js';

// A stale dist/ is built first.
jest.setTimeout(90_000);

let home: string;
let port: number;
const started: Start[] = [];

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'run-ledger-start-'));
  chmodSync(home, 0o755);
  port = await freePort();
});

afterEach(async () => {
  await Promise.all(started.splice(0).map((start) => start.end('SIGKILL')));
  const left = postmaster(join(home, 'postgres'));
  if (left) process.kill(left.pid, 'SIGQUIT');
  await within(10_000, () => (postmaster(join(home, 'postgres')) ? undefined : true));
  rmSync(home, { recursive: true, force: true });
});

describe('npm start', () => {
  it('serves from nothing, and Ctrl-C ends the server and its Postgres with exit code 0', async () => {
    const start = await ready();
    expect((await fetch(`${start.address}/healthz`)).status).toBe(200);
    expect(postmaster(join(home, 'postgres'))?.ready).toBe(true);
    expect(await start.end('SIGINT')).toBe(0);
    expect(postmaster(join(home, 'postgres'))).toBeUndefined();
  });

  it('takes the two signals that one Ctrl-C under npm is for one', async () => {
    const start = await ready();
    void start.end('SIGINT');
    await within(10_000, () =>
      fetch(`${start.address}/healthz`).then(
        () => undefined,
        () => true,
      ),
    );
    expect(await start.end('SIGINT')).toBe(0);
    expect(postmaster(join(home, 'postgres'))).toBeUndefined();
  });

  it('tells the second one the port that the system chose for the first', async () => {
    const first = npmStart({ PORT: '0' });
    const address = await within(60_000, () => /ready at (\S+)/.exec(first.output())?.[1]);
    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d*$/);
    const second = npmStart({ PORT: '0' });
    expect(await second.exit).toBe(1);
    expect(second.output()).toBe(`A ledger is already running from this folder, at ${address} (pid ${first.pid}).\n`);
  });

  it('says in one sentence that one runs already, and leaves that one alone', async () => {
    const first = await ready();
    const second = npmStart();
    expect(await second.exit).toBe(1);
    expect(second.output()).toBe(`A ledger is already running from this folder, at ${first.address} (pid ${first.pid}).\n`);
    expect((await fetch(`${first.address}/healthz`)).status).toBe(200);
  });

  it('starts again after the server was killed, on the Postgres that was left behind', async () => {
    const first = await ready();
    const before = postmaster(join(home, 'postgres'));
    await first.end('SIGKILL');
    const second = await ready();
    expect(postmaster(join(home, 'postgres'))?.pid).toBe(before?.pid);
    expect((await fetch(`${second.address}/healthz`)).status).toBe(200);
    expect(await second.end('SIGTERM')).toBe(0);
    expect(postmaster(join(home, 'postgres'))).toBeUndefined();
  });

  it('is ready without an API where it has other roles', async () => {
    const start = npmStart({ LEDGER_ROLES: 'scheduler' });
    await within(60_000, () => start.output().includes('ready, without its API') || undefined);
    expect(await start.end('SIGINT')).toBe(0);
  });

  it('ends with the sentence of a bad setting', async () => {
    const start = npmStart({ PORT: 'http' });
    expect(await start.exit).not.toBe(0);
    expect(start.output()).toContain('PORT is "http": give a whole number from 1 to 65535');
  });
});

interface Start {
  pid: number | undefined;
  address: string;
  exit: Promise<number | null>;
  output(): string;
  /** Sends the signal unless it has ended already, and answers the exit code. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

function npmStart(env: Record<string, string> = {}): Start {
  const child = spawn(process.execPath, ['scripts/start.mjs'], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, LEDGER_HOME: home, PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = collect(child);
  const exit = once(child, 'exit').then(([code]) => code as number | null);
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return exit;
  };
  const start = { pid: child.pid, address: `http://127.0.0.1:${port}`, exit, output, end };
  started.push(start);
  return start;
}

async function ready(): Promise<Start> {
  const start = npmStart();
  const answers = () =>
    fetch(`${start.address}/healthz`).then(
      (response) => response.ok || undefined,
      () => undefined,
    );
  const outcome = await within(60_000, () => Promise.race([answers(), start.exit.then(() => 'ended' as const)]));
  if (outcome !== true) throw new Error(`npm start did not come up:\n${start.output()}`);
  return start;
}

function collect(child: ChildProcess): () => string {
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return () => text;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port: free } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return free;
}
