import fc from 'fast-check';
import { pauseAgent, putAgent, resumeAgent, terminateAgent } from '../../src/commands/agent.js';
import { nameCompany } from '../../src/commands/company.js';
import type { Dispatched, Sendable } from '../../src/commands/decider.js';
import { retryNow, scheduleRetry } from '../../src/commands/retry.js';
import { cancelRun, finishRun, recordProcess, reportRunLost } from '../../src/commands/run.js';
import { assignTask, putTask, setTaskStatus } from '../../src/commands/task.js';
import { cancelWakeup, requestWakeup } from '../../src/commands/wakeup.js';
import {
  agentStream,
  eventId,
  nameUuid,
  numberOfRun,
  runId,
  subjectOf,
  taskOfRun,
  taskStream,
  wakeupId,
} from '../../src/events/event.js';
import { VirtualLedger } from '../virtual-ledger.js';

const slug = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/);

describe('names', () => {
  it('are read back from a stream as they went into it', () =>
    fc.assert(
      fc.property(slug, slug, (company, name) => {
        expect(subjectOf(taskStream(company, name))).toEqual({ company, subject: name });
        expect(subjectOf(agentStream(company, name))).toEqual({ company, subject: name });
      }),
    ));
  it('of a run tell its task and its number', () =>
    fc.assert(
      fc.property(slug, fc.integer({ min: 1, max: 2 ** 31 - 1 }), (task, n) => {
        expect([taskOfRun(runId(task, n)), numberOfRun(runId(task, n))]).toEqual([task, n]);
      }),
    ));
});

describe('ids that follow from a command', () => {
  it('are UUIDs of version 5', () => {
    const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    fc.assert(fc.property(fc.string(), fc.nat(), (name, n) => expect(nameUuid(name, n)).toMatch(uuid)));
  });
  it('are the same each time, and differ by stream, place and purpose', () => {
    const ids = () => [
      eventId('command-1', 'task-acme.ACME-12', 0),
      eventId('command-1', 'task-acme.ACME-12', 1),
      eventId('command-1', 'task-acme.ACME-13', 0),
      eventId('command-2', 'task-acme.ACME-12', 0),
      wakeupId('command-1', 0),
      wakeupId('command-1', 1),
    ];
    expect(ids()).toEqual(ids());
    expect(new Set(ids()).size).toBe(6);
  });
});

describe('every command that is sent twice under one commandId', () => {
  /** Sends the command twice through this process and once through another. */
  async function thrice<C extends object, A>(
    ledger: VirtualLedger,
    kind: Sendable<C, A>,
    fields: { readonly [F in keyof C]?: unknown },
  ): Promise<Dispatched<A>> {
    const context = { commandId: nameUuid(kind.command.name, JSON.stringify(fields)) };
    const first = await ledger.send(kind, fields, context);
    const written = (await ledger.log()).length;
    for (const process of [ledger, ledger.another()])
      expect(await process.send(kind, fields, context)).toEqual({ ...first, replayed: true });
    expect(await ledger.log()).toHaveLength(written);
    expect(first.replayed).toBe(false);
    return first;
  }

  it('writes once, and is answered alike', async () => {
    const ledger = new VirtualLedger();
    await thrice(ledger, nameCompany, { name: 'Acme' });
    await thrice(ledger, putAgent, { agent: 'fixer' });
    await thrice(ledger, putAgent, { agent: 'reviewer' });
    await thrice(ledger, putTask, { task: 'ACME-12', title: 'Mend the export', assignee: 'fixer' });
    const [held] = await ledger.claim('fixer', { max: 1 });
    await thrice(ledger, recordProcess, { ...held, pid: 4_711, host: 'laptop', startedAt: '2026-04-20T12:00:00Z' });
    const { answer } = await thrice(ledger, requestWakeup, { agent: 'fixer', task: 'ACME-12' });
    await thrice(ledger, cancelWakeup, { task: 'ACME-12', wakeup: answer.wakeup?.id, reason: 'no need' });
    await thrice(ledger, finishRun, { ...held, outcome: 'failed', error: 'the build is broken' });
    await thrice(ledger, scheduleRetry, { run: 'ACME-12.1' });
    await thrice(ledger, retryNow, { run: 'ACME-12.1' });
    await ledger.claim('fixer', { max: 1 });
    await thrice(ledger, reportRunLost, { run: 'ACME-12.3', beaten: true });
    await thrice(ledger, cancelRun, { run: 'ACME-12.4', reason: 'enough' });
    await thrice(ledger, assignTask, { task: 'ACME-12', agent: 'reviewer' });
    await thrice(ledger, setTaskStatus, { task: 'ACME-12', status: 'done' });
    await thrice(ledger, pauseAgent, { agent: 'fixer' });
    await thrice(ledger, resumeAgent, { agent: 'fixer' });
    await thrice(ledger, terminateAgent, { agent: 'fixer' });
  });
});

it('carries who, what for and why with every event', async () => {
  const ledger = new VirtualLedger();
  await ledger.send(putAgent, { agent: 'fixer' });
  await ledger.send(
    putTask,
    { task: 'ACME-12', title: 'Mend the export', assignee: 'fixer' },
    { commandId: 'command-1', correlationId: 'request-1' },
  );
  await ledger.work('fixer', { outcome: 'failed', error: '429 rate limited' });
  const [opened, , , started] = await ledger.history('ACME-12');
  expect(opened?.metadata).toEqual({
    actor: { type: 'user', id: 'ada' },
    commandId: 'command-1',
    causationId: 'command-1',
    correlationId: 'request-1',
  });
  expect(started?.metadata.correlationId).toBe('ACME-12.1');
  expect(await ledger.last('ACME-12', 'RetryScheduled')).toMatchObject({ chain: 'ACME-12.1' });
});
