import { pauseAgent, putAgent } from '../../src/commands/agent.js';
import { promoteDueRetries } from '../../src/commands/promote-due-retries.js';
import { fireDueSlots } from '../../src/commands/routines/due-slots.js';
import { pauseRoutine, resumeRoutine } from '../../src/commands/routines/routine.js';
import { finishRun } from '../../src/commands/run.js';
import { assignTask, putTask, setTaskStatus } from '../../src/commands/task.js';
import { wakeupRequests } from '../../src/projections/wakeup-requests.js';
import { FiredLedger } from '../commands/routines/fired-ledger.js';
import { Folding } from '../folding.js';

const minute = 60_000;
const hour = 60 * minute;
const branch = { name: 'branch', type: 'text' };
const hourly = { id: 'hourly', kind: 'schedule', cron: '0 * * * *' };
const passing = { outcome: 'failed', exitCode: 1, error: '429 rate limited' } as const;

const done = (ledger: FiredLedger, task: string) => ledger.send(setTaskStatus, { task, status: 'done' });
/** What became of the demands on a task, in the order in which they were made. */
async function demands(ledger: FiredLedger, task: string): Promise<string[]> {
  const folding = new Folding(wakeupRequests);
  folding.follow(await ledger.log());
  return folding
    .all()
    .filter((row) => row.task === task)
    .map(({ status }) => status);
}

describe('dispatch', () => {
  it('case 69: a fire joins the open task of the same work, and says which fire opened it', async () => {
    const ledger = await FiredLedger.begin();
    expect(await ledger.fire()).toMatchObject({ outcome: 'created', task: 'nightly~1' });
    expect(await ledger.fire()).toMatchObject({ outcome: 'coalesced', into: 'nightly@1', task: 'nightly~1' });
    expect(await ledger.tasks()).toEqual(['nightly~1']);
  });

  it('case 70: an open task on which nothing goes on is woken again, and not opened a second time', async () => {
    const ledger = await FiredLedger.begin();
    await ledger.fire();
    await ledger.work('fixer', { outcome: 'succeeded' });
    expect(await ledger.lane('nightly~1')).toMatchObject({ status: 'todo', open: [] });
    expect(await ledger.fire()).toMatchObject({ outcome: 'coalesced', task: 'nightly~1', run: 'nightly~1.2' });
    expect(await ledger.claim('fixer')).toMatchObject([{ run: 'nightly~1.2' }]);
    expect(await ledger.tasks()).toEqual(['nightly~1']);
  });

  it('case 71: other values are other work, filled into title and description', async () => {
    const ledger = await FiredLedger.begin({ title: 'Build {{branch}}', description: 'of {{ branch }}', variables: [branch] });
    const fires = [];
    for (const value of ['main', 'next']) fires.push(await ledger.fire({ variables: { branch: value }, payload: { by: 'ada' } }));
    expect(fires.map(({ outcome, task }) => [outcome, task])).toEqual([
      ['created', 'nightly~1'],
      ['created', 'nightly~2'],
    ]);
    expect(new Set(fires.map(({ fingerprint }) => fingerprint)).size).toBe(2);
    expect(await ledger.lane('nightly~2')).toMatchObject({ title: 'Build next' });
    expect(await ledger.last('nightly~2', 'WakeupRequested')).toMatchObject({
      payload: { description: 'of next', variables: { branch: 'next' }, payload: { by: 'ada' } },
    });
  });

  it('case 73: a fire is answered when its wake is decided, and fails with that', async () => {
    const ledger = await FiredLedger.begin();
    await ledger.send(putAgent, { agent: 'fixer', policy: { wakeOnDemand: false } });
    expect(await ledger.fire()).toMatchObject({ outcome: 'failed', code: 'wake_on_demand_disabled', task: 'nightly~1' });
    await ledger.send(putAgent, { agent: 'fixer' });
    expect(await ledger.fire()).toMatchObject({ outcome: 'coalesced', task: 'nightly~1', run: 'nightly~1.1' });
  });

  it('case 74: a task whose only run is a parked retry is at work, and its back-off is not shortened', async () => {
    const ledger = await FiredLedger.begin();
    await ledger.fire();
    await ledger.work('fixer', passing);
    const parked = { status: 'scheduled_retry', runId: 'nightly~1.2' };
    expect(await ledger.lane('nightly~1')).toMatchObject({ open: [parked] });
    expect(await ledger.fire()).toMatchObject({ outcome: 'coalesced', run: 'nightly~1.2' });
    expect(await ledger.lane('nightly~1')).toMatchObject({ open: [parked] });
    ledger.clock.advance(2 * minute);
    expect(await ledger.answer(promoteDueRetries, { company: undefined })).toMatchObject({ runIds: ['nightly~1.2'] });
  });

  it('case 74: skipped, where the task is at work, queued, running or parked; and woken where it is not', async () => {
    const ledger = await FiredLedger.begin({ concurrency: 'skip_if_active' });
    await ledger.fire();
    const skipped = { outcome: 'skipped', code: 'task_active', task: 'nightly~1' };
    expect(await ledger.fire()).toMatchObject(skipped);
    const [claimed] = await ledger.claim('fixer');
    expect(await ledger.fire()).toMatchObject(skipped);
    await ledger.send(finishRun, { ...claimed, ...passing });
    expect(await ledger.fire()).toMatchObject(skipped);
    ledger.clock.advance(2 * minute);
    await ledger.promoteDue();
    await ledger.work('fixer', { outcome: 'succeeded' });
    expect(await ledger.fire()).toMatchObject({ outcome: 'coalesced', run: 'nightly~1.3' });
  });

  it('case 74: always a task of its own, where that is the rule, and both run', async () => {
    const ledger = await FiredLedger.begin({ concurrency: 'always_enqueue' });
    expect((await ledger.fire()).fingerprint).toBe((await ledger.fire()).fingerprint);
    expect((await ledger.claim('fixer')).map(({ run }) => run)).toEqual(['nightly~1.1', 'nightly~2.1']);
  });

  it('case 75: the order of keys is no difference', async () => {
    const ledger = await FiredLedger.begin();
    const first = await ledger.fire({ payload: { a: 1, b: { c: [1, { d: 2, e: 3 }], f: 4 } } });
    const second = await ledger.fire({ payload: { b: { f: 4, c: [1, { e: 3, d: 2 }] }, a: 1 } });
    expect(second).toMatchObject({ outcome: 'coalesced', fingerprint: first.fingerprint });
  });

  it('case 76: the same key is the same fire', async () => {
    const ledger = await FiredLedger.begin();
    const first = await ledger.fire({ trigger: 'button' }, 'one key');
    expect(await ledger.fire({ trigger: 'button' }, 'one key')).toEqual(first);
    expect((await ledger.routine()).fires).toBe(1);
  });

  it.each([
    ['enqueue_missed_with_cap', 25],
    ['skip_missed', 1],
  ])('case 77: of forty slots that were missed, by %s, %d are fired, in all', async (catchUp, expected) => {
    const ledger = await FiredLedger.begin({ catchUp, concurrency: 'always_enqueue', triggers: [hourly] });
    ledger.clock.advance(40 * hour);
    const { fires, missed, more } = await ledger.answer(fireDueSlots, { routine: 'nightly' });
    expect([fires.length, missed, more]).toEqual([expected, 40 - expected, false]);
    expect(await ledger.answer(fireDueSlots, { routine: 'nightly' })).toMatchObject({ fires: [], missed: 0 });
  });

  it('case 80: a fire ends as its task does: blocked is a failure with its reason, and done after all is done', async () => {
    const ledger = await FiredLedger.begin();
    await ledger.fire();
    const concluded = async () => {
      await ledger.react();
      const last = (await ledger.routineHistory()).findLast(({ type }) => type === 'FireConcluded' || type === 'FireReopened');
      return last && { type: last.type, ...last.data };
    };
    await ledger.send(setTaskStatus, { task: 'nightly~1', status: 'blocked' });
    expect(await concluded()).toMatchObject({ outcome: 'failed', status: 'blocked', reason: 'nightly~1 is blocked' });
    await done(ledger, 'nightly~1');
    expect(await concluded()).toMatchObject({ outcome: 'completed', status: 'done', reason: null });
  });

  it('case 80: work that fails for good ends the fire with what the task says', async () => {
    const ledger = await FiredLedger.begin();
    await ledger.fire();
    for (let attempt = 0; attempt < 2; attempt++) await ledger.work('fixer', { outcome: 'failed', error: 'the build is broken' });
    await ledger.react();
    const concluded = (await ledger.routineHistory()).findLast(({ type }) => type === 'FireConcluded');
    expect(concluded?.data).toMatchObject({
      outcome: 'failed',
      status: 'blocked',
      reason: expect.stringMatching(/nightly~1\.2/),
    });
  });
});

describe('a pause', () => {
  it('lets through what is asked for by hand, and nothing else', async () => {
    const ledger = await FiredLedger.begin({ triggers: [{ id: 'button', kind: 'api' }, hourly] });
    await ledger.send(pauseRoutine, { routine: 'nightly', reason: 'holidays' });
    expect(await ledger.fire()).toMatchObject({ outcome: 'created' });
    await expect(ledger.fire({ trigger: 'button' })).rejects.toMatchObject({ code: 'routine_paused' });
    ledger.clock.advance(hour);
    const { fires } = await ledger.answer(fireDueSlots, { routine: 'nightly' });
    expect(fires).toMatchObject([{ outcome: 'suppressed', code: 'routine_paused', slot: '2026-04-20T13:00:00.000Z' }]);
  });

  it('leaves each slot with one outcome, however it ends', async () => {
    const ledger = await FiredLedger.begin({ triggers: [hourly] });
    await ledger.send(pauseRoutine, { routine: 'nightly' });
    ledger.clock.advance(hour);
    await ledger.send(fireDueSlots, { routine: 'nightly' });
    ledger.clock.advance(2 * hour);
    await ledger.send(resumeRoutine, { routine: 'nightly' });
    ledger.clock.advance(hour);
    await ledger.send(fireDueSlots, { routine: 'nightly' });
    const outcomes = (await ledger.routineHistory()).flatMap(({ type, data }) => {
      if (type === 'SlotsMissed') return [`${data.count} ${data.code}`];
      return type === 'FireSuppressed' || type === 'FireCreated' ? [type] : [];
    });
    expect(outcomes).toEqual(['FireSuppressed', '2 routine_paused', 'FireCreated']);
  });

  it('of its agent holds the work, and refuses none', async () => {
    const ledger = await FiredLedger.begin();
    await ledger.send(pauseAgent, { agent: 'fixer' });
    expect(await ledger.fire()).toMatchObject({ outcome: 'created', run: 'nightly~1.1' });
    expect(await ledger.claim('fixer')).toEqual([]);
  });
});

describe('what goes wrong in the reference does not here', () => {
  it('[B] #10922: a task and its wake cannot come apart, since they are one append', async () => {
    const ledger = await FiredLedger.begin();
    await ledger.fire();
    const [opened, ...others] = await ledger.history('nightly~1');
    expect(others.map(({ type }) => type)).toEqual(['WakeupRequested', 'RunQueued', 'FireTaken']);
    for (const { metadata } of others) expect(metadata.commandId).toBe(opened?.metadata.commandId);
  });

  it('a wake that is refused does not count as done', async () => {
    const ledger = await FiredLedger.begin();
    await ledger.send(putTask, { task: 'ACME-9', title: 'First this', assignee: 'reviewer' });
    await ledger.fire();
    await ledger.send(putTask, { task: 'nightly~1', title: 'Check the exports', blockedBy: ['ACME-9'] });
    expect(await ledger.fire()).toMatchObject({ outcome: 'skipped', code: 'issue_dependencies_blocked', task: 'nightly~1' });
  });

  it('a fire that joins a running run is told to the next one, not to nobody', async () => {
    const ledger = await FiredLedger.begin();
    await ledger.fire();
    const [claimed] = await ledger.claim('fixer');
    expect(await ledger.fire({ payload: {} })).toMatchObject({ outcome: 'coalesced' });
    await ledger.send(finishRun, { ...claimed, outcome: 'succeeded' });
    expect(await demands(ledger, 'nightly~1')).toEqual(['completed', 'queued']);
  });

  it('a delivery’s id does not make it other work, if it is told so', async () => {
    const ledger = await FiredLedger.begin({ fingerprintIgnore: ['delivery', 'commits.*.timestamp'] });
    const push = (delivery: string, timestamp: number) => ({
      payload: { ref: 'main', delivery, commits: [{ id: 1, timestamp }] },
    });
    await ledger.fire(push('one', 1));
    expect(await ledger.fire(push('other', 2))).toMatchObject({ outcome: 'coalesced', into: 'nightly@1' });
  });

  it('a slot that is taken is not lost when the process ends right behind', async () => {
    const ledger = await FiredLedger.begin({ triggers: [hourly] });
    ledger.clock.advance(hour);
    ledger.faulty.beforeAppend = async ([write]) => {
      if (write?.stream.startsWith('task-')) ledger.faulty.appendsToLose = 1;
    };
    const { fires } = await ledger.answer(fireDueSlots, { routine: 'nightly' });
    expect(fires).toMatchObject([{ outcome: 'pending' }]);
    ledger.faulty.beforeAppend = async () => {};
    await ledger.react();
    expect(await ledger.fires()).toEqual(['RoutineFired nightly@1', 'FireCreated nightly@1']);
  });

  it('the cap is one in all, and not one each time that somebody looks', async () => {
    const ledger = await FiredLedger.begin({ catchUp: 'enqueue_missed_with_cap', triggers: [hourly] });
    ledger.clock.advance(100 * hour);
    for (let look = 0; look < 5; look++) await ledger.send(fireDueSlots, { routine: 'nightly' });
    const fired = (await ledger.fires()).filter((line) => line.startsWith('RoutineFired'));
    expect(fired).toHaveLength(25);
  });

  it('nobody is kept from firing by a task that nobody works on', async () => {
    const ledger = await FiredLedger.begin({ concurrency: 'skip_if_active' });
    await ledger.fire();
    await ledger.work('fixer', { outcome: 'succeeded' });
    for (let day = 0; day < 3; day++) {
      expect(await ledger.fire()).toMatchObject({ outcome: 'coalesced' });
      await ledger.work('fixer', { outcome: 'succeeded' });
    }
  });

  it('a task that was given to somebody else is woken with him', async () => {
    const ledger = await FiredLedger.begin();
    await ledger.fire();
    await ledger.work('fixer', { outcome: 'succeeded' });
    await ledger.send(assignTask, { task: 'nightly~1', agent: 'reviewer' });
    await ledger.work('reviewer', { outcome: 'succeeded' });
    expect(await ledger.fire()).toMatchObject({ outcome: 'coalesced', task: 'nightly~1' });
    expect((await ledger.lane('nightly~1')).open).toMatchObject([{ agent: 'reviewer' }]);
  });

  it('a routine without an agent begins paused, and does not fire into nothing', async () => {
    const ledger = await FiredLedger.begin({ agent: null });
    expect((await ledger.routine()).status).toBe('paused');
    await expect(ledger.fire()).rejects.toMatchObject({ code: 'agent_required' });
    expect(await ledger.fire({ agent: 'reviewer' })).toMatchObject({ outcome: 'created' });
  });

  it('nobody but a routine opens what is named after one of its fires, and anybody may change it', async () => {
    const ledger = await FiredLedger.begin();
    const put = (title: string) => ledger.send(putTask, { task: 'nightly~1', title, assignee: 'fixer' });
    await expect(put('Mine')).rejects.toMatchObject({ code: 'task_kind_fixed', message: expect.stringMatching(/fire nightly/) });
    await ledger.fire();
    await put('Check them well');
    expect(await ledger.lane('nightly~1')).toMatchObject({ title: 'Check them well', kind: 'routine' });
  });
});
