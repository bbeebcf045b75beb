import 'reflect-metadata';
import { InvalidCommand, validated } from '../../src/commands/dispatch.js';
import { FreeJson, Int, Optional, Slug } from '../../src/commands/fields.js';

class Sent {
  @Slug() agent!: string;
  @Optional() @Int(1, 10) max?: number;
  @Optional() @FreeJson() payload?: Record<string, unknown>;
}
class SentAgain extends Sent {}

const deep = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));

function errorsOf(fields: object): readonly { field: string; message: string }[] {
  try {
    validated(Sent, fields);
    return [];
  } catch (error) {
    if (error instanceof InvalidCommand) return error.errors;
    throw error;
  }
}

describe('a command that is checked at the door', () => {
  it.each([Sent, SentAgain])('keeps free JSON as it came, whatever its keys and its depth: %p', (type) => {
    const payload = JSON.parse('{"constructor": 1, "toString": {"constructor": 2}, "__proto__": {"x": 1}, "then": null}');
    expect(JSON.stringify(validated(type, { agent: 'coder', payload }).payload)).toBe(JSON.stringify(payload));
    expect(validated(type, { agent: 'coder', payload: { deep: deep(100_000) } })).toBeInstanceOf(type);
  });

  it('is refused, and not a fault, where other fields nest or are named so', () => {
    expect(errorsOf({ agent: { constructor: 1 } })).toHaveLength(1);
    expect(errorsOf({ agent: deep(100_000) })).toHaveLength(1);
    expect(errorsOf({ agent: 'coder', extra: { constructor: { prototype: 1 } } })).toHaveLength(1);
  });

  it('is told of every field once', () =>
    expect(errorsOf({ agent: 'coder', max: 'x', extra: 1 })).toEqual([
      { field: 'extra', message: 'unknown field extra; there are agent, max, payload' },
      { field: 'max', message: 'max is "x": give a whole number from 1 to 10' },
    ]));
});
