import fc from 'fast-check';
import { bounded, processText, unsafeNumber } from '../../src/commands/free-json.js';
import { redact } from '../../src/commands/redact.js';
import type { Json } from '../../src/events/event.js';

describe('free JSON', () => {
  it('is kept as it is while it is small', () => {
    const small = { issue: 'ACME-12', n: 1.5, nested: { list: [1, 'two', null, false] } };
    expect(bounded(small)).toEqual(small);
  });

  it('case 84: loses the ends of long strings and arrays, and its secrets', () => {
    const payload = { text: 'x'.repeat(20_000), list: Array.from({ length: 60 }, (_, n) => n), apiKey: 'abc' };
    const kept = bounded(redact(payload));
    expect(kept.text).toHaveLength(16_384);
    expect(kept.text).toMatch(/^x{16000}.*… \[cut from 20000 characters\]$/);
    expect(kept.list).toEqual([...payload.list.slice(0, 50), { _truncated: true, omittedItems: 10 }]);
    expect(kept.apiKey).toBe('***REDACTED***');
  });

  it('says how many keys it lost', () => {
    const kept = bounded(Object.fromEntries(Array.from({ length: 130 }, (_, n) => [`k${n}`, n])));
    expect(Object.keys(kept)).toHaveLength(102);
    expect(kept).toMatchObject({ k0: 0, k99: 99, _truncated: true, _omittedKeys: 30 });
  });

  it('ends six levels down, with a note of what was below', () => {
    const deep = { a: { b: { c: { d: { e: { list: [1, 2, 3], map: { x: 1, y: 2 }, n: 7 } } } } } };
    expect(bounded(deep)).toEqual({
      a: {
        b: {
          c: {
            d: {
              e: {
                list: { _truncated: true, type: 'array', originalLength: 3 },
                map: { _truncated: true, type: 'object', keys: ['x', 'y'] },
                n: 7,
              },
            },
          },
        },
      },
    });
  });

  it('keeps less of everything when there is too much in all', () => {
    const kept = bounded(Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`file${n}`, 'x'.repeat(10_000)])));
    expect(kept).toMatchObject({ _truncated: true, _truncationReason: 'oversized_json' });
    expect(kept.file59).toMatch(/^x+… \[cut from 10000 characters\]$/);
  });

  it('comes through a megabyte of brackets', () => {
    const brackets = JSON.parse(`{"a":${'['.repeat(500_000)}${']'.repeat(500_000)}}`);
    expect(isWithinBounds(bounded(redact(brackets)))).toBe(true);
    expect(unsafeNumber(brackets)).toBeUndefined();
  });

  it('keeps a key named __proto__ as a key', () => {
    const kept = bounded(JSON.parse('{"__proto__": {"admin": true}}'));
    expect(JSON.stringify(kept)).toBe('{"__proto__":{"admin":true}}');
    expect(Object.getPrototypeOf(kept)).toBe(Object.prototype);
  });

  it('repairs NUL and lone surrogates in strings and keys, and leaves pairs alone', () =>
    expect(bounded({ 'a\0': 'x\uD800y\0z😀\uDC00' })).toEqual({ 'a\uFFFD': 'x\uFFFDy\uFFFDz😀\uFFFD' }));

  it.each([
    [undefined, { value: null }],
    ['text', { value: 'text' }],
    [[1], { value: [1] }],
    [
      { a: undefined, b: -0, c: Infinity },
      { b: 0, c: null },
    ],
  ])('makes an object of %j', (value, kept) => expect(bounded(value)).toEqual(kept));

  it('is within its bounds and stable as JSON, whatever comes', () => {
    const long = fc
      .tuple(fc.string({ unit: 'binary', minLength: 1 }), fc.nat(20_000))
      .map(([piece, length]) => piece.repeat(Math.ceil(length / piece.length)).slice(0, length));
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 9, stringUnit: 'binary' }),
      fc.object({ maxDepth: 8, maxKeys: 20 }),
      fc.dictionary(fc.oneof(fc.string({ unit: 'binary' }), long), long, { size: 'large', maxKeys: 120 }),
      fc.array(long, { size: 'large', maxLength: 80 }),
      fc.dictionary(fc.string(), fc.dictionary(fc.string(), long, { size: 'large', maxKeys: 120 }), { maxKeys: 30 }),
    );
    fc.assert(
      fc.property(value, (any) => {
        const kept = bounded(any);
        expect(isWithinBounds(kept)).toBe(true);
        expect(JSON.parse(JSON.stringify(kept))).toEqual(kept);
      }),
    );
  });
});

function isWithinBounds(json: Json): boolean {
  return Buffer.byteLength(JSON.stringify(json)) <= 65_536 && isSmall(json, 1);
}

/** A mark may follow the last item, and marks may stand where the seventh level would be. */
function isSmall(json: Json, level: number): boolean {
  if (typeof json === 'string') return json.length <= 16_384 && !/[\0\p{Surrogate}]/u.test(json);
  if (typeof json !== 'object' || json === null) return true;
  const isMark = !Array.isArray(json) && json._truncated === true;
  if (level > 6) return level <= 8 && (isMark || Array.isArray(json));
  const children = Object.values(json);
  return children.length <= (Array.isArray(json) ? 51 : 105) && children.every((child) => isSmall(child, level + 1));
}

describe('the text of a process', () => {
  it('never ends in half a character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.integer({ min: 0, max: 200 }), (text, max) => {
        const kept = processText(text, max);
        expect(kept.length).toBeLessThanOrEqual(max);
        expect(/[\0\p{Surrogate}]/u.test(kept)).toBe(false);
        expect(processText(kept, max)).toBe(kept);
      }),
    );
  });
});

describe('a number that does not survive JavaScript', () => {
  it.each([
    ['{"usage": {"tokens": 9007199254740993}}', 'usage.tokens'],
    ['{"list": [1, 1e400]}', 'list.1'],
    ['{"n": -9007199254740992}', 'n'],
  ])('is found in %s', (json, path) => expect(unsafeNumber(JSON.parse(json))).toBe(path));

  it.each(['{"n": 9007199254740991, "m": 0.1, "k": -1e-300}', '{}', '{"n": "9007199254740993"}'])('is not in %s', (json) =>
    expect(unsafeNumber(JSON.parse(json))).toBeUndefined(),
  );
});
