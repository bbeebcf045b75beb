import { pauseAgent, putAgent, resumeAgent } from '../../src/commands/agent.js';
import { holdCompany, releaseCompany } from '../../src/commands/company.js';
import { holdTask, releaseTask } from '../../src/commands/hold.js';
import { putRoutine } from '../../src/commands/routines/routine.js';
import { putTask } from '../../src/commands/task.js';
import { requestWakeup } from '../../src/commands/wakeup.js';
import { Bells, claimsBell, heartbeatsBell, retriesBell, routinesBell } from '../../src/workers/bells.js';
import { logFollower } from '../../src/workers/log-follower.js';
import { VirtualLedger } from '../virtual-ledger.js';

const longMs = 20_000;

describe('the follower of the log', () => {
  const ledger = new VirtualLedger();
  const { store } = ledger.ports;
  const bells = new Bells();
  const over = new AbortController();
  let following: Promise<void>;

  beforeAll(async () => {
    for (const agent of ['fixer', 'reviewer']) await ledger.send(putAgent, { agent });
    await ledger.send(putAgent, { company: 'globex', agent: 'last' });
    await ledger.send(putTask, { task: 'ACME-1', title: 'Mend the export' });
    await ledger.send(holdTask, { task: 'ACME-1' });
    await ledger.send(holdCompany, {});
    await ledger.send(pauseAgent, { agent: 'fixer' });
    following = logFollower({ store, ledger: ledger.ports.ledger, bells }, await store.head()).turn(over.signal);
  });
  afterAll(async () => {
    over.abort();
    await following;
  });

  /** Which of these bells ring for what is sent now. */
  async function rung(names: readonly string[], send: () => Promise<unknown>): Promise<string[]> {
    const enough = new AbortController();
    const heard: string[] = [];
    const waits = names.map((name) =>
      bells.wait(name, longMs, enough.signal).then(() => enough.signal.aborted || heard.push(name)),
    );
    const last = bells.wait(claimsBell('globex', 'last'), longMs, over.signal);
    await send();
    // What is appended after it has been heard of after it.
    await ledger.send(putTask, { company: 'globex', task: `LAST-${++tasks}`, title: 'Last', assignee: 'last' });
    await last;
    enough.abort();
    await Promise.all(waits);
    return heard;
  }
  let tasks = 0;
  const fixers = claimsBell('acme', 'fixer');
  const reviewers = claimsBell('acme', 'reviewer');
  const others = claimsBell('globex', 'fixer');
  const all = [retriesBell, fixers, reviewers, others];

  it.each([
    ['a task is released', () => ledger.send(releaseTask, { task: 'ACME-1' })],
    ['a company is released', () => ledger.send(releaseCompany, {})],
  ])('rings for everybody of the company, and the promoter, when %s', async (_, send) => {
    expect((await rung(all, send)).sort()).toEqual([fixers, reviewers, retriesBell].sort());
  });

  it('rings for an agent that is resumed, and the promoter', async () => {
    expect((await rung(all, () => ledger.send(resumeAgent, { agent: 'fixer' }))).sort()).toEqual([fixers, retriesBell].sort());
  });

  const timers = [heartbeatsBell, routinesBell];
  const triggers = [{ id: 'tick', kind: 'schedule', cron: '@hourly' }];
  const wake = (fields: object) => ledger.send(requestWakeup, { agent: 'reviewer', ...fields });

  it('rings for the heartbeat timer when an agent is registered, changed or resumed', async () => {
    expect(await rung(timers, () => ledger.send(putAgent, { agent: 'tester' }))).toEqual([heartbeatsBell]);
    expect(await rung(timers, () => ledger.send(putAgent, { agent: 'tester', name: 'T' }))).toEqual([heartbeatsBell]);
    await ledger.send(pauseAgent, { agent: 'tester' });
    expect(await rung(timers, () => ledger.send(resumeAgent, { agent: 'tester' }))).toEqual([heartbeatsBell]);
  });

  it('rings for the heartbeat timer when an own run of an agent has ended, and for no other', async () => {
    await wake({});
    expect(await rung(timers, () => ledger.work('reviewer', { outcome: 'succeeded' }))).toEqual([heartbeatsBell]);
    await wake({ task: 'ACME-1' });
    expect(await rung(timers, () => ledger.work('reviewer', { outcome: 'succeeded' }))).toEqual([]);
  });

  it('rings for the scheduler when a routine is defined or changed', async () => {
    const put = (title: string) => () => ledger.send(putRoutine, { routine: 'report', title, agent: 'reviewer', triggers });
    expect(await rung(timers, put('Report'))).toEqual([routinesBell]);
    expect(await rung(timers, put('Report it'))).toEqual([routinesBell]);
  });
});
