import { canonicalJson } from '../../src/events/canonical-json.js';
import type { Json } from '../../src/events/event.js';

it('writes a value as RFC 8785 does in its example', () => {
  const value = {
    numbers: [JSON.parse('333333333.33333329') as number, 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
    string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
    literals: [null, true, false],
  };
  expect(canonicalJson(value)).toBe(
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  );
});

it('sorts keys by their UTF-16 code units, as that RFC shows', () => {
  const keys = ['\u20ac', '\r', '\ufb33', '1', '\ud83d\ude00', '\u0080', '\u00f6'];
  const sorted = ['\r', '1', '\u0080', '\u00f6', '\u20ac', '\ud83d\ude00', '\ufb33'];
  const text = canonicalJson(Object.fromEntries(keys.map((key) => [key, 0])));
  expect(text).toBe(`{${sorted.map((key) => `${JSON.stringify(key)}:0`).join(',')}}`);
});

it('does not depend on the order in which keys came', () => {
  const one = canonicalJson({ b: [{ y: 1, x: {} }], a: '' });
  expect(canonicalJson({ a: '', b: [{ x: {}, y: 1 }] })).toBe(one);
  expect(canonicalJson({ a: '', b: [{ x: {}, y: 2 }] })).not.toBe(one);
});

it('writes empty lists and objects, inside of others and alone', () => {
  const values: Json[] = [[], {}, [[]], { a: {} }, [{}, []]];
  expect(values.map((value) => canonicalJson(value))).toEqual(['[]', '{}', '[[]]', '{"a":{}}', '[{},[]]']);
});

it('writes a value of any depth', () => {
  const text = '[{"a":'.repeat(100_000) + '[]' + '}]'.repeat(100_000);
  expect(canonicalJson(JSON.parse(text) as Json)).toBe(text);
});
