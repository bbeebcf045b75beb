import { putAgent } from '../../src/commands/agent.js';
import { Rejected } from '../../src/commands/decider.js';
import { retryNow, scheduleRetry } from '../../src/commands/retry.js';
import { finishRun } from '../../src/commands/run.js';
import { putTask } from '../../src/commands/task.js';
import { requestWakeup } from '../../src/commands/wakeup.js';
import { at } from '../facts.js';
import { VirtualLedger } from '../virtual-ledger.js';

const rateLimited = { outcome: 'failed', exitCode: 1, error: '429 rate limited' } as const;

/** fixer's first run of ACME-12 is queued. */
async function atWork(adapter = 'process'): Promise<VirtualLedger> {
  const ledger = new VirtualLedger();
  await ledger.send(putAgent, { agent: 'fixer', adapter });
  await ledger.send(putTask, { task: 'ACME-12', title: 'Mend the export', assignee: 'fixer' });
  return ledger;
}

describe('a run that fails again and again', () => {
  it('is retried after 2 min, 10 min, 30 min and 2 h, and then given up', async () => {
    const ledger = await atWork();
    const due: string[] = [];
    for (const minutes of [2, 10, 30, 120]) {
      await ledger.work('fixer', rateLimited);
      due.push((await ledger.last('ACME-12', 'RetryScheduled')).dueAt);
      ledger.clock.advance(minutes * 60_000 - 1);
      expect(await ledger.promoteDue()).toEqual([]);
      ledger.clock.advance(1);
      expect(await ledger.promoteDue()).toHaveLength(1);
    }
    expect(due).toEqual(['12:02', '12:12', '12:42', '14:42'].map((clock) => at(clock).toISOString()));

    const last = await ledger.work('fixer', rateLimited);
    expect(await ledger.last('ACME-12', 'RetryExhausted')).toMatchObject({
      runId: last,
      chain: 'ACME-12.1',
      attempts: 4,
      maxAttempts: 4,
    });
    expect(await ledger.answer(scheduleRetry, { run: last })).toEqual({ outcome: 'retry_exhausted', attempt: 5, maxAttempts: 4 });
    expect(await ledger.lane('ACME-12')).toMatchObject({ runs: 5, open: [], status: 'blocked' });
  });

  it.each([
    [0, [90_000, 450_000, 1_350_000, 5_400_000]],
    [1, [150_000, 750_000, 2_250_000, 9_000_000]],
  ])('waits a quarter less or more where chance says %d', async (chance, delays) => {
    const ledger = await atWork();
    ledger.clock.chance = chance;
    for (const delayMs of delays) {
      const asked = ledger.clock.now().getTime();
      await ledger.work('fixer', rateLimited);
      const decision = await ledger.last('ACME-12', 'RetryScheduled');
      expect(decision).toMatchObject({ jitter: chance, delayMs });
      expect(Date.parse(decision.dueAt) - asked).toBe(delayMs);
      ledger.clock.advance(delayMs);
      await ledger.promoteDue();
    }
  });

  it('believes a provider for a day at most, and records what it said', async () => {
    const ledger = await atWork();
    await ledger.work('fixer', { ...rateLimited, retryAfter: String(25 * 60 * 60) });
    expect(await ledger.last('ACME-12', 'RetryScheduled')).toMatchObject({
      dueAt: '2026-04-21T12:00:00.000Z',
      notBefore: '2026-04-21T13:00:00.000Z',
      notBeforeCapped: '2026-04-21T12:00:00.000Z',
      delayMs: 120_000,
    });
  });

  it('goes on in the same chain, each attempt a run and a demand of its own', async () => {
    const ledger = await atWork();
    await ledger.work('fixer', rateLimited);
    ledger.clock.set('12:02');
    await ledger.promoteDue();
    await ledger.work('fixer', { outcome: 'succeeded', exitCode: 0 });
    const [first, retry] = (await ledger.lane('ACME-12')).ended;
    expect(first).toMatchObject({ runId: 'ACME-12.1', status: 'failed', attempt: 0, retry: 'ACME-12.2' });
    expect(retry).toMatchObject({ runId: 'ACME-12.2', status: 'succeeded', attempt: 1, chain: 'ACME-12.1', cause: 'retry' });
    expect(retry?.wakeupIds).not.toEqual(first?.wakeupIds);
  });

  it('gets more attempts when the policy of its agent does', async () => {
    const ledger = await atWork();
    await ledger.send(putAgent, { agent: 'fixer', policy: { retry: { delaysMs: [60_000] } } });
    await ledger.work('fixer', rateLimited);
    ledger.clock.set('12:01');
    await ledger.promoteDue();
    const last = await ledger.work('fixer', rateLimited);
    expect(await ledger.answer(scheduleRetry, { run: last })).toMatchObject({
      outcome: 'retry_exhausted',
      attempt: 2,
      maxAttempts: 1,
    });

    await ledger.send(putAgent, { agent: 'fixer', policy: { retry: { delaysMs: [60_000, 60_000] } } });
    const answer = await ledger.answer(scheduleRetry, { run: last });
    expect(answer).toMatchObject({ outcome: 'scheduled', attempt: 2, maxAttempts: 2 });
    expect(await ledger.answer(scheduleRetry, { run: last })).toEqual(answer);
  });
});

describe('a demand that waits for a run', () => {
  it('is taken up when the retries of that run are used up', async () => {
    const ledger = await atWork();
    await ledger.send(putAgent, { agent: 'fixer', policy: { retry: { delaysMs: [] } } });
    const [claimed] = await ledger.claim('fixer');
    const timer = { source: 'automation', reason: 'sweep' } as const;
    const { wakeup } = await ledger.answer(
      requestWakeup,
      { agent: 'fixer', task: 'ACME-12', ...timer },
      { type: 'system', id: 'sweeper' },
    );
    expect(wakeup).toMatchObject({ status: 'deferred', behind: 'ACME-12.1' });
    await ledger.send(finishRun, { ...claimed, ...rateLimited });
    expect((await ledger.lane('ACME-12')).open).toMatchObject([
      { runId: 'ACME-12.2', cause: 'deferred', wakeupIds: [wakeup?.id] },
    ]);
  });

  it('is not put behind a retry once a person has joined it', async () => {
    const ledger = await atWork();
    const [claimed] = await ledger.claim('fixer');
    const onTask = { agent: 'fixer', task: 'ACME-12' };
    const { wakeup } = await ledger.answer(requestWakeup, onTask, { type: 'system', id: 'sweeper' });
    expect((await ledger.answer(requestWakeup, onTask)).wakeup).toMatchObject({ status: 'coalesced' });
    await ledger.send(finishRun, { ...claimed, ...rateLimited });
    expect((await ledger.lane('ACME-12')).open).toMatchObject([
      { runId: 'ACME-12.2', status: 'queued', cause: 'deferred', chain: 'ACME-12.2', outside: true, wakeupIds: [wakeup?.id] },
    ]);
  });

  it('joins the retry when it is nobody in person', async () => {
    const ledger = await atWork();
    const [claimed] = await ledger.claim('fixer');
    const { wakeup } = await ledger.answer(requestWakeup, { agent: 'fixer', task: 'ACME-12' }, { type: 'system', id: 'sweeper' });
    await ledger.send(finishRun, { ...claimed, ...rateLimited });
    const [retry] = (await ledger.lane('ACME-12')).open;
    expect(retry).toMatchObject({ status: 'scheduled_retry', outside: false });
    expect(retry?.wakeupIds).toContain(wakeup?.id);
  });
});

describe('RetryNow', () => {
  it('does not wait, whichever of the two runs is named, and says so when it is asked again', async () => {
    const ledger = await atWork();
    await ledger.work('fixer', rateLimited);
    expect(await ledger.answer(retryNow, { run: 'ACME-12.1' })).toMatchObject({
      outcome: 'promoted',
      run: { id: 'ACME-12.2', status: 'queued' },
    });
    expect(await ledger.answer(retryNow, { run: 'ACME-12.1' })).toMatchObject({
      outcome: 'already_promoted',
      run: { id: 'ACME-12.2' },
    });
    expect(await ledger.answer(retryNow, { run: 'ACME-12.2' })).toMatchObject({ outcome: 'already_promoted' });
    await expect(ledger.answer(retryNow, { run: 'ACME-12.3' })).rejects.toThrow(Rejected);
  });
});
