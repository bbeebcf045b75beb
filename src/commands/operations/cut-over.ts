import { IsBoolean } from 'class-validator';
import {
  isGone,
  isOfVersion,
  isUnderWay,
  readModelName,
  type KnownReadModel,
  type Operations,
  type OperationsEvent,
  type Rebuild,
} from '../../events/operations.js';
import { decision, Rejected, type Outcome, type World } from '../decider.js';
import { Exact, Optional, Slug, Text } from '../fields.js';
import { ofOperations, rebuildOf } from './rebuild.js';

/**
 * Lets a rebuild be asked instead of what it was compared with, which is followed on and can be rolled back to. It happens as soon as the
 * new read model is not behind the old one.
 */
export class CutOver {
  @Exact(200) rebuild!: string;
  /** What was built anew in the version that is asked may differ from it: a fold of the log is right, and what is asked is repaired. */
  @Optional() @IsBoolean() acceptDifferences?: boolean;
  @Optional() @Text(4_000) reason?: string;
}

export const cutOver = decision({
  command: CutOver,
  ...ofOperations,
  decide: decideCutOver,
  answer: ({ rebuild }: CutOver, { state }: Outcome<Operations, OperationsEvent>) =>
    liveAnswer(state.readModels[rebuild]?.projection ?? rebuild, state),
});

function decideCutOver(command: CutOver, state: Operations, { now }: World): OperationsEvent[] {
  const { rebuild: to, acceptDifferences = false, reason = acceptDifferences ? 'repaired' : 'agrees' } = command;
  const rebuild = rebuildOf(state, to);
  const { projection } = state.readModels[to]!;
  const from = state.live[projection] ?? rebuild.beside;
  if (from === to) return [];
  refuseUncompared(to, rebuild, from);
  if (rebuild.status === 'different') refuseDifferences(to, projection, rebuild, acceptDifferences);
  return [{ type: 'ReadModelCutOver', data: { projection, from, to, reason, cutOverAt: now.toISOString() } }];
}

/** Whatever was cut over to once was compared then. */
function refuseUncompared(name: string, { status, purpose, paused, beside }: Rebuild, live: string): void {
  if (status === 'over') return;
  if (purpose === 'verify')
    throw new Rejected(
      'rebuild_not_ready',
      `${name} is built to verify ${beside} and dropped after that: rebuild without verify`,
    );
  if (status === 'filling' || status === 'filled')
    throw new Rejected(
      'rebuild_not_ready',
      `${name} is not compared with ${beside} yet: ${paused ? 'resume it' : 'wait for it'}`,
    );
  if (beside !== live)
    throw new Rejected(
      'rebuild_not_ready',
      `${name} was compared with ${beside}, and ${live} is asked by now: abandon it and rebuild again`,
    );
}

/** One definition gives one result: if what is asked is of the same version, it is what is wrong. */
function refuseDifferences(name: string, projection: string, rebuild: Rebuild, areAccepted: boolean): void {
  const { differences, beside, version } = rebuild;
  const isRepair = isOfVersion(beside, readModelName(projection, version));
  if (isRepair && areAccepted) return;
  throw new Rejected(
    'differences_found',
    `${differences} rows of ${name} differ from ${beside} where they are not meant to: look at the differences, then ` +
      (isRepair
        ? 'repair what is asked by accepting them (acceptDifferences, --accept-differences), or abandon it'
        : 'name the columns that are meant to differ in its definition, or abandon it'),
  );
}

/** What was asked before is asked again. What is asked now is followed on, and may be cut over to again. */
export class RollBack {
  @Slug() projection!: string;
  /** the read model that is asked, as the operator has seen it: of two who roll back at once, one goes back, and neither goes back twice */
  @Optional() @Exact(200) from?: string;
  @Optional() @Text(4_000) reason?: string;
}

export const rollBack = decision({
  command: RollBack,
  ...ofOperations,
  decide: decideRollBack,
  answer: ({ projection }: RollBack, { state }: Outcome<Operations, OperationsEvent>) => liveAnswer(projection, state),
});

function decideRollBack(command: RollBack, state: Operations, { now }: World): OperationsEvent[] {
  const { projection, from: seen, reason = 'rolled back' } = command;
  const from = state.live[projection];
  const to = from === undefined ? undefined : state.readModels[from]?.before;
  if (from === undefined || !to)
    throw new Rejected(
      'nothing_to_roll_back',
      `${from ?? `the read model of ${projection}`} is asked, and nothing that is still followed was asked before it: rebuild the version that you want`,
    );
  // What was cut over to and is still behind is not seen yet: what is asked until then is what is gone back to.
  if (seen !== undefined && seen !== from && seen !== to)
    throw new Rejected(
      'nothing_to_roll_back',
      `${from} is to be asked by now, and not ${seen}: somebody has changed it meanwhile; look at it, and roll back again if it is wrong still`,
    );
  return [{ type: 'ReadModelRolledBack', data: { projection, from, to, reason, rolledBackAt: now.toISOString() } }];
}

/** Removes a read model for good that is neither asked nor being built. */
export class DropReadModel {
  @Slug() projection!: string;
  @Exact(200) readModel!: string;
  @Optional() @Text(4_000) reason?: string;
}

export const dropReadModel = decision({
  command: DropReadModel,
  ...ofOperations,
  decide: decideDrop,
  answer: ({ readModel }: DropReadModel) => ({ readModel, status: 'gone' as const }),
});

function decideDrop(command: DropReadModel, state: Operations, { now }: World): OperationsEvent[] {
  const { projection, readModel, reason = 'not needed any more' } = command;
  if (isGone(state, readModel)) return [];
  const known = state.readModels[readModel];
  if (known?.projection !== projection)
    throw new Rejected(
      'rebuild_not_found',
      `no rebuild of ${projection} has had to do with ${readModel}: only what was replaced can be dropped`,
    );
  refuseInUse(known, state);
  return [{ type: 'ReadModelDropped', data: { projection, readModel, reason, droppedAt: now.toISOString() } }];
}

function refuseInUse(known: KnownReadModel, { live, readModels }: Operations): void {
  const { name, projection } = known;
  if (live[projection] === name)
    throw new Rejected('read_model_in_use', `${name} is the one that is asked: cut over to another one, or roll back, first`);
  if (isUnderWay(known)) throw new Rejected('read_model_in_use', `${name} is being rebuilt: abandon the rebuild instead`);
  const other = Object.values(readModels).find((each) => isUnderWay(each) && each.rebuild?.beside === name);
  if (other) throw new Rejected('read_model_in_use', `${other.name} is compared with ${name}: wait for it, or abandon it, first`);
}

/** Which read model is asked from now on, and which one was before it. */
function liveAnswer(projection: string, { live, readModels }: Operations) {
  const asked = live[projection];
  return { projection, live: asked ?? null, before: (asked && readModels[asked]?.before) ?? null };
}
