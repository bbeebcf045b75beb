import { ArrayMaxSize, IsArray, IsBoolean } from 'class-validator';
import {
  catchUpPolicies,
  concurrencyPolicies,
  gapPolicies,
  overlapPolicies,
  signings,
  variableTypes,
  type CatchUpPolicy,
  type ConcurrencyPolicy,
  type DstPolicy,
  type Signing,
  type VariableType,
} from '../../events/routine.js';
import { taskPriorities, type TaskPriority } from '../../events/task.js';
import { Exact, Int, IsoTime, ListOf, Nested, OneOf, Optional, OptionalOrNull, Plain, Slug, Text } from '../fields.js';

export const triggerKinds = ['schedule', 'webhook', 'api'] as const;

/** What `{{name}}` stands for. Required unless it is said otherwise. */
export class VariableFields {
  @Exact(64) name!: string;
  @Optional() @OneOf(variableTypes) type?: VariableType;
  @OptionalOrNull() @Text(120) label?: string | null;
  @OptionalOrNull() @Plain(16_384) default?: string | number | boolean | null;
  @Optional() @IsBoolean() required?: boolean;
  @Optional() @IsArray() @ArrayMaxSize(50) @Text(200, { each: true }) options?: string[];
}

/** Of the hour that a change of the clock skips, or brings twice. */
export class DstFields {
  @Optional() @OneOf(gapPolicies) gap?: DstPolicy['gap'];
  @Optional() @OneOf(overlapPolicies) overlap?: DstPolicy['overlap'];
}

/** `cron`, `zone` and `dst` belong to a schedule, `signing` and `windowSec` to a webhook. */
export class TriggerFields {
  @Slug() id!: string;
  @OneOf(triggerKinds) kind!: (typeof triggerKinds)[number];
  @Optional() @IsBoolean() enabled?: boolean;
  @Optional() @Exact(200) cron?: string;
  @Optional() @Exact(100) zone?: string;
  @Optional() @Nested(() => DstFields) dst?: DstFields;
  @Optional() @OneOf(signings) signing?: Signing;
  @Optional() @Int(30, 86_400) windowSec?: number;
}

/** What a routine is, as somebody writes it down; what is left out becomes the default. */
export class DefinitionFields {
  @Text(200) title!: string;
  @OptionalOrNull() @Text(16_384) description?: string | null;
  @OptionalOrNull() @Slug() agent?: string | null;
  @Optional() @OneOf(taskPriorities) priority?: TaskPriority;
  @Optional() @OneOf(concurrencyPolicies) concurrency?: ConcurrencyPolicy;
  @Optional() @OneOf(catchUpPolicies) catchUp?: CatchUpPolicy;
  @Optional() @ListOf(() => VariableFields, 50) variables?: VariableFields[];
  @Optional() @IsArray() @ArrayMaxSize(50) @Exact(256, { each: true }) fingerprintIgnore?: string[];
  @Optional() @Int(0, 3_600) spreadSec?: number;
  @OptionalOrNull() @IsoTime() activeFrom?: string | null;
  @OptionalOrNull() @IsoTime() activeUntil?: string | null;
  @ListOf(() => TriggerFields, 20) triggers!: TriggerFields[];
}
