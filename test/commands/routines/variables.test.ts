import { resolved, unfitVariables, withVariables } from '../../../src/commands/routines/variables.js';
import type { Trigger, Variable } from '../../../src/events/routine.js';
import { variable } from './refusal.js';

const schedule: Trigger = {
  id: 'nightly',
  kind: 'schedule',
  enabled: true,
  cron: '0 3 * * *',
  zone: 'Europe/Berlin',
  dst: { gap: 'shift', overlap: 'once' },
  nextSlot: null,
};
const branch = variable('branch', { required: true });
const count = variable('count', { type: 'number' });
const urgent = variable('urgent', { type: 'boolean' });
const color = variable('color', { type: 'select', options: ['red', 'green'] });

const unfit = (variables: readonly Variable[], triggers: readonly Trigger[] = []) =>
  unfitVariables(variables, triggers).map(({ sentence }) => sentence);
const complaints = (variables: readonly Variable[], given: object, ofPayload?: unknown) =>
  resolved(variables, { ...given }, ofPayload).complaints.map(({ code, sentence }) => `${code}: ${sentence}`);
const values = (variables: readonly Variable[], given: object, ofPayload?: unknown) =>
  resolved(variables, { ...given }, ofPayload).values;

describe('the definition of variables', () => {
  it('takes each type, with a default of that type', () => {
    const all = [
      variable('a', { default: '' }),
      variable('B_2', { type: 'textarea', default: 'two\nlines', label: 'l'.repeat(120) }),
      variable('c', { type: 'number', default: 0 }),
      variable('d', { type: 'boolean', default: false }),
      variable('e', { type: 'select', options: ['x'], default: 'x' }),
      variable('f'.repeat(64)),
      variable('constructor'),
    ];
    expect(unfit(all, [schedule])).toEqual([]);
  });

  it.each(['', '2nd', '_x', 'due-date', 'a b', 'ü', 'x'.repeat(65)])('takes no variable called %j', (name) => {
    expect(unfit([variable(name)])).toEqual([
      expect.stringMatching(/^a variable is called ".*": give a letter, and after it at most 63 letters, digits and _$/),
    ]);
  });

  it('takes no variable called date, since there is one', () => {
    expect(unfit([variable('date')])).toEqual([
      'a variable is called date: that is filled in by itself, with the day of the fire; rename it',
    ]);
  });

  it.each([
    [[branch, count, branch, branch], 'variable branch is there twice: rename one of them'],
    [[variable('a', { label: 'l'.repeat(121) })], 'the label of a has 121 characters: give at most 120'],
    [[variable('a', { type: 'select' })], 'variable a is a select with 0 options: give 1 to 50'],
    [
      [variable('a', { type: 'select', options: Array.from({ length: 51 }, (_, n) => `${n}`) })],
      'variable a is a select with 51 options: give 1 to 50',
    ],
    [[variable('a', { options: ['x'] })], 'variable a is a text with 1 options: only a select has some'],
    [[variable('a', { default: 3 })], 'the default of a is 3: give text'],
    [[{ ...count, default: '3' }], 'the default of count is "3": give a number, within ±(2^53 - 1) if it is whole'],
    [[{ ...count, default: 2 ** 53 }], expect.stringContaining('the default of count is 9007199254740992')],
    [[{ ...urgent, default: 'true' }], 'the default of urgent is "true": give true or false'],
    [[{ ...color, default: 'pink' }], 'the default of color is "pink": give one of red, green'],
  ])('says what is wrong with %j', (variables, sentence) => {
    expect(unfit(variables)).toEqual([sentence]);
  });

  it('lets a schedule require nothing that nobody is there to give', () => {
    const blank = variable('note', { required: true, default: ' ' });
    const answered = { ...count, required: true, default: 0 };
    expect(unfit([branch, blank, answered], [schedule])).toEqual([
      'a schedule gives no values, and there is no default for branch, note: give one, or require none',
    ]);
    expect(unfit([branch], [{ id: 'by-hand', kind: 'api', enabled: true }])).toEqual([]);
  });

  it('says all that is wrong at once, each by the same code', () => {
    const found = unfitVariables([variable('date'), variable('2'), { ...count, default: 'x' }, count], [schedule]);
    expect(found).toHaveLength(4);
    expect(new Set(found.map(({ code }) => code))).toEqual(new Set(['variables_invalid']));
  });
});

describe('the values of variables', () => {
  it('are those given, else those of the payload, else the defaults', () => {
    const all = ['given', 'sent', 'kept', 'none'].map((name) => variable(name, { default: name === 'none' ? null : 'default' }));
    expect(values(all, { given: 'by the caller' }, { given: 'lost', sent: 'in the payload' })).toEqual({
      given: 'by the caller',
      sent: 'in the payload',
      kept: 'default',
    });
  });

  it('take null for nothing given', () => {
    expect(values([{ ...branch, default: 'main' }], { branch: null }, { branch: null })).toEqual({ branch: 'main' });
    expect(values([{ ...branch, default: 'main' }], { branch: null }, { branch: 'sent' })).toEqual({ branch: 'sent' });
  });

  it('know a variable that has the name of something every object has', () => {
    const odd = [variable('constructor'), variable('toString', { default: 'x' })];
    expect(values(odd, {})).toEqual({ toString: 'x' });
    expect(values(odd, { constructor: 'y' })).toEqual({ constructor: 'y', toString: 'x' });
  });

  it.each([
    ['3', 3],
    ['-0', 0],
    ['1.50', 1.5],
    ['1e3', 1000],
    [2.5, 2.5],
  ])('take %j for the number it is written as', (given, number) => {
    expect(JSON.stringify(values([count], { count: given }))).toBe(JSON.stringify({ count: number }));
  });

  it.each(['', ' 3', '0x10', '03', '+3', '.5', '1_000', 'NaN', 'Infinity', '1e999', '9007199254740993', true, {}, [3]])(
    'do not take %j for a number',
    (given) => {
      expect(complaints([count], { count: given })).toEqual([
        expect.stringMatching(/^variable_invalid: count is .*: give a number, within ±\(2\^53 - 1\) if it is whole$/),
      ]);
    },
  );

  it('take true and false as JSON has them, and as text', () => {
    for (const given of [true, 'true']) expect(values([urgent], { urgent: given })).toEqual({ urgent: true });
    for (const given of [false, 'false']) expect(values([urgent], { urgent: given })).toEqual({ urgent: false });
    expect(complaints([urgent], { urgent: 'yes' })).toEqual(['variable_invalid: urgent is "yes": give true or false']);
    expect(complaints([urgent], { urgent: 0 })).toEqual(['variable_invalid: urgent is 0: give true or false']);
  });

  it('take only text for text, and only an option for a select', () => {
    expect(complaints([branch, color], { branch: 7, color: 'pink' })).toEqual([
      'variable_invalid: branch is 7: give text',
      'variable_invalid: color is "pink": give one of red, green',
    ]);
    expect(values([branch, color], { branch: '7', color: 'green' })).toEqual({ branch: '7', color: 'green' });
  });

  it('are all missed at once where they are required, and a blank text is none', () => {
    const all = [branch, { ...count, required: true }, variable('note', { type: 'textarea', required: true }), variable('spare')];
    expect(complaints(all, { note: ' \n' })).toEqual([
      'variables_missing: branch, count, note are missing: give a value for each',
    ]);
    expect(values([variable('spare')], { spare: '' })).toEqual({ spare: '' });
  });

  it('are refused under names that are no variables, with those that are', () => {
    expect(complaints([count, color], { cuont: 1, 'due-date': 2, count: 3 })).toEqual([
      'variables_unknown: cuont, due-date: no such variables; there are count, color',
    ]);
    expect(complaints([], { count: 1 })).toEqual(['variables_unknown: count: no such variables; the routine has none']);
  });

  it('of a stranger may have other names beside, or be none at all', () => {
    expect(complaints([count], {}, { count: 1, pusher: 'x' })).toEqual([]);
    for (const odd of ['text', 7, null, ['count'], undefined]) expect(values([count], {}, odd)).toEqual({});
  });

  it('of a stranger have to be of their type', () => {
    expect(complaints([count], {}, { count: 'many' })).toHaveLength(1);
  });

  it('show no secret when they are refused', () => {
    expect(complaints([count], { count: 'sk-abcdefghijklmnop' }).join()).not.toContain('abcdef');
  });

  it('say all that is wrong at once', () => {
    const codes = resolved([branch, count, urgent], { x: 1, count: 'x', urgent: 'y' }).complaints.map(({ code }) => code);
    expect(codes).toEqual(['variables_unknown', 'variables_missing', 'variable_invalid', 'variable_invalid']);
  });
});

describe('the payload of a fire', () => {
  it("is the sender's, with the values inside", () => {
    const sent = { ref: 'main', variables: { count: '3', pusher: 'x' } };
    expect(withVariables(sent, { count: 3 })).toEqual({ ref: 'main', variables: { count: 3, pusher: 'x' } });
    expect(withVariables(undefined, { count: 3 })).toEqual({ variables: { count: 3 } });
  });

  it('is as it came where there are no values', () => {
    expect(withVariables({ variables: 'odd' }, {})).toEqual({ variables: 'odd' });
    expect(withVariables(undefined, {})).toEqual({});
  });

  it('keeps the values where the sender has something else under that name', () => {
    expect(withVariables({ variables: ['odd'] }, { count: 3 })).toEqual({ variables: { count: 3 } });
  });
});
