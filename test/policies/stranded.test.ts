import { pauseAgent, putAgent, resumeAgent, terminateAgent } from '../../src/commands/agent.js';
import { addComment, removeComment } from '../../src/commands/comment.js';
import { cancelRun, finishRun } from '../../src/commands/run.js';
import { putTask, setTaskStatus } from '../../src/commands/task.js';
import { requestWakeup } from '../../src/commands/wakeup.js';
import { holdsPolicy } from '../../src/policies/holds.js';
import { strandedPolicy } from '../../src/policies/stranded.js';
import { terminationPolicy } from '../../src/policies/termination.js';
import { fact } from '../facts.js';
import type { VirtualLedger } from '../virtual-ledger.js';
import { ReactingLedger } from './reacting.js';

const broken = { outcome: 'failed', error: 'the build is broken' } as const;

/** ACME-1 is fixer's, who has been asked for it. */
async function asked(): Promise<ReactingLedger> {
  const ledger = new ReactingLedger([holdsPolicy, terminationPolicy, strandedPolicy]);
  for (const agent of ['fixer', 'reviewer']) await ledger.send(putAgent, { agent });
  await ledger.send(putTask, { task: 'ACME-1', title: 'Mend the export', assignee: 'fixer' });
  return ledger;
}

const causes = async (ledger: VirtualLedger) =>
  (await ledger.history('ACME-1')).flatMap(({ type, data }) => (type === 'RunQueued' ? [data.cause] : []));
const state = async (ledger: VirtualLedger) => {
  const { status, open } = await ledger.lane('ACME-1');
  return { status, open: open.map(({ cause }) => cause) };
};

/** A claim that did not know of it yet has ended the run, and what it waited for is over by now. */
const endedByGate = (ledger: ReactingLedger) =>
  ledger.write(
    'ACME-1',
    fact('RunCancelled', {
      runId: 'ACME-1.1',
      agent: 'fixer',
      from: 'queued',
      queuedAt: ledger.clock.now().toISOString(),
      wakeupIds: [],
      code: 'issue_dependencies_blocked',
      reason: 'ACME-1 waits for ACME-9',
      intent: 'stop',
      wakeups: 'skipped',
      cancelledAt: ledger.clock.now().toISOString(),
    }),
  );

describe('whenever a task is left without a next step', () => {
  it('is taken up once, and a person is asked for when that fails as well', async () => {
    const ledger = await asked();
    await endedByGate(ledger);
    expect(await ledger.react()).toBe(1);
    expect(await state(ledger)).toEqual({ status: 'todo', open: ['assignment_recovery'] });
    await ledger.work('fixer', broken);
    expect(await ledger.react()).toBe(0);
    expect(await state(ledger)).toEqual({ status: 'blocked', open: [] });
    expect(await causes(ledger)).toEqual(['requested', 'assignment_recovery']);
  });

  it('is taken up once by however many looks', async () => {
    const ledger = await asked();
    await endedByGate(ledger);
    await ledger.react();
    ledger.forgetCheckpoint();
    expect(await ledger.react()).toBe(0);
    expect(await causes(ledger)).toEqual(['requested', 'assignment_recovery']);
  });

  it('goes to a person when its agent was terminated, and again when it is only set to be done once more', async () => {
    const ledger = await asked();
    await ledger.claim('fixer');
    await ledger.send(terminateAgent, { agent: 'fixer' });
    await ledger.react();
    expect(await state(ledger)).toEqual({ status: 'blocked', open: [] });
    expect(await ledger.last('ACME-1', 'RecoveryEscalated')).toMatchObject({ why: expect.stringMatching(/another agent/) });
    await ledger.send(setTaskStatus, { task: 'ACME-1', status: 'todo' });
    await ledger.react();
    expect(await state(ledger)).toEqual({ status: 'blocked', open: [] });
  });

  it('goes to a person behind the run of another agent that was at it when its own was terminated', async () => {
    const ledger = await asked();
    await ledger.send(requestWakeup, { agent: 'reviewer', task: 'ACME-1' });
    const [reviewing] = await ledger.claim('reviewer');
    await ledger.send(terminateAgent, { agent: 'fixer' });
    await ledger.react();
    expect(await state(ledger)).toEqual({ status: 'todo', open: ['requested'] });
    await ledger.send(finishRun, { ...reviewing!, outcome: 'succeeded' });
    await ledger.react();
    expect(await state(ledger)).toEqual({ status: 'blocked', open: [] });
  });

  it('that failed while a person wrote, and whose comment was taken back before anybody read it', async () => {
    const ledger = await asked();
    const [claimed] = await ledger.claim('fixer');
    await ledger.send(addComment, { task: 'ACME-1', commentId: 'c1', body: 'look at the log, too' });
    await ledger.send(finishRun, { ...claimed, ...broken });
    await ledger.send(removeComment, { task: 'ACME-1', comment: 'c1' });
    await ledger.react();
    expect(await causes(ledger)).toEqual(['requested', 'deferred', 'assignment_recovery']);
  });
});

describe('nothing is taken up', () => {
  it('for a comment that was taken back, of what had succeeded before', async () => {
    const ledger = await asked();
    await ledger.work('fixer', { outcome: 'succeeded' });
    await ledger.send(addComment, { task: 'ACME-1', commentId: 'c1', body: 'look at the log, too' });
    await ledger.send(removeComment, { task: 'ACME-1', comment: 'c1' });
    expect(await ledger.react()).toBe(0);
  });

  it('that an operator has stopped', async () => {
    const ledger = await asked();
    const [claimed] = await ledger.claim('fixer');
    await ledger.send(cancelRun, { run: claimed!.run, reason: 'enough' });
    expect(await ledger.react()).toBe(0);
    expect(await state(ledger)).toEqual({ status: 'todo', open: [] });
  });

  it('that succeeded, although its task is not done', async () => {
    const ledger = await asked();
    await ledger.send(setTaskStatus, { task: 'ACME-1', status: 'in_progress' });
    await ledger.work('fixer', { outcome: 'succeeded' });
    expect(await ledger.react()).toBe(0);
    expect(await causes(ledger)).toEqual(['requested']);
  });

  it('that is only held: a pause strands nothing, and what it has handed back goes on', async () => {
    const ledger = await asked();
    await ledger.claim('fixer');
    await ledger.send(pauseAgent, { agent: 'fixer' });
    await ledger.react();
    expect(await state(ledger)).toEqual({ status: 'todo', open: ['requeued'] });
    await ledger.send(resumeAgent, { agent: 'fixer' });
    await ledger.stopCancelled();
    await ledger.work('fixer', { outcome: 'succeeded' });
    expect(await ledger.react()).toBe(0);
    expect(await causes(ledger)).toEqual(['requested', 'requeued']);
  });
});

it('lets a person begin again what was given up: the next failure is taken up once more', async () => {
  const ledger = await asked();
  for (let run = 0; run < 2; run++) await ledger.work('fixer', broken);
  await ledger.react();
  expect(await state(ledger)).toMatchObject({ status: 'blocked' });
  await ledger.send(addComment, { task: 'ACME-1', body: 'the build is mended', reopen: true });
  await ledger.work('fixer', broken);
  await ledger.react();
  expect(await state(ledger)).toEqual({ status: 'todo', open: ['assignment_recovery'] });
});
