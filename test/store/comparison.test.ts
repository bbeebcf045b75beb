import { createHash } from 'node:crypto';
import { Comparison } from '../../src/event-store/copy/comparison.js';
import { Digests } from '../../src/event-store/copy/digests.js';
import { storedText } from '../../src/event-store/copy/stored-text.js';
import type { StoredEvent } from '../../src/event-store/stored-log.js';

const event: StoredEvent = {
  position: '0000000000000001',
  stream: 'task-acme.ACME-12',
  revision: 0,
  id: '0192f0c1-7a3b-7c4d-8e5f-60718293a4b5',
  type: 'RunQueued',
  schema: 1,
  recordedAt: '2026-04-20T12:00:00.000Z',
  metadata: { actor: { type: 'user', id: 'ada' }, commandId: 'c' },
  data: { runId: 'ACME-12.1', list: [1, 2] },
};
const compared = (...pairs: readonly (readonly [StoredEvent, StoredEvent])[]): Comparison => {
  const both = new Comparison();
  for (const [source, target] of pairs) both.add([source], [target]);
  return both;
};
const other = { ...event, stream: 'task-acme.ACME-13' };

describe('two events in one place', () => {
  it('are alike wherever they stand in their stores, and in whatever order their keys came', () => {
    const { metadata, ...rest } = event;
    const twin = { metadata: { commandId: 'c', actor: { id: 'ada', type: 'user' } }, ...rest, position: '00000000000000004711' };
    const both = compared([event, twin]);
    expect(both.first).toBeUndefined();
    expect(both.differingStreams()).toEqual([]);
    const digests = new Digests();
    digests.add(event.stream, storedText(event));
    expect(both.digest()).toBe(digests.total());
  });

  it.each<[keyof StoredEvent, Partial<StoredEvent>]>([
    ['revision', { revision: 1 }],
    ['id', { id: '0192f0c1-7a3b-7c4d-8e5f-60718293a4b6' }],
    ['type', { type: 'RunStarted' }],
    ['schema', { schema: 2 }],
    ['data', { data: { runId: 'ACME-12.1', list: [2, 1] } }],
    ['metadata', { metadata: { actor: { type: 'user', id: 'grace' }, commandId: 'c' } }],
    ['recordedAt', { recordedAt: '2026-04-20T12:00:00.001Z' }],
  ])('differ in %s alone, and the digest of their stream with them', (field, change) => {
    const both = compared([other, other], [event, { ...event, ...change }], [other, other]);
    expect(both.first).toMatchObject({ place: 2, fields: [field] });
    expect(both.differingStreams()).toEqual([event.stream]);
    const alone = compared([{ ...event, ...change }, event]);
    expect(alone.digest()).not.toBe(compared([event, event]).digest());
  });

  it('differ when they are of other streams, and so do both streams', () => {
    const both = compared([event, other]);
    expect(both.first?.fields).toEqual(['stream']);
    expect(both.differingStreams().toSorted()).toEqual([event.stream, other.stream]);
  });
});

describe('a digest', () => {
  const of = (...texts: readonly [stream: string, text: string][]) => {
    const digests = new Digests();
    for (const [stream, text] of texts) digests.add(stream, text);
    return digests.total();
  };
  const sha = (...parts: readonly (string | Buffer)[]) =>
    parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();

  it('is what others can compute: a chain for each stream, and one over all of them by name', () => {
    const first = sha(sha('one'), 'two');
    const second = sha('three');
    expect(of(['b', 'three'], ['a', 'one'], ['a', 'two'])).toBe(sha('a\0', first, 'b\0', second).toString('hex'));
  });

  it('is another when two events of a stream are exchanged, or one is missing', () => {
    const whole = of(['a', 'one'], ['a', 'two']);
    expect(of(['a', 'two'], ['a', 'one'])).not.toBe(whole);
    expect(of(['a', 'one'])).not.toBe(whole);
  });
});
