import { fireRoutine } from '../../src/commands/routines/fire.js';
import { assignTask, putTask, setTaskStatus } from '../../src/commands/task.js';
import { nameUuid, routineStream, taskStream, type Recorded } from '../../src/events/event.js';
import type { LedgerEvent } from '../../src/events/ledger-event.js';
import type { FireTaken, TaskStatusChanged } from '../../src/events/task.js';
import { routinesPolicy } from '../../src/policies/routines.js';
import type { Fact } from '../../src/projections/projection.js';
import { person } from '../facts.js';
import { FiredLedger } from '../commands/routines/fired-ledger.js';
import { FoldedIndex } from './folded-index.js';

const fired = async () => {
  const ledger = await FiredLedger.begin();
  await ledger.send(fireRoutine, { routine: 'nightly' });
  return ledger;
};
const move = (ledger: FiredLedger, status: string, task = 'nightly~1') => ledger.send(setTaskStatus, { task, status });
const conclusions = async (ledger: FiredLedger) =>
  (await ledger.routineHistory()).flatMap(({ type, data }) => {
    if (type === 'FireReopened') return [`${data.fire} goes on`];
    return type === 'FireConcluded' ? [`${data.fire} ${data.outcome}, since its task is ${data.status}`] : [];
  });

describe('whenever a task ends that a routine has opened', () => {
  it('its fire does, and goes on when the task does', async () => {
    const ledger = await fired();
    for (const status of ['in_progress', 'blocked', 'todo', 'done', 'cancelled']) {
      await move(ledger, status);
      await ledger.react();
    }
    expect(await conclusions(ledger)).toEqual([
      'nightly@1 failed, since its task is blocked',
      'nightly@1 goes on',
      'nightly@1 completed, since its task is done',
      'nightly@1 failed, since its task is cancelled',
    ]);
  });

  it('its fire does once, however often it is come by, and in order', async () => {
    const ledger = await fired();
    for (const status of ['blocked', 'done', 'todo', 'done']) await move(ledger, status);
    await ledger.react();
    ledger.reactions.forgetCheckpoints();
    expect(await ledger.react()).toBe(0);
    expect(await conclusions(ledger)).toEqual([
      'nightly@1 failed, since its task is blocked',
      'nightly@1 completed, since its task is done',
      'nightly@1 goes on',
      'nightly@1 completed, since its task is done',
    ]);
  });

  it('the next fire of the same work opens another', async () => {
    const ledger = await fired();
    await move(ledger, 'done');
    await ledger.react();
    expect(await ledger.fire()).toMatchObject({ outcome: 'created', task: 'nightly~2' });
    expect(await ledger.fires()).not.toContain('FireRedirected nightly@2');
  });

  it('and of no other task', async () => {
    const ledger = await fired();
    await ledger.send(putTask, { task: 'ACME-12', title: 'Mend the export', assignee: 'fixer' });
    await move(ledger, 'done', 'ACME-12');
    await move(ledger, 'in_progress');
    await ledger.send(assignTask, { task: 'nightly~1', agent: 'reviewer' });
    expect(await conclusions(ledger)).toEqual([]);
    expect(await ledger.react()).toBe(0);
  });
});

describe('whenever a routine has fired', () => {
  const recorded = <E extends LedgerEvent>(event: E, stream: Recorded['stream'], subject: string) =>
    ({
      ...event,
      stream,
      subject,
      company: 'acme',
      id: nameUuid(event.type),
      schema: 1,
      revision: 1,
      position: '1',
      recordedAt: '2026-04-20T12:00:00.000Z',
      metadata: { actor: person, correlationId: 'c', causationId: 'c', commandId: 'c' },
    }) as unknown as Fact<E['type']>;

  it('nothing is asked of anybody where that was settled at once', async () => {
    const ledger = await fired();
    await ledger.fire();
    const { counts } = ledger.reactions;
    await ledger.react();
    expect(counts).toEqual({ sent: 0, refused: 0, parked: 0 });
  });

  it('a fire that comes to nothing goes nowhere', async () => {
    const ledger = await FiredLedger.begin({ agent: null });
    await expect(ledger.fire({ source: 'api' })).rejects.toMatchObject({ code: 'routine_paused' });
    expect(await ledger.react()).toBe(0);
    expect(ledger.reactions.counts.sent).toBe(0);
  });

  it('what is told of a fire that nobody knows is let be', async () => {
    const data = { task: 'nightly~9', routine: 'nightly', fire: 'nightly@9', how: 'opened' } as const;
    const taken: FireTaken = { type: 'FireTaken', data: { ...data, wakeupId: null, runId: null, code: null, takenAt: 'now' } };
    const event = recorded(taken, taskStream('acme', 'nightly~9'), 'nightly~9');
    expect(await routinesPolicy.on.FireTaken?.(event, new FoldedIndex())).toEqual([]);
  });

  it('looks to the routine that the task is named after, and not to an agent’s own lane', async () => {
    const changed = (task: string): TaskStatusChanged => ({
      type: 'TaskStatusChanged',
      data: { task, from: 'todo', to: 'done', why: null, queuedRuns: [], changedAt: '2026-04-20T12:00:00.000Z' },
    });
    const reactionsTo = async (task: string) =>
      (
        await routinesPolicy.on.TaskStatusChanged?.(recorded(changed(task), taskStream('acme', task), task), new FoldedIndex())
      )?.map(({ stream }) => stream);
    expect(await reactionsTo('nightly~9')).toEqual([routineStream('acme', 'nightly')]);
    expect(await reactionsTo('heartbeat~fixer')).toEqual([]);
    expect(await reactionsTo('ACME-12')).toEqual([]);
  });
});
