import { Matches } from 'class-validator';
import type { Position } from '../../events/event.js';
import type { Operations, OperationsEvent } from '../../events/operations.js';
import { positionInWords } from '../../events/positions.js';
import { decision, Rejected, type CommandContext, type Outcome, type World } from '../decider.js';
import { Exact, Optional, Slug, Text } from '../fields.js';
import type { Ledger } from '../ledger.js';
import { ofOperations } from './rebuild.js';

/** A projection, and what its pages show beside it, as they were at a position, in a schema that an operator names. */
export interface SideSchema {
  readonly schema: string;
  readonly projection: string;
  /** the last event that is shown */
  readonly position: Position;
}

export interface BuildProgress {
  /** the projection that is folded just now */
  readonly projection: string;
  /** events that are folded, of those that are to be */
  readonly done: number;
  readonly total: number;
  /** events per second */
  readonly rate: number;
  readonly etaSeconds: number | null;
}

export abstract class SideSchemas {
  /**
   * Begins to build it, or goes on, and waits a moment; undefined when it is there. `record` is told which projections it has when they are
   * there; they can be seen when it has resolved, and not at all when it is rejected.
   */
  abstract build(
    wanted: SideSchema,
    record: (projections: readonly string[]) => Promise<void>,
  ): Promise<BuildProgress | undefined>;
  /** None of that name is fine. */
  abstract drop(schema: string): Promise<void>;
}

export interface SideSchemaPorts {
  readonly ledger: Ledger;
  readonly sideSchemas: SideSchemas;
}

/** Letters are small, because the name is written without quotes. */
const schemaName = /^(?!pg_)[a-z][a-z0-9_]{0,49}(?<!_v\d+)(?<!_v\d+_g\d+)(?<!_building)$/;

export const SchemaName = (): PropertyDecorator =>
  Matches(schemaName, {
    message: ({ property, value }) =>
      `${property} is ${JSON.stringify(value)}: give at most 50 small letters, digits and _, the first a letter, such as audit_2026_04; ` +
      'not pg_…, not …_building, and not the name of a read model, such as run_status_v1',
  });

/** Builds read models as they were at a position, in a schema of their own; nothing follows them. */
export class BuildAsOf implements SideSchema {
  @SchemaName() schema!: string;
  @Slug() projection!: string;
  @Exact(64) position!: Position;
  @Optional() @Text(4_000) reason?: string;
  /** what is there by now; never from outside */
  declare built?: readonly string[];
}

/** Removes a schema of read models as they were. */
export class DropAsOf {
  @SchemaName() schema!: string;
  @Optional() @Text(4_000) reason?: string;
}

export const buildAsOf = decision({
  command: BuildAsOf,
  ...ofOperations,
  decide: decideBuild,
  answer: ({ schema }: BuildAsOf, { state }: Outcome<Operations, OperationsEvent>) => ({ schema, ...schemaOf(state, schema) }),
});

function decideBuild(
  { schema, position, reason = 'asked for', built = [] }: BuildAsOf,
  state: Operations,
  { now }: World,
): OperationsEvent[] {
  const known = schemaOf(state, schema);
  if (known && known.position !== position)
    throw new Rejected(
      'as_of_schema_taken',
      `${schema} has ${known.projections.join(', ')} as of position ${positionInWords(known.position)}, not ${positionInWords(position)}: ` +
        `drop it first, or take another name`,
    );
  const projections = built.filter((projection) => !known?.projections.includes(projection));
  if (projections.length === 0) return [];
  return [{ type: 'AsOfBuilt', data: { schema, projections, position, reason, builtAt: now.toISOString() } }];
}

export const dropAsOf = decision({
  command: DropAsOf,
  ...ofOperations,
  decide: decideDrop,
  answer: ({ schema }: DropAsOf) => ({ schema, status: 'gone' as const }),
});

function decideDrop({ schema, reason = 'not needed any more' }: DropAsOf, state: Operations, { now }: World): OperationsEvent[] {
  const known = schemaOf(state, schema);
  if (known === null) return [];
  if (known === undefined)
    throw noSuchSchema(
      schema,
      Object.keys(state.asOf).filter((name) => state.asOf[name]),
    );
  return [{ type: 'AsOfDropped', data: { schema, reason, droppedAt: now.toISOString() } }];
}

/** `constructor` is a name like any other. */
const schemaOf = ({ asOf }: Operations, schema: string) => (Object.hasOwn(asOf, schema) ? asOf[schema] : undefined);

export const noSuchSchema = (schema: string, others: readonly string[]): Rejected =>
  new Rejected(
    'as_of_schema_not_found',
    `there is no schema ${schema} of read models as they were; there are ${others.join(', ') || 'none'}`,
  );

/** Recorded once, by the command that has begun it, when all of it is there. */
export async function buildSideSchema(command: BuildAsOf, context: CommandContext, { ledger, sideSchemas }: SideSchemaPorts) {
  const write = (built?: readonly string[]) => ledger.handle(buildAsOf, { ...command, built }, context);
  const asked = await write();
  const { schema, projection, position: at } = command;
  const progress = await sideSchemas.build({ schema, projection, position: at }, async (built) => void (await write(built)));
  const { answer, outcome } = await write();
  const { position, revision } = outcome;
  const shown = { ...answer, position: at, ...(progress && { progress }) };
  return { answer: shown, position, revision, replayed: asked.outcome.replayed };
}

/** Asked again, it drops what a record that was cut off has left. */
export async function dropSideSchema(command: DropAsOf, context: CommandContext, { ledger, sideSchemas }: SideSchemaPorts) {
  const { answer, outcome } = await ledger.handle(dropAsOf, command, context);
  await sideSchemas.drop(command.schema);
  return { answer, position: outcome.position, revision: outcome.revision, replayed: outcome.replayed };
}
