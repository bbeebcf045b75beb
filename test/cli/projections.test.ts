import { spawnLedger, endAll, exitOf } from '../processes/ledger-server.js';
import { until } from '../processes/until.js';
import { startServer, type TestServer } from '../server.js';
import { commandLine } from './command-line.js';

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
  process.env.LEDGER_URL = server.url;
  process.env.LEDGER_COMPANY = 'acme';
  for (let n = 0; n < 300; n++) await server.api('PUT', `tasks/CLI-${n}`, { title: `task ${n}` });
});
afterAll(async () => {
  delete process.env.LEDGER_URL;
  delete process.env.LEDGER_COMPANY;
  await endAll();
  await server.stop();
});

const { said, ledger } = commandLine();

describe('ledger projections', () => {
  it('lists read models, and shows those of one', async () => {
    expect(await ledger('projections list -o table')).toBe(0);
    expect(said.out).toMatch(/^PROJECTION +READ MODEL +ASKED +POSITION +BEHIND +PARKED/);
    expect(said.out).toMatch(/tasks +tasks_v1 +since \S+ +\d+ +\d+ +0/);
    expect(await ledger('projections show tasks')).toBe(0);
    expect(JSON.parse(said.out)).toMatchObject({
      name: 'tasks',
      versions: [1],
      readModels: [{ readModel: 'tasks_v1', live: true }],
    });
  });

  it('verifies, which ends with 0 where nothing differs and with 7 where something does', async () => {
    expect(await ledger('projections verify tasks -o table --reason nightly')).toBe(0);
    expect(said.out).toContain('✓ the 300 rows of tasks_v1 are what the log folds to');
    await server.database.pool.query(`update tasks_v1.tasks set title = 'forged' where task = 'CLI-7'`);
    expect(await ledger('projections verify tasks -o table')).toBe(7);
    expect(said.out).toMatch(/changed +acme CLI-7 +title +forged +task 7\n/);
    expect(said.out).toContain('✗ the rows of tasks_v1 are not what the log folds to; next: ledger projections rebuild tasks');
    await server.database.pool.query(`update tasks_v1.tasks set title = 'task 7' where task = 'CLI-7'`);
    expect(await ledger('projections diff tasks')).toBe(7);
    expect(JSON.parse(said.out)).toMatchObject({ purpose: 'verify', comparison: { changed: { rows: 1 } } });
  });

  it('rebuilds, shows what differs and the next command, cuts over, rolls back and drops', async () => {
    expect(await ledger('projections rebuild tasks -o table --reason repair')).toBe(0);
    const [, id] = /live\) and (\S+) \(rebuilt\)/.exec(said.out) ?? [];
    expect(said.out).toMatch(/LIVE ROWS +REBUILT ROWS +ONLY LIVE +ONLY REBUILT +CHANGED\n300 +300 +0 +0 +0\n/);
    expect(said.out).toContain('next: ledger projections cut-over tasks\n');
    expect(await ledger('projections rebuild tasks')).toBe(4);
    expect(said.err).toMatch(new RegExp(`started ${id} at \\S+, and it is ready to be cut over to`));
    expect(await ledger('projections diff tasks')).toBe(0);
    expect(await ledger('projections cut-over tasks -o table --reason agrees')).toBe(0);
    expect(said.out).toBe(`${id} is asked; ledger projections rollback tasks asks tasks_v1 again\n`);
    expect(await ledger('projections rollback tasks -o table')).toBe(0);
    expect(said.out).toContain('tasks_v1 is asked');
    expect(await ledger('projections cut-over tasks')).toBe(0);
    expect(JSON.parse(said.out)).toMatchObject({ live: id, before: 'tasks_v1' });
    expect(await ledger(`projections drop tasks ${id}`)).toBe(5);
    expect(await ledger('projections drop tasks tasks_v1 --reason replaced -o table')).toBe(0);
    expect(said.out).toBe('tasks_v1 is dropped\n');
    const operations = await server.ledger.store.readStream('operations');
    expect(operations.at(-1)).toMatchObject({ type: 'ReadModelDropped', data: { reason: 'replaced' } });
    expect(operations.at(-1)?.metadata.actor).toMatchObject({ type: 'user', id: expect.not.stringMatching(/^local$/) });
  });

  it('begins a rebuild and leaves it to the server, pauses it, lets it go on and gives it up', async () => {
    expect(await ledger('projections rebuild activity --rate 50 --detach -o table')).toBe(0);
    expect(said.out).toBe('activity_v1_g2 is being built; look again with ledger projections watch activity_v1_g2\n');
    expect(await ledger('projections pause activity -o table')).toBe(0);
    expect(said.out).toBe('activity_v1_g2 rests\n');
    expect(await ledger('projections diff activity')).toBe(75);
    expect(said.err).toMatch(/activity_v1_g2 is not compared yet \(paused/);
    expect(await ledger('projections resume activity --rate 60 -o table')).toBe(0);
    expect(await ledger('projections abandon activity_v1_g2 -o table --reason enough')).toBe(0);
    expect(said.out).toBe('activity_v1_g2 is given up, and what it had built is dropped\n');
    expect(await ledger('projections pause activity')).toBe(3);
    expect(said.err).toContain('no rebuild of activity is under way');
  });

  it('lists what is parked, and says what cannot be skipped', async () => {
    expect(await ledger('projections parked tasks -o table')).toBe(0);
    expect(said.out).toBe('none\n');
    expect(await ledger('projections parked tasks --skip task-acme.X')).toBe(2);
    expect(said.err).toContain('give --reason');
    expect(await ledger('projections parked tasks --skip task-acme.X --reason wrong')).toBe(3);
    expect(await ledger('projections parked tasks --retry task-acme.X')).toBe(3);
    expect(said.err).toContain('has no parked stream task-acme.X');
  });

  it('builds read models as they were, asks them, lists and drops them', async () => {
    const position = Number(await server.ledger.store.head());
    await server.api('PUT', 'tasks/LATE-1', { title: 'later' });
    expect(await ledger(`projections build dashboard tasks --as-of ${position} --into audit_2026 -o table --reason audit`)).toBe(
      0,
    );
    expect(said.out).toBe(
      `audit_2026 has dashboard, agent_counts, task_counts, due_retries, tasks as of position ${position}: ask it with --in audit_2026\n`,
    );
    expect(await ledger('dashboard --in audit_2026')).toBe(0);
    expect(JSON.parse(said.out)).toMatchObject({ tasks: { open: 300 } });
    expect(await ledger('tasks list --in audit_2026 --limit 1')).toBe(0);
    expect(JSON.parse(said.out).items[0].id).not.toBe('LATE-1');
    expect(await ledger('runs list --in audit_2026')).toBe(5);
    expect(said.err).toContain('ledger projections build run_status --as-of');
    expect(await ledger('agents list --in audit')).toBe(3);
    expect(said.err).toContain('there is no schema audit of read models as they were; there are audit_2026');
    expect(await ledger('projections as-of list -o table')).toBe(0);
    expect(said.out).toMatch(new RegExp(`audit_2026 +${position} +\\S+ +\\d+\\.\\d +agent_counts, dashboard`));
    expect(await ledger('projections as-of drop audit_2026 -o table --reason done')).toBe(0);
    expect(said.out).toBe('audit_2026 is dropped\n');
    expect(await ledger('projections build tasks --as-of 2001-01-01T00:00:00Z --into old')).toBe(2);
    expect(said.err).toContain('2001-01-01T00:00:00Z is before the first event');
  });

  it('names the nearest of a projection that is not there', async () => {
    expect(await ledger('projections verify task')).toBe(3);
    expect(said.err).toContain('there is no projection task, but tasks; all that there are: activity');
  });
});

describe('a command that waits', () => {
  const started = async (line: string) => {
    const { child, log } = await spawnLedger(line.split(' '), { LEDGER_URL: server.url });
    await until('a line of progress', () => log.some((each) => each.startsWith('{"progress"')));
    return { child, log };
  };

  it('says how far it is in lines of JSON where there is no terminal', async () => {
    const { child, log } = await started('projections rebuild comments --rate 5');
    expect(await exitOf(child)).toMatchObject({ code: 0 });
    const lines = log.filter((line) => line.startsWith('{"progress"')).map((line) => JSON.parse(line));
    expect(lines[0]).toMatchObject({ progress: 'comments_v1_g2', phase: expect.any(String), paused: false });
  });

  it('is left by Ctrl-C, says how to look again, and the server goes on', async () => {
    const { child, log } = await started('projections rebuild task_counts --rate 100');
    child.kill('SIGINT');
    expect(await exitOf(child)).toEqual({ code: 0, signal: null });
    expect(log.at(-1)).toBe(
      'the server goes on with task_counts_v1_g2; look again with ledger projections watch task_counts_v1_g2',
    );
    await server.api('POST', '/v1/rebuilds/task_counts_v1_g2/resume', { eventsPerSecond: null });
    expect(await ledger('projections watch task_counts')).toBe(0);
    expect(JSON.parse(said.out)).toMatchObject({ id: 'task_counts_v1_g2', phase: 'ready' });
  });
});
