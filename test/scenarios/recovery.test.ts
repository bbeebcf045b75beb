import { pauseAgent, putAgent, resumeAgent } from '../../src/commands/agent.js';
import { addComment } from '../../src/commands/comment.js';
import { holdTask, releaseTask } from '../../src/commands/hold.js';
import { cancelRun, finishRun, recordProcess } from '../../src/commands/run.js';
import { assignTask, putTask, setTaskStatus } from '../../src/commands/task.js';
import { policiesOfTheLedger } from '../../src/policies/all.js';
import { itself } from '../facts.js';
import { ReactingLedger } from '../policies/reacting.js';

const broken = { outcome: 'failed', error: 'the build is broken' } as const;
const passing = { outcome: 'failed', error: '429 rate limited' } as const;
const hour = 3_600_000;

/** ACME-1 is fixer's, on a ledger with all policies. */
async function begun(policy: object = {}): Promise<ReactingLedger> {
  const ledger = new ReactingLedger(policiesOfTheLedger);
  await ledger.send(putAgent, { agent: 'fixer', policy });
  await ledger.send(putTask, { task: 'ACME-1', title: 'Mend the export', assignee: 'fixer' });
  return ledger;
}

/** Its runs end like this for as long as there is one; answers their causes. */
async function runsEnding(ledger: ReactingLedger, ending: Parameters<ReactingLedger['work']>[1]): Promise<string[]> {
  for (let round = 0; round < 50; round++) {
    await ledger.claim('fixer');
    await ledger.finishAll(ending);
    await ledger.react();
    ledger.clock.advance(3 * hour);
    await ledger.promoteDue();
  }
  return causes(ledger);
}

const causes = async (ledger: ReactingLedger): Promise<string[]> =>
  (await ledger.history('ACME-1')).flatMap(({ type, data }) =>
    type === 'RunQueued' ? [data.cause] : type === 'RetryScheduled' ? ['retry'] : [],
  );
const escalations = async (ledger: ReactingLedger) =>
  (await ledger.history('ACME-1')).flatMap(({ type, data }) => (type === 'RecoveryEscalated' ? [data.why] : []));

describe('work that fails', () => {
  it('case 55: is taken up once; then its task is blocked, and says what a person must do', async () => {
    const ledger = await begun();
    expect(await runsEnding(ledger, broken)).toEqual(['requested', 'assignment_recovery']);
    expect(await ledger.lane('ACME-1')).toMatchObject({ status: 'blocked', open: [] });
    expect(await escalations(ledger)).toEqual([expect.stringMatching(/^ACME-1\.2 failed .*set its status to todo/)]);
  });

  it('does not start a retry budget anew after a recovery, nor a recovery after the retries', async () => {
    const ledger = await begun();
    expect(await runsEnding(ledger, passing)).toEqual(['requested', 'retry', 'retry', 'retry', 'retry']);
    expect(await ledger.lane('ACME-1')).toMatchObject({ status: 'blocked', open: [] });
    const mixed = await begun();
    await mixed.work('fixer', broken);
    expect(await runsEnding(mixed, passing)).toEqual(['requested', 'assignment_recovery', 'retry', 'retry', 'retry']);
    expect(await escalations(mixed)).toHaveLength(1);
  });

  it('does not start a retry budget anew after a process loss', async () => {
    const ledger = await begun();
    await ledger.work('fixer', { outcome: 'failed', errorCode: 'process_lost' });
    expect(await runsEnding(ledger, passing)).toEqual(['requested', 'process_lost', 'retry', 'retry', 'retry', 'retry']);
    expect(await escalations(ledger)).toHaveLength(1);
  });

  it('is held where its agent is paused when its process is lost: nothing starts beside the pause', async () => {
    const ledger = await begun();
    await ledger.claim('fixer');
    await ledger.send(pauseAgent, { agent: 'fixer', interrupt: false });
    ledger.clock.advance(31_000);
    await ledger.reap();
    await ledger.react();
    expect(await ledger.claim('fixer')).toEqual([]);
    await ledger.send(resumeAgent, { agent: 'fixer' });
    expect(await ledger.claim('fixer')).toMatchObject([{ run: 'ACME-1.2' }]);
  });

  it('case 53: is lost when nothing was heard of it for the lease of 30 s, and not a moment before', async () => {
    const ledger = await begun();
    const [claimed] = await ledger.claim('fixer');
    await ledger.send(recordProcess, { ...claimed!, pid: 4711, host: 'laptop', startedAt: ledger.clock.now().toISOString() });
    ledger.clock.advance(30_000);
    await ledger.reap();
    expect((await ledger.lane('ACME-1')).open).toMatchObject([{ runId: 'ACME-1.1', status: 'running' }]);
    ledger.clock.advance(1);
    await ledger.reap();
    expect((await ledger.lane('ACME-1')).open).toMatchObject([{ runId: 'ACME-1.2', cause: 'process_lost' }]);
  });

  it('case 52: is not lost to another server that does not know of it: the lease is all that counts', async () => {
    const ledger = await begun();
    await ledger.claim('fixer');
    const other = ledger.another();
    await other.reap();
    expect((await other.lane('ACME-1')).open).toMatchObject([{ runId: 'ACME-1.1', status: 'running' }]);
    ledger.clock.advance(31_000);
    await other.reap();
    expect((await ledger.lane('ACME-1')).open).not.toMatchObject([{ runId: 'ACME-1.1' }]);
  });

  it('never recovers its own recovery, and opens no other task for it', async () => {
    const ledger = await begun();
    await runsEnding(ledger, broken);
    expect((await ledger.log()).filter(({ type }) => type === 'TaskOpened')).toHaveLength(1);
  });

  it('begins anew only when a person has set its task to be done', async () => {
    const ledger = await begun();
    await runsEnding(ledger, broken);
    await ledger.send(setTaskStatus, { task: 'ACME-1', status: 'todo' });
    expect(await runsEnding(ledger, broken)).toEqual(['requested', 'assignment_recovery', 'requested', 'assignment_recovery']);
    expect(await escalations(ledger)).toHaveLength(2);
  });
});

describe('work that did not fail', () => {
  it.each(['todo', 'in_progress'])('does not recover what an operator has stopped while it was %s', async (status) => {
    const ledger = await begun();
    await ledger.send(setTaskStatus, { task: 'ACME-1', status });
    const [claimed] = await ledger.claim('fixer');
    await ledger.send(cancelRun, { run: claimed!.run, reason: 'enough' });
    await ledger.stopCancelled();
    expect(await runsEnding(ledger, broken)).toEqual(['requested']);
    expect(await ledger.lane('ACME-1')).toMatchObject({ status, open: [] });
  });

  it('does not continue a run that succeeded, although its task is in progress', async () => {
    const ledger = await begun();
    await ledger.send(setTaskStatus, { task: 'ACME-1', status: 'in_progress' });
    expect(await runsEnding(ledger, { outcome: 'succeeded' })).toEqual(['requested']);
  });
});

describe('a comment that waits for the end of a run', () => {
  type Work = { readonly run: string; readonly lease: string };
  const ends: Record<string, (ledger: ReactingLedger, work: Work) => Promise<unknown>> = {
    'it succeeds': (ledger, work) => ledger.send(finishRun, { ...work, outcome: 'succeeded' }),
    'it fails for good': (ledger, work) => ledger.send(finishRun, { ...work, ...broken }),
    'it fails and could be tried again': (ledger, work) => ledger.send(finishRun, { ...work, ...passing }),
    'it takes too long': (ledger, work) => ledger.send(finishRun, { ...work, outcome: 'timed_out' }),
    'its worker hands it back': (ledger, work) => ledger.send(finishRun, { ...work, outcome: 'cancelled', intent: 'requeue' }),
    'an operator stops it': (ledger, { run }) => ledger.send(cancelRun, { run, reason: 'enough' }),
    'its process is lost': async (ledger, work) => {
      await ledger.send(recordProcess, { ...work, pid: 4711, host: 'laptop', startedAt: ledger.clock.now().toISOString() });
      ledger.clock.advance(31_000);
      await ledger.reap();
    },
    'it was never begun': async (ledger) => {
      ledger.clock.advance(31_000);
      await ledger.reap();
    },
    'its task is held and released': async (ledger) => {
      await ledger.send(holdTask, { task: 'ACME-1' });
      await ledger.send(releaseTask, { task: 'ACME-1' });
    },
    'its agent is paused and resumed': async (ledger) => {
      await ledger.send(pauseAgent, { agent: 'fixer' });
      await ledger.react();
      await ledger.send(resumeAgent, { agent: 'fixer' });
    },
  };

  it.each(Object.entries(ends))('is not stranded when %s: it is told once', async (_, end) => {
    const ledger = await begun();
    const [work] = await ledger.claim('fixer');
    await ledger.send(addComment, { task: 'ACME-1', commentId: 'c-1', body: 'mind the dates' });
    await end(ledger, work!);
    await ledger.react();
    await ledger.stopCancelled();
    const next = await ledger.claim('fixer');
    const { open, waiting } = await ledger.lane('ACME-1');
    expect(next).toHaveLength(1);
    expect(waiting).toEqual([]);
    expect(open).toMatchObject([{ runId: next[0]!.run, status: 'running', context: { commentIds: ['c-1'] } }]);
  });
});

describe('an assignment', () => {
  it('cannot lose its wake to a crash: nothing is written between the two', async () => {
    const ledger = await begun();
    await ledger.send(putAgent, { agent: 'writer' });
    await ledger.send(assignTask, { task: 'ACME-1', agent: 'writer' });
    const commands = new Set(
      (await ledger.history('ACME-1')).flatMap(({ type, data, metadata }) =>
        (type === 'TaskAssigned' && data.assignee === 'writer') || (type === 'RunQueued' && data.agent === 'writer')
          ? [metadata.commandId]
          : [],
      ),
    );
    expect(commands.size).toBe(1);
    expect(await ledger.claim('writer')).toHaveLength(1);
  });
});

describe('what an agent owes', () => {
  const owing = { requireComment: true };

  it('case 47: a run for an assignment that says nothing is asked for its comment once', async () => {
    const ledger = await begun(owing);
    expect(await runsEnding(ledger, { outcome: 'succeeded' })).toEqual(['requested', 'missing_issue_comment']);
  });

  it('owes nothing when it has commented while it ran', async () => {
    const ledger = await begun(owing);
    const [claimed] = await ledger.claim('fixer');
    await ledger.send(addComment, { task: 'ACME-1', body: 'mended' }, { actor: itself });
    await ledger.send(finishRun, { ...claimed!, outcome: 'succeeded' });
    expect(await causes(ledger)).toEqual(['requested']);
  });

  it('is not asked for a comment by a run that failed', async () => {
    const ledger = await begun(owing);
    expect(await runsEnding(ledger, broken)).toEqual(['requested', 'assignment_recovery']);
  });

  it('is not taken for one that only planned by what it wrote: only its own report says so', async () => {
    const ledger = await begun({ continuations: 2 });
    const planning = { outcome: 'succeeded', result: { text: 'Next I will plan the work. I will then do it.' } } as const;
    expect(await runsEnding(ledger, planning)).toEqual(['requested']);
  });

  it('case 60: goes on twice when it did nothing, then never, and one comment says so and wakes nobody', async () => {
    const ledger = await begun({ continuations: 2 });
    const idle = { outcome: 'succeeded', liveness: 'empty_response' } as const;
    expect(await runsEnding(ledger, idle)).toEqual(['requested', 'continuation', 'continuation']);
    const notes = (await ledger.history('ACME-1')).flatMap(({ type, data }) => (type === 'CommentAdded' ? [data] : []));
    expect(notes).toMatchObject([{ author: { type: 'system' }, wakeupIds: [], body: expect.stringMatching(/^ACME-1\.3/) }]);
  });
});
