import { Int, Optional, Slug, Text } from '../fields.js';
import type { Sendable } from '../decider.js';
import { DefinitionFields } from './definition.js';
import type { RoutineView } from './routine-view.js';

/** Defines a routine, or replaces its whole definition. */
export class PutRoutine extends DefinitionFields {
  @Slug() company!: string;
  @Slug() routine!: string;
}
export const putRoutine: Sendable<PutRoutine, { routine: RoutineView }> = { command: PutRoutine };

class Reasoned {
  @Slug() company!: string;
  @Slug() routine!: string;
  @Optional() @Text(4_000) reason?: string;
}

/** Its fires are suppressed until it is resumed, but for those that are asked for by hand. */
export class PauseRoutine extends Reasoned {}
export const pauseRoutine: Sendable<PauseRoutine, { routine: RoutineView }> = { command: PauseRoutine };

export class ResumeRoutine extends Reasoned {}
export const resumeRoutine: Sendable<ResumeRoutine, { routine: RoutineView }> = { command: ResumeRoutine };

/** For good: nothing fires it any more. */
export class ArchiveRoutine extends Reasoned {}
export const archiveRoutine: Sendable<ArchiveRoutine, { routine: RoutineView }> = { command: ArchiveRoutine };

/** A webhook gets another secret; the former one is taken for `overlapSec` more. */
export class RotateTriggerSecret {
  @Slug() company!: string;
  @Slug() routine!: string;
  @Slug() trigger!: string;
  @Optional() @Int(0, 604_800) overlapSec?: number;
}
export const rotateTriggerSecret: Sendable<
  RotateTriggerSecret,
  { routine: RoutineView; trigger: string; overlapUntil: string; rotatedAt: string }
> = { command: RotateTriggerSecret };
