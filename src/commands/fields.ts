import { Transform, Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsIn,
  IsInt,
  IsString,
  IsUUID,
  IS_OBJECT,
  IS_STRING,
  Matches,
  MATCHES,
  Max,
  MaxLength,
  Min,
  ValidateBy,
  ValidateIf,
  ValidateNested,
  IsObject,
  type ValidationArguments,
  type ValidationOptions,
} from 'class-validator';
import { JSONSchema } from 'class-validator-jsonschema';
import { processText, unsafeNumber } from './free-json.js';
import { isoTimePattern, readIsoTime } from './iso-time.js';
import { redactText } from './redact.js';

/**
 * What the fields of commands may hold. All that a decorator checks is refused with one and the same sentence, which names
 * the field, what came, and what would do; with `each`, it speaks of the items of a list. The JSON schema that
 * class-validator-jsonschema makes of them says the same.
 */
export interface FieldOptions {
  /** the field is a list, and this is about its items */
  readonly each?: boolean;
}

/** May be left out. `null` is not the same as nothing, and is refused like any other value that does not fit. */
export const Optional = (): PropertyDecorator => ValidateIf((_, value) => value !== undefined);

/** May be left out, and `null` says "none". */
export const OptionalOrNull = (type: NullableType = 'string'): PropertyDecorator =>
  all(
    ValidateIf((_, value) => value !== undefined && value !== null),
    describedAsNullable(type),
  );

/** Fields of a class of their own. */
export const Nested = (type: () => new () => object): PropertyDecorator =>
  all(ValidateNested(), Type(type), IsObject(says('an object', {})));

/** A list of at most `max` of them. */
export function ListOf(type: () => new () => object, max: number): PropertyDecorator {
  const list = says(`a list of at most ${max}`, {});
  const items = says('an object', { each: true }, isObject);
  return all(ValidateNested(items), Type(type), IsObject(items), ArrayMaxSize(max, list), IsArray(list));
}

/** The name of a company, an agent, a routine … */
export const Slug = (options: FieldOptions = {}): PropertyDecorator =>
  Matches(slug, says(`a name of at most 64 letters, digits, - and _, the first a letter or digit`, options, isSlug));

/** A name, or `null` for none; it has to be said. */
export const SlugOrNull = (): PropertyDecorator =>
  all(
    ValidateBy(
      { name: MATCHES, constraints: [slug], validator: { validate: (value) => value === null || isSlug(value) } },
      says('a name, or null for none', {}),
    ),
    describedAsNullable('string'),
  );

/** A task's name; `heartbeat~<agent>` for the lane of an agent's own work, `<routine>~<n>` for what a routine's nth fire has opened. */
export const TaskId = (options: FieldOptions = {}): PropertyDecorator =>
  Matches(
    taskId,
    says(
      'a task: at most 64 letters, digits, - and _, such as ACME-12, or heartbeat~<agent>, or <routine>~<n>',
      options,
      isTaskId,
    ),
  );

/** `<task>.<n>` */
export const RunId = (options: FieldOptions = {}): PropertyDecorator =>
  patterned(runId, isRunId, says('a run: its task, a dot and its number there, such as ACME-12.3', options, isRunId));

/** `<routine>@<n>` */
export const FireId = (): PropertyDecorator =>
  Matches(fireId, says('a fire: its routine, an @ and its number there, such as nightly@3', {}));

export const Uuid = (options: FieldOptions = {}): PropertyDecorator =>
  IsUUID('all', says('a UUID, such as 0192f0c1-7a3b-7c4d-8e5f-60718293a4b5', options));

/**
 * Typed by a person, so that what no keyboard makes is a mistake to be told of. `max` in characters. What looks like a secret
 * is redacted when the command is made with class-transformer.
 */
export const Text = (max: number, options: FieldOptions = {}): PropertyDecorator => all(Exact(max, options), changed(redactText));

/** Text that something is known by, kept to the letter: a worker, a lease, a request. */
export function Exact(max: number, options: FieldOptions = {}): PropertyDecorator {
  const fits = (value: unknown) => typeof value === 'string' && value.length <= max && printable.test(value);
  const sentence = says(`text of at most ${max} characters, without NUL and lone surrogates`, options, fits);
  return all(MaxLength(max, sentence), Matches(printable, sentence));
}

/**
 * Written by a process, whose report must not fail for it: whatever its length and whatever is in it, it is redacted,
 * repaired, and only then cut to `max` characters, so that no half of a secret is left.
 */
export const ProcessText = (max: number, options: FieldOptions = {}): PropertyDecorator =>
  all(
    IsString(says(`text, of which ${max} characters are kept`, options)),
    changed((text) => processText(redactText(text), max)),
  );

/** A moment with its zone. */
export const IsoTime = (options: FieldOptions = {}): PropertyDecorator =>
  patterned(isoTimePattern, isIsoTime, says('a time such as 2026-04-20T12:00:00Z, on a day that exists', options));

/** Any object whose numbers survive JavaScript. The decision cuts it to what is kept, with `bounded()`. */
export function FreeJson(options: FieldOptions = {}): PropertyDecorator {
  const validate = (value: unknown) => isObject(value) && unsafeNumber(value) === undefined;
  const sentence = says('a JSON object, its integers within ±(2^53 - 1); larger ones as strings', options);
  return all(ValidateBy({ name: IS_OBJECT, validator: { validate } }, sentence), (target, property) => {
    freeFields.set(target, new Set([...(freeFields.get(target) ?? []), property]));
  });
}

/** Whether a field of a class, or of one that it extends, is free JSON: any keys, any depth. */
export function isFreeJson(type: new () => object, field: string): boolean {
  for (let target: object | null = type.prototype; target; target = Object.getPrototypeOf(target)) {
    if (freeFields.get(target)?.has(field)) return true;
  }
  return false;
}
const freeFields = new WeakMap<object, ReadonlySet<string | symbol>>();

export function Int(min: number, max: number, options: FieldOptions = {}): PropertyDecorator {
  const fits = (value: unknown) => Number.isInteger(value) && Number(value) >= min && Number(value) <= max;
  const sentence = says(`a whole number from ${min} to ${max}`, options, fits);
  // The JSON schema takes its type from the last.
  return all(Min(min, sentence), Max(max, sentence), IsInt(sentence));
}

/** A text of at most `max` characters, redacted as `Text` is, a number that survives JavaScript, or true or false. */
export function Plain(max: number): PropertyDecorator {
  const isText = (value: unknown) => typeof value === 'string' && value.length <= max && printable.test(value);
  const validate = (value: unknown) => isText(value) || typeof value === 'boolean' || isPlainNumber(value);
  const accepted = `text of at most ${max} characters, a number (whole ones within ±(2^53 - 1)), or true or false`;
  const described = JSONSchema({ type: ['string', 'number', 'boolean', 'null'] });
  // A name that the JSON schema knows; what it says of the type is then put right.
  return all(
    ValidateBy({ name: IS_STRING, validator: { validate } }, says(accepted, {})),
    changed(redactText),
    (target, property) => described(target, String(property)),
  );
}

export const OneOf = (list: readonly string[], options: FieldOptions = {}): PropertyDecorator =>
  IsIn(
    list,
    says(`one of ${list.join(', ')}`, options, (value) => list.some((one) => one === value)),
  );

const slug = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const taskId = /^(?:heartbeat~[A-Za-z0-9][A-Za-z0-9_-]{0,63}|(?!heartbeat~)[A-Za-z0-9][A-Za-z0-9_-]{0,63}(?:~[1-9]\d{0,9})?)$/;
const runId = new RegExp(taskId.source.replace('$', '\\.[1-9]\\d{0,9}$'));
const fireId = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}@[1-9]\d{0,9}$/;
/** In Unicode mode, surrogates are those without their other half. */
const printable = /^[^\u0000\uD800-\uDFFF]*$/u;

const isSlug = (value: unknown): boolean => typeof value === 'string' && slug.test(value);
const isTaskId = (value: unknown): boolean => typeof value === 'string' && taskId.test(value);
const isRunId = (value: unknown): boolean =>
  typeof value === 'string' && runId.test(value) && Number(value.slice(value.lastIndexOf('.') + 1)) <= 2 ** 31 - 1;
const isIsoTime = (value: string): boolean => !Number.isNaN(readIsoTime(value));
const isPlainNumber = (value: unknown): boolean => typeof value === 'number' && unsafeNumber(value) === undefined;
const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

/** More than its pattern, but described by it. */
function patterned(pattern: RegExp, accepts: (value: string) => boolean, options: ValidationOptions): PropertyDecorator {
  const validate = (value: unknown) => typeof value === 'string' && accepts(value);
  return ValidateBy({ name: MATCHES, constraints: [pattern], validator: { validate } }, options);
}

/** Of a text, or of each in a list; what is no text is left for the checks. */
function changed(change: (text: string) => string): PropertyDecorator {
  const each = (value: unknown): unknown => (typeof value === 'string' ? change(value) : value);
  return Transform(({ value }: { value: unknown }) => (Array.isArray(value) ? value.map(each) : each(value)));
}

type NullableType = 'string' | 'integer';

const describedAsNullable =
  (type: NullableType): PropertyDecorator =>
  (target, property) =>
    JSONSchema({ type: [type, 'null'] })(target, String(property));

function all(...decorators: readonly PropertyDecorator[]): PropertyDecorator {
  return (target, property) => decorators.forEach((decorate) => decorate(target, property));
}

/** `fits` finds the item of a list that the sentence is about. */
function says(accepted: string, { each = false }: FieldOptions, fits?: (item: unknown) => boolean): ValidationOptions {
  const came = ({ property, value }: ValidationArguments) => {
    const bad: unknown[] = each && fits && Array.isArray(value) ? value.filter((item) => !fits(item)) : [];
    return bad.length > 0 ? `${property} has ${shown(bad[0])} in it` : `${property} is ${shown(value)}`;
  };
  const remedy = each ? `every item must be ${accepted}` : `give ${accepted}`;
  return { each, message: (argument: ValidationArguments) => `${came(argument)}: ${remedy}` };
}

export function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value !== 'object' || value === null) return String(value);
  return Array.isArray(value) ? `a list of ${value.length}` : 'an object';
}
