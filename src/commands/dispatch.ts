import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { plainToInstance } from 'class-transformer';
import { getMetadataStorage, validateSync, type ValidationError } from 'class-validator';
import type { CommandContext, Dispatched, Sendable } from './decider.js';
import { isFreeJson } from './fields.js';

/** The one door to the deciders, for every surface and every loop: validates a command and sends it to its handler. */
@Injectable()
export class Dispatch {
  constructor(private readonly bus: CommandBus) {}

  /** @throws InvalidCommand, Rejected, Contention, OutcomeUnknown, StoreUnavailable, StoreSealed */
  async send<C extends object, Answer>(
    kind: Sendable<C, Answer>,
    fields: { readonly [Field in keyof C]?: unknown },
    context: CommandContext,
  ) {
    const command = validated(kind.command, fields);
    contexts.set(command, context);
    return await this.bus.execute<C, Dispatched<Answer>>(command);
  }
}

/** What came with a command; it travels beside it, so that the command stays what its sender wrote. */
export function contextOf(command: object): CommandContext {
  const context = contexts.get(command);
  if (!context) throw new Error(`${command.constructor.name} did not come through Dispatch`);
  return context;
}
const contexts = new WeakMap<object, CommandContext>();

export interface FieldError {
  /** `policy.retry.delaysMs` */
  readonly field: string;
  /** a sentence: what is wrong, and what would be accepted */
  readonly message: string;
}

/** The command is not of its form; nothing was decided. */
export class InvalidCommand extends Error {
  override readonly name = 'InvalidCommand';
  constructor(readonly errors: readonly FieldError[]) {
    super(errors.map(({ message }) => message).join('; '));
  }
}

export function validated<C extends object>(type: new () => C, fields: object): C {
  const command = made(type, fields);
  const errors = validateSync(command, { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: true });
  if (errors.length > 0) throw new InvalidCommand(errors.flatMap((error) => fieldErrors(error)));
  return command;
}

/** class-transformer stumbles over a key named `constructor` and overflows where JSON is deep: free JSON is kept from it. */
function made<C extends object>(type: new () => C, fields: object): C {
  const entries = Object.entries(fields);
  const formed = Object.fromEntries(entries.filter(([name]) => !isFreeJson(type, name)));
  try {
    const free = Object.fromEntries(entries.filter(([name]) => isFreeJson(type, name)));
    return Object.assign(plainToInstance(type, formed), free);
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
    const message = 'a field nests too deep, or has a key named "constructor": send only the fields that are described';
    throw new InvalidCommand([{ field: '', message }]);
  }
}

function fieldErrors({ property, target, constraints = {}, children = [] }: ValidationError, path = ''): FieldError[] {
  const field = path + property;
  const messages = Object.entries(constraints).map(([rule, message]) =>
    rule === 'whitelistValidation' ? unknownField(field, target) : message,
  );
  const own = [...new Set(messages)].map((message) => ({ field, message }));
  return [...own, ...children.flatMap((child) => fieldErrors(child, `${field}.`))];
}

function unknownField(field: string, target: object | undefined): string {
  const type = target?.constructor;
  const known = type ? getMetadataStorage().getTargetValidationMetadatas(type, '', false, false) : [];
  return `unknown field ${field}; there are ${[...new Set(known.map(({ propertyName }) => propertyName))].join(', ')}`;
}
