import type { Dispatch } from '../commands/dispatch.js';
import { fireDueSlots } from '../commands/routines/due-slots.js';
import { nameUuid } from '../events/event.js';
import type { DueRoutine } from '../projections/routines/due-routines.js';
import { routinesBell } from './bells.js';
import { DueLoop, type DueList, type DuePorts } from './due-loop.js';

/**
 * Fires the slots of routines as they come due. Several processes may do so: what is due is the same command whoever sends it, and the
 * routine's own stream says which slots have passed.
 */
export const scheduler = (
  ports: DuePorts & { readonly dispatch: Pick<Dispatch, 'send'>; readonly dueRoutines: DueList<DueRoutine> },
): DueLoop<DueRoutine> =>
  new DueLoop(
    {
      name: 'the scheduler',
      bell: routinesBell,
      list: ports.dueRoutines,
      nameOf: ({ company, routine }) => `${routine} of ${company}`,
      carryOut: (due, before) => fire(ports.dispatch, due, before),
    },
    ports,
  );

async function fire(dispatch: Pick<Dispatch, 'send'>, { company, routine, dueAt }: DueRoutine, before: number): Promise<void> {
  await dispatch.send(
    fireDueSlots,
    { company, routine },
    {
      commandId: nameUuid('slots', company, routine, dueAt, ...(before > 0 ? [before] : [])),
      actor: { type: 'system', id: 'scheduler' },
    },
  );
}
