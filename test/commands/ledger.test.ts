import { putAgent } from '../../src/commands/agent.js';
import { nameCompany } from '../../src/commands/company.js';
import { Contention, OutcomeUnknown, type CommandContext } from '../../src/commands/decider.js';
import { Ledger } from '../../src/commands/ledger.js';
import { StartRun, startRun } from '../../src/commands/run.js';
import { putTask, setTaskStatus } from '../../src/commands/task.js';
import { requestWakeup } from '../../src/commands/wakeup.js';
import { MemoryEventStore } from '../../src/event-store/memory.js';
import { companyStream, taskStream } from '../../src/events/event.js';
import { FaultyStore } from '../event-store/faulty.js';
import { person } from '../facts.js';
import { VirtualClock, VirtualLedger } from '../virtual-ledger.js';

const task = { task: 'ACME-12', title: 'Mend the export' };
const context = (commandId: string): CommandContext => ({ commandId, actor: person });

let clock: VirtualClock;
let store: FaultyStore;
let ledger: VirtualLedger;
beforeEach(async () => {
  clock = new VirtualClock();
  store = new FaultyStore(new MemoryEventStore({ now: clock.now }));
  ledger = new VirtualLedger({ store, clock, patience: { races: 10, settleMs: 2_000 } });
  await ledger.send(putAgent, { agent: 'fixer' });
});

const named = (name: string, commandId: string, by = ledger) => by.send(nameCompany, { name }, { commandId });

describe('the same command twice', () => {
  it('is answered as the first time, and writes nothing', async () => {
    const first = await named('Acme', 'command-1');
    await named('Acme & Sons', 'command-2');
    const again = await named('Acme', 'command-1');
    expect(first.replayed).toBe(false);
    expect(again.replayed).toBe(true);
    expect(await store.readStream(companyStream('acme'))).toHaveLength(2);
  });

  it('is known to a process that was started after it', async () => {
    await ledger.send(putTask, { ...task, assignee: 'fixer' }, { commandId: 'command-1' });
    const first = await ledger.send(requestWakeup, { agent: 'fixer', task: 'ACME-12' }, { commandId: 'command-2' });
    const again = await ledger.another().send(requestWakeup, { agent: 'fixer', task: 'ACME-12' }, { commandId: 'command-2' });
    expect(again).toEqual({ ...first, replayed: true });
  });

  it('writes once when it is sent through two processes at once', async () => {
    const other = ledger.another();
    const answers = await Promise.all([named('Acme', 'command-1'), named('Acme', 'command-1', other)]);
    expect(answers.map(({ answer }) => answer)).toEqual([answers[0].answer, answers[0].answer]);
    expect(await store.readStream(companyStream('acme'))).toHaveLength(1);
  });

  it('is remembered for a day, however much came after it', async () => {
    await named('Acme', 'command-1');
    for (let n = 1; n <= 600; n++) await named(`Acme ${n}`, `later-${n}`);
    expect(await named('Acme', 'command-1')).toMatchObject({ replayed: true });
    clock.advance(23 * 60 * 60_000);
    await named('Acme & Sons', 'much-later');
    expect(await named('Acme', 'command-1', ledger.another())).toMatchObject({ replayed: true });
  });

  it('is remembered for longer than a day while it is among the last five hundred', async () => {
    await named('Acme', 'command-1');
    clock.advance(30 * 24 * 60 * 60_000);
    for (let n = 1; n <= 499; n++) await named(`Acme ${n}`, `later-${n}`);
    expect(await named('Acme', 'command-1')).toMatchObject({ replayed: true });
    expect(await named('Acme', 'command-1', ledger.another())).toMatchObject({ replayed: true });
  });

  it('is forgotten once it is both: older than a day, and not among the last five hundred', async () => {
    await named('Acme', 'command-1');
    clock.advance(25 * 60 * 60_000);
    for (let n = 1; n <= 501; n++) await named(`Acme ${n}`, `later-${n}`);
    expect(await named('Acme 501', 'command-1')).toMatchObject({ replayed: false, answer: { company: { name: 'Acme 501' } } });
  });
});

describe('a race', () => {
  it('that is lost is decided anew, on what the winner wrote', async () => {
    const other = ledger.another();
    await ledger.send(putTask, task);
    store.beforeAppend = once(() => other.send(setTaskStatus, { task: 'ACME-12', status: 'done' }));
    const { answer } = await ledger.send(setTaskStatus, { task: 'ACME-12', status: 'in_progress' });
    expect(answer.task).toMatchObject({ status: 'in_progress', revision: 2 });
    expect(await ledger.last('ACME-12', 'TaskStatusChanged')).toMatchObject({ from: 'done', to: 'in_progress' });
  });

  it('that was lost ten times is given up, and the command may be sent again', async () => {
    let races = 0;
    const other = new VirtualLedger({ store: store.direct, clock, process: 2 });
    store.beforeAppend = async () => void (await named(`Globex ${++races}`, `faster-${races}`, other));
    await expect(named('Acme', 'command-1')).rejects.toThrow(Contention);
    expect(races).toBe(10);
    store.beforeAppend = async () => {};
    expect((await named('Acme', 'command-1')).answer.company).toMatchObject({ name: 'Acme', revision: 10 });
  });

  it('within a process is none: commands for one stream take turns', async () => {
    const names = Array.from({ length: 20 }, (_, n) => `Acme ${n}`);
    await Promise.all(names.map((name) => named(name, name)));
    expect(store.sent).toHaveLength(1 + names.length);
    expect(
      (await store.readStream<{ type: 'CompanyNamed'; data: { name: string } }>(companyStream('acme'))).map(
        ({ data }) => data.name,
      ),
    ).toEqual(names);
  });

  it('is lost by a decision that was overtaken while it read what it had to know', async () => {
    await ledger.send(putTask, { ...task, assignee: 'fixer' });
    await ledger.send(putAgent, { agent: 'reviewer' });
    await ledger.send(requestWakeup, { agent: 'reviewer', task: 'ACME-12' });
    const own = new Ledger(store, clock, ledger.leases);
    await own.handle(startRun, start('ACME-12.9'), context('warms-the-cache')).catch(() => {});
    // Another process starts a run, and the log brings it, while this one reads the agent at the head of its stream.
    store.beforeRead = once(async () => {
      await ledger.ports.ledger.handle(startRun, start('ACME-12.1'), context('faster'));
      own.streams.follow(await store.readStream(taskStream('acme', 'ACME-12')));
    });
    await expect(own.handle(startRun, start('ACME-12.2'), context('slower'))).rejects.toMatchObject({ code: 'lane_busy' });
    expect((await ledger.lane('ACME-12')).open.filter(({ status }) => status === 'running')).toHaveLength(1);
  });
});

const start = (run: string) => Object.assign(new StartRun(), { company: 'acme', run, workerId: 'laptop', leaseMs: 30_000 });

describe('an append that is not answered', () => {
  it('is sent again as it was, until the store says what became of it', async () => {
    store.answersToLose = 2;
    const sentBefore = store.sent.length;
    const { answer } = await ledger.send(putTask, { ...task, assignee: 'fixer' });
    expect(answer.task).toMatchObject({ id: 'ACME-12', revision: 2 });
    const [first, ...others] = store.sent.slice(sentBefore);
    expect(others).toEqual([first, first]);
    expect(await ledger.history('ACME-12')).toHaveLength(3);
  });

  it('that never arrived arrives then', async () => {
    store.appendsToLose = 1;
    expect((await named('Acme', 'command-1')).answer.company).toMatchObject({ revision: 0 });
  });

  it('for too long is said to be unknown, and the same command finds out', async () => {
    const hasty = new VirtualLedger({ store, clock, patience: { races: 10, settleMs: 0 } });
    store.answersToLose = 1;
    await expect(named('Acme', 'command-1', hasty)).rejects.toThrow(OutcomeUnknown);
    expect(await named('Acme', 'command-1', hasty)).toMatchObject({
      replayed: true,
      answer: { company: { name: 'Acme', revision: 0 } },
    });
    expect(await store.readStream(companyStream('acme'))).toHaveLength(1);
  });

  it('does not hide that somebody else was faster', async () => {
    const other = new VirtualLedger({ store: store.direct, clock, process: 2 });
    store.appendsToLose = 1;
    store.beforeAppend = once(() => named('Globex', 'faster', other));
    expect((await named('Acme', 'command-1')).answer.company).toMatchObject({ name: 'Acme', revision: 1 });
  });
});

describe('If-Match', () => {
  const status = (status: string, ifRevision: number, by = ledger) =>
    by.send(setTaskStatus, { task: 'ACME-12', status }, { ifRevision });
  beforeEach(() => ledger.send(putTask, task));

  it('lets a command through at the revision that it names', async () => {
    expect((await status('done', 0)).revision).toBe(1);
  });

  it('refuses it at any other, and writes nothing', async () => {
    await expect(status('done', 7)).rejects.toMatchObject({
      code: 'revision_mismatch',
      message: expect.stringContaining('at revision 0, not 7'),
    });
    expect(await ledger.history('ACME-12')).toHaveLength(1);
  });

  it('refuses it even if there is nothing to do', async () => {
    await expect(status('todo', 7)).rejects.toMatchObject({ code: 'revision_mismatch' });
  });

  it('is no matter to a command that was answered before', async () => {
    const send = () => ledger.send(setTaskStatus, { task: 'ACME-12', status: 'done' }, { commandId: 'command-1', ifRevision: 0 });
    await send();
    expect(await send()).toMatchObject({ replayed: true });
  });

  it('knows a revision that another process has just written', async () => {
    await ledger.another().send(setTaskStatus, { task: 'ACME-12', status: 'in_progress' });
    expect((await status('done', 1)).revision).toBe(2);
  });
});

describe('what another process wrote a moment ago', () => {
  it('is no reason to refuse', async () => {
    await expect(ledger.send(setTaskStatus, { task: 'ACME-12', status: 'done' })).rejects.toMatchObject({
      code: 'task_not_found',
    });
    await ledger.another().send(putTask, task);
    expect((await ledger.send(setTaskStatus, { task: 'ACME-12', status: 'done' })).answer.task.status).toBe('done');
  });

  it('is not taken for what is so already', async () => {
    await ledger.send(putTask, task);
    await ledger.another().send(setTaskStatus, { task: 'ACME-12', status: 'done' });
    expect((await ledger.send(setTaskStatus, { task: 'ACME-12', status: 'todo' })).answer.task).toMatchObject({
      status: 'todo',
      revision: 2,
    });
  });
});

describe('a database that was restored from a backup', () => {
  it('is believed, not the cached state', async () => {
    await named('Acme', 'command-1');
    await named('Acme & Sons', 'command-2');
    const restored = new MemoryEventStore({ now: clock.now });
    await restored.append([store.sent.at(-2)![0]!]);
    store.direct = restored;
    expect((await named('Acme Ltd', 'command-3')).answer.company).toMatchObject({ name: 'Acme Ltd', revision: 1 });
  });

  it('is believed when it has gone on another way to the same revision', async () => {
    await named('Acme', 'command-1');
    const restored = new MemoryEventStore({ now: clock.now });
    await named('Globex', 'command-x', new VirtualLedger({ store: restored, clock }));
    await named('Globex Ltd', 'command-y', new VirtualLedger({ store: restored, clock }));
    store.direct = restored;
    expect((await named('Acme Ltd', 'command-3')).answer.company).toMatchObject({ name: 'Acme Ltd', revision: 2 });
  });
});

describe('data that cannot be stored', () => {
  it('is refused with the reason, and nothing of it is written', async () => {
    store.refusal = 'events of more than 1 MiB';
    await expect(named('Acme', 'command-1')).rejects.toMatchObject({
      code: 'data_refused',
      message: 'events of more than 1 MiB',
    });
  });
});

describe('following the log', () => {
  it('moves what is cached along, and reads anew where something is missing', async () => {
    const other = ledger.another();
    await ledger.send(putTask, task);
    await other.send(setTaskStatus, { task: 'ACME-12', status: 'in_progress' });
    await other.send(setTaskStatus, { task: 'ACME-12', status: 'done' });
    const events = await ledger.history('ACME-12');
    ledger.ports.ledger.streams.follow(events.slice(2));
    expect((await ledger.send(setTaskStatus, { task: 'ACME-12', status: 'todo' })).revision).toBe(3);
  });
});

function once(work: () => Promise<unknown>): () => Promise<void> {
  let done = false;
  return async () => {
    if (done) return;
    done = true;
    await work();
  };
}
