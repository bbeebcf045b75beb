import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '../../src/cli/client.js';
import { Worker } from '../../src/cli/worker/worker.js';
import type { Page } from '../../src/projections/paging.js';
import type { Run } from '../../src/projections/run-queries.js';
import { startServer, type TestServer } from '../server.js';
import { startLink, type Link } from './link.js';
import { isRunning } from './processes.js';

describe('a worker with real commands against a real server', () => {
  let server: TestServer;
  let link: Link;
  let home: string;
  let client: Client;
  let working: { worker: Worker; ended: Promise<void> } | undefined;
  let lines: string[];
  let agents = 0;
  let agent: string;

  beforeAll(async () => {
    server = await startServer({ roles: ['api', 'projector', 'promoter', 'reaper'] });
    link = await startLink(server.url);
  });
  afterAll(async () => {
    await link.cut();
    await server.stop();
  });

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'ledger-worker-'));
    lines = [];
    client = new Client({ url: server.url, company: 'acme', token: undefined, actor: 'user:alice' });
    agent = `coder-${++agents}`;
    await client.put(['agents', agent], { policy: { retry: { delaysMs: [1_000, 600_000], jitterRatio: 0 } } });
  });
  afterEach(async () => {
    working?.worker.stop();
    working?.worker.stop();
    await working?.ended;
    working = undefined;
    rmSync(home, { recursive: true, force: true });
  });

  /** Starts a worker whose command is this script. */
  function work(script: string, settings: { max?: number; timeoutMs?: number; graceMs?: number; leaseMs?: number } = {}): Worker {
    const worker = new Worker(
      {
        url: link.url,
        company: 'acme',
        token: undefined,
        agent,
        workerId: `worker-${agent}`,
        command: ['sh', '-c', script],
        max: 1,
        timeoutMs: 60_000,
        graceMs: 0,
        leaseMs: 5_000,
        home,
        ...settings,
      },
      (line) => lines.push(line),
    );
    working = { worker, ended: worker.run() };
    return worker;
  }

  const wake = async (task?: string) =>
    (await client.post<{ run: { id: string } }>(['wakeups'], { agent, task, reason: 'asked', payload: { build: 17 } })).body.run
      .id;

  const runs = async (): Promise<readonly Run[]> => (await client.get<Page<Run>>(['runs'], { agent })).items.toReversed();

  /** Waits until the agent's runs, in order, have these statuses. */
  async function untilRuns(...statuses: Run['status'][]): Promise<readonly Run[]> {
    let seen: readonly Run[] = [];
    await until(
      async () => (seen = await runs()).map(({ status }) => status).join() === statuses.join(),
      () => `${statuses.join()}, but ${JSON.stringify(seen)}\n${lines.join('\n')}`,
    );
    return seen;
  }

  const untilLine = (words: string) =>
    until(
      async () => lines.some((line) => line.includes(words)),
      () => `a line with "${words}" among\n${lines.join('\n')}`,
    );

  it('tells of a failure, waits for the promoted retry, and runs that', async () => {
    const run = await wake();
    work(`[ "$LEDGER_ATTEMPT" = 1 ] && exit 0; echo '429 rate limited' >&2; exit 7`);
    const [first, second] = await untilRuns('failed', 'succeeded');
    expect(first).toMatchObject({ id: run, exitCode: 7, error: '429 rate limited', attempt: 0 });
    expect(['quota', 'transient_upstream']).toContain(first?.errorFamily);
    expect(second).toMatchObject({ retryOf: run, attempt: 1, maxAttempts: 2, exitCode: 0 });
    await untilLine(`ended ${second?.id}: succeeded`);
    expect(lines.join('\n')).toContain(`ended ${run}: failed (exit code 7, ${first?.errorFamily}); next: retry ${second?.id} at`);
  });

  it('gives the command its run, and none of the secrets of the service', async () => {
    process.env.DATABASE_URL = 'postgres://ledger:hunter22@127.0.0.1/ledger';
    process.env.LEDGER_TOKEN = 'k-123456';
    const run = await wake();
    work(`env | grep -E '^(LEDGER|DATABASE)' | sort >&2; cat "$LEDGER_CONTEXT_FILE" > ${home}/context.json; exit 1`);
    const [failed] = await untilRuns('failed');
    delete process.env.DATABASE_URL;
    delete process.env.LEDGER_TOKEN;
    const environment = Object.fromEntries((failed?.error ?? '').split('\n').map((line) => line.split('=', 2)));
    expect(environment).toMatchObject({
      LEDGER_URL: link.url,
      LEDGER_COMPANY: 'acme',
      LEDGER_AGENT: agent,
      LEDGER_TASK: failed?.task,
      LEDGER_RUN: run,
      LEDGER_ATTEMPT: '0',
      LEDGER_REASON: 'asked',
      LEDGER_FALLBACK_MODE: '',
    });
    expect(Object.keys(environment)).not.toContain('DATABASE_URL');
    expect(Object.keys(environment)).not.toContain('LEDGER_TOKEN');
    expect(JSON.parse(readFileSync(join(home, 'context.json'), 'utf8'))).toMatchObject({
      run: { id: run, agent },
      wakeups: [{ agent, reason: 'asked', payload: { build: 17 } }],
      wakeupsLeftOut: 0,
      payloads: [{ build: 17 }],
    });
    expect(readFileSync(join(home, 'logs', 'acme', `${run}.log`), 'utf8')).toContain(`started ${run}`);
  });

  it('takes an error in the result file for a failure, whatever the exit code', async () => {
    await wake();
    work(
      `echo '{"error":"overloaded","errorCode":"http_529","errorFamily":"transient_upstream","retryAfter":"3600"}' > "$LEDGER_RESULT_FILE"`,
    );
    const [failed, parked] = await untilRuns('failed', 'scheduled_retry');
    expect(failed).toMatchObject({ exitCode: 0, error: 'overloaded', errorCode: 'http_529', errorFamily: 'transient_upstream' });
    expect(Date.parse(parked?.scheduledRetryAt ?? '') - Date.now()).toBeGreaterThan(3_500_000);
  });

  it('ends a command that takes too long, with all that it started', async () => {
    await wake();
    work('sleep 60 & echo $! > ' + home + '/pid; sleep 60', { timeoutMs: 300 });
    const [run] = await untilRuns('timed_out');
    expect(run?.error).toBe('took longer than 300ms');
    expect(isRunning(Number(readFileSync(join(home, 'pid'), 'utf8')))).toBe(false);
  });

  it('ends a command whose run was cancelled', async () => {
    const run = await wake();
    work('sleep 60');
    await untilLine(`started ${run}`);
    await client.post(['runs', run, 'cancel'], { reason: 'not wanted any more' });
    await untilLine('a cancellation was asked for');
    await untilLine(`ended ${run}: cancelled`);
    await untilRuns('cancelled');
  });

  it('hands back what runs when it is stopped, so that it is done again', async () => {
    const run = await wake();
    const worker = work('sleep 60');
    await untilLine(`started ${run}`);
    worker.stop();
    await working?.ended;
    const [cancelled, again] = await untilRuns('cancelled', 'queued');
    expect(cancelled?.id).toBe(run);
    expect(again).toMatchObject({ cause: 'requeued', attempt: 0 });
  });

  it('lets running commands end within the grace', async () => {
    const run = await wake();
    const worker = work('sleep 0.5', { graceMs: 20_000 });
    await untilLine(`started ${run}`);
    worker.stop();
    await working?.ended;
    await untilRuns('succeeded');
  });

  it('runs as many at a time as it may', async () => {
    for (const task of ['left', 'right']) {
      await client.put(['tasks', `${task}-${agent}`], { title: task });
      await wake(`${task}-${agent}`);
    }
    // Each waits for the other: one at a time, neither would end.
    work(`touch ${home}/$LEDGER_TASK; until [ -e ${home}/left-${agent} ] && [ -e ${home}/right-${agent} ]; do sleep 0.05; done`, {
      max: 2,
    });
    await untilRuns('succeeded', 'succeeded');
  });

  it('records the process that it started', async () => {
    const run = await wake();
    work('sleep 60');
    await until(
      async () => (await runs()).some(({ pid }) => pid !== undefined && isRunning(pid)),
      () => lines.join('\n'),
    );
    expect((await runs())[0]).toMatchObject({ id: run, status: 'running', worker: `worker-${agent}` });
  });

  it('keeps an end that it cannot report, and reports it when the server is back', async () => {
    const run = await wake();
    work('sleep 1');
    await untilLine(`started ${run}`);
    await link.cut();
    await until(
      async () => existsSync(join(home, 'unreported', `acme~${run}.json`)),
      () => lines.join('\n'),
    );
    await link.mend();
    await untilRuns('succeeded');
    await until(
      async () => readdirSync(join(home, 'unreported')).length === 0,
      () => lines.join('\n'),
    );
  });

  it('ends a command before the lease does when the ledger is out of reach, and hands its run back', async () => {
    const run = await wake();
    work(`sleep 60 & echo $! > ${home}/pid; wait`);
    await untilLine(`started ${run}`);
    await link.cut();
    await untilLine('the lease could not be renewed');
    await until(
      async () => existsSync(join(home, 'unreported', `acme~${run}.json`)),
      () => lines.join('\n'),
    );
    expect(isRunning(Number(readFileSync(join(home, 'pid'), 'utf8')))).toBe(false);
    working?.worker.stop();
    await link.mend();
    await working?.ended;
    const [first, again] = await untilRuns('cancelled', 'queued');
    expect([first?.id, again?.cause]).toEqual([run, 'requeued']);
  });

  it('reports what a worker before it could not', async () => {
    const run = await wake();
    const first = work('sleep 0.5; exit 0', { leaseMs: 60_000 });
    await untilLine(`started ${run}`);
    await link.cut();
    await until(
      async () => existsSync(join(home, 'unreported', `acme~${run}.json`)),
      () => lines.join('\n'),
    );
    first.stop();
    first.stop();
    await working?.ended;
    await link.mend();
    work('true');
    await untilRuns('succeeded');
    await untilLine(`${run}: succeeded, reported now`);
  });

  it('says that there is no such agent', async () => {
    agent = 'nobody';
    work('true');
    const { ended } = working ?? {};
    working = undefined;
    await expect(ended).rejects.toThrow('nobody');
  });
});

async function until(condition: () => Promise<boolean>, otherwise: () => string): Promise<void> {
  for (const end = Date.now() + 20_000; !(await condition()); await new Promise((resume) => setTimeout(resume, 50)))
    if (Date.now() > end) throw new Error(`not within 20 s: ${otherwise()}`);
}
