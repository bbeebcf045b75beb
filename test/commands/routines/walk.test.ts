import fc from 'fast-check';
import { Rejected } from '../../../src/commands/decider.js';
import { fireDueSlots } from '../../../src/commands/routines/due-slots.js';
import { fireRoutine } from '../../../src/commands/routines/fire.js';
import { pauseRoutine, resumeRoutine } from '../../../src/commands/routines/routine.js';
import { finishRun } from '../../../src/commands/run.js';
import { assignTask, setTaskStatus } from '../../../src/commands/task.js';
import { concurrencyPolicies, catchUpPolicies, type TriggerId } from '../../../src/events/routine.js';
import { taskStatuses } from '../../../src/events/task.js';
import { seed } from '../../model/seed.js';
import { FiredLedger } from './fired-ledger.js';

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('fire' as const), work: fc.nat({ max: 1 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('due' as const), hours: fc.nat({ max: 30 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('move' as const), task: fc.nat(), to: fc.constantFrom(...taskStatuses) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('work' as const), outcome: fc.constantFrom('succeeded', 'failed') }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('assign' as const),
      task: fc.nat(),
      agent: fc.constantFrom('fixer', 'reviewer', null),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('pause' as const, 'resume' as const, 'react' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('define' as const),
      cron: fc.constantFrom('0 * * * *', '30 */2 * * *'),
      enabled: fc.boolean(),
      concurrency: fc.constantFrom(...concurrencyPolicies),
      catchUp: fc.constantFrom(...catchUpPolicies),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

async function take(step: Step, ledger: FiredLedger): Promise<unknown> {
  const routine = 'nightly';
  const anyOf = async (n: number) => {
    const tasks = await ledger.tasks();
    return tasks[n % tasks.length] ?? 'nightly~1';
  };
  switch (step.do) {
    case 'fire':
      return ledger.send(fireRoutine, { routine, payload: { work: step.work } });
    case 'due':
      ledger.clock.advance(step.hours * 3_600_000);
      return ledger.send(fireDueSlots, { routine });
    case 'move':
      return ledger.send(setTaskStatus, { task: await anyOf(step.task), status: step.to });
    case 'assign':
      return ledger.send(assignTask, { task: await anyOf(step.task), agent: step.agent });
    case 'work': {
      const [claimed] = await ledger.claim('fixer', { max: 1 });
      return claimed && ledger.send(finishRun, { ...claimed, outcome: step.outcome });
    }
    case 'pause':
      return ledger.send(pauseRoutine, { routine });
    case 'resume':
      return ledger.send(resumeRoutine, { routine });
    case 'react':
      return ledger.react();
    case 'define': {
      const { do: _, cron, enabled, ...rules } = step;
      return ledger.define({ ...rules, triggers: [{ id: 'clock', kind: 'schedule', cron, enabled }] });
    }
  }
}

class Killed extends Error {}

/** The process is killed after so many appends, or steps of a policy, and nobody asks for the same again. */
async function cut(moments: number, ledger: FiredLedger, step: Step): Promise<boolean> {
  let left = moments;
  const moment = () => {
    if (left-- <= 0) throw new Killed();
  };
  if (step.do === 'react') ledger.reactions.beforeStep = moment;
  else ledger.faulty.beforeAppend = async () => moment();
  const isCut = await take(step, ledger).then(
    () => false,
    (error: unknown) => {
      if (!(error instanceof Rejected || error instanceof Killed)) throw error;
      return error instanceof Killed;
    },
  );
  ledger.reactions.beforeStep = () => {};
  ledger.faulty.beforeAppend = async () => {};
  return isCut;
}

/** Slots that came without having been said to come next, and those that a change of the schedule has passed over. */
async function slotsOf(ledger: FiredLedger): Promise<{ outcomes: number; wrong: string[] }> {
  const next = new Map<TriggerId, string | null>();
  const wrong: string[] = [];
  let outcomes = 0;
  for (const { type, data } of await ledger.routineHistory()) {
    if (type === 'RoutineDefined' || type === 'RoutineChanged')
      for (const trigger of data.triggers) {
        if (trigger.kind !== 'schedule') continue;
        const before = next.get(trigger.id);
        const wasDue = typeof before === 'string' && 'changedAt' in data && before <= data.changedAt;
        if (wasDue && trigger.nextSlot !== before) wrong.push(`${before} is passed over`);
        next.set(trigger.id, trigger.nextSlot);
      }
    const slot = type === 'RoutineFired' ? data.slot : type === 'SlotsMissed' ? data.first : null;
    if (slot === null || !('nextSlot' in data) || data.trigger === null) continue;
    if (slot !== next.get(data.trigger)) wrong.push(`${slot} instead of ${next.get(data.trigger)}`);
    next.set(data.trigger, data.nextSlot);
    outcomes++;
  }
  return { outcomes, wrong };
}

/** What is said last of a task that a fire has opened is how it stands. */
async function expectConclusionsToAgree(ledger: FiredLedger): Promise<void> {
  const said = new Map<string, string | undefined>();
  const log = await ledger.log();
  for (const { type, data } of log) {
    if (type === 'FireConcluded') said.set(data.task, data.status);
    if (type === 'FireReopened') said.set(data.task, undefined);
  }
  for (const { type, data } of log) {
    if (type !== 'TaskOpened') continue;
    const { status } = await ledger.lane(data.task);
    expect([data.task, said.get(data.task)]).toEqual([
      data.task,
      ['done', 'cancelled', 'blocked'].includes(status) ? status : undefined,
    ]);
  }
}

it('ends each fire and each slot once, whatever happens, and wherever it is cut off', async () => {
  let [cuts, slots] = [0, 0];
  const walks = fc.array(fc.tuple(step, fc.nat({ max: 9 })), { minLength: 5, maxLength: 40, size: 'max' });
  await fc.assert(
    fc.asyncProperty(walks, async (steps) => {
      const ledger = await FiredLedger.begin({ triggers: [{ id: 'clock', kind: 'schedule', cron: '0 * * * *' }] });
      for (const [one, moments] of steps) if (await cut(moments, ledger, one)) cuts++;
      await ledger.react();
      await ledger.expectEachSettledOnce();
      await expectConclusionsToAgree(ledger);
      const { outcomes, wrong } = await slotsOf(ledger);
      expect(wrong).toEqual([]);
      slots += outcomes;
    }),
    { numRuns: Number(process.env.N ?? 40), seed },
  );
  expect([cuts, slots].every((count) => count > 40)).toBe(true);
});
