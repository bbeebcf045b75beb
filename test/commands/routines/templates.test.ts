import { filledIn, refuseUnfitTemplates } from '../../../src/commands/routines/templates.js';
import type { Variable } from '../../../src/events/routine.js';
import { at, refusalOf, variable } from './refusal.js';

const branch = variable('branch');
const count = variable('count', { type: 'number' });

const definition = (title: string, description: string | null = null, variables: readonly Variable[] = [branch, count]) => ({
  title,
  description,
  variables,
  triggers: [],
});
const titleOf = (title: string, variables: Record<string, unknown> = {}) => filledIn(definition(title), { variables, at }).title;

describe('templates', () => {
  it('are filled in with values, wherever and however often they stand', () => {
    const made = filledIn(definition('Review {{branch}}', '{{ branch }}, {{count}} times, {{branch}}'), {
      variables: { branch: 'main', count: 3 },
      at,
    });
    expect(made).toEqual({
      title: 'Review main',
      description: 'main, 3 times, main',
      variables: { branch: 'main', count: 3 },
    });
  });

  it('have nothing where a variable has no value', () => {
    expect(titleOf('[{{branch}}]')).toBe('[]');
  });

  it('write numbers and booleans as JSON does', () => {
    const flag = variable('flag', { type: 'boolean' });
    const { title } = filledIn(definition('{{count}} {{flag}}', null, [count, flag]), {
      variables: { count: '1e3', flag: false },
      at,
    });
    expect(title).toBe('1000 false');
  });

  it('know the UTC day of the slot', () => {
    expect(titleOf('{{date}}')).toBe('2026-04-20');
  });

  it('never fill in again what was filled in', () => {
    expect(titleOf('{{branch}} {{count}}', { branch: '{{count}}', count: 3 })).toBe('{{count}} 3');
    expect(titleOf('{{{branch}}}', { branch: '{count}' })).toBe('{{count}}');
  });

  it('take a value to the letter', () => {
    expect(titleOf('<{{branch}}>', { branch: '$& $1 $$ \\' })).toBe('<$& $1 $$ \\>');
  });

  it('keep a title on one line, and a description as it is', () => {
    const made = filledIn(definition('a {{branch}}', '{{branch}}'), { variables: { branch: 'x\r\ny\tz\u001b[2J\u2028' }, at });
    expect(made.title).toBe('a x  y z [2J ');
    expect(made.description).toBe('x\r\ny\tz\u001b[2J\u2028');
  });

  it('repair what no database keeps', () => {
    const made = filledIn(definition('{{branch}}', '{{branch}}'), { variables: { branch: '\u0000\ud800x' }, at });
    expect(made).toMatchObject({ title: ' \ufffdx', description: '\ufffd\ufffdx' });
  });

  it('have no description where there is none', () => {
    expect(filledIn(definition('x'), { at }).description).toBeNull();
    expect(filledIn(definition('x', ''), { at }).description).toBe('');
  });

  it('take their values from the payload too', () => {
    const given = { payload: { variables: { branch: 'sent', other: 1 } }, at };
    expect(filledIn(definition('{{branch}}'), given)).toMatchObject({ title: 'sent', variables: { branch: 'sent' } });
  });

  it('leave braces alone that belong to no pair', () => {
    expect(titleOf('{{branch} {count}} }} {{', { branch: 'x' })).toBe('{{branch} {count}} }} {{');
  });

  it('read hostile text in no time', () => {
    expect(titleOf('{'.repeat(100) + '{{branch'.repeat(10), { branch: 'x' })).toHaveLength(180);
  });
});

describe('a title that is too long', () => {
  it('is refused with its length, and one of just the bound is not', () => {
    expect(titleOf('{{branch}}!', { branch: 'x'.repeat(199) })).toHaveLength(200);
    expect(refusalOf(() => titleOf('{{branch}}!', { branch: 'x'.repeat(200) }))).toEqual({
      code: 'title_too_long',
      message: 'the title is 201 characters long when it is filled in: at most 200 will do',
    });
  });

  it('is refused together with a description that is too long', () => {
    const long = { variables: { branch: 'x'.repeat(9_000) }, at };
    expect(refusalOf(() => filledIn(definition('{{branch}}', '{{branch}}{{branch}}'), long))).toEqual({
      code: 'title_too_long',
      message: expect.stringMatching(
        /title is 9000 characters .*; the description is 18000 characters .*: at most 16384 will do/,
      ),
    });
    expect(refusalOf(() => filledIn(definition('x', '{{branch}}{{branch}}'), long)).code).toBe('description_too_long');
  });

  it('is measured before it is made, so that no memory is lost to it', () => {
    const description = '{{branch}}'.repeat(1_600);
    const given = { variables: { branch: 'x'.repeat(2 ** 20) }, at };
    expect(refusalOf(() => filledIn(definition('x', description), given)).message).toContain('1677721600 characters');
  });
});

describe('the definition of templates', () => {
  const refuse = (title: string, description: string | null = null) =>
    refusalOf(() => refuseUnfitTemplates(definition(title, description)));

  it('may name variables and the date, spaces inside of the braces or not', () => {
    expect(() => refuseUnfitTemplates(definition('{{branch}} {{ date }}', '{{\tcount\n}} {} { {x} }'))).not.toThrow();
    expect(() => refuseUnfitTemplates(definition('x', null, []))).not.toThrow();
  });

  it('is refused with all names that are no variables, and those that are', () => {
    expect(refuse('{{brunch}} {{branch}} {{ due-date }}', '{{}} {{brunch}} {{a b}}')).toEqual({
      code: 'template_invalid',
      message:
        'title or description has {{brunch}}, {{due-date}}, {{}}, {{a b}} in it: ' +
        'define a variable for each, or use what there is: date, branch, count',
    });
  });

  it('tells the case of names apart, and what every object has from a variable', () => {
    expect(refuse('{{Branch}} {{constructor}}').message).toContain('{{Branch}}, {{constructor}}');
  });

  it('is refused where no value could make the title short enough', () => {
    expect(refuse(`${'x'.repeat(201)}{{branch}}`).code).toBe('title_too_long');
  });

  it('is refused with what is wrong with its variables as well', () => {
    const all = definition('{{x}}', null, [variable('date')]);
    expect(refusalOf(() => refuseUnfitTemplates(all))).toEqual({
      code: 'variables_invalid',
      message: expect.stringMatching(/called date.*; title or description has \{\{x\}\}/),
    });
  });

  it('may have braces of its own by way of a default', () => {
    const literal = definition('{{braces}}', null, [variable('braces', { default: '{{ github.sha }}' })]);
    refuseUnfitTemplates(literal);
    expect(filledIn(literal, { at }).title).toBe('{{ github.sha }}');
  });
});

it('refuses values with all that is wrong with them', () => {
  const required = definition('x', null, [{ ...branch, required: true }, count]);
  expect(refusalOf(() => filledIn(required, { variables: { count: 'x', y: 1 }, at }))).toEqual({
    code: 'variables_unknown',
    message:
      'y: no such variables; there are branch, count; branch is missing: give a value for each; ' +
      'count is "x": give a number, within ±(2^53 - 1) if it is whole',
  });
});
