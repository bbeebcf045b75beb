import { isDeepStrictEqual } from 'node:util';
import { routines } from '../../events/evolve-routine.js';
import { routineStream, type Actor, type RoutineId } from '../../events/event.js';
import type { Routine, RoutineDefinition, RoutineEvent } from '../../events/routine.js';
import { decision, noSuch, Rejected, type World } from '../decider.js';
import { Optional, Slug, Text } from '../fields.js';
import { knownAgent } from '../lane.js';
import { DefinitionFields } from './definition.js';
import { definitionOf, scheduleAsBefore } from './definition-of.js';
import { passedSlots } from './missed-slots.js';
import { routineAnswer } from './routine-view.js';
import { isTicking } from './schedules.js';

/** What all decisions about one routine have in common. */
export const ofRoutine = {
  of: routines,
  stream: ({ company, routine }: { company: string; routine: RoutineId }) => routineStream(company, routine),
};

export function knownRoutine(routine: Routine | undefined, id: RoutineId): Routine {
  if (!routine) throw noSuch('routine', id);
  return routine;
}

/** An agent has a say in its own routines only. */
export function refuseOthersAgent({ type, id }: Actor, routine: RoutineId, agents: readonly (string | null)[]): void {
  if (type === 'agent' && agents.some((agent) => agent !== id))
    throw new Rejected(
      'not_permitted',
      `${id} may define and fire routines of its own only, and ${routine} is not: ask an operator`,
    );
}

/** The routine that a command is about. @throws Rejected where there is none, or the actor has no say in it */
export function addressed({ routine: id }: { routine: RoutineId }, known: Routine | undefined, { actor }: World): Routine {
  const routine = knownRoutine(known, id);
  refuseOthersAgent(actor, id, [routine.agent]);
  return routine;
}

export function notArchived(routine: Routine): Routine {
  if (routine.status === 'archived')
    throw new Rejected('routine_archived', `${routine.routine} was archived and stays so; define another routine`);
  return routine;
}

export function triggerNamed({ routine, triggers }: Routine, id: string): Routine['triggers'][number] {
  const trigger = triggers.find((one) => one.id === id);
  if (trigger) return trigger;
  const there = triggers.length > 0 ? `there are ${triggers.map((one) => one.id).join(', ')}` : 'it has none';
  throw new Rejected('trigger_not_found', `${routine} has no trigger ${id}: ${there}`);
}

/** Defines a routine, or replaces its whole definition: what is left out becomes the default. */
export class PutRoutine extends DefinitionFields {
  @Slug() company!: string;
  @Slug() routine!: string;
}

export const putRoutine = decision({
  command: PutRoutine,
  ...ofRoutine,
  agents: ({ agent }) => [agent ?? null],
  decide(command: PutRoutine, known: Routine | undefined, world: World): RoutineEvent[] {
    const { routine, agent = null } = command;
    refuseReserved(routine);
    refuseOthersAgent(world.actor, routine, known ? [known.agent, agent] : [agent]);
    if (known) notArchived(known);
    if (agent !== null) refuseTerminated(agent, world);
    const definition = definitionOf(command, known, world);
    return known ? change(known, definition, world) : define(routine, definition, world);
  },
  answer: routineAnswer,
});

/** The tasks of such a routine would be taken for lanes of agents. */
function refuseReserved(routine: RoutineId): void {
  if (routine === 'heartbeat')
    throw new Rejected(
      'routine_name_reserved',
      'heartbeat~<agent> is the lane of an agent’s own work; name the routine otherwise',
    );
}

function refuseTerminated(agent: string, world: World): void {
  if (knownAgent(world, agent).status === 'terminated')
    throw new Rejected('agent_terminated', `${agent} was terminated; give the routine to another agent`);
}

const define = (routine: RoutineId, definition: RoutineDefinition, world: World): RoutineEvent[] => [
  { type: 'RoutineDefined', data: { routine, ...definition, definedAt: world.now.toISOString() } },
  ...withoutAgent(routine, definition, world),
];

function change(known: Routine, definition: RoutineDefinition, world: World): RoutineEvent[] {
  if (isSame(known, definition)) return [];
  const { routine, status } = known;
  const over = known.triggers.filter(isTicking).filter((trigger) => !goesOn(trigger.id, known, definition));
  return [
    ...passedSlots(known, over, 'schedule_changed', world),
    { type: 'RoutineChanged', data: { routine, ...definition, changedAt: world.now.toISOString() } },
    ...(status === 'active' ? withoutAgent(routine, definition, world) : []),
  ];
}

/** A store may give the keys of an object back in another order. */
const isSame = (known: Routine, definition: RoutineDefinition): boolean =>
  Object.entries(definition).every(([field, value]) => isDeepStrictEqual(known[field as keyof RoutineDefinition], value));

function goesOn(id: string, known: Routine, definition: RoutineDefinition): boolean {
  const trigger = definition.triggers.find((one) => one.id === id);
  return trigger?.kind === 'schedule' && scheduleAsBefore(known, trigger, definition) !== undefined;
}

const withoutAgent = (routine: RoutineId, { agent }: RoutineDefinition, world: World): RoutineEvent[] =>
  agent === null ? [paused(routine, 'it was defined without an agent', world)] : [];

const paused = (routine: RoutineId, reason: string, { now }: World): RoutineEvent => ({
  type: 'RoutinePaused',
  data: { routine, reason, pausedAt: now.toISOString() },
});

class RoutineWithReason {
  @Slug() company!: string;
  @Slug() routine!: string;
  @Optional() @Text(4_000) reason?: string;
}

/** Its fires are suppressed until it is resumed, but for those that are asked for by hand. */
export class PauseRoutine extends RoutineWithReason {}

export const pauseRoutine = decision({
  command: PauseRoutine,
  ...ofRoutine,
  decide(command: PauseRoutine, known: Routine | undefined, world: World): RoutineEvent[] {
    const { routine, status } = notArchived(addressed(command, known, world));
    return status === 'paused' ? [] : [paused(routine, command.reason ?? 'paused', world)];
  },
  answer: routineAnswer,
});

/** Its fires count again; slots that have passed meanwhile, and were not recorded as suppressed yet, do not come any more. */
export class ResumeRoutine extends RoutineWithReason {}

export const resumeRoutine = decision({
  command: ResumeRoutine,
  ...ofRoutine,
  decide(command: ResumeRoutine, known: Routine | undefined, world: World): RoutineEvent[] {
    const routine = notArchived(addressed(command, known, world));
    if (routine.status === 'active') return [];
    if (routine.agent === null)
      throw new Rejected('agent_required', `${routine.routine} has no agent: define it with one, then resume it`);
    const { reason = 'resumed' } = command;
    return [
      ...passedSlots(routine, routine.triggers.filter(isTicking), 'routine_paused', world),
      { type: 'RoutineResumed', data: { routine: routine.routine, reason, resumedAt: world.now.toISOString() } },
    ];
  },
  answer: routineAnswer,
});

/** For good: nothing fires it any more. What it has begun goes on. */
export class ArchiveRoutine extends RoutineWithReason {}

export const archiveRoutine = decision({
  command: ArchiveRoutine,
  ...ofRoutine,
  decide(command: ArchiveRoutine, known: Routine | undefined, world: World): RoutineEvent[] {
    const routine = addressed(command, known, world);
    if (routine.status === 'archived') return [];
    const { reason = 'archived' } = command;
    const code = routine.status === 'paused' ? 'routine_paused' : 'schedule_changed';
    return [
      ...passedSlots(routine, routine.triggers.filter(isTicking), code, world),
      { type: 'RoutineArchived', data: { routine: routine.routine, reason, archivedAt: world.now.toISOString() } },
    ];
  },
  answer: routineAnswer,
});
