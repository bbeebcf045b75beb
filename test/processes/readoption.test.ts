import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRunning } from '../cli/processes.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { get, post, put } from './ask.js';
import { endAll, exitOf, serveLedger, spawnLedger, type LedgerServer } from './ledger-server.js';
import { until } from './until.js';

jest.setTimeout(60_000);

/** The lease of the workers here. What is told "at once" is told long before it is over. */
const lease = '8s';
const atOnceMs = 6_000;

describe('a worker that is killed while its command runs', () => {
  let database: TestDatabase;
  let server: LedgerServer;
  let home: string;
  let agent: string;
  let agents = 0;
  let said: string[][];

  beforeAll(async () => {
    database = await freshDatabase();
    server = await serveLedger({ DATABASE_URL: database.url });
  });
  afterAll(async () => {
    await endAll();
    await database.drop();
  });

  const workers: ChildProcess[] = [];

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'run-ledger-readoption-'));
    agent = `coder-${++agents}`;
    said = [];
    await put(server.url, `agents/${agent}`, { policy: { retry: { delaysMs: [600_000], jitterRatio: 0 } } });
  });
  afterEach(async () => {
    workers.forEach((worker) => worker.kill('SIGKILL'));
    await Promise.all(workers.splice(0).map(exitOf));
    if (existsSync(join(home, 'pids'))) endGroup(pids().leader);
    rmSync(home, { recursive: true, force: true });
  });

  /** Notes its pids and that it was started, and ends with the code that is written to `go`. */
  const command = [
    `echo $LEDGER_RUN >>"$H/started"; sleep 300 & echo "$PPID $$ $!" >"$H/pids.new"; mv "$H/pids.new" "$H/pids"`,
    `until [ -s "$H/go" ]; do sleep 0.05; done; echo 'last words' >&2; exit $(cat "$H/go")`,
  ].join('\n');

  async function startWorker(...options: string[]): Promise<ChildProcess> {
    const env = { LEDGER_URL: server.url, LEDGER_COMPANY: 'acme', LEDGER_HOME: home, H: home };
    const { child, log } = await spawnLedger(
      ['worker', '--agent', agent, '--lease', lease, ...options, '--', 'sh', '-c', command],
      env,
    );
    workers.push(child);
    said.push(log);
    return child;
  }

  /** Killed when the ledger knows of its process. Answers the run. */
  async function killedWorker(...options: string[]): Promise<string> {
    const { run } = (await post(server.url, 'wakeups', { agent })).body;
    const worker = await startWorker(...options);
    await until('a process that is recorded', async () => existsSync(join(home, 'pids')) && (await runOf(run.id)).pid);
    worker.kill('SIGKILL');
    await exitOf(worker);
    return run.id;
  }

  const pids = () => {
    const [leader = 0, shell = 0, child = 0] = readFileSync(join(home, 'pids'), 'utf8').split(' ').map(Number);
    return { leader, shell, child };
  };
  const endWith = (code: number) => writeFileSync(join(home, 'go'), String(code));
  const runOf = async (run: string) => (await get(server.url, `runs/${run}`)).body;
  const untilRun = (run: string, status: string, ms?: number) =>
    until(`${run} ${status}`, async () => (await runOf(run)).status === status && runOf(run), ms);
  const untilTold = (run: string, type: string) => until(type, async () => (await typesOf(run)).includes(type));
  const lines = () => said.flat().join('\n');

  /** Of its facts, in order. */
  async function typesOf(run: string): Promise<string[]> {
    const { items } = (await get(server.url, `tasks/${run.split('.')[0]}/events`)).body;
    const own = items.filter(({ data }: { data: { runId?: string } }) => data.runId === run);
    return own.map(({ type }: { type: string }) => type);
  }

  const folders = () => readdirSync(join(home, 'runs'));
  const inFolder = (name: string) => join(home, 'runs', folders()[0] ?? 'none', name);
  const record = () => JSON.parse(readFileSync(inFolder('run.json'), 'utf8'));
  const rewrite = (change: object) => writeFileSync(inFolder('run.json'), JSON.stringify({ ...record(), ...change }));

  it('case 50: takes it up again, keeps its lease and its place, and tells how it really ended', async () => {
    const run = await killedWorker();
    const lent = readFileSync(inFolder('lease'), 'utf8');
    await put(server.url, `tasks/next-${agent}`, { title: 'Next' });
    const next = (await post(server.url, 'wakeups', { agent, task: `next-${agent}` })).body.run.id;
    await startWorker();
    await untilTold(run, 'RunReattached');
    await until('a lease that is renewed', () => Number(readFileSync(inFolder('lease'), 'utf8')) > Number(lent));
    endWith(7);
    expect(await untilRun(run, 'failed')).toMatchObject({ exitCode: 7, error: 'last words' });
    const told = (await typesOf(run)).filter((type) => /^Run|^Process/.test(type));
    expect(told).toEqual(['RunQueued', 'RunStarted', 'ProcessRecorded', 'RunDetached', 'RunReattached', 'RunFailed']);
    const { startedAt } = await untilRun(next, 'failed');
    expect(Date.parse(startedAt)).toBeGreaterThanOrEqual(Date.parse((await runOf(run)).finishedAt));
    expect(readFileSync(join(home, 'started'), 'utf8')).toBe(`${run}\n${next}\n`);
    await until('no folders that are left', () => folders().length === 0);
  });

  it('reports what ended meanwhile as what it was', async () => {
    const run = await killedWorker();
    endWith(0);
    await until('the end of the command', () => !isRunning(pids().leader));
    await startWorker();
    expect(await untilRun(run, 'succeeded', atOnceMs)).toMatchObject({ exitCode: 0 });
    expect(await typesOf(run)).not.toContain('RunDetached');
    await until('the end of what it left running', () => !isRunning(pids().child));
  });

  it('has its command end before the lease does when nobody comes', async () => {
    await killedWorker();
    const all = Object.values(pids());
    expect(all.map(isRunning)).toEqual([true, true, true]);
    await until('the end of them all', () => !all.some(isRunning));
    const { rows } = await database.pool.query(`select expires_at > ledger_now() as lasts from lane_leases where task = $1`, [
      `heartbeat~${agent}`,
    ]);
    expect(rows).toEqual([{ lasts: true }]);
  });

  it('case 51: reports at once what was killed as well, and ends what that left running', async () => {
    const run = await killedWorker();
    const { leader, shell, child } = pids();
    for (const pid of [leader, shell]) process.kill(pid, 'SIGKILL');
    expect(isRunning(child)).toBe(true);
    await startWorker();
    const { error, errorCode } = await untilRun(run, 'failed', atOnceMs);
    expect([errorCode, error]).toEqual(['process_lost', 'its process was gone, 1 of its descendants was ended']);
    expect(isRunning(child)).toBe(false);
    expect(await untilRun(run.replace(/1$/, '2'), 'running')).toMatchObject({ cause: 'process_lost' });
  });

  it('takes no other process for its command that has got its pid', async () => {
    const run = await killedWorker();
    endGroup(pids().leader);
    const stranger = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
    rewrite({ process: { ...record().process, pid: stranger.pid } });
    await startWorker();
    expect(await untilRun(run, 'failed', atOnceMs)).toMatchObject({ errorCode: 'process_lost', error: 'its process was gone' });
    expect(isRunning(stranger.pid!)).toBe(true);
    stranger.kill('SIGKILL');
  });

  it('leaves nothing to take up when its lease is lost: the command is killed', async () => {
    await killedWorker();
    await database.pool.query('delete from lane_leases where task = $1', [`heartbeat~${agent}`]);
    await startWorker();
    await until('the end of them all', () => !Object.values(pids()).some(isRunning), atOnceMs);
    await until('no folders that are left', () => folders().length === 0);
    await until('a sentence about it', () => lines().includes('the lease is lost ('));
  });

  it('is followed by one worker of two that start at once', async () => {
    const run = await killedWorker();
    await Promise.all([startWorker(), startWorker()]);
    await untilTold(run, 'RunReattached');
    await until('two that claim', () => lines().split('claiming runs').length === 4);
    await post(server.url, `runs/${run}/cancel`, { reason: 'not wanted any more' });
    await until('the end of its command', () => !isRunning(pids().leader));
    await untilRun(run, 'cancelled');
    workers.forEach((worker) => worker.kill('SIGTERM'));
    await Promise.all(workers.map(exitOf));
    expect(lines().match(/taken up again/g)).toHaveLength(1);
  });

  it('leaves it the time that it may take, counted from its start', async () => {
    const run = await killedWorker('--timeout', '10m');
    rewrite({ clock: record().clock - 11 * 60 * 100 });
    await startWorker('--timeout', '10m');
    expect(await untilRun(run, 'timed_out', atOnceMs)).toMatchObject({ error: expect.stringContaining('took longer than 10m') });
    expect(isRunning(pids().shell)).toBe(false);
  });

  it('is left alone on another host, and while its worker lives', async () => {
    const run = await killedWorker();
    const owner = inFolder('owner.1');
    const { host } = record();
    rewrite({ host: 'elsewhere' });
    await workerThatFoundNothing();
    rewrite({ host });
    writeFileSync(owner, JSON.stringify(thisProcess()));
    await workerThatFoundNothing();
    expect(folders()).toHaveLength(1);
    expect(await typesOf(run)).not.toContain('RunDetached');
  });

  /** Looks at the folders before it claims, and hands nothing back when it ends. */
  async function workerThatFoundNothing(): Promise<void> {
    const worker = await startWorker();
    await until('one that claims', () => said.at(-1)?.join().includes('claiming runs'));
    worker.kill('SIGTERM');
    await exitOf(worker);
    expect(said.at(-1)?.join('\n')).not.toContain(agent + '.1');
  }
});

/** As the worker writes down who it is. */
function thisProcess() {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  return { pid: process.pid, start: `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${ticks}` };
}

function endGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
