import fc from 'fast-check';
import { pauseAgent, putAgent, resumeAgent, terminateAgent } from '../../src/commands/agent.js';
import { holdCompany, releaseCompany } from '../../src/commands/company.js';
import { Rejected } from '../../src/commands/decider.js';
import { holdTask, releaseTask } from '../../src/commands/hold.js';
import { promoteDueRetries } from '../../src/commands/promote-due-retries.js';
import { cancelRun, finishRun } from '../../src/commands/run.js';
import { putTask, setTaskStatus } from '../../src/commands/task.js';
import { requestWakeup } from '../../src/commands/wakeup.js';
import { holdsPolicy } from '../../src/policies/holds.js';
import { terminationPolicy } from '../../src/policies/termination.js';
import { foldLog } from '../../src/projections/projector/fold.js';
import { wakeupRequests } from '../../src/projections/wakeup-requests.js';
import { machine, person, queued, requested } from '../facts.js';
import { seeded, type Draw } from '../projections/history.js';
import type { VirtualLedger } from '../virtual-ledger.js';
import { ReactingLedger } from './reacting.js';

const rateLimited = { outcome: 'failed', error: '429 rate limited' } as const;
const succeeded = { outcome: 'succeeded' } as const;

/** fixer and reviewer, and tasks of fixer's: `[task, parent]`. */
async function atWork(...tasks: [task: string, parent?: string][]): Promise<ReactingLedger> {
  const ledger = new ReactingLedger([holdsPolicy, terminationPolicy]);
  for (const agent of ['fixer', 'reviewer']) await ledger.send(putAgent, { agent, policy: { maxConcurrentRuns: 10 } });
  for (const [task, parent = null] of tasks) await ledger.send(putTask, { task, title: task, parent, assignee: 'fixer' });
  return ledger;
}

/** ACME-1 parked, ACME-2 running with a demand behind it, ACME-3 queued. */
async function inEveryState(): Promise<ReactingLedger> {
  const ledger = await atWork(['ACME-1']);
  await ledger.work('fixer', rateLimited);
  for (const task of ['ACME-2', 'ACME-3']) await ledger.send(putTask, { task, title: task, assignee: 'fixer' });
  await ledger.claim('fixer', { max: 1 });
  await ledger.send(requestWakeup, { agent: 'fixer', task: 'ACME-2', source: 'automation' }, { actor: machine });
  ledger.clock.advance(1_000);
  return ledger;
}

const open = async (ledger: VirtualLedger, task: string) =>
  (await ledger.lane(task)).open.map(({ runId, status }) => `${runId} ${status}`);
const running = async (ledger: VirtualLedger, ...tasks: string[]) =>
  (await Promise.all(tasks.map((task) => open(ledger, task)))).flat().filter((run) => run.endsWith('running'));
const types = async (ledger: VirtualLedger, task: string) => (await ledger.history(task)).map(({ type }) => type);

/** The worker of a run that was handed back reports, which frees the lane; then all that may be done is done. */
async function workOff(ledger: ReactingLedger): Promise<string[]> {
  await ledger.stopCancelled();
  const done: string[] = [];
  for (;;) {
    const claimed = await ledger.claim('fixer', { max: 1 });
    if (!claimed[0]) return done;
    await ledger.send(finishRun, { ...claimed[0], ...succeeded });
    done.push(claimed[0].run);
  }
}

/** Every demand was delivered or had joined another, but for those that a paused agent never took; no run was started twice. */
async function expectEachDoneOnce(ledger: VirtualLedger) {
  const log = await ledger.log();
  const rows = foldLog(wakeupRequests, log);
  expect(rows).toHaveLength(log.filter(({ type }) => type === 'WakeupRequested').length);
  const taken = rows.filter(({ code }) => code !== 'agent_not_invokable');
  expect(taken.filter(({ status }) => !['completed', 'failed', 'coalesced'].includes(status))).toEqual([]);
  const starts = log.filter(({ type }) => type === 'RunStarted').map(({ data }) => ('runId' in data ? data.runId : ''));
  expect(new Set(starts).size).toBe(starts.length);
}

describe('a paused agent', () => {
  it('case 45: keeps what is queued, parked and waiting, and gets back what ran', async () => {
    const ledger = await inEveryState();
    await ledger.send(pauseAgent, { agent: 'fixer', reason: 'too noisy' });
    expect(await ledger.react()).toBe(1);
    expect(await open(ledger, 'ACME-1')).toEqual(['ACME-1.2 scheduled_retry']);
    expect(await open(ledger, 'ACME-2')).toEqual(['ACME-2.2 queued']);
    expect(await open(ledger, 'ACME-3')).toEqual(['ACME-3.1 queued']);
    expect(await ledger.last('ACME-2', 'RunCancelled')).toMatchObject({ code: 'agent_paused', intent: 'requeue' });
    expect((await ledger.lane('ACME-2')).waiting).toEqual([]);
    await ledger.stopCancelled();
    expect(await ledger.claim('fixer')).toEqual([]);
  });

  it('goes on where it was when it is resumed: nothing is lost, and nothing done twice', async () => {
    const ledger = await inEveryState();
    await ledger.send(pauseAgent, { agent: 'fixer' });
    await ledger.react();
    ledger.clock.set('12:02');
    expect(await ledger.promoteDue()).toEqual([]);
    await ledger.send(resumeAgent, { agent: 'fixer' });
    await ledger.react();
    expect(await ledger.promoteDue()).toEqual(['ACME-1.2']);
    expect(await workOff(ledger)).toEqual(['ACME-3.1', 'ACME-2.2', 'ACME-1.2']);
    await expectEachDoneOnce(ledger);
  });

  it('does not cancel what waits when an agent is paused', async () => {
    const ledger = await inEveryState();
    await ledger.send(pauseAgent, { agent: 'fixer' });
    await ledger.react();
    const log = await ledger.log();
    expect(log.filter(({ type }) => type === 'WakeupCancelled' || type === 'WakeupSkipped')).toEqual([]);
    expect(log.filter(({ type }) => type === 'RunCancelled')).toHaveLength(1);
  });

  it.each([
    ['its agent is paused', (ledger: VirtualLedger) => ledger.send(pauseAgent, { agent: 'fixer', interrupt: false })],
    ['its task is held', (ledger: VirtualLedger) => ledger.send(holdTask, { task: 'ACME-2', interrupt: false })],
  ])('does not fail or cancel what waits when the run before it ends while %s', async (_, hold) => {
    const ledger = await inEveryState();
    await hold(ledger);
    await ledger.finishAll(succeeded);
    await ledger.react();
    expect(await open(ledger, 'ACME-2')).toEqual(['ACME-2.2 queued']);
    expect((await ledger.claim('fixer')).map(({ run }) => run)).not.toContain('ACME-2.2');
  });

  it("does not put a paused agent's task aside as blocked", async () => {
    const ledger = await inEveryState();
    await ledger.send(setTaskStatus, { task: 'ACME-2', status: 'in_progress' });
    await ledger.send(pauseAgent, { agent: 'fixer' });
    await ledger.react();
    await ledger.stopCancelled();
    await ledger.react();
    expect((await ledger.lane('ACME-2')).status).toBe('in_progress');
    expect(await types(ledger, 'ACME-2')).not.toContain('RecoveryEscalated');
  });

  it('lets a run end that it was not asked to interrupt', async () => {
    const ledger = await inEveryState();
    await ledger.send(pauseAgent, { agent: 'fixer', interrupt: false });
    await ledger.react();
    expect(await running(ledger, 'ACME-2')).toEqual(['ACME-2.1 running']);
  });

  it('does not lose the run of an agent that was resumed before anybody looked', async () => {
    const ledger = await inEveryState();
    await ledger.send(pauseAgent, { agent: 'fixer' });
    await ledger.send(resumeAgent, { agent: 'fixer' });
    expect(await ledger.react()).toBe(0);
    expect(await running(ledger, 'ACME-2')).toEqual(['ACME-2.1 running']);
  });

  it('still takes what others than wakeups ask of it, and keeps it for later', async () => {
    const ledger = await atWork();
    await ledger.send(pauseAgent, { agent: 'fixer' });
    await ledger.send(putTask, { task: 'ACME-1', title: 'Later', assignee: 'fixer' });
    expect(await ledger.claim('fixer')).toEqual([]);
    await ledger.send(resumeAgent, { agent: 'fixer' });
    expect(await workOff(ledger)).toEqual(['ACME-1.1']);
  });

  it('interrupts once, however often the policy comes by', async () => {
    const ledger = await inEveryState();
    await ledger.send(pauseAgent, { agent: 'fixer' });
    await ledger.react();
    ledger.forgetCheckpoint();
    expect(await ledger.react()).toBe(0);
  });
});

describe('what is asked for under a hold', () => {
  it.each([
    ['a held task', (ledger: VirtualLedger) => ledger.send(holdTask, { task: 'ACME-2' })],
    ['a task below a held one', (ledger: VirtualLedger) => ledger.send(holdTask, { task: 'ACME-1', subtree: true })],
    ['a held company', (ledger: VirtualLedger) => ledger.send(holdCompany, {})],
  ])('is taken, and kept for later: on %s', async (_, hold) => {
    const ledger = await atWork();
    await ledger.send(putTask, { task: 'ACME-1', title: 'The whole of it' });
    await ledger.send(putTask, { task: 'ACME-2', title: 'A part of it', parent: 'ACME-1', assignee: 'reviewer' });
    await hold(ledger);
    const { wakeup } = await ledger.answer(requestWakeup, { agent: 'fixer', task: 'ACME-2' });
    expect(wakeup).toMatchObject({ status: 'queued', run: 'ACME-2.2' });
    expect(await ledger.claim('fixer')).toEqual([]);
    await ledger.send(releaseCompany, {});
    for (const task of ['ACME-1', 'ACME-2']) await ledger.send(releaseTask, { task });
    expect(await workOff(ledger)).toEqual(['ACME-2.2']);
  });
});

describe('a run that is stopped', () => {
  it.each(['todo', 'in_progress'])(
    'does not start a second run when an operator cancels one of a task that is %s',
    async (status) => {
      const ledger = await atWork(['ACME-1']);
      await ledger.send(setTaskStatus, { task: 'ACME-1', status });
      const [claimed] = await ledger.claim('fixer');
      await ledger.send(cancelRun, { run: claimed?.run, reason: 'enough' });
      await ledger.react();
      expect(await open(ledger, 'ACME-1')).toEqual([]);
      expect((await ledger.lane('ACME-1')).status).toBe(status);
    },
  );

  it('does not recover a parked retry that an operator cancels', async () => {
    const ledger = await atWork(['ACME-1']);
    await ledger.send(setTaskStatus, { task: 'ACME-1', status: 'in_progress' });
    await ledger.work('fixer', rateLimited);
    await ledger.send(cancelRun, { run: 'ACME-1.2', reason: 'enough' });
    await ledger.react();
    expect(await open(ledger, 'ACME-1')).toEqual([]);
  });

  it('says nothing of a cancel that changed nothing', async () => {
    const ledger = await atWork(['ACME-1']);
    const run = await ledger.work('fixer', succeeded);
    const before = await types(ledger, 'ACME-1');
    await ledger.send(cancelRun, { run, reason: 'enough' });
    expect(await types(ledger, 'ACME-1')).toEqual(before);
  });
});

describe('a task that is held with its subtree', () => {
  const family = ['ACME-1', 'ACME-2', 'ACME-3'] as const;
  const threeLevels = () => atWork(['ACME-1'], ['ACME-2', 'ACME-1'], ['ACME-3', 'ACME-2'], ['ACME-9']);

  it('gives back what runs on all three levels, and nothing beside them', async () => {
    const ledger = await threeLevels();
    await ledger.claim('fixer');
    await ledger.send(holdTask, { task: 'ACME-1', subtree: true, reason: 'legal' });
    expect(await running(ledger, ...family)).toEqual(['ACME-2.1 running', 'ACME-3.1 running']);
    await ledger.react();
    expect(await running(ledger, ...family, 'ACME-9')).toEqual(['ACME-9.1 running']);
    expect(await ledger.last('ACME-3', 'RunCancelled')).toMatchObject({ code: 'task_held', intent: 'requeue' });
    await ledger.stopCancelled();
    expect(await ledger.claim('fixer')).toEqual([]);
  });

  it('does not cancel what nobody has claimed yet', async () => {
    const ledger = await threeLevels();
    await ledger.send(holdTask, { task: 'ACME-1', subtree: true });
    await ledger.react();
    const log = await ledger.log();
    expect(log.filter(({ type }) => type === 'RunCancelled' || type === 'WakeupCancelled')).toEqual([]);
    for (const task of family) expect(await open(ledger, task)).toEqual([`${task}.1 queued`]);
  });

  it('does not stand in the way of what is not held', async () => {
    const ledger = await threeLevels();
    await ledger.send(holdTask, { task: 'ACME-1', subtree: true });
    expect((await ledger.claim('fixer', { max: 1 })).map(({ run }) => run)).toEqual(['ACME-9.1']);
  });

  it('goes on, in order and once, when it is released', async () => {
    const ledger = await threeLevels();
    await ledger.claim('fixer');
    await ledger.send(holdTask, { task: 'ACME-1', subtree: true });
    await ledger.react();
    await ledger.send(releaseTask, { task: 'ACME-1' });
    await ledger.react();
    expect(await workOff(ledger)).toEqual(['ACME-1.2', 'ACME-2.2', 'ACME-3.2']);
  });

  it('holds by itself only itself', async () => {
    const ledger = await threeLevels();
    await ledger.claim('fixer');
    await ledger.send(holdTask, { task: 'ACME-1' });
    await ledger.react();
    expect(await running(ledger, ...family)).toEqual(['ACME-2.1 running', 'ACME-3.1 running']);
  });

  it('keeps parked runs below it parked past their time, and counts them as held', async () => {
    const ledger = await atWork(['ACME-1'], ['ACME-2', 'ACME-1']);
    await ledger.work('fixer', rateLimited);
    await ledger.work('fixer', rateLimited);
    await ledger.send(holdTask, { task: 'ACME-1', subtree: true });
    ledger.clock.set('12:02');
    expect(await ledger.answer(promoteDueRetries, {})).toEqual({ promoted: 0, runIds: [], held: 2 });
    expect(await ledger.ports.dueRetries.nextDue()).toBeUndefined();
    await ledger.send(releaseTask, { task: 'ACME-1' });
    expect(await ledger.answer(promoteDueRetries, {})).toEqual({ promoted: 2, runIds: ['ACME-1.2', 'ACME-2.2'], held: 0 });
  });

  it('takes in a running task that is put under it, with those below', async () => {
    const ledger = await atWork(['ACME-1'], ['ACME-2'], ['ACME-3', 'ACME-2']);
    await ledger.send(holdTask, { task: 'ACME-1', subtree: true });
    await ledger.claim('fixer');
    expect(await running(ledger, ...family)).toEqual(['ACME-2.1 running', 'ACME-3.1 running']);
    await ledger.react();
    await ledger.send(putTask, { task: 'ACME-2', title: 'Moved', parent: 'ACME-1' });
    await ledger.react();
    expect(await running(ledger, ...family)).toEqual([]);
  });

  it('leaves a running task alone that is described anew under a parent that is not held', async () => {
    const ledger = await atWork(['ACME-1'], ['ACME-2']);
    await ledger.claim('fixer');
    await ledger.send(putTask, { task: 'ACME-2', title: 'Moved', parent: 'ACME-1' });
    expect(await ledger.react()).toBe(0);
  });

  it('takes in a run that was started by somebody who did not know of the hold', async () => {
    const ledger = await atWork(['ACME-2', 'ACME-1']);
    await ledger.send(putTask, { task: 'ACME-1', title: 'The whole of it' });
    const late = await ledger.beforeStart(async () => {
      await ledger.another().send(holdTask, { task: 'ACME-1', subtree: true });
      expect(await ledger.react()).toBe(0);
    });
    expect(late).toEqual(['ACME-2.1']);
    await ledger.react();
    expect(await open(ledger, 'ACME-2')).toEqual(['ACME-2.2 queued']);
  });
});

describe('a company that is held', () => {
  it('gives back what runs, keeps the rest, and goes on where it was', async () => {
    const ledger = await inEveryState();
    await ledger.send(holdCompany, { reason: 'audit' });
    await ledger.react();
    expect(await ledger.last('ACME-2', 'RunCancelled')).toMatchObject({ code: 'company_held', intent: 'requeue' });
    await ledger.stopCancelled();
    ledger.clock.set('12:02');
    expect(await ledger.claim('fixer')).toEqual([]);
    expect(await ledger.answer(promoteDueRetries, {})).toMatchObject({ promoted: 0, held: 1 });
    await ledger.send(releaseCompany, {});
    expect(await ledger.promoteDue()).toEqual(['ACME-1.2']);
    expect(await workOff(ledger)).toEqual(['ACME-3.1', 'ACME-2.2', 'ACME-1.2']);
    await expectEachDoneOnce(ledger);
  });
});

describe('what is released', () => {
  it('goes on in the order in which it would have: rank, priority, age', async () => {
    const ledger = await atWork();
    const tasks = [
      { task: 'ACME-1', priority: 'low' },
      { task: 'ACME-2', priority: 'high' },
      { task: 'ACME-3', priority: 'low', status: 'in_progress' },
      { task: 'ACME-4', priority: 'high' },
    ];
    for (const task of tasks) {
      ledger.clock.advance(1_000);
      await ledger.send(putTask, { title: task.task, assignee: 'fixer', ...task });
    }
    await ledger.send(holdCompany, {});
    await ledger.send(releaseCompany, {});
    expect(await workOff(ledger)).toEqual(['ACME-3.1', 'ACME-2.1', 'ACME-4.1', 'ACME-1.1']);
  });
});

describe('a terminated agent', () => {
  it('has nothing left to do, whatever it was at; its lane is free when its worker has stopped', async () => {
    const ledger = await inEveryState();
    await ledger.send(terminateAgent, { agent: 'fixer' });
    await ledger.react();
    for (const task of ['ACME-1', 'ACME-2', 'ACME-3'])
      expect(await ledger.lane(task)).toMatchObject({ open: [], waiting: [], arriving: [] });
    expect(ledger.leases.isFree('acme', 'ACME-2')).toBe(false);
    await ledger.stopCancelled();
    expect(ledger.leases.isFree('acme', 'ACME-2')).toBe(true);
    const ends = (await ledger.log()).filter(({ type }) => type === 'RunCancelled' || type === 'WakeupCancelled');
    expect(ends.map(({ data }) => 'code' in data && data.code)).toEqual(Array(4).fill('agent_terminated'));
    expect(await types(ledger, 'ACME-2')).not.toContain('WakeupSkipped');
  });

  it('loses what was given to it by somebody who did not know', async () => {
    const ledger = await atWork(['ACME-1']);
    await ledger.send(terminateAgent, { agent: 'fixer' });
    await ledger.react();
    await ledger.write('ACME-1', requested(2), queued(2, { runId: 'ACME-1.2', chain: 'ACME-1.2' }));
    await ledger.react();
    expect((await ledger.lane('ACME-1')).open).toEqual([]);
    expect(await ledger.last('ACME-1', 'RunCancelled')).toMatchObject({ code: 'agent_terminated', intent: 'stop' });
  });
});

describe('whatever is paused and held', () => {
  const tasks = ['ACME-1', 'ACME-2', 'ACME-3', 'ACME-4'];
  const agents = ['fixer', 'reviewer'];
  const endings = [
    succeeded,
    rateLimited,
    { outcome: 'failed', errorCode: 'process_lost' },
    { outcome: 'cancelled', intent: 'requeue' },
  ];

  async function move(ledger: ReactingLedger, draw: Draw): Promise<unknown> {
    const task = tasks[draw(tasks.length)]!;
    const agent = agents[draw(2)]!;
    const moves = [
      () => ledger.send(requestWakeup, { agent, task }, { actor: draw(2) ? person : machine }),
      () => ledger.send(requestWakeup, { agent, task }, { actor: machine }),
      () => ledger.claim(agent),
      () => ledger.claim(agent, { max: 1 }),
      () => ledger.finishOne(endings[draw(endings.length)]!),
      () => ledger.finishOne(endings[draw(endings.length)]!),
      () => ledger.promoteDue(),
      () => ledger.send(pauseAgent, { agent, interrupt: draw(3) > 0 }),
      () => ledger.send(resumeAgent, { agent }),
      () => ledger.send(holdTask, { task, subtree: draw(2) > 0, interrupt: draw(3) > 0 }),
      () => ledger.send(releaseTask, { task }),
      () => ledger.send(putTask, { task, title: task, parent: draw(2) ? tasks[draw(tasks.length)] : null }),
      () => (draw(3) ? ledger.send(releaseCompany, {}) : ledger.send(holdCompany, {})),
      () => ledger.react(),
      () => ledger.stopCancelled(),
    ];
    ledger.clock.advance(draw(60_000));
    return moves[draw(moves.length)]!().catch((error: unknown) => {
      if (!(error instanceof Rejected)) throw error;
    });
  }

  /** All is released, and what workers can do is done, however long it takes. */
  async function calm(ledger: ReactingLedger): Promise<void> {
    await ledger.send(releaseCompany, {});
    for (const task of tasks) await ledger.send(releaseTask, { task });
    for (const agent of agents) await ledger.send(resumeAgent, { agent });
    await ledger.react();
    await ledger.stopCancelled();
    for (let round = 0; round < 10; round++) {
      await ledger.finishAll(succeeded);
      ledger.clock.advance(3 * 3_600_000);
      await ledger.promoteDue();
      for (const agent of agents) await ledger.claim(agent);
    }
  }

  it('is done once when it is released', async () => {
    const seed = Date.now() % 2 ** 31;
    console.log(`seed ${seed}`);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0 }), async (story) => {
        const draw = seeded(story);
        const ledger = await atWork(...tasks.map((task): [string] => [task]));
        for (let step = 0; step < 60; step++) await move(ledger, draw);
        await calm(ledger);
        for (const task of tasks) expect(await ledger.lane(task)).toMatchObject({ open: [], waiting: [], arriving: [] });
        await expectEachDoneOnce(ledger);
      }),
      { seed, numRuns: 40 },
    );
  });
});
