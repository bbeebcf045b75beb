import type { Json, JsonObject } from '../../events/event.js';
import type { Trigger, Variable, VariableType } from '../../events/routine.js';
import { Rejected, type RejectedCode } from '../decider.js';
import { shown } from '../fields.js';
import { unsafeNumber } from '../free-json.js';
import { redactText } from '../redact.js';

/** One thing that is wrong: a code for programs, a sentence for people. */
export interface Complaint {
  readonly code: RejectedCode;
  readonly sentence: string;
}

/** Refuses all that is wrong at once, by the code of the first. */
export function refuseIfAny(complaints: readonly Complaint[]): void {
  const [first] = complaints;
  if (first) throw new Rejected(first.code, complaints.map(({ sentence }) => sentence).join('; '));
}

/** Filled in without being a variable: `date` is the UTC day of the slot, or of the firing. */
export const builtIn = 'date';

/** What is wrong with the variables of a definition. */
export const unfitVariables = (variables: readonly Variable[], triggers: readonly Trigger[]): Complaint[] =>
  [
    ...variables.flatMap((variable) => [...unfit(variable)]),
    ...twice(variables).map((name) => `variable ${name} is there twice: rename one of them`),
    ...(triggers.some(({ kind }) => kind === 'schedule') ? unanswered(variables) : []),
  ].map((sentence) => ({ code: 'variables_invalid', sentence }));

/** The values of a routine's variables, by name; one that has none is not among them. */
export interface Resolved {
  readonly values: JsonObject;
  readonly complaints: readonly Complaint[];
}

/**
 * The value of each variable: what the caller gave for it, else what the payload has under `variables`, else its default. The
 * payload's sender may be a stranger to the routine, so that only the caller is told of names that are no variables. `null` is
 * nothing given, and neither is a blank text where one is required. Where a number or a boolean belongs, the text that JSON
 * writes it with is one too, so that `"3"` and `3` are the same.
 */
export function resolved(
  variables: readonly Variable[],
  given: Readonly<Record<string, unknown>>,
  ofPayload?: unknown,
): Resolved {
  const values: Record<string, Json> = {};
  const missing: string[] = [];
  const wrong: Complaint[] = [];
  for (const variable of variables) {
    const value = givenFor(variable, given, ofPayload);
    if (isMissing(variable, value)) {
      if (variable.required) missing.push(variable.name);
      continue;
    }
    const typed = ofType(variable, value);
    if (typed === undefined) wrong.push(wrongValue(variable, value));
    else values[variable.name] = typed;
  }
  return { values, complaints: [...unknownNames(variables, given), ...missingNames(missing), ...wrong] };
}

/** The payload of a fire: the sender's, and inside of it `variables` as they were resolved. */
export function withVariables(payload: Readonly<Record<string, unknown>> | undefined, values: JsonObject): JsonObject {
  // Both came out of JSON.
  const sent = (payload ?? {}) as JsonObject;
  if (Object.keys(values).length === 0) return sent;
  return { ...sent, variables: { ...(isObject(sent.variables) ? sent.variables : {}), ...values } };
}

const mostOptions = 50;
const longestLabel = 120;
const nameForm = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;

function* unfit(variable: Variable): Generator<string> {
  const { name, type, label, options } = variable;
  if (!nameForm.test(name))
    yield `a variable is called ${shown(name)}: give a letter, and after it at most 63 letters, digits and _`;
  if (name === builtIn) yield `a variable is called ${builtIn}: that is filled in by itself, with the day of the fire; rename it`;
  if (label !== null && label.length > longestLabel)
    yield `the label of ${name} has ${label.length} characters: give at most ${longestLabel}`;
  if (type === 'select' ? options.length < 1 || options.length > mostOptions : options.length > 0)
    yield `variable ${name} is a ${type} with ${options.length} options: ${type === 'select' ? `give 1 to ${mostOptions}` : 'only a select has some'}`;
  if (variable.default !== null && !isOfType(variable, variable.default))
    yield `the default of ${name} is ${shown(variable.default)}: give ${fitting(variable)}`;
}

const twice = (variables: readonly Variable[]): string[] => [
  ...new Set(variables.map(({ name }) => name).filter((name, at, names) => names.indexOf(name) < at)),
];

/** Nobody is there to give a value when a schedule fires. */
function unanswered(variables: readonly Variable[]): string[] {
  const names = variables.filter((one) => one.required && isMissing(one, one.default)).map(({ name }) => name);
  return names.length > 0
    ? [`a schedule gives no values, and there is no default for ${names.join(', ')}: give one, or require none`]
    : [];
}

function givenFor({ name, default: byDefault }: Variable, given: object, ofPayload: unknown): unknown {
  return valueIn(given, name) ?? (isObject(ofPayload) ? valueIn(ofPayload, name) : undefined) ?? byDefault;
}

/** A variable may be called `constructor`. */
const valueIn = (values: object, name: string): unknown =>
  Object.hasOwn(values, name) ? (values as Record<string, unknown>)[name] : undefined;

const isMissing = ({ type, required }: Variable, value: unknown): boolean =>
  value === null || (required && (type === 'text' || type === 'textarea') && typeof value === 'string' && value.trim() === '');

/** Undefined for what is not of the variable's type. */
function ofType(variable: Variable, value: unknown): Json | undefined {
  const meant = typeof value === 'string' ? meantBy(variable.type, value) : value;
  return isOfType(variable, meant) ? meant : undefined;
}

function meantBy(type: VariableType, text: string): unknown {
  if (type === 'number' && jsonNumber.test(text)) return Number(text);
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}
const jsonNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

function isOfType({ type, options }: Variable, value: unknown): value is string | number | boolean {
  switch (type) {
    case 'text':
    case 'textarea':
      return typeof value === 'string';
    case 'number':
      return typeof value === 'number' && unsafeNumber(value) === undefined;
    case 'boolean':
      return typeof value === 'boolean';
    case 'select':
      return options.some((option) => option === value);
  }
}

/** What would do, to be put behind "give". */
function fitting({ type, options }: Variable): string {
  switch (type) {
    case 'text':
    case 'textarea':
      return 'text';
    case 'number':
      return 'a number, within ±(2^53 - 1) if it is whole';
    case 'boolean':
      return 'true or false';
    case 'select':
      return `one of ${options.join(', ')}`;
  }
}

const wrongValue = (variable: Variable, value: unknown): Complaint => ({
  code: 'variable_invalid',
  sentence: `${variable.name} is ${redactText(shown(value))}: give ${fitting(variable)}`,
});

const missingNames = (names: readonly string[]): Complaint[] =>
  names.length > 0
    ? [
        {
          code: 'variables_missing',
          sentence: `${names.join(', ')} ${names.length > 1 ? 'are' : 'is'} missing: give a value for each`,
        },
      ]
    : [];

function unknownNames(variables: readonly Variable[], given: object): Complaint[] {
  const known = variables.map(({ name }) => name);
  const unknown = Object.keys(given).filter((name) => !known.includes(name));
  if (unknown.length === 0) return [];
  const named = unknown.slice(0, 20).map((name) => name.slice(0, 64));
  const remedy = known.length > 0 ? `there are ${known.join(', ')}` : 'the routine has none';
  return [{ code: 'variables_unknown', sentence: `${named.join(', ')}: no such variables; ${remedy}` }];
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value);
