import type { Event } from '../../events/event.js';
import { operations } from '../../events/evolve-operations.js';
import {
  isGone,
  isUnderWay,
  nextGeneration,
  operationsStream,
  readModelName,
  underWay,
  type KnownReadModel,
  type Operations,
  type OperationsEvent,
  type Rebuild,
  type RebuildPurpose,
  type RebuildStarted,
} from '../../events/operations.js';
import { decision, Rejected, type Outcome, type World } from '../decider.js';
import { Exact, Int, OneOf, Optional, OptionalOrNull, Slug, Text } from '../fields.js';

export const ofOperations = { of: operations, stream: () => operationsStream };

/** Builds a version of a projection, or the same one anew, beside the read model that is asked. One at a time of each projection. */
export class StartRebuild {
  @Slug() projection!: string;
  @Int(1, 1_000_000) version!: number;
  @OneOf(['cut_over', 'verify']) purpose!: RebuildPurpose;
  /** The read model that is asked. It counts until the first rebuild of the projection; from then on the record does. */
  @Exact(200) live!: string;
  /** without it, as fast as it can */
  @Optional() @Int(1, 10_000_000) eventsPerSecond?: number;
  @Optional() @Text(4_000) reason?: string;
}

export const startRebuild = decision({
  command: StartRebuild,
  ...ofOperations,
  decide: start,
  // A start that is not refused has written this one event, now or before.
  answer: (_: StartRebuild, { events: [started], state }: Outcome<Operations, OperationsEvent>) =>
    rebuildAnswer((started as RebuildStarted).data, { state }),
});

function start(command: StartRebuild, state: Operations, { now, actor: startedBy }: World): OperationsEvent[] {
  const { projection, version, purpose, live, eventsPerSecond = null, reason = 'asked for' } = command;
  const other = underWay(state, projection);
  if (other) throw alreadyUnderWay(other);
  const beside = state.live[projection] ?? live;
  if (purpose === 'verify' && beside !== live)
    throw new Rejected('rebuild_not_ready', `${beside} is asked as soon as it is not behind ${live}: verify it then`);
  const generation = nextGeneration(state, readModelName(projection, version), live);
  const rebuild = readModelName(projection, version, generation);
  const startedAt = now.toISOString();
  const data = { rebuild, projection, version, generation, beside, purpose, eventsPerSecond, reason, startedBy, startedAt };
  return [{ type: 'RebuildStarted', data }];
}

/** It keeps what it has, and goes on from there when it is resumed. */
export class PauseRebuild {
  @Exact(200) rebuild!: string;
  @Optional() @Text(4_000) reason?: string;
}

export const pauseRebuild = decision({
  command: PauseRebuild,
  ...ofOperations,
  decide: ({ rebuild: name, reason = 'paused' }: PauseRebuild, state: Operations, { now }: World): OperationsEvent[] =>
    isAtWork(rebuildOf(state, name)) && !rebuildOf(state, name).paused
      ? [{ type: 'RebuildPaused', data: { rebuild: name, reason, pausedAt: now.toISOString() } }]
      : [],
  answer: rebuildAnswer,
});

/** Goes on with a rebuild that is paused; also, at another rate with one that is not. */
export class ResumeRebuild {
  @Exact(200) rebuild!: string;
  /** null: as fast as it can; without it, as before */
  @OptionalOrNull('integer') @Int(1, 10_000_000) eventsPerSecond?: number | null;
  @Optional() @Text(4_000) reason?: string;
}

export const resumeRebuild = decision({
  command: ResumeRebuild,
  ...ofOperations,
  decide: resume,
  answer: rebuildAnswer,
});

function resume(command: ResumeRebuild, state: Operations, { now }: World): OperationsEvent[] {
  const { rebuild: name, reason = 'resumed' } = command;
  const rebuild = rebuildOf(state, name);
  const { eventsPerSecond = rebuild.eventsPerSecond } = command;
  const isSo = !rebuild.paused && eventsPerSecond === rebuild.eventsPerSecond;
  if (isSo || !isAtWork(rebuild)) return [];
  return [{ type: 'RebuildResumed', data: { rebuild: name, eventsPerSecond, reason, resumedAt: now.toISOString() } }];
}

/** Gives a rebuild up, however far it is, and drops what it has built. What was cut over to is rolled back and dropped instead. */
export class AbandonRebuild {
  @Exact(200) rebuild!: string;
  @Optional() @Text(4_000) reason?: string;
}

export const abandonRebuild = decision({
  command: AbandonRebuild,
  ...ofOperations,
  decide: abandon,
  answer: rebuildAnswer,
});

function abandon({ rebuild: name, reason = 'given up' }: AbandonRebuild, state: Operations, { now }: World): OperationsEvent[] {
  if (isGone(state, name)) return [];
  if (rebuildOf(state, name).status === 'over')
    throw new Rejected('read_model_in_use', `${name} was cut over to: roll back if it is asked, and drop it`);
  return [{ type: 'RebuildAbandoned', data: { rebuild: name, reason, abandonedAt: now.toISOString() } }];
}

/** The rebuild of that name, as long as what it builds is to be there. */
export function rebuildOf({ readModels }: Operations, name: string): Rebuild {
  const rebuild = readModels[name]?.rebuild;
  if (rebuild) return rebuild;
  const others = Object.values(readModels)
    .filter(isUnderWay)
    .map((known) => known.name);
  throw new Rejected(
    'rebuild_not_found',
    `there is no rebuild ${name}, or it is over; ${others.length > 0 ? `under way: ${others.join(', ')}` : 'none is under way'}`,
  );
}

/** Nothing is done for one that is compared, until an operator says what becomes of it. */
const isAtWork = ({ status }: Rebuild): boolean => status === 'filling' || status === 'filled';

function alreadyUnderWay({ name, projection, rebuild }: KnownReadModel): Rejected {
  const { startedBy, startedAt, status, paused } = rebuild!;
  return new Rejected(
    'rebuild_under_way',
    `${projection} is being rebuilt already: ${startedBy.id} started ${name} at ${startedAt}, and it is ${paused ? 'paused' : inWords[status]}; ` +
      `${remedies[status]}, or abandon it`,
  );
}

const inWords: Readonly<Record<Rebuild['status'], string>> = {
  filling: 'being filled',
  filled: 'being compared',
  ready: 'ready to be cut over to',
  different: 'different from what is asked',
  over: 'cut over to',
};

const remedies: Readonly<Record<Rebuild['status'], string>> = {
  filling: 'wait for it',
  filled: 'wait for it',
  ready: 'cut over to it',
  different: 'look at the differences',
  over: 'wait for it',
};

/** The rebuild as it is after the command; `gone` with what it had built. */
export function rebuildAnswer(
  { rebuild: id }: { readonly rebuild: string },
  { state }: Pick<Outcome<Operations, Event>, 'state'>,
) {
  const known = state.readModels[id];
  if (!known?.rebuild) return { rebuild: { id, status: 'gone' as const } };
  const { startedBy: _by, startedAt: _at, ...rebuild } = known.rebuild;
  return { rebuild: { id, projection: known.projection, ...rebuild } };
}
