import fc from 'fast-check';
import { putAgent } from '../../../src/commands/agent.js';
import { Rejected, type Sendable } from '../../../src/commands/decider.js';
import { fireDueSlots } from '../../../src/commands/routines/due-slots.js';
import { fireRoutine } from '../../../src/commands/routines/fire.js';
import { archiveRoutine, pauseRoutine, putRoutine, resumeRoutine } from '../../../src/commands/routines/routine.js';
import { finishRun } from '../../../src/commands/run.js';
import { setTaskStatus } from '../../../src/commands/task.js';
import { nextDueAt } from '../../../src/events/due-slot.js';
import { routines as streams } from '../../../src/events/evolve-routine.js';
import { fireTask, routineStream, type Recorded } from '../../../src/events/event.js';
import type { LedgerEvent } from '../../../src/events/ledger-event.js';
import { concurrencyPolicies, type Routine, type RoutineEvent } from '../../../src/events/routine.js';
import { foldLog } from '../../../src/projections/projector/fold.js';
import { fireOutcomes, routineFires } from '../../../src/projections/routines/routine-fires.js';
import { routines } from '../../../src/projections/routines/routines.js';
import { tasks } from '../../../src/projections/tasks.js';
import { machine } from '../../facts.js';
import { VirtualLedger } from '../../virtual-ledger.js';
import { seeded, type Draw } from '../history.js';

const names = ['nightly', 'hourly', 'now-and-then'];

/** A ledger on which routines were defined, changed, fired, paused and archived, and their tasks worked on, as chance has it. */
async function playedLedger(draw: Draw): Promise<VirtualLedger> {
  const ledger = new VirtualLedger();
  await ledger.send(putAgent, { agent: 'fixer' });
  for (let step = 0; step < 90; step++) await move(ledger, draw);
  await ledger.react();
  return ledger;
}

async function move(ledger: VirtualLedger, draw: Draw): Promise<unknown> {
  const routine = names[draw(names.length)]!;
  const send = <C extends object>(kind: Sendable<C, unknown>, fields: { readonly [Field in keyof C]?: unknown }, actor = {}) =>
    ledger.send(kind, fields, actor).catch((error: unknown) => {
      if (!(error instanceof Rejected)) throw error;
    });
  const schedule = { id: 'clock', kind: 'schedule', cron: `${draw(60)} */2 * * *`, enabled: draw(5) > 0 };
  const definition = {
    title: 'Look at {{what}}',
    variables: [{ name: 'what', type: 'text', default: draw(6) ? 'it' : undefined }],
    agent: draw(6) ? 'fixer' : null,
    concurrency: concurrencyPolicies[draw(3)],
    catchUp: draw(2) ? 'skip_missed' : 'enqueue_missed_with_cap',
    spreadSec: draw(2) * 600,
    triggers: [schedule, { id: 'button', kind: 'api' }].slice(draw(2)),
  };
  const work = async () => {
    for (const run of await ledger.claim('fixer', { max: 2 }))
      if (draw(2)) await send(finishRun, { ...run, outcome: draw(3) ? 'succeeded' : 'failed' });
  };
  const task = fireTask(routine, 1 + draw(9));
  const moves = [
    () => send(putRoutine, { routine, ...definition }),
    () => send(fireRoutine, { routine }),
    () => send(fireRoutine, { routine, trigger: 'button' }),
    () => send(fireDueSlots, { routine }, { actor: machine }),
    () => send(fireDueSlots, { routine }, { actor: machine }),
    () => ledger.clock.advance(draw(6) * 3_600_000),
    () => send(setTaskStatus, { task, status: ['done', 'cancelled', 'blocked', 'todo'][draw(4)] }),
    () => (draw(2) ? send(pauseRoutine, { routine }) : send(resumeRoutine, { routine })),
    () => draw(12) === 0 && send(archiveRoutine, { routine }),
    work,
    () => ledger.react(),
  ];
  return moves[draw(moves.length)]!();
}

const stateOf = (log: readonly Recorded<LedgerEvent>[], routine: string): Routine | undefined =>
  log
    .filter(({ stream }) => stream === routineStream('acme', routine))
    .reduce((state, event) => streams.evolve(state, event as Recorded<RoutineEvent>), streams.initial);

describe('whatever commands decide', () => {
  const seed = Date.now() % 2 ** 31;
  beforeAll(() => console.log(`seed ${seed}`));

  it('the read models agree with the routines, and each fire and each slot has one outcome', () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 0 }), async (story) => {
        const log = await (await playedLedger(seeded(story))).log();
        const fires = foldLog(routineFires, log);
        const opened = new Map(foldLog(tasks, log).map(({ task, status }) => [task, status]));
        for (const row of foldLog(routines, log)) {
          const state = stateOf(log, row.routine)!;
          expect([row.status, row.agent, row.triggers, row.fires]).toEqual([
            state.status,
            state.agent,
            state.triggers,
            state.fires,
          ]);
          expect(row.next_due_at).toBe(state.status === 'archived' ? null : nextDueAt('acme', state));
          expect(row.revision).toBe(log.findLast(({ subject }) => subject === row.routine)?.revision);
          const own = fires.filter(({ routine }) => routine === row.routine);
          expect(own.map(({ n }) => n)).toEqual(Array.from({ length: state.fires }, (_, n) => n + 1));
          expect(own.filter(({ outcome }) => outcome === 'pending').map(({ fire }) => fire)).toEqual(
            state.pending.map(({ fire }) => fire),
          );
          for (const outcome of fireOutcomes)
            expect([outcome, row.outcomes[outcome]]).toEqual([outcome, own.filter((one) => one.outcome === outcome).length]);
        }
        const openers = fires.filter(({ fire, task }) => task === fire.replace('@', '~') && opened.has(task));
        expect(openers.map(({ fire, concluded }) => [fire, concluded?.status])).toEqual(
          openers.map(({ fire, task }) => [fire, ended(opened.get(task ?? ''))]),
        );
        const joined = fires.filter(({ outcome }) => outcome === 'coalesced');
        expect(joined.map(({ coalesced_into: into }) => into)).toEqual(joined.map(({ task }) => task?.replace('~', '@')));
      }),
      { seed, numRuns: 12 },
    ));
});

/** A fire goes on for as long as its task does. */
const ended = (status: string | undefined): string | undefined =>
  status !== undefined && ['done', 'cancelled', 'blocked'].includes(status) ? status : undefined;
