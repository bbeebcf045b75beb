import type { Dispatch } from '../commands/dispatch.js';
import { fireDueSlots } from '../commands/routines/due-slots.js';
import type { DueRoutine } from '../projections/routines/due-routines.js';
import { routinesBell } from './bells.js';
import { DueLoop, type DueList, type DuePorts } from './due-loop.js';
import type { Loop } from './loop.js';

/** Fires the slots of routines as they come due; the routine's own stream says which of them have passed. */
export const scheduler = ({
  dispatch,
  dueRoutines,
  ...ports
}: DuePorts & { readonly dispatch: Pick<Dispatch, 'send'>; readonly dueRoutines: DueList<DueRoutine> }): Loop =>
  new DueLoop(
    {
      name: 'the scheduler',
      bell: routinesBell,
      list: dueRoutines,
      keyOf: ({ company, routine }) => [company, routine],
      commands: 'slots',
      carryOut: ({ company, routine }, context) => dispatch.send(fireDueSlots, { company, routine }, context),
    },
    ports,
  );
