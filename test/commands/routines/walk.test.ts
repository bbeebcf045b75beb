import fc from 'fast-check';
import { putAgent } from '../../../src/commands/agent.js';
import { Rejected } from '../../../src/commands/decider.js';
import { fireDueSlots } from '../../../src/commands/routines/due-slots.js';
import { fireRoutine } from '../../../src/commands/routines/fire.js';
import { pauseRoutine, putRoutine, resumeRoutine } from '../../../src/commands/routines/routine.js';
import { finishRun } from '../../../src/commands/run.js';
import { assignTask, setTaskStatus } from '../../../src/commands/task.js';
import { concurrencyPolicies, catchUpPolicies, type TriggerId } from '../../../src/events/routine.js';
import { taskStatuses } from '../../../src/events/task.js';
import { MortalLedger } from '../../model/mortal.js';
import { seed } from '../../model/seed.js';
import { expectEachSettledOnce } from './fired-ledger.js';

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

async function take(step: Step, ledger: MortalLedger): Promise<unknown> {
  const routine = 'nightly';
  const opened = async () => (await ledger.log()).flatMap(({ type, data }) => (type === 'TaskOpened' ? [data.task] : []));
  const anyOf = async (n: number) => {
    const tasks = await opened();
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
      return define(ledger, { ...rules, triggers: [{ id: 'clock', kind: 'schedule', cron, enabled }] });
    }
  }
}

const define = (ledger: MortalLedger, definition: object) =>
  ledger.send(putRoutine, { routine: 'nightly', title: 'Check the exports', agent: 'fixer', triggers: [], ...definition });

/** Each outcome of a slot is that of the one that was said to come next. */
async function expectEachSlotOnce(ledger: MortalLedger): Promise<number> {
  const next = new Map<TriggerId, string | null>();
  let outcomes = 0;
  for (const { type, data } of await ledger.log()) {
    if (type === 'RoutineDefined' || type === 'RoutineChanged') {
      for (const trigger of data.triggers) if (trigger.kind === 'schedule') next.set(trigger.id, trigger.nextSlot);
      continue;
    }
    const slot = type === 'RoutineFired' ? data.slot : type === 'SlotsMissed' ? data.first : null;
    if (slot === null || !('trigger' in data) || typeof data.trigger !== 'string' || !('nextSlot' in data)) continue;
    expect(slot).toBe(next.get(data.trigger));
    next.set(data.trigger, data.nextSlot);
    outcomes++;
  }
  return outcomes;
}

/** What is said last of a task that a fire has opened is how it stands. */
async function expectConclusionsToAgree(ledger: MortalLedger): Promise<void> {
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

it('ends each fire and each slot once, whatever happens, and whenever the process is killed', async () => {
  let [deaths, slots] = [0, 0];
  const lives = fc.array(fc.nat({ max: 25 }), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40, size: 'max' }), lives, async (steps, moments) => {
      const ledger = new MortalLedger(moments.values());
      for (const agent of ['fixer', 'reviewer']) await ledger.send(putAgent, { agent });
      await define(ledger, { triggers: [{ id: 'clock', kind: 'schedule', cron: '0 * * * *' }] });
      for (const one of steps)
        await take(one, ledger).catch((error: unknown) => {
          if (!(error instanceof Rejected)) throw error;
        });
      await ledger.react();
      expectEachSettledOnce(await ledger.log());
      await expectConclusionsToAgree(ledger);
      slots += await expectEachSlotOnce(ledger);
      deaths += ledger.deaths;
    }),
    { numRuns: Number(process.env.N ?? 40), seed },
  );
  expect([deaths, slots].every((count) => count > 40)).toBe(true);
});
