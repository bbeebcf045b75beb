import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { fingerprintOf, refuseUnfitPaths } from '../../../src/commands/routines/fingerprint.js';
import { filledIn } from '../../../src/commands/routines/templates.js';
import type { Json, JsonObject } from '../../../src/events/event.js';
import { refusalOf, variable } from './refusal.js';

const work = { agent: 'coder', title: 'Nightly', description: null };
const of = (payload: Json, ignore: readonly string[] = []) => fingerprintOf({ ...work, payload }, ignore);
const json = (text: string) => JSON.parse(text) as Json;

/** Canonical texts written by hand, and what another program's SHA-256 makes of their UTF-8. */
const vectors = [
  {
    canonical: '{"agent":"coder","description":null,"payload":{},"title":"Nightly"}',
    sha256: '4a91fc46b79684e7de2ef25669d3cffd347676640f03954eee2631bc1e84a0a2',
    work: { title: 'Nightly', agent: 'coder', payload: '{}', description: null },
  },
  {
    canonical:
      '{"agent":"coder","description":"","payload":{"a":[1,0,1000,0.1,1e+21],"b":{"x":null,"y":true,"z":false}},"title":"Nightly"}',
    sha256: 'eef4cafc027c969115af4fc7dac09553e2918dc3fe3dd4034d88586462d19ae5',
    work: {
      title: 'Nightly',
      agent: 'coder',
      payload: '{"b": {"z": false, "y": true, "x": null}, "a": [1.0, -0, 1e3, 0.10, 1000000000000000000000]}',
      description: '',
    },
  },
  {
    canonical:
      '{"agent":"Kodierer","description":"é €","payload":{"\\r":1,"1":2,"é":3,"€":4,"😀":5,"\ufb33":6},"title":"Überprüfung"}',
    sha256: '3eeba59d29e742c0af87a76c43ca4768a8597dad62815869fd1a9ed0697ebbb8',
    work: {
      title: 'Überprüfung',
      agent: 'Kodierer',
      payload: '{"\\ufb33": 6, "😀": 5, "\\u20ac": 4, "\\u00e9": 3, "1": 2, "\\r": 1}',
      description: 'é €',
    },
  },
  {
    canonical: '{"agent":"coder","description":"tab\\tand \\"quotes\\"","payload":{"lone":"\\ud800"},"title":"a\\\\b"}',
    sha256: '992280848d41fba7c95a9eabfb5b726ce4a357d4796b5f0457f963ecd71e7ad4',
    work: { title: 'a\\b', agent: 'coder', payload: '{"lone": "\\uD800"}', description: 'tab\tand "quotes"' },
  },
  {
    canonical:
      '{"agent":"reviewer","description":null,"payload":{"action":"opened","items":[{"name":"b"},{"name":"a"}],"variables":{"branch":"main"}},"title":"Review main"}',
    sha256: '2d57b967cbe4707d77ed9364e349844c89002552ba2ae9d9fd30bb2ed2b57432',
    work: {
      title: 'Review main',
      agent: 'reviewer',
      payload:
        '{"variables": {"branch": "main"}, "items": [{"id": 1, "name": "b"}, {"id": 2, "name": "a"}], "delivery": {"id": 7}, "action": "opened"}',
      description: null,
    },
    ignore: ['delivery', 'items.*.id'],
  },
];

it.each(vectors)('is the SHA-256 of $canonical', ({ work: { payload, ...rest }, sha256, ignore = [] }) => {
  expect(fingerprintOf({ ...rest, payload: json(payload) }, ignore)).toBe(sha256);
});

describe('a fingerprint', () => {
  it('[D] is not another for a delivery id that the routine ignores', () => {
    const delivery = (id: string): Json => ({ action: 'opened', pull: { number: 7 }, delivery: { id, attempt: 1 } });
    expect(of(delivery('a'))).not.toBe(of(delivery('b')));
    expect(of(delivery('a'), ['delivery.id'])).toBe(of(delivery('b'), ['delivery.id']));
  });

  it('[D] is another each day where the title has the day in it, and the same where it has not', () => {
    const onDay = (title: string, day: string) => {
      const filled = filledIn({ title, description: null, variables: [] }, { at: new Date(`${day}T03:00:00Z`) });
      return fingerprintOf({ ...filled, payload: {}, agent: 'coder' }, []);
    };
    expect(onDay('Report of {{date}}', '2026-04-20')).not.toBe(onDay('Report of {{date}}', '2026-04-21'));
    expect(onDay('Report', '2026-04-20')).toBe(onDay('Report', '2026-04-21'));
  });

  it('is another for other values of variables, in title and payload (case 71)', () => {
    const definition = { title: 'Review {{branch}}', description: '{{branch}}', variables: [variable('branch')] };
    const filled = ['main', 'next'].map((branch) => filledIn(definition, { variables: { branch }, at: new Date(0) }));
    const [main, next] = filled.map(({ variables, ...rest }) =>
      fingerprintOf({ ...rest, payload: { variables }, agent: 'coder' }, []),
    );
    expect(main).not.toBe(next);
  });

  it('counts agent, title and description', () => {
    const base = { ...work, payload: {} };
    const others = [{ agent: 'other' }, { title: 'Daily' }, { description: '' }, { description: 'x' }].map((change) =>
      fingerprintOf({ ...base, ...change }, ['*']),
    );
    expect(new Set([fingerprintOf(base, ['*']), ...others]).size).toBe(5);
  });

  it('takes 1.0, 1 and 1e0 for one number, and -0 for 0', () => {
    expect(new Set(['1', '1.0', '1e0', '0.1e1'].map((number) => of(json(`{"n": ${number}}`)))).size).toBe(1);
    expect(of({ n: -0 })).toBe(of({ n: 0 }));
    expect(of(json('{"n": 1e3}'))).toBe(of({ n: 1000 }));
  });

  it('tells a number from its text, null from nothing, and one way to write é from the other', () => {
    const all: Json[] = [
      { n: 1 },
      { n: '1' },
      { n: true },
      { n: null },
      {},
      { n: [] },
      { n: {} },
      { n: '\u00e9' },
      { n: 'e\u0301' },
    ];
    expect(new Set(all.map((payload) => of(payload))).size).toBe(all.length);
  });

  it('tells surrogates apart that have no other half', () => {
    expect(new Set([of({ s: '\ud800' }), of({ s: '\udc00' }), of({ s: '\ufffd' }), of({ '\ud800': 's' })]).size).toBe(4);
  });

  it('is made of a payload of any depth', () => {
    const deep = (of: string) => json(`{"deep": ${'['.repeat(200_000)}${of}${']'.repeat(200_000)}}`);
    expect(of(deep('1'))).not.toBe(of(deep('2')));
    expect(of(deep('1'), ['*.*.*.*'])).toBe(of(deep('2'), ['deep.*.*.*']));
  });
});

describe('paths to ignore', () => {
  const payload: JsonObject = {
    id: 1,
    'a.b': 2,
    '*': 3,
    '\\': 4,
    items: [{ id: 5, n: 6 }, { id: 7 }, 8],
    more: { x: { id: 9 } },
  };
  const left = (...ignore: string[]) => of(payload, ignore);

  it.each<[string, object]>([
    ['id', { ...payload, id: undefined }],
    ['a\\.b', { ...payload, 'a.b': undefined }],
    ['\\*', { ...payload, '*': undefined }],
    ['\\\\', { ...payload, '\\': undefined }],
    ['items.*.id', { ...payload, items: [{ n: 6 }, {}, 8] }],
    ['items.1', { ...payload, items: [{ id: 5, n: 6 }, 8] }],
    ['items.*', { ...payload, items: [] }],
    ['more.*.id', { ...payload, more: { x: {} } }],
    ['*.*.id', { ...payload, items: [{ n: 6 }, {}, 8], more: { x: {} } }],
    ['*', {}],
  ])('take away what lies at %s', (path, rest) => {
    expect(left(path)).toBe(of(json(JSON.stringify(rest))));
    expect(left(path)).not.toBe(left());
  });

  it.each([
    'nothing',
    'id.deeper',
    'a.b',
    'items.2.id',
    'items.3',
    'items.id',
    'items.length',
    'more.id',
    '__proto__',
    'constructor',
  ])('do nothing where there is nothing, as at %s', (path) => {
    expect(left(path)).toBe(left());
  });

  it('are all looked for in the payload as it came', () => {
    expect(left('items.0', 'items.1')).toBe(of(json(JSON.stringify({ ...payload, items: [8] }))));
    expect(left('items', 'items.0.id', 'more.x', 'more')).toBe(left('items', 'more'));
  });

  it('take away a key that is called __proto__', () => {
    expect(of(json('{"__proto__": 1, "x": {"__proto__": 2}}'), ['__proto__', 'x.__proto__'])).toBe(of({ x: {} }));
    expect(of(json('{"__proto__": 1}'), ['x'])).not.toBe(of({}));
  });

  it('leave the payload itself as it is', () => {
    const before = JSON.stringify(payload);
    left('items.*.id', 'more');
    expect(JSON.stringify(payload)).toBe(before);
  });

  it('may be any keys with dots between them', () => {
    const fit = ['a', 'delivery.id', 'items.*.seen', '*', '*.*', '0', 'a b', 'é', 'a\\.b.\\*.\\\\', '-', '$', 'x'.repeat(256)];
    expect(() => refuseUnfitPaths(fit)).not.toThrow();
    expect(() => refuseUnfitPaths([])).not.toThrow();
  });

  it.each(['', '.', '.a', 'a.', 'a..b', 'a*', '*a', '**', 'a\\', 'a\\b', '\\', 'x'.repeat(257)])('may not be %j', (path) => {
    expect(refusalOf(() => refuseUnfitPaths(['fine', path]))).toEqual({
      code: 'fingerprint_path_invalid',
      message: expect.stringMatching(/^fingerprintIgnore has ".*" in it: give keys with dots between them/),
    });
  });

  it('are refused all at once', () => {
    expect(refusalOf(() => refuseUnfitPaths(['a.', 'b', '.c'])).message).toContain('has "a.", ".c" in it');
  });
});

/** Of any code units at all: other scripts, controls, surrogates alone and in pairs. */
const text = fc.oneof(
  fc.string({ maxLength: 6 }),
  fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)), maxLength: 6 }),
  fc.constantFrom('__proto__', 'é', 'e\u0301', 'a.b', '*', '\\', '0', '10', '9', '😀'),
);
const number = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer(), fc.constantFrom(0, -0, 1e21, 1e-7));
const { value: anyJson } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    text,
    number,
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(text, tie('value')), { maxLength: 5 }).map((entries) => Object.fromEntries(entries)),
  ),
}));
const anyObject = fc.array(fc.tuple(text, anyJson), { maxLength: 5 }).map((entries): JsonObject => Object.fromEntries(entries));

/** The same value with the keys of each of its objects in another order. */
function reordered(value: Json, turn: number): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => reordered(item, turn));
  const entries = Object.entries(value).map(([key, child]): [string, Json] => [key, reordered(child, turn)]);
  const from = entries.length && turn % entries.length;
  return Object.fromEntries([...entries.slice(from).reverse(), ...entries.slice(0, from).reverse()]);
}

/** The payload with something at the end of these keys, whatever stood in the way. */
const placed = (value: Json | undefined, [key, ...rest]: readonly string[], what: Json): Json => {
  if (key === undefined) return what;
  const known = typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
  const child = Object.hasOwn(known, key) ? known[key] : undefined;
  return Object.fromEntries([...Object.entries(known).filter(([other]) => other !== key), [key, placed(child, rest, what)]]);
};
const escaped = (key: string) => key.replace(/[.*\\]/g, '\\$&');
/** `JSON.stringify` makes 0 of -0, and nothing else equal that was not. */
const same = (one: Json, other: Json) => isDeepStrictEqual(json(JSON.stringify(one)), json(JSON.stringify(other)));
const key = text.filter((one) => one !== '');
const keys = fc.array(key, { minLength: 1, maxLength: 4 });

describe('whatever the payload', () => {
  it('the order of keys does not count, at any depth', () => {
    fc.assert(
      fc.property(anyObject, fc.nat(), (payload, turn) => of(reordered(payload, turn)) === of(payload)),
      { numRuns: 500 },
    );
  });

  it('another way to write it down does not count', () => {
    fc.assert(
      fc.property(anyObject, (payload) => of(json(JSON.stringify(payload, null, 2))) === of(payload)),
      { numRuns: 300 },
    );
  });

  it('the order of items does', () => {
    const items = fc.uniqueArray(fc.integer(), { minLength: 2, maxLength: 6 });
    fc.assert(fc.property(items, (list) => of({ list }) !== of({ list: list.toReversed() })));
  });

  it('what is not the same has not the same fingerprint', () => {
    fc.assert(
      fc.property(anyObject, anyObject, (one, other) => same(one, other) === (of(one) === of(other))),
      { numRuns: 500 },
    );
  });

  it('a change of one value anywhere is seen', () => {
    fc.assert(
      fc.property(anyObject, keys, anyJson, anyJson, (payload, path, one, other) => {
        fc.pre(!same(one, other));
        expect(of(placed(payload, path, one))).not.toBe(of(placed(payload, path, other)));
      }),
      { numRuns: 300 },
    );
  });

  it('nothing that lies at an ignored path counts, wherever it is, or whether', () => {
    fc.assert(
      fc.property(anyObject, keys, anyJson, anyJson, fc.nat(), (payload, path, one, other, at) => {
        const [first, second] = [placed(payload, path, one), placed(payload, path, other)];
        const ignore = path.map(escaped);
        refuseUnfitPaths([ignore.join('.')]);
        expect(of(first, [ignore.join('.')])).toBe(of(second, [ignore.join('.')]));
        const all = ignore.with(at % ignore.length, '*').join('.');
        expect(of(first, [all])).toBe(of(second, [all]));
      }),
      { numRuns: 300 },
    );
  });

  it('a path that leads nowhere does nothing', () => {
    fc.assert(
      fc.property(anyObject, key, keys, (payload, head, rest) => {
        fc.pre(!Object.hasOwn(payload, head));
        expect(of(payload, [[head, ...rest].map(escaped).join('.')])).toBe(of(payload));
      }),
      { numRuns: 200 },
    );
  });
});
