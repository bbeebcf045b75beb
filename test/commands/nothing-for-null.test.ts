import 'reflect-metadata';
import { getMetadataStorage } from 'class-validator';
import { targetConstructorToSchema } from 'class-validator-jsonschema';
import { catalogue } from '../../src/commands/catalogue.js';
import { HeartbeatFields, PolicyFields, RetryFields } from '../../src/commands/agent.js';
import { DstFields, TriggerFields, VariableFields } from '../../src/commands/routines/definition.js';
import { InvalidCommand, validated } from '../../src/commands/dispatch.js';

/** Where null is an answer of its own: there is none. */
const nullable = [
  'manager',
  'assignee',
  'parent',
  'AssignTask.agent',
  'ResumeRebuild.eventsPerSecond',
  'description',
  'activeFrom',
  'activeUntil',
  'PutRoutine.agent',
  'VariableFields.label',
  'VariableFields.default',
  'SettleFire.wakeupId',
  'SettleFire.runId',
  'SettleFire.code',
  'ObserveFireTask.why',
];

const nested = [PolicyFields, HeartbeatFields, RetryFields, VariableFields, TriggerFields, DstFields];
const types = [...catalogue.map(({ command }) => command), ...nested];
const fields = types.flatMap((type) => {
  const metadata = getMetadataStorage().getTargetValidationMetadatas(type, '', false, false);
  return [...new Set(metadata.map(({ propertyName }) => propertyName))].map((field) => ({ type, field }));
});
const refused = fields.filter(({ type, field }) => !nullable.includes(field) && !nullable.includes(`${type.name}.${field}`));

it.each(types.map((type) => [type.name, type] as const))('%s is described with the fields that it needs', (_, type) => {
  const needed = fieldsRefused(type, {});
  expect((targetConstructorToSchema(type).required ?? []).toSorted()).toEqual([...new Set(needed)].toSorted());
});

function fieldsRefused(type: new () => object, sent: object): string[] {
  try {
    validated(type, sent);
    return [];
  } catch (error) {
    if (error instanceof InvalidCommand) return error.errors.map(({ field }) => field);
    throw error;
  }
}

it('looks at every field of every command', () => expect(refused.length).toBeGreaterThan(60));

it.each(refused.map(({ type, field }) => [type.name, field, type] as const))('%s refuses null as %s', (_, field, type) =>
  expect(fieldsRefused(type, { [field]: null })).toContain(field),
);

it.each(fields.filter((field) => !refused.includes(field)).map(({ type, field }) => [type.name, field, type] as const))(
  '%s takes null as %s',
  (_, field, type) => expect(fieldsRefused(type, { [field]: null })).not.toContain(field),
);
