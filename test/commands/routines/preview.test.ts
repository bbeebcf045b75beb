import { preview, PreviewRoutine } from '../../../src/commands/routines/preview.js';
import { fingerprintOf } from '../../../src/commands/routines/fingerprint.js';
import { validated } from '../../../src/commands/dispatch.js';
import { at, refusalOf, variable } from './refusal.js';

const review = {
  title: 'Review {{branch}} of {{date}}',
  description: 'Look at {{branch}} {{count}} times.',
  agent: 'reviewer',
  fingerprintIgnore: ['delivery.id'],
  variables: [variable('branch', { required: true }), variable('count', { type: 'number', default: 2 })],
};

it('shows what a fire would make', () => {
  const given = { variables: { branch: 'main' }, payload: { delivery: { id: 'd1' }, action: 'opened' }, at };
  const payload = { delivery: { id: 'd1' }, action: 'opened', variables: { branch: 'main', count: 2 } };
  const texts = { title: 'Review main of 2026-04-20', description: 'Look at main 2 times.' };
  expect(preview(review, given)).toEqual({
    ...texts,
    fingerprint: fingerprintOf({ ...texts, agent: 'reviewer', payload: { ...payload, delivery: {} } }, []),
    variables: { branch: 'main', count: 2 },
    payload,
  });
});

it('[D] shows one fingerprint for two deliveries of one thing', () => {
  const delivered = (id: string) =>
    preview(review, { payload: { delivery: { id }, variables: { branch: 'main' } }, at }).fingerprint;
  expect(delivered('d1')).toBe(delivered('d2'));
  expect(preview({ ...review, fingerprintIgnore: [] }, { payload: { variables: { branch: 'main' } }, at }).fingerprint).not.toBe(
    delivered('d1'),
  );
});

it('shows the same for a value that the caller gives, that the payload has, and that is the default', () => {
  const ways = [
    { variables: { branch: 'main', count: '2' } },
    { payload: { variables: { branch: 'main', count: 2 } } },
    { variables: { branch: 'main' } },
  ];
  const [first, ...others] = ways.map((way) => preview(review, { ...way, at }));
  expect(others).toEqual([first, first]);
});

it('shows no fingerprint for a routine without an agent, since it cannot be fired', () => {
  expect(preview({ ...review, agent: null }, { variables: { branch: 'main' }, at })).toMatchObject({
    title: 'Review main of 2026-04-20',
    fingerprint: null,
  });
});

it('refuses all that is wrong at once, with all names', () => {
  expect(refusalOf(() => preview(review, { variables: { count: 'many', x: 1, y: 2 }, at }))).toEqual({
    code: 'variables_unknown',
    message:
      'x, y: no such variables; there are branch, count; branch is missing: give a value for each; ' +
      'count is "many": give a number, within ±(2^53 - 1) if it is whole',
  });
});

it('shows no secret, but tells two of them apart', () => {
  const byText = { ...review, fingerprintIgnore: ['*'] };
  const [one, other] = ['a', 'b'].map((end) => preview(byText, { variables: { branch: `sk-abcdefghijkl${end}` }, at }));
  expect(JSON.stringify([one, other])).not.toContain('sk-');
  expect(one!.title).toBe(other!.title);
  expect(one!.fingerprint).not.toBe(other!.fingerprint);
});

it('takes free JSON, and nothing but that', async () => {
  const given = { variables: { branch: 'main' }, payload: { a: [{ b: 1 }] } };
  expect({ ...validated(PreviewRoutine, given) }).toEqual(given);
  expect(() => validated(PreviewRoutine, { variables: ['branch'] })).toThrow('variables is a list of 1');
  expect(() => validated(PreviewRoutine, { values: {} })).toThrow('values');
});
