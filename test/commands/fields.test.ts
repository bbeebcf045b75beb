import 'reflect-metadata';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { targetConstructorToSchema } from 'class-validator-jsonschema';
import {
  FreeJson,
  Int,
  IsoTime,
  OneOf,
  Optional,
  OptionalOrNull,
  ProcessText,
  RunId,
  Slug,
  SlugOrNull,
  TaskId,
  Text,
  Uuid,
} from '../../src/commands/fields.js';

class Sample {
  @Slug() agent: string = 'coder';
  @TaskId() task: string = 'ACME-12';
  @RunId() run: string = 'ACME-12.3';
  @Uuid() wakeup: string = '0192f0c1-7a3b-7c4d-8e5f-60718293a4b5';
  @Text(10) title: string = 'Fix it';
  @Optional() @Text(10) note?: string;
  @ProcessText(40) error: string = '';
  @IsoTime() startedAt: string = '2026-04-20T12:00:00Z';
  @FreeJson() payload: Record<string, unknown> = {};
  @Int(1, 10) max: number = 5;
  @OneOf(['stop', 'requeue']) intent: string = 'stop';
  @Optional() @Int(1, 10, { each: true }) delays?: number[];
  @OptionalOrNull() @TaskId() parent?: string | null;
  @SlugOrNull() owner: string | null = null;
}

/** What a sender is told, each sentence once. */
function complaints(fields: Record<string, unknown>): string[] {
  const errors = validateSync(plainToInstance(Sample, { ...new Sample(), ...fields }));
  return [...new Set(errors.flatMap(({ constraints }) => Object.values(constraints ?? {})))];
}

it('accepts what it describes', () => expect(complaints({})).toEqual([]));

it.each([
  ['agent', 'A'],
  ['agent', 'a'.repeat(64)],
  ['task', 'heartbeat~coder'],
  ['run', 'heartbeat~coder.1'],
  ['task', 'nightly~3'],
  ['run', 'nightly~3.1'],
  ['run', 'ACME-12.2147483647'],
  ['wakeup', 'C7D1E0D2-4F6B-4C8A-9B0A-1C2D3E4F5A6B'],
  ['title', 'ten 😀😀😀😀😀😀'],
  ['title', ''],
  ['note', undefined],
  ['parent', undefined],
  ['parent', null],
  ['owner', null],
  ['owner', 'coder'],
  ['error', 'x'.repeat(100_000)],
  ['startedAt', '2028-02-29T23:59:59.123456+14:00'],
  ['payload', { n: 1.5, deep: { list: [null] } }],
  ['delays', [1, 10]],
])('accepts as %s %j', (field, value) => expect(complaints({ [field]: value })).toEqual([]));

const aName = 'give a name of at most 64 letters, digits, - and _, the first a letter or digit';
const aRun = 'give a run: its task, a dot and its number there, such as ACME-12.3';
const aTime = 'give a time such as 2026-04-20T12:00:00Z, on a day that exists';
const json = 'give a JSON object, its integers within ±(2^53 - 1); larger ones as strings';

it.each([
  ['agent', undefined, `agent is missing: ${aName}`],
  ['agent', null, `agent is null: ${aName}`],
  ['agent', '', `agent is "": ${aName}`],
  ['agent', '-x', `agent is "-x": ${aName}`],
  ['agent', 'a b', `agent is "a b": ${aName}`],
  ['agent', 'a\n', `agent is "a\\n": ${aName}`],
  ['agent', 'a\0', `agent is "a\\u0000": ${aName}`],
  ['agent', '\uD800', `agent is "\\ud800": ${aName}`],
  ['agent', 'x'.repeat(65), `agent is "${'x'.repeat(60)}…": ${aName}`],
  ['agent', 7, `agent is 7: ${aName}`],
  ['agent', { a: 1 }, `agent is an object: ${aName}`],
  ['agent', ['a'], `agent is a list of 1: ${aName}`],
  [
    'task',
    'heartbeat~',
    'task is "heartbeat~": give a task: at most 64 letters, digits, - and _, such as ACME-12, or heartbeat~<agent>, or <routine>~<n>',
  ],
  ['run', 'ACME-12', `run is "ACME-12": ${aRun}`],
  ['run', 'ACME-12.0', `run is "ACME-12.0": ${aRun}`],
  ['run', 'ACME-12.03', `run is "ACME-12.03": ${aRun}`],
  ['run', 'ACME-12.2147483648', `run is "ACME-12.2147483648": ${aRun}`],
  ['run', 'a.b.1', `run is "a.b.1": ${aRun}`],
  ['wakeup', 'x', 'wakeup is "x": give a UUID, such as 0192f0c1-7a3b-7c4d-8e5f-60718293a4b5'],
  ['title', 'eleven char', 'title is "eleven char": give text of at most 10 characters, without NUL and lone surrogates'],
  ['title', 'a\0b', 'title is "a\\u0000b": give text of at most 10 characters, without NUL and lone surrogates'],
  ['title', 'a\uDC00', 'title is "a\\udc00": give text of at most 10 characters, without NUL and lone surrogates'],
  ['note', null, 'note is null: give text of at most 10 characters, without NUL and lone surrogates'],
  ['owner', undefined, 'owner is missing: give a name, or null for none'],
  ['note', 5, 'note is 5: give text of at most 10 characters, without NUL and lone surrogates'],
  ['error', 5, 'error is 5: give text, of which 40 characters are kept'],
  ['startedAt', '2026-02-30T12:00:00Z', `startedAt is "2026-02-30T12:00:00Z": ${aTime}`],
  ['startedAt', '2026-02-29T12:00:00Z', `startedAt is "2026-02-29T12:00:00Z": ${aTime}`],
  ['startedAt', '2026-04-20', `startedAt is "2026-04-20": ${aTime}`],
  ['startedAt', '2026-04-20T12:00:00', `startedAt is "2026-04-20T12:00:00": ${aTime}`],
  ['startedAt', '2026-04-20T24:00:00Z', `startedAt is "2026-04-20T24:00:00Z": ${aTime}`],
  ['startedAt', 1_776_686_400, `startedAt is 1776686400: ${aTime}`],
  ['payload', [], `payload is a list of 0: ${json}`],
  ['payload', 'x', `payload is "x": ${json}`],
  ['payload', { n: 2 ** 53 }, `payload is an object: ${json}`],
  ['payload', { a: [Infinity] }, `payload is an object: ${json}`],
  ['max', 0, 'max is 0: give a whole number from 1 to 10'],
  ['max', 11, 'max is 11: give a whole number from 1 to 10'],
  ['max', 1.5, 'max is 1.5: give a whole number from 1 to 10'],
  ['max', '5', 'max is "5": give a whole number from 1 to 10'],
  ['max', NaN, 'max is NaN: give a whole number from 1 to 10'],
  ['intent', 'go', 'intent is "go": give one of stop, requeue'],
  ['intent', ['stop'], 'intent is a list of 1: give one of stop, requeue'],
  ['delays', [1, 11], 'delays has 11 in it: every item must be a whole number from 1 to 10'],
  ['delays', [1, 'x'], 'delays has "x" in it: every item must be a whole number from 1 to 10'],
])('refuses as %s %j with one sentence', (field, value, sentence) => expect(complaints({ [field]: value })).toEqual([sentence]));

it('keeps the text of a process, repaired and cut', () => {
  const { error } = plainToInstance(Sample, { ...new Sample(), error: `a\0${'x'.repeat(100)}` });
  expect(error).toBe('a\uFFFDxxxxxxxxxxx… [cut from 102 characters]');
});

const lane = '^(?:heartbeat~[A-Za-z0-9][A-Za-z0-9_-]{0,63}|(?!heartbeat~)[A-Za-z0-9][A-Za-z0-9_-]{0,63}(?:~[1-9]\\d{0,9})?)$';

it('is described by a JSON schema', () => {
  expect(targetConstructorToSchema(Sample)).toEqual({
    type: 'object',
    required: ['agent', 'task', 'run', 'wakeup', 'title', 'error', 'startedAt', 'payload', 'max', 'intent', 'owner'],
    properties: {
      agent: { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$' },
      task: { type: 'string', pattern: lane },
      run: { type: 'string', pattern: lane.replace('$', '\\.[1-9]\\d{0,9}$') },
      wakeup: { type: 'string', format: 'uuid' },
      title: { type: 'string', maxLength: 10, pattern: '^[^\\u0000\\uD800-\\uDFFF]*$' },
      note: { type: 'string', maxLength: 10, pattern: '^[^\\u0000\\uD800-\\uDFFF]*$' },
      error: { type: 'string' },
      startedAt: { type: 'string', pattern: expect.stringMatching(/^\^\\d\{4\}-/) },
      payload: { type: 'object' },
      max: { type: 'integer', minimum: 1, maximum: 10 },
      intent: { type: 'string', enum: ['stop', 'requeue'] },
      parent: { type: ['string', 'null'], pattern: lane },
      owner: { type: ['string', 'null'], pattern: '^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$' },
      delays: { type: 'array', items: { type: 'integer', minimum: 1, maximum: 10 } },
    },
  });
});
