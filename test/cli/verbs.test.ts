import { startServer, type TestServer } from '../server.js';
import { commandLine } from './command-line.js';

describe('the command line against a real server', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer();
    process.env.LEDGER_URL = server.url;
    process.env.LEDGER_COMPANY = 'acme';
  });
  afterAll(async () => {
    delete process.env.LEDGER_URL;
    delete process.env.LEDGER_COMPANY;
    await server.stop();
  });

  const { said, ledger } = commandLine();

  it('registers an agent, and changes only what is given of it', async () => {
    expect(await ledger('agents set coder --name Coder --retry-delays 3s,6s,10s --heartbeat 5m -o table')).toBe(0);
    expect(said.out).toBe('coder is registered\n');
    expect(await ledger('agents set coder --max-concurrent 2 -o table')).toBe(0);
    expect(said.out).toBe('coder is changed\n');
    expect(await ledger('agents get coder')).toBe(0);
    expect(JSON.parse(said.out)).toMatchObject({
      id: 'coder',
      name: 'Coder',
      policy: {
        maxConcurrentRuns: 2,
        wakeOnDemand: true,
        heartbeat: { enabled: true, intervalSec: 300 },
        retry: { delaysMs: [3_000, 6_000, 10_000] },
      },
    });
    expect(await ledger('agents set coder --require-comment --continuations 2 --max-agent-replies 3')).toBe(0);
    expect(await ledger('agents set coder --max-concurrent 2')).toBe(0);
    expect(JSON.parse(said.out).policy).toMatchObject({ requireComment: true, continuations: 2, maxAgentReplies: 3 });
    expect(await ledger('agents set coder --no-heartbeat --no-wake-on-demand -o jsonl')).toBe(0);
    expect(JSON.parse(said.out).policy).toMatchObject({
      heartbeat: { enabled: false },
      wakeOnDemand: false,
      maxConcurrentRuns: 2,
    });
  });

  it('opens a task, moves it and assigns it', async () => {
    await ledger('agents set writer');
    expect(await ledger('tasks set ACME-1 --title Translate --assignee writer --priority high --label docs')).toBe(0);
    expect(await ledger('tasks status ACME-1 in_progress -o table')).toBe(0);
    expect(said.out).toBe('ACME-1 is in_progress\n');
    expect(await ledger('tasks get ACME-1')).toBe(0);
    expect(JSON.parse(said.out)).toMatchObject({
      title: 'Translate',
      status: 'in_progress',
      assignee: 'writer',
      priority: 'high',
      labels: ['docs'],
    });
    expect(await ledger('tasks assign ACME-1 -o table')).toBe(0);
    expect(said.out).toBe("ACME-1 is nobody's\n");
  });

  it('names the whole id of what it did something to', async () => {
    await ledger('tasks set WHOLE-12 --title Whole');
    expect(await ledger('tasks status WHOLE in_progress -o table')).toBe(0);
    expect(said.out).toBe('WHOLE-12 is in_progress\n');
    expect(await ledger('tasks assign WHOLE-1 -o table')).toBe(0);
    expect(said.out).toBe("WHOLE-12 is nobody's\n");
  });

  it('requests a wakeup, shows its run, cancels that, and tells the whole story', async () => {
    await ledger('agents set tester');
    expect(await ledger('wakeups request tester --reason nightly -o table')).toBe(0);
    expect(said.out).toBe('heartbeat~tester.1 is queued\n');
    expect(await ledger('wakeups request tester -o table')).toBe(0);
    expect(said.out).toBe('joined heartbeat~tester.1\n');
    expect(await ledger('runs list --agent tester --status queued -o table')).toBe(0);
    expect(said.out).toMatch(/^RUN +AGENT +STATUS/);
    expect(said.out).toContain('heartbeat~tester.1');
    expect(await ledger('runs cancel heartbeat~tester.1 --reason enough -o table')).toBe(0);
    expect(said.out).toBe('heartbeat~tester.1 is cancelled\n');
    expect(await ledger('replay heartbeat~tester -o table')).toBe(0);
    expect(said.out.split('\n').map((line) => line.split(/ +/)[2])).toEqual([
      'EVENT',
      'TaskOpened',
      'WakeupRequested',
      'RunQueued',
      'WakeupRequested',
      'WakeupCoalesced',
      'RunCancelled',
      undefined,
    ]);
    expect(said.out).toContain('heartbeat~tester.1 is not started any more: enough');
    expect(await ledger('replay heartbeat~tester.1 --json')).toBe(0);
    expect(JSON.parse(said.out).items.at(-1)).toMatchObject({ type: 'RunCancelled', metadata: { actor: { type: 'user' } } });
  });

  it('tells with the story of a task that its agent was paused meanwhile', async () => {
    await ledger('agents set resting');
    await ledger('agents pause resting --reason before');
    await ledger('agents resume resting --reason before');
    await ledger('tasks set REST-1 --title Rest --assignee resting');
    await ledger('agents pause resting --reason noisy');
    await ledger('agents resume resting --reason quiet');
    await ledger('tasks status REST-1 done');
    await ledger('agents pause resting --reason afterwards');
    await ledger('replay REST-1 -o table');
    const whats = said.out.split('\n').filter((line) => line.includes(' Agent'));
    expect(whats).toEqual([
      expect.stringContaining('resting is paused, and what runs is handed back: noisy'),
      expect.stringContaining('resting goes on: quiet'),
    ]);
  });

  it('tells the story as it was at a position or a time', async () => {
    await ledger('agents set teller');
    await ledger('wakeups request teller');
    await ledger('replay heartbeat~teller');
    const [first, second] = JSON.parse(said.out).items;
    await ledger(`replay heartbeat~teller --at ${second.position}`);
    expect(JSON.parse(said.out).items).toHaveLength(2);
    await ledger(`replay heartbeat~teller --at ${second.recordedAt}`);
    expect(JSON.parse(said.out).items.length).toBeGreaterThanOrEqual(2);
    expect(await ledger('replay heartbeat~teller --at 2001-01-01T00:00:00Z')).toBe(3);
    expect(said.err).toContain(`it came into being at ${first.recordedAt}, position ${Number(first.position)};`);
    expect(await ledger('replay heartbeat~tell --at 2001-01-01T00:00:00Z')).toBe(3);
    expect(said.err).toContain('there was no task heartbeat~teller before the first event');
    expect(await ledger('replay heartbeat~teller --at yesterday')).toBe(2);
    expect(said.err).toContain('at is "yesterday": give a time such as');
    expect(first.type).toBe('TaskOpened');
  });

  it('shows a task, its runs and its demands as they were', async () => {
    await ledger('agents set rememberer');
    await ledger('tasks set PAST-1 --title Remember --assignee rememberer');
    await ledger('replay PAST-1');
    const { position, recordedAt } = JSON.parse(said.out).items.at(-1);
    await ledger('runs cancel PAST-1.1');
    await ledger('tasks status PAST-1 done');
    const shown = async (line: string) => {
      expect(await ledger(`${line} --as-of ${position}`)).toBe(0);
      return JSON.parse(said.out);
    };
    expect(await shown('runs get PAST-1.1')).toMatchObject({ status: 'queued' });
    expect(await shown('tasks get PAST-1')).toMatchObject({ status: 'todo' });
    expect((await shown('runs list --task PAST-1')).items).toMatchObject([{ id: 'PAST-1.1', status: 'queued' }]);
    const { items } = await shown('wakeups list --task PAST-1');
    expect(items).toMatchObject([{ run: 'PAST-1.1', status: 'queued' }]);
    expect(await shown(`wakeups get ${items[0].id}`)).toMatchObject({ run: 'PAST-1.1', status: 'queued' });
    expect(await ledger(`tasks get PAST-1 --as-of ${recordedAt}`)).toBe(0);
    expect(await ledger('runs list --as-of 1')).toBe(2);
    expect(said.err).toContain('ledger projections build run_status --as-of');
    await ledger(`replay PAST-1 --at ${position} -o table`);
    expect(said.out).toContain('RunQueued');
    expect(said.out).toMatch(/\nAs of \d{16}:\n(.*\n)*runs\.PAST-1\.1: status queued, agent rememberer/);
  });

  it('withdraws a wakeup by the beginning of its id', async () => {
    await ledger('agents set sleeper');
    await ledger('wakeups request sleeper');
    const { id } = JSON.parse(said.out).wakeup;
    expect(await ledger(`wakeups cancel ${id.slice(0, 13)} -o table`)).toBe(0);
    expect(said.out).toBe(`${id} is cancelled\n`);
  });

  it('takes the unique beginning of an id for it, and names those that it could be', async () => {
    await ledger('agents set prefix-one');
    await ledger('agents set prefix-two');
    expect(await ledger('agents get prefix-o')).toBe(0);
    expect(JSON.parse(said.out).id).toBe('prefix-one');
    expect(await ledger('agents get prefix-')).toBe(3);
    expect(said.err).toBe('"prefix-" is the beginning of prefix-one, prefix-two: give more of it\n');
  });

  it('pauses and resumes an agent, and refuses to wake one that is paused', async () => {
    await ledger('agents set pausing');
    expect(await ledger('agents pause pausing --reason holidays -o table')).toBe(0);
    expect(said.out).toBe('pausing is paused\n');
    expect(await ledger('wakeups request pausing')).toBe(5);
    expect(said.err).toContain('paused');
    expect(await ledger('agents resume pausing -o table')).toBe(0);
    expect(await ledger('wakeups request pausing')).toBe(0);
  });

  it('promotes what is due, and nothing twice', async () => {
    expect(await ledger('retries promote -o table')).toBe(0);
    expect(said.out).toBe('0 promoted\n');
    expect(await ledger('retries list -o table')).toBe(0);
    expect(said.out).toBe('none\n');
  });

  it('says which version it is', async () => {
    expect(await ledger('--version')).toBe(0);
    expect(said.out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('counts', async () => {
    expect(await ledger('dashboard -o table')).toBe(0);
    expect(said.out).toContain('runs.queued');
    expect(await ledger('companies set acme --name Acme -o table')).toBe(0);
    expect(said.out).toBe('acme is named Acme\n');
  });

  it.each([
    ['agents get nobody', 3, 'there is no agent nobody'],
    ['runs get ACME-404.1', 3, 'ACME-404.1'],
    ['runs retry-now ACME-404.1', 3, 'ACME-404'],
    ['agents set coder --max-concurrent 11', 2, 'maxConcurrentRuns'],
    ['agents set coder --retry-delays soon', 2, 'give a number with its unit'],
    ['runs list --status asleep', 2, 'asleep'],
    ['wakeups list --status asleep', 2, 'Allowed choices are queued'],
    ['runs list --colour red', 2, '--colour'],
    ['tasks set ACME-405', 2, 'give --title to open it'],
    ['no-such-verb', 2, 'no-such-verb'],
  ])('%s ends with %d and says why', async (line, exitCode, words) => {
    expect(await ledger(line)).toBe(exitCode);
    expect(said.err).toContain(words);
    expect(said.out).toBe('');
  });

  it('says that nobody answers', async () => {
    process.env.LEDGER_URL = 'http://127.0.0.1:2';
    expect(await ledger('runs list')).toBe(75);
    process.env.LEDGER_URL = server.url;
    expect(said.err).toBe('no ledger answers at http://127.0.0.1:2: start one with npm start, or set LEDGER_URL\n');
  });
});
