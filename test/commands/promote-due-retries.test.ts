import { pauseAgent, putAgent, resumeAgent, terminateAgent } from '../../src/commands/agent.js';
import { holdCompany, releaseCompany } from '../../src/commands/company.js';
import { holdTask, releaseTask } from '../../src/commands/hold.js';
import { promoteDueRetries } from '../../src/commands/promote-due-retries.js';
import { cancelRun } from '../../src/commands/run.js';
import { assignTask, putTask } from '../../src/commands/task.js';
import { MemoryEventStore } from '../../src/event-store/memory.js';
import { FaultyStore } from '../event-store/faulty.js';
import { VirtualClock, VirtualLedger } from '../virtual-ledger.js';

const rateLimited = { outcome: 'failed', error: '429 rate limited' } as const;

/** So many lanes with a retry that is due at 12:02. */
async function withParked(count: number, store?: FaultyStore, clock?: VirtualClock): Promise<VirtualLedger> {
  const ledger = new VirtualLedger({ store, clock });
  await ledger.send(putAgent, { agent: 'fixer' });
  for (let n = 1; n <= count; n++) {
    await ledger.send(putTask, { task: `ACME-${n}`, title: `Task ${n}`, assignee: 'fixer' });
    await ledger.work('fixer', rateLimited);
  }
  ledger.clock.set('12:02');
  return ledger;
}
const promote = async (ledger: VirtualLedger, fields: object = {}) => ledger.answer(promoteDueRetries, fields);

describe('PromoteDueRetries', () => {
  it('promotes what is due, and nothing before its time', async () => {
    const ledger = await withParked(2);
    ledger.clock.set('12:01:59');
    expect(await promote(ledger)).toEqual({ promoted: 0, runIds: [], held: 0 });
    ledger.clock.set('12:02');
    expect(await promote(ledger)).toEqual({ promoted: 2, runIds: ['ACME-1.2', 'ACME-2.2'], held: 0 });
  });

  it('promotes each once, when asked again', async () => {
    const ledger = await withParked(2);
    await promote(ledger);
    expect(await promote(ledger)).toEqual({ promoted: 0, runIds: [], held: 0 });
  });

  it('promotes each once, whoever else does the same at the same time', async () => {
    const ledger = await withParked(30);
    const processes = [ledger, ledger.another(), ledger.another().another()];
    const answers = await Promise.all(processes.flatMap((process) => [promote(process), promote(process)]));
    expect(answers.reduce((sum, { promoted }) => sum + promoted, 0)).toBe(30);
    expect((await ledger.log()).filter(({ type }) => type === 'RetryPromoted')).toHaveLength(30);
  });

  it('promotes what is due of one company, or no more than a limit', async () => {
    const ledger = await withParked(3);
    expect(await promote(ledger, { company: 'globex' })).toMatchObject({ promoted: 0 });
    expect(await promote(ledger, { limit: 2 })).toMatchObject({ promoted: 2, runIds: ['ACME-1.2', 'ACME-2.2'] });
    expect(await promote(ledger, { limit: 2 })).toMatchObject({ promoted: 1 });
  });

  it('counts what is held because its agent is paused, and promotes it when it is resumed', async () => {
    const ledger = await withParked(2);
    await ledger.send(pauseAgent, { agent: 'fixer' });
    expect(await promote(ledger)).toEqual({ promoted: 0, runIds: [], held: 2 });
    await ledger.send(resumeAgent, { agent: 'fixer' });
    expect(await promote(ledger)).toMatchObject({ promoted: 2, held: 0 });
  });

  it('counts what is held because its task is, or one above it, and promotes it when that is released', async () => {
    const ledger = await withParked(3);
    await ledger.send(putTask, { task: 'ACME-2', title: 'A part of it', parent: 'ACME-1' });
    await ledger.send(holdTask, { task: 'ACME-1', subtree: true });
    expect(await promote(ledger)).toEqual({ promoted: 1, runIds: ['ACME-3.2'], held: 2 });
    await ledger.send(releaseTask, { task: 'ACME-1' });
    expect(await promote(ledger)).toEqual({ promoted: 2, runIds: ['ACME-1.2', 'ACME-2.2'], held: 0 });
  });

  it('counts what is held because its company is, and promotes it when that is released', async () => {
    const ledger = await withParked(2);
    await ledger.send(holdCompany, {});
    expect(await promote(ledger)).toEqual({ promoted: 0, runIds: [], held: 2 });
    await ledger.send(releaseCompany, {});
    expect(await promote(ledger)).toMatchObject({ promoted: 2, held: 0 });
  });

  it('does not let what is held take the place of what is not, where there is a limit', async () => {
    const ledger = await withParked(3);
    await ledger.send(holdTask, { task: 'ACME-1' });
    expect(await promote(ledger, { limit: 1 })).toEqual({ promoted: 1, runIds: ['ACME-2.2'], held: 1 });
  });

  it('reads no stream, however many lanes are due', async () => {
    const clock = new VirtualClock();
    const store = new FaultyStore(new MemoryEventStore({ now: clock.now }));
    const ledger = await withParked(30, store, clock);
    const read: string[] = [];
    store.beforeRead = async (stream) => void read.push(stream);
    expect(await promote(ledger.another())).toMatchObject({ promoted: 30 });
    expect(read).toEqual([]);
  });

  it('leaves the retries of a terminated agent where they are', async () => {
    const ledger = await withParked(1);
    await ledger.send(terminateAgent, { agent: 'fixer' });
    expect(await promote(ledger)).toEqual({ promoted: 0, runIds: [], held: 1 });
  });

  it('promotes a later retry of a lane, also under the id of an earlier promotion', async () => {
    const ledger = await withParked(1);
    const commandId = '0192f0c1-7a3b-7c4d-8e5f-60718293a4b5';
    await ledger.send(promoteDueRetries, {}, { commandId });
    await ledger.work('fixer', rateLimited);
    ledger.clock.set('13:00');
    expect((await ledger.send(promoteDueRetries, {}, { commandId })).answer).toMatchObject({ runIds: ['ACME-1.3'] });
    expect((await ledger.log()).filter(({ type }) => type === 'RetryPromoted')).toHaveLength(2);
  });

  it('asks the lane itself where its list is behind', async () => {
    const clock = new VirtualClock();
    const store = new FaultyStore(new MemoryEventStore({ now: clock.now }));
    const ledger = await withParked(3, store, clock);
    const other = ledger.another();
    let overtaken = false;
    store.beforeAppend = async () => {
      if (overtaken) return;
      overtaken = true;
      await other.send(cancelRun, { run: 'ACME-1.2', reason: 'enough' });
      await other.send(putTask, { task: 'ACME-2', title: 'Renamed' });
    };
    expect(await promote(ledger)).toMatchObject({ promoted: 2, runIds: ['ACME-3.2', 'ACME-2.2'] });
    expect((await ledger.lane('ACME-1')).open).toEqual([]);
  });

  it('leaves what was reassigned meanwhile ended', async () => {
    const ledger = await withParked(1);
    await ledger.send(assignTask, { task: 'ACME-1', agent: null });
    expect(await promote(ledger)).toMatchObject({ promoted: 0, held: 0 });
  });

  it('writes once what it was not answered about', async () => {
    const clock = new VirtualClock();
    const store = new FaultyStore(new MemoryEventStore({ now: clock.now }));
    const ledger = await withParked(5, store, clock);
    store.answersToLose = 2;
    expect(await promote(ledger)).toMatchObject({ promoted: 5 });
    expect((await ledger.log()).filter(({ type }) => type === 'RetryPromoted')).toHaveLength(5);
  });
});
