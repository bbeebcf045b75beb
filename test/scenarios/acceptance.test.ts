import { claimRuns } from '../../src/commands/claim-runs.js';
import { pauseAgent, putAgent } from '../../src/commands/agent.js';
import { promoteDueRetries } from '../../src/commands/promote-due-retries.js';
import { scheduleRetry } from '../../src/commands/retry.js';
import { cancelRun, finishRun, reportRunLost } from '../../src/commands/run.js';
import { assignTask, putTask, setTaskStatus } from '../../src/commands/task.js';
import { requestWakeup } from '../../src/commands/wakeup.js';
import { at, machine } from '../facts.js';
import { VirtualLedger } from '../virtual-ledger.js';

const adapterFailed = { outcome: 'failed', exitCode: 1, errorCode: 'adapter_failed', error: 'the build is broken' } as const;
const passing = { outcome: 'failed', exitCode: 1, error: '429 rate limited' } as const;
const iso = (clock: string) => at(clock).toISOString();

let ledger: VirtualLedger;
beforeEach(async () => {
  ledger = new VirtualLedger();
  await ledger.send(putAgent, { agent: 'fixer' });
  await ledger.send(putAgent, { agent: 'reviewer' });
});

const open = (task: string, fields: object = {}) => ledger.send(putTask, { task, title: task, assignee: 'fixer', ...fields });
const run = async (id: string) => {
  const { open, ended } = await ledger.lane(id.slice(0, id.lastIndexOf('.')));
  return [...open, ...ended].find(({ runId }) => runId === id);
};

/** A run of ACME-1 that failed at noon of nothing that passes, and whose retry was asked for. */
async function retried() {
  await open('ACME-1');
  await ledger.work('fixer', adapterFailed);
  return ledger.answer(scheduleRetry, { run: 'ACME-1.1' });
}

/** ACME-1 has failed so often that it has no attempts left. */
async function spent(ending: object = passing) {
  await open('ACME-1');
  for (const minutes of [2, 10, 30, 120]) {
    await ledger.work('fixer', ending);
    ledger.clock.advance(minutes * 60_000);
    await ledger.promoteDue();
  }
}

describe('bounded retry', () => {
  it('case 1: a retry is scheduled after two minutes', async () => {
    expect(await retried()).toMatchObject({
      outcome: 'scheduled',
      attempt: 1,
      dueAt: iso('12:02'),
      run: { id: 'ACME-1.3', status: 'scheduled_retry' },
    });
    expect(await ledger.last('ACME-1', 'RetryScheduled')).toMatchObject({
      retryOf: 'ACME-1.1',
      attempt: 1,
      reason: 'transient_failure',
    });
  });

  it('case 2: a second before its time it is not promoted', async () => {
    await retried();
    ledger.clock.set('12:01:59');
    expect(await ledger.answer(promoteDueRetries, {})).toMatchObject({ promoted: 0, runIds: [] });
    expect(await run('ACME-1.3')).toMatchObject({ status: 'scheduled_retry' });
  });

  it('case 3: at its time it is', async () => {
    await retried();
    ledger.clock.set('12:02');
    expect(await ledger.answer(promoteDueRetries, {})).toMatchObject({ promoted: 1, runIds: ['ACME-1.3'] });
    expect(await run('ACME-1.3')).toMatchObject({ status: 'queued' });
  });

  it('case 4: after four retries there is none, and no further run', async () => {
    await spent();
    const last = await ledger.work('fixer', adapterFailed);
    expect(await ledger.answer(scheduleRetry, { run: last })).toEqual({ outcome: 'retry_exhausted', attempt: 5, maxAttempts: 4 });
    expect((await ledger.lane('ACME-1')).runs).toBe(5);
  });

  it('case 5: the event says how many were used', async () => {
    await spent();
    const last = await ledger.work('fixer', adapterFailed);
    await ledger.send(scheduleRetry, { run: last });
    expect(await ledger.last('ACME-1', 'RetryExhausted')).toMatchObject({
      reason: 'transient_failure',
      attempts: 4,
      maxAttempts: 4,
    });
  });

  it('case 6: codex falls back from attempt to attempt, in the run’s context and in its wakeup', async () => {
    await ledger.send(putAgent, { agent: 'fixer', adapter: 'codex_local' });
    await spent({ outcome: 'failed', exitCode: 1, errorCode: 'codex_transient_upstream' });
    const history = await ledger.history('ACME-1');
    const modes = ['same_session', 'safer_invocation', 'fresh_session', 'fresh_session_safer_invocation'];
    expect(history.flatMap((e) => (e.type === 'RetryScheduled' ? [e.data.context.fallbackMode] : []))).toEqual(modes);
    expect(history.flatMap((e) => (e.type === 'WakeupRequested' ? (e.data.payload.fallbackMode ?? []) : []))).toEqual(modes);
  });

  it('case 7: the delays are 2 min, 10 min, 30 min and 2 h', async () => {
    await spent();
    const history = await ledger.history('ACME-1');
    expect(history.flatMap((e) => (e.type === 'RetryScheduled' ? [e.data.delayMs] : []))).toEqual([
      120_000, 600_000, 1_800_000, 7_200_000,
    ]);
  });

  it.each([
    [0, 90_000],
    [1, 150_000],
    [-3, 90_000],
    [7, 150_000],
  ])('case 8: where chance says %d the first is %d ms', async (chance, delayMs) => {
    ledger.clock.chance = chance;
    await retried();
    expect(await ledger.last('ACME-1', 'RetryScheduled')).toMatchObject({ delayMs });
  });

  it.each([
    ['14:00', '14:00'],
    ['12:01', '12:02'],
  ])('case 9: not before %s is due at %s', async (notBefore, due) => {
    await open('ACME-1');
    await ledger.work('fixer', { ...passing, retryAfter: iso(notBefore) });
    expect(await ledger.last('ACME-1', 'RetryScheduled')).toMatchObject({ dueAt: iso(due) });
  });

  it('case 11: claude is retried without a mode', async () => {
    await ledger.send(putAgent, { agent: 'fixer', adapter: 'claude_local' });
    await open('ACME-1');
    await ledger.work('fixer', { outcome: 'failed', errorCode: 'claude_transient_upstream' });
    const retry = await ledger.last('ACME-1', 'RetryScheduled');
    expect(retry.errorFamily).toBe('transient_upstream');
    expect(retry).not.toHaveProperty('fallbackMode');
  });

  it.each([['timed_out'], ['failed']])('case 12: a run that %s is not retried by itself', async (outcome) => {
    await open('ACME-1');
    await ledger.work('fixer', { ...adapterFailed, outcome, errorCode: undefined });
    expect((await ledger.lane('ACME-1')).open).toMatchObject([{ cause: 'assignment_recovery', status: 'queued' }]);
    expect((await ledger.history('ACME-1')).map(({ type }) => type)).not.toContain('RetryScheduled');
  });

  it('case 13: the lane shows its retry, and no lock', async () => {
    await retried();
    expect((await ledger.lane('ACME-1')).open).toMatchObject([
      { runId: 'ACME-1.3', status: 'scheduled_retry', chain: 'ACME-1.1' },
    ]);
  });

  it('case 14: reassigning cancels the retry at once, with both names', async () => {
    await retried();
    await ledger.send(assignTask, { task: 'ACME-1', agent: 'reviewer' });
    expect(await ledger.last('ACME-1', 'RunCancelled')).toMatchObject({
      runId: 'ACME-1.3',
      code: 'issue_reassigned',
      wakeups: 'cancelled',
      reason: expect.stringMatching(/from fixer to reviewer/),
    });
    ledger.clock.set('12:02');
    expect(await ledger.promoteDue()).toEqual([]);
  });

  it.each([
    ['cancelled', 'issue_cancelled'],
    ['done', 'issue_done'],
  ])('case 15: a task that is %s cancels the retry at once', async (status, code) => {
    await retried();
    await ledger.send(setTaskStatus, { task: 'ACME-1', status });
    expect(await ledger.last('ACME-1', 'RunCancelled')).toMatchObject({ runId: 'ACME-1.3', code });
  });

  it('case 16: all that is due is promoted, in order, or as many as are asked for', async () => {
    await ledger.send(putAgent, { agent: 'fixer', policy: { maxConcurrentRuns: 10 } });
    for (let n = 100; n < 220; n++) {
      await open(`ACME-${n}`);
      await ledger.work('fixer', passing);
      ledger.clock.advance(1);
    }
    ledger.clock.set('12:30');
    const wanted = Array.from({ length: 120 }, (_, n) => `ACME-${n + 100}.2`);
    expect((await ledger.answer(promoteDueRetries, { limit: 50 })).runIds).toEqual(wanted.slice(0, 50));
    expect((await ledger.answer(promoteDueRetries, {})).runIds).toEqual(wanted.slice(50));
  });
});

describe('life and queue', () => {
  it('case 24: an agent with one slot begins the next run when the first has ended', async () => {
    await ledger.send(putAgent, { agent: 'fixer', policy: { maxConcurrentRuns: 1 } });
    await open('ACME-1');
    const [first] = await ledger.claim('fixer');
    await open('ACME-2');
    expect(await ledger.claim('fixer')).toEqual([]);
    expect(await run('ACME-2.1')).toMatchObject({ status: 'queued' });
    await ledger.send(finishRun, { ...first, outcome: 'succeeded' });
    expect(await ledger.claim('fixer')).toMatchObject([{ run: 'ACME-2.1' }]);
  });

  const order = async () => {
    const started: string[] = [];
    for (let next = await ledger.claim('fixer', { max: 1 }); next[0]; next = await ledger.claim('fixer', { max: 1 }))
      started.push(next[0].run);
    return started;
  };

  it('case 26: work in progress first, then other work, then no issue, blocked last', async () => {
    await open('BLOCKED', { priority: 'critical' });
    await ledger.send(setTaskStatus, { task: 'BLOCKED', status: 'blocked' });
    await ledger.send(requestWakeup, { agent: 'fixer' });
    await open('READY', { priority: 'low' });
    await open('STARTED', { status: 'in_progress' });
    expect(await order()).toEqual(['STARTED.1', 'READY.1', 'heartbeat~fixer.1', 'BLOCKED.1']);
  });

  it('case 27: among equals the more urgent, then the older', async () => {
    for (const [task, priority] of [
      ['LOW', 'low'],
      ['CRITICAL-B', 'critical'],
      ['CRITICAL-A', 'critical'],
    ] as const) {
      await open(task, { priority });
      ledger.clock.advance(1_000);
    }
    expect(await order()).toEqual(['CRITICAL-B.1', 'CRITICAL-A.1', 'LOW.1']);
  });

  it('case 28: a wakeup of a paused agent is refused', async () => {
    await ledger.send(pauseAgent, { agent: 'fixer' });
    await expect(ledger.send(requestWakeup, { agent: 'fixer' })).rejects.toMatchObject({
      code: 'agent_not_invokable',
      wakeupId: expect.any(String),
    });
    expect(await ledger.last('heartbeat~fixer', 'WakeupSkipped')).toMatchObject({ code: 'agent_not_invokable' });
  });

  it('case 29: what an agent’s policy has switched off is skipped, and recorded', async () => {
    const wake = (source: string) => ledger.answer(requestWakeup, { agent: 'fixer', source });
    expect(await wake('timer')).toMatchObject({ wakeup: { status: 'skipped', code: 'heartbeat_disabled' } });
    await ledger.send(putAgent, { agent: 'fixer', policy: { wakeOnDemand: false } });
    expect(await wake('on_demand')).toMatchObject({ wakeup: { status: 'skipped', code: 'wake_on_demand_disabled' } });
  });

  it('case 32: a second demand joins the queued run', async () => {
    await open('ACME-1');
    expect(await ledger.answer(requestWakeup, { agent: 'fixer', task: 'ACME-1' })).toMatchObject({
      wakeup: { status: 'coalesced', run: 'ACME-1.1' },
    });
    expect(await run('ACME-1.1')).toMatchObject({ joined: [expect.any(String)] });
  });

  it('gives a worker every demand that its run answers, those that joined it included', async () => {
    await open('ACME-1');
    const { wakeup } = await ledger.answer(requestWakeup, { agent: 'fixer', task: 'ACME-1', payload: { fix: 'the login too' } });
    const { runs } = await ledger.answer(claimRuns, { agent: 'fixer', workerId: 'laptop', requestId: 'first' });
    expect(runs[0]?.run.wakeups).toContain(wakeup?.id);
  });

  it('case 34: another agent is queued behind the run at work, and the answer names that', async () => {
    await open('ACME-1');
    await ledger.claim('fixer');
    expect(await ledger.answer(requestWakeup, { agent: 'reviewer', task: 'ACME-1' })).toMatchObject({
      wakeup: { status: 'queued', run: 'ACME-1.2', behind: 'ACME-1.1' },
    });
    expect(await ledger.claim('reviewer')).toEqual([]);
  });

  it('case 39: reassigning cancels a queued run at once', async () => {
    await open('ACME-1');
    await ledger.send(assignTask, { task: 'ACME-1', agent: 'reviewer' });
    expect(await run('ACME-1.1')).toMatchObject({ status: 'cancelled', code: 'issue_reassigned' });
  });

  it('case 40: closing cancels a queued run at once, but not one that was asked for beside the assignee', async () => {
    await open('ACME-1');
    await ledger.send(requestWakeup, { agent: 'reviewer', task: 'ACME-1' });
    await ledger.send(setTaskStatus, { task: 'ACME-1', status: 'done' });
    expect(await run('ACME-1.1')).toMatchObject({ status: 'cancelled', code: 'issue_done' });
    expect(await ledger.claim('reviewer')).toMatchObject([{ run: 'ACME-1.2' }]);
  });

  it.each([
    [{ outcome: 'succeeded', exitCode: 0 }, { status: 'succeeded' }],
    [
      { outcome: 'failed', exitCode: 0, error: 'no answer' },
      { status: 'failed', code: 'adapter_failed' },
    ],
    [{ outcome: 'timed_out' }, { status: 'timed_out', code: 'timeout', family: 'timeout' }],
  ])('case 41: %j ends as that', async (ending, ended) => {
    await open('ACME-1');
    await ledger.work('fixer', ending);
    expect(await run('ACME-1.1')).toMatchObject(ended);
  });

  it('case 43: cancelling a terminal run changes nothing; an unknown one is not found', async () => {
    await open('ACME-1');
    await ledger.work('fixer', { outcome: 'succeeded' });
    const cancel = (id: string) => ledger.answer(cancelRun, { run: id, reason: 'enough' });
    expect(await cancel('ACME-1.1')).toMatchObject({ run: { status: 'succeeded' } });
    await expect(cancel('ACME-1.7')).rejects.toMatchObject({ code: 'run_not_found' });
  });
});

describe('processes that were lost', () => {
  const lose = async () => {
    const [claimed] = await ledger.claim('fixer', { max: 1 });
    await ledger.send(reportRunLost, { run: claimed?.run, beaten: true }, { actor: machine });
    await ledger.leases.release('acme', 'ACME-1', String(claimed?.lease));
  };

  it('case 48: the run fails, and is repeated once', async () => {
    await open('ACME-1');
    await lose();
    expect(await run('ACME-1.1')).toMatchObject({ status: 'failed', code: 'process_lost', family: 'process_lost' });
    expect(await run('ACME-1.2')).toMatchObject({ status: 'queued', cause: 'process_lost', attempt: 0, chain: 'ACME-1.1' });
  });

  it('case 49: lost again, it is not repeated: ordinary recovery applies', async () => {
    await open('ACME-1');
    await lose();
    await lose();
    expect(await ledger.lane('ACME-1')).toMatchObject({ runs: 3, open: [{ cause: 'assignment_recovery', attempt: 1 }] });
  });
});
