import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { endAll, exitOf, spawnLedger } from '../processes/ledger-server.js';
import { until } from '../projections/until.js';
import { startServer, type TestServer } from '../server.js';
import { startLink, type Link } from './link.js';

jest.setTimeout(60_000);

let server: TestServer;
let link: Link;
beforeAll(async () => {
  server = await startServer();
  link = await startLink(server.url);
});
afterEach(endAll);
afterAll(async () => {
  await link.cut();
  await server.stop();
});

interface Watch {
  readonly child: ChildProcess;
  /** lines of both outputs */
  readonly log: readonly string[];
  /** those that are JSON */
  readonly rows: () => Row[];
  has(what: string, condition: () => boolean): Promise<void>;
}
type Row = Readonly<Record<string, string>>;

async function ledger(line: string, url = link.url): Promise<Watch> {
  const env = { LEDGER_URL: url, LEDGER_COMPANY: 'acme', NO_COLOR: '1' };
  const { child, log } = await spawnLedger(line.split(' '), env);
  const rows = () => log.filter((text) => text.startsWith('{')).map((text) => JSON.parse(text) as Row);
  const has = (what: string, condition: () => boolean) =>
    until(what, condition, 20_000).catch((error) => {
      throw new Error(`${error}; it said:\n${log.join('\n')}`);
    });
  return { child, log, rows, has };
}

/** From now on, however long the process takes to begin. */
const watching = async (line: string): Promise<Watch> => ledger(`${line} --since ${Number(await server.ledger.store.head())}`);

async function started(agent: string): Promise<{ run: string; lease: string }> {
  await server.api('PUT', `agents/${agent}`, { policy: { retry: { delaysMs: [] } } });
  await server.api('POST', 'wakeups', { agent });
  const { body } = await server.api('POST', `agents/${agent}/claims?wait=10`, { workerId: 'w', requestId: agent });
  return { run: body.runs[0]!.run.id!, lease: body.runs[0]!.lease.token! };
}

const finish = (run: string, body: object) => server.api('POST', `runs/${run}/finish`, body);

describe('ledger watch', () => {
  it('writes a line of JSON for each event that is asked for, and ends well with Ctrl-C', async () => {
    const watch = await watching('watch --agent red --topics agents runs');
    for (const agent of ['blue', 'red']) await server.api('PUT', `agents/${agent}`, {});
    await server.api('POST', 'wakeups', { agent: 'red' });
    await watch.has('two lines', () => watch.rows().length === 2);
    expect(watch.rows()).toMatchObject([
      { topic: 'agents', type: 'AgentRegistered', subject: 'red', sentence: expect.stringContaining('red is registered') },
      { topic: 'runs', type: 'RunQueued', subject: 'heartbeat~red', position: expect.stringMatching(/^\d{16}$/) },
    ]);
    watch.child.kill('SIGINT');
    expect(await exitOf(watch.child)).toEqual({ code: 0, signal: null });
  });

  it('tells a person in words', async () => {
    const watch = await watching('watch --agent green -o table --topics agents,dashboard');
    await server.api('PUT', 'agents/green', {});
    await server.api('POST', 'agents/green/pause', { reason: 'holiday' }, { 'x-actor': 'user:ada' });
    const line = /^\d\d:\d\d:\d\d +\d+ +AgentPaused +user:ada +green is paused, and what runs is handed back: holiday$/;
    await watch.has('the pause', () => watch.log.some((text) => line.test(text)));
    expect(watch.log.some((text) => /dashboard +the dashboard shows something else$/.test(text))).toBe(true);
  });

  it('misses nothing while the server is out of reach, and says so once', async () => {
    const watch = await watching('watch --topics tasks');
    for (let n = 0; n < 3; n += 1) {
      await server.api('PUT', `tasks/NEAR-${n}`, { title: 'near' });
      await watch.has('the task', () => watch.rows().length === 2 * n + 1);
      await link.cut();
      await server.api('PUT', `tasks/FAR-${n}`, { title: 'far' });
      const told = watch.log.length;
      await watch.has('that it notices', () => watch.log.length > told);
      await link.mend();
      await watch.has('the task meanwhile', () => watch.rows().length === 2 * n + 2);
    }
    expect(watch.rows().map(({ subject }) => subject)).toEqual(['NEAR-0', 'FAR-0', 'NEAR-1', 'FAR-1', 'NEAR-2', 'FAR-2']);
    const notes = watch.log.filter((text) => !text.startsWith('{'));
    expect(notes).toEqual(
      Array.from({ length: 3 }, () => [
        expect.stringMatching(/^(the ledger at|no ledger answers at) .*; this goes on when it is there$/),
        'the ledger is back, and nothing was missed',
      ]).flat(),
    );
  });

  it('says why a server has ended its stream', async () => {
    const other = await startServer({ roles: ['api'] });
    const watch = await ledger('watch --since 0', other.url);
    await other.api('PUT', 'agents/first', {});
    await watch.has('a line', () => watch.rows().length > 0);
    await other.stop();
    await watch.has('why', () => watch.log.includes('the server shuts down'));
  });

  it('ends when nobody reads what it writes', async () => {
    const watch = await watching('watch');
    await server.api('PUT', 'agents/first', {});
    await watch.has('a line', () => watch.rows().length > 0);
    watch.child.stdout!.destroy();
    const exit = once(watch.child, 'exit');
    await until('its end', async () => {
      await server.api('POST', 'wakeups', { agent: 'first' });
      return watch.child.exitCode !== null;
    });
    expect(await exit).toEqual([0, null]);
  });

  it.each([
    ['watch --topics wishes', 2, 'topics has "wishes" in it: every item must be one of companies, agents,'],
    ['watch --since yesterday', 2, '"yesterday" is not a position: give one such as 4711'],
    ['watch --since 999999', 2, 'Last-Event-ID is 0000000000999999, and this ledger ends at'],
    ['runs watch none.1', 3, 'there is no run none.1'],
  ])('%s ends with %i, and a sentence', async (line, code, sentence) => {
    const { child, log } = await ledger(line);
    expect((await exitOf(child)).code).toBe(code);
    expect(log.join('\n')).toContain(sentence);
  });
});

describe('ledger runs watch', () => {
  it('follows a run until it has succeeded', async () => {
    const { run, lease } = await started('good');
    const watch = await ledger(`runs watch ${run}`);
    await watch.has('how it stands', () => watch.rows().length === 1);
    await link.cut();
    await link.mend();
    await finish(run, { lease, outcome: 'succeeded' });
    expect((await exitOf(watch.child)).code).toBe(0);
    expect(watch.rows()).toMatchObject([
      { run, agent: 'good', task: 'heartbeat~good', status: 'running' },
      { run, agent: 'good', task: 'heartbeat~good', status: 'succeeded' },
    ]);
  });

  it('ends with 1 when it failed, also when that was before', async () => {
    const { run, lease } = await started('bad');
    const watch = await ledger(`runs watch ${run}`);
    await watch.has('how it stands', () => watch.rows().length === 1);
    await finish(run, { lease, outcome: 'failed', exitCode: 7, error: 'out of ideas' });
    expect((await exitOf(watch.child)).code).toBe(1);
    const late = await ledger(`runs watch ${run}`);
    expect((await exitOf(late.child)).code).toBe(1);
    expect(late.rows()).toMatchObject([{ run, status: 'failed', sentence: `${run} is failed: out of ideas` }]);
  });

  it('tells how the runs of a task move on, and ends well with Ctrl-C', async () => {
    await server.api('PUT', 'agents/mover', {});
    const watch = await ledger('runs watch --task MOVE-1 -o table');
    await watch.has('where it begins', () => /^from position \d+ on, until Ctrl-C$/.test(watch.log[0] ?? ''));
    for (const task of ['MOVE-1', 'MOVE-2']) await server.api('PUT', `tasks/${task}`, { title: 'to move', assignee: 'mover' });
    await server.api('POST', 'tasks/MOVE-1/assign', { agent: null });
    await watch.has('two lines', () => watch.log.length === 3);
    expect(watch.log[1]).toMatch(/^\d\d:\d\d:\d\d +MOVE-1\.1 +queued +MOVE-1\.1 is queued for mover/);
    expect(watch.log[2]).toMatch(/^\d\d:\d\d:\d\d +MOVE-1\.1 +cancelled +MOVE-1\.1 is not started any more/);
    watch.child.kill('SIGINT');
    expect(await exitOf(watch.child)).toEqual({ code: 0, signal: null });
  });
});
