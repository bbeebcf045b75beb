import { pauseAgent, putAgent, resumeAgent } from '../../src/commands/agent.js';
import { claim, claimRuns } from '../../src/commands/claim-runs.js';
import { InvalidCommand } from '../../src/commands/dispatch.js';
import { cancelRun, finishRun } from '../../src/commands/run.js';
import { putTask } from '../../src/commands/task.js';
import { requestWakeup } from '../../src/commands/wakeup.js';
import { VirtualLedger } from '../virtual-ledger.js';

let ledger: VirtualLedger;
beforeEach(async () => {
  ledger = new VirtualLedger();
  await ledger.send(putAgent, { agent: 'fixer', policy: { maxConcurrentRuns: 2 } });
  for (const task of ['ACME-1', 'ACME-2', 'ACME-3']) await ledger.send(putTask, { task, title: task, assignee: 'fixer' });
});

const runsOf = (claimed: readonly { run: string }[]) => claimed.map(({ run }) => run);

describe('ClaimRuns', () => {
  it('gives a worker the runs that stand first, as far as its agent has slots', async () => {
    expect(runsOf(await ledger.claim('fixer'))).toEqual(['ACME-1.1', 'ACME-2.1']);
    expect(await ledger.claim('fixer')).toEqual([]);
    expect((await ledger.lane('ACME-1')).open).toMatchObject([{ status: 'running', workerId: 'laptop' }]);
  });

  it('gives no more than were asked for', async () => {
    expect(await ledger.claim('fixer', { max: 1 })).toHaveLength(1);
  });

  it('gives the same leases to the same request', async () => {
    const first = await ledger.claim('fixer', { requestId: 'request-1' });
    const started = (await ledger.log()).length;
    expect(await ledger.claim('fixer', { requestId: 'request-1' })).toEqual(first);
    expect(await ledger.another().claim('fixer', { requestId: 'request-1' })).toEqual(first);
    expect(await ledger.log()).toHaveLength(started);
  });

  it('gives the same request its leases for as long as they were given first, from then on', async () => {
    const claimed = { agent: 'fixer', workerId: 'laptop', requestId: 'request-1', max: 1 };
    await ledger.send(claimRuns, { ...claimed, leaseMs: 60_000 });
    ledger.clock.advance(50_000);
    const { runs } = await ledger.answer(claimRuns, { ...claimed, leaseMs: 5_000 });
    expect(runs).toMatchObject([{ run: { id: 'ACME-1.1' }, lease: { leaseMs: 60_000 } }]);
    ledger.clock.advance(50_000);
    await ledger.reap();
    expect((await ledger.lane('ACME-1')).open).toMatchObject([{ status: 'running' }]);
  });

  it('starts what a former try of the request has leased and not started', async () => {
    const request = { company: 'acme', agent: 'fixer', workerId: 'laptop', requestId: 'request-1', leaseMs: 30_000 };
    const [leased] = await ledger.leases.take(request, [{ task: 'ACME-1', runId: 'ACME-1.1' }], 1, 2);
    expect(await ledger.claim('fixer', { requestId: 'request-1' })).toEqual([{ run: 'ACME-1.1', lease: leased?.token }]);
    expect((await ledger.lane('ACME-1')).open).toMatchObject([{ status: 'running' }]);
  });

  it('starts each run once, whoever claims at the same time', async () => {
    const processes = [ledger, ledger.another(), ledger.another().another()];
    const claimed = (await Promise.all(processes.map((process) => process.claim('fixer')))).flat();
    expect(runsOf(claimed).toSorted()).toEqual(['ACME-1.1', 'ACME-2.1']);
    expect((await ledger.log()).filter(({ type }) => type === 'RunStarted')).toHaveLength(2);
  });

  it('leaves the work of a paused agent queued, and keeps no lease on it', async () => {
    await ledger.send(pauseAgent, { agent: 'fixer' });
    expect(await ledger.claim('fixer')).toEqual([]);
    expect(await ledger.leases.of('acme', 'ACME-1')).toBeUndefined();
    await ledger.send(resumeAgent, { agent: 'fixer' });
    expect(await ledger.claim('fixer')).toHaveLength(2);
  });

  it('goes on to the next run when the first one was cancelled a moment ago', async () => {
    const readyRuns = { caughtUp: async () => {}, candidates: () => ledger.ports.readyRuns.candidates('acme', 'fixer', 10) };
    const listed = await readyRuns.candidates();
    await ledger.send(cancelRun, { run: 'ACME-1.1', reason: 'enough' });
    const behind = { ...readyRuns, candidates: async () => listed.splice(0, 1) };
    const command = Object.assign(new claimRuns.command(), { company: 'acme', agent: 'fixer', workerId: 'w', requestId: 'r' });
    const context = { commandId: 'c', actor: { type: 'user', id: 'local' } } as const;
    const { answer } = await claim(command, context, { ...ledger.ports, readyRuns: behind });
    expect(answer.runs.map(({ run }) => run.id)).toEqual(['ACME-2.1']);
  });

  it('lets no successor start beside a worker that has not reported yet', async () => {
    const [held] = await ledger.claim('fixer', { max: 1 });
    await ledger.send(cancelRun, { run: 'ACME-1.1', reason: 'enough' });
    await ledger.send(requestWakeup, { agent: 'fixer', task: 'ACME-1' });
    await ledger.send(putAgent, { agent: 'fixer' });
    expect(runsOf(await ledger.claim('fixer'))).toEqual(['ACME-2.1', 'ACME-3.1']);
    await ledger.send(finishRun, { ...held, outcome: 'cancelled' });
    expect(runsOf(await ledger.claim('fixer'))).toEqual(['ACME-1.2']);
  });

  it('fences a worker whose lease has run out', async () => {
    const [held] = await ledger.claim('fixer', { max: 1 });
    ledger.leases.beat('acme', 'ACME-1');
    ledger.clock.advance(30_001);
    await ledger.reap();
    await expect(ledger.send(finishRun, { ...held, outcome: 'succeeded' })).rejects.toMatchObject({ code: 'stale_lease' });
    expect((await ledger.lane('ACME-1')).open).toMatchObject([{ runId: 'ACME-1.2', cause: 'process_lost', status: 'queued' }]);
  });

  it('refuses an unknown agent, and numbers out of range', async () => {
    await expect(ledger.claim('stranger')).rejects.toMatchObject({ code: 'agent_not_found' });
    for (const fields of [{ max: 0 }, { max: 11 }, { leaseMs: 4_999 }, { leaseMs: 900_001 }])
      await expect(ledger.send(claimRuns, { agent: 'fixer', workerId: 'laptop', requestId: 'r', ...fields })).rejects.toThrow(
        InvalidCommand,
      );
  });
});
