import { pauseAgent, putAgent, resumeAgent, terminateAgent } from '../../src/commands/agent.js';
import { setBlockers } from '../../src/commands/blockers.js';
import { addComment, removeComment } from '../../src/commands/comment.js';
import { holdCompany, nameCompany, releaseCompany } from '../../src/commands/company.js';
import type { CommandContext, Sendable } from '../../src/commands/decider.js';
import { detachRun, reattachRun } from '../../src/commands/detached.js';
import { holdTask, releaseTask } from '../../src/commands/hold.js';
import { retryNow, scheduleRetry } from '../../src/commands/retry.js';
import { cancelRun, finishRun, recordProcess } from '../../src/commands/run.js';
import { decideSilence, reportSilence } from '../../src/commands/silence.js';
import { assignTask, putTask, setTaskStatus } from '../../src/commands/task.js';
import { cancelWakeup, requestWakeup } from '../../src/commands/wakeup.js';
import { taskOfRun } from '../../src/events/event.js';
import { itself, machine } from '../facts.js';
import type { Claimed, VirtualLedger } from '../virtual-ledger.js';

/** Everything that could happen to runs in the first version of the ledger. */
export async function runsAndRetries(ledger: VirtualLedger): Promise<void> {
  await ledger.send(nameCompany, { name: 'Acme' });
  await ledger.send(putAgent, { agent: 'fixer', name: 'Fixer', adapter: 'process' });
  const retry = { delaysMs: [60_000, 120_000], jitterRatio: 0.1, maxNotBeforeMs: 3_600_000, notBeforeJitterMs: 5_000 };
  const policy = { maxConcurrentRuns: 2, heartbeat: { enabled: true, intervalSec: 300 }, retry };
  await ledger.send(putAgent, { agent: 'coder', adapter: 'codex_local', manager: 'fixer', policy });
  await ledger.send(putAgent, { agent: 'coder', name: 'Coder', adapter: 'codex_local', manager: 'fixer', policy });
  await ledger.send(putTask, { task: 'ACME-1', title: 'Mend the export', assignee: 'fixer' });
  await ledger.send(putTask, { task: 'ACME-1', title: 'Mend the export for good', labels: ['export'] });
  const part = { task: 'ACME-2', title: 'Write it down', kind: 'routine', priority: 'high', parent: 'ACME-1' } as const;
  await ledger.send(putTask, { ...part, assignee: 'coder', labels: ['docs'] });
  await delivered(ledger);
  await retriedAndSuperseded(ledger);
  await exhausted(ledger);
  await refusedAndGivenUp(ledger);
}

async function delivered(ledger: VirtualLedger): Promise<void> {
  const claimed = await claimOne(ledger, 'fixer');
  const process = { pid: 4_711, pgid: 4_711, host: 'laptop', startedAt: '2026-04-20T12:00:00.000Z' };
  await ledger.send(recordProcess, { ...claimed, ...process });
  await minutes(ledger, 5);
  const told = { liveness: 'advanced', result: { files: 3 }, usage: { inputTokens: 1_200, outputTokens: 80 } };
  await ledger.send(finishRun, { ...claimed, outcome: 'succeeded', exitCode: 0, ...told });
}

async function retriedAndSuperseded(ledger: VirtualLedger): Promise<void> {
  await ledger.send(requestWakeup, { agent: 'fixer', task: 'ACME-1', payload: { ticket: 'T-9', lines: [1, 2] } });
  await ledger.work('fixer', { outcome: 'failed', exitCode: 1, error: '429 rate limited', retryAfter: '1800' });
  await ledger.send(requestWakeup, { agent: 'fixer', task: 'ACME-1', source: 'timer', trigger: 'system' }, { actor: machine });
  await ledger.send(requestWakeup, { agent: 'fixer', task: 'ACME-1', source: 'automation' }, { actor: machine });
  await minutes(ledger, 31);
  await ledger.promoteDue();
  const again = await claimOne(ledger, 'fixer');
  await ledger.send(requestWakeup, { agent: 'fixer', task: 'ACME-1', source: 'automation' }, { actor: machine });
  const { wakeupId: wakeup } = await ledger.last('ACME-1', 'WakeupDeferred');
  await ledger.send(requestWakeup, { agent: 'fixer', task: 'ACME-1', source: 'automation' }, { actor: machine });
  await ledger.send(cancelWakeup, { task: 'ACME-1', wakeup, reason: 'no need' });
  await ledger.send(finishRun, { ...again, outcome: 'failed', error: 'overloaded', errorFamily: 'transient_upstream' });
  await ledger.send(requestWakeup, { agent: 'fixer', task: 'ACME-1' });
  await ledger.work('fixer', { outcome: 'cancelled', intent: 'requeue' });
  await ledger.work('fixer', { outcome: 'cancelled', intent: 'stop' });
}

async function exhausted(ledger: VirtualLedger): Promise<void> {
  await ledger.work('coder', { outcome: 'failed', error: 'come back later', errorFamily: 'quota', retryAfter: '86400' });
  const { runId } = await ledger.last('ACME-2', 'RetryScheduled');
  await ledger.send(retryNow, { run: runId });
  await ledger.work('coder', { outcome: 'failed', error: 'overloaded', errorFamily: 'transient_upstream' });
  await minutes(ledger, 10);
  await ledger.promoteDue();
  await ledger.work('coder', { outcome: 'failed', error: 'overloaded', errorFamily: 'transient_upstream' });
}

async function refusedAndGivenUp(ledger: VirtualLedger): Promise<void> {
  await ledger.send(requestWakeup, { agent: 'coder', task: 'ACME-1' });
  const lost = await claimOne(ledger, 'coder');
  await ledger.send(recordProcess, { ...lost, pid: 12, host: 'laptop', startedAt: '2026-04-20T13:00:00.000Z' });
  await minutes(ledger, 1);
  await ledger.reap();
  await ledger.work('coder', { outcome: 'timed_out', error: 'over its time' });
  const { runId } = await ledger.last('ACME-1', 'RunTimedOut');
  await ledger.send(scheduleRetry, { run: runId });
  await ledger.send(pauseAgent, { agent: 'fixer', reason: 'too loud', interrupt: false });
  await ledger.send(resumeAgent, { agent: 'fixer' });
  await ledger.send(requestWakeup, { agent: 'fixer', task: 'ACME-1' });
  await ledger.send(assignTask, { task: 'ACME-1', agent: 'coder' });
  await ledger.send(setTaskStatus, { task: 'ACME-1', status: 'done' });
  await ledger.send(requestWakeup, { agent: 'coder', task: 'ACME-1' });
  await ledger.send(requestWakeup, { agent: 'coder', source: 'timer' }, { actor: machine });
  await ledger.send(assignTask, { task: 'ACME-2', agent: null });
  await ledger.send(assignTask, { task: 'ACME-2', agent: 'coder' });
  await ledger.work('coder', { outcome: 'succeeded' });
  await ledger.send(terminateAgent, { agent: 'fixer' });
}

/** What came with comments, blockers, holds, silence and recovery. */
export async function commentsAndHolds(ledger: VirtualLedger): Promise<void> {
  const policy = { requireComment: true, continuations: 1, maxAgentReplies: 2 };
  await asked(ledger, putAgent, { agent: 'fixer', policy });
  await asked(ledger, putAgent, { agent: 'reviewer' });
  await asked(ledger, putTask, { task: 'ACME-3', title: 'Ship it' });
  await asked(ledger, putTask, { task: 'ACME-4', title: 'Test it', parent: 'ACME-3', assignee: 'reviewer' });
  await asked(ledger, putTask, { task: 'ACME-5', title: 'Announce it', assignee: 'fixer', blockedBy: ['ACME-4'] });
  const byItself = { actor: { type: 'agent', id: 'reviewer' } } as const;
  await asked(ledger, putTask, { task: 'ACME-7', title: 'Celebrate', assignee: 'reviewer' }, byItself);
  await commented(ledger);
  await blocked(ledger);
  await held(ledger);
  await silent(ledger);
  await stranded(ledger);
}

async function commented(ledger: VirtualLedger): Promise<void> {
  await asked(ledger, addComment, { task: 'ACME-4', commentId: 'first', body: 'And on Fridays?', mentions: ['fixer'] });
  await asked(ledger, addComment, { task: 'ACME-4', commentId: 'second', body: 'Never mind' });
  await asked(ledger, removeComment, { task: 'ACME-4', comment: 'second' });
  const run = await claimOne(ledger, 'reviewer');
  await asked(ledger, addComment, { task: 'ACME-4', commentId: 'third', body: 'Still there?' });
  await asked(ledger, addComment, { task: 'ACME-4', commentId: 'fourth', body: 'Hello?' });
  await asked(ledger, removeComment, { task: 'ACME-4', comment: 'fourth' });
  await asked(ledger, finishRun, { ...run, outcome: 'failed', error: '429 rate limited' });
  await asked(ledger, addComment, { task: 'ACME-5', commentId: 'fifth', body: 'What about this?', interrupt: true });
  await ledger.work('fixer', { outcome: 'failed', error: '429 rate limited' });
  await asked(ledger, addComment, { task: 'ACME-4', commentId: 'sixth', body: 'I look' }, { actor: itself });
}

async function blocked(ledger: VirtualLedger): Promise<void> {
  await asked(ledger, requestWakeup, { agent: 'fixer', task: 'ACME-5', source: 'timer' }, { actor: machine });
  await asked(ledger, setTaskStatus, { task: 'ACME-4', status: 'done' });
  await asked(ledger, addComment, { task: 'ACME-4', commentId: 'seventh', body: 'Once more', reopen: true });
  await asked(ledger, setTaskStatus, { task: 'ACME-4', status: 'cancelled' });
  await asked(ledger, setBlockers, { task: 'ACME-5', blockedBy: [] });
}

async function held(ledger: VirtualLedger): Promise<void> {
  await asked(ledger, putTask, { task: 'ACME-6', title: 'Clean up', assignee: 'reviewer', parent: 'ACME-3' });
  await claimOne(ledger, 'reviewer');
  await asked(ledger, holdTask, { task: 'ACME-3', reason: 'wait', subtree: true });
  await asked(ledger, releaseTask, { task: 'ACME-3' });
  await asked(ledger, holdCompany, { reason: 'holidays' });
  await asked(ledger, releaseCompany, {});
  await asked(ledger, pauseAgent, { agent: 'reviewer', reason: 'too loud' });
  await asked(ledger, resumeAgent, { agent: 'reviewer' });
  await minutes(ledger, 1);
  await ledger.reap();
}

async function silent(ledger: VirtualLedger): Promise<void> {
  const run = await claimOne(ledger, 'reviewer', 900_000);
  const since = ledger.clock.now().toISOString();
  await asked(ledger, detachRun, run);
  await asked(ledger, reattachRun, run);
  await minutes(ledger, 61);
  await asked(ledger, reportSilence, { run: run.run, lastOutputAt: since });
  await asked(ledger, decideSilence, { run: run.run, decision: 'continue', reason: 'it computes' });
  await asked(ledger, decideSilence, { run: run.run, decision: 'dismiss' });
  await asked(ledger, cancelRun, { run: run.run, reason: 'enough' });
}

async function stranded(ledger: VirtualLedger): Promise<void> {
  await minutes(ledger, 120);
  await ledger.reap();
  for (let round = 0; round < 12; round++) {
    await ledger.promoteDue();
    for (const agent of ['fixer', 'reviewer']) {
      for (const claimed of await ledger.claim(agent)) {
        const fails = taskOfRun(claimed.run) === 'ACME-6';
        await asked(ledger, finishRun, { ...claimed, ...(fails ? { outcome: 'failed' } : planned) });
      }
    }
    await minutes(ledger, 130);
  }
  await asked(ledger, terminateAgent, { agent: 'reviewer' });
}

const planned = { outcome: 'succeeded', liveness: 'plan_only' };

/** What is asked, and what the policies make of it. */
async function asked<C extends object, Answer>(
  ledger: VirtualLedger,
  kind: Sendable<C, Answer>,
  fields: { readonly [Field in keyof C]?: unknown },
  context?: Partial<CommandContext>,
): Promise<void> {
  await ledger.send(kind, fields, context);
  await ledger.react();
}

async function claimOne(ledger: VirtualLedger, agent: string, leaseMs?: number): Promise<Claimed> {
  const [claimed] = await ledger.claim(agent, { max: 1, ...(leaseMs && { leaseMs }) });
  if (!claimed) throw new Error(`there is nothing to do for ${agent}`);
  return claimed;
}

async function minutes(ledger: VirtualLedger, count: number): Promise<void> {
  ledger.clock.advance(count * 60_000);
}
