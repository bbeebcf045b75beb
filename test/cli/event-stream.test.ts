import { EventStreamParser } from '../../src/cli/event-stream.js';
import { seeded } from '../projections/history.js';

const read = (...pieces: string[]) => {
  const parser = new EventStreamParser();
  return { messages: pieces.flatMap((piece) => parser.push(piece)), lastEventId: parser.lastEventId };
};

describe('the parser of server-sent events', () => {
  it('reads the examples of the specification', () => {
    expect(read('data: YHOO\ndata: +2\ndata: 10\n\n').messages).toEqual([{ event: 'message', id: '', data: 'YHOO\n+2\n10' }]);
    expect(read(': test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n')).toEqual({
      messages: [
        { event: 'message', id: '1', data: 'first event' },
        { event: 'message', id: '', data: 'second event' },
        { event: 'message', id: '', data: ' third event' },
      ],
      lastEventId: '',
    });
    expect(read('data\n\ndata\ndata\n\ndata:').messages.map(({ data }) => data)).toEqual(['', '\n']);
    expect(read('data:test\n\ndata: test\n\n').messages.map(({ data }) => data)).toEqual(['test', 'test']);
  });

  it('goes on from the id of a block without data, and of no block that is cut off', () => {
    expect(read('event: runs\nid: 1\ndata: {}\n\n: here\nid: 7\n\nid: 8\nevent: runs\ndata: {')).toEqual({
      messages: [{ event: 'runs', id: '1', data: '{}' }],
      lastEventId: '7',
    });
  });

  it('hears the same however the text is cut and its lines end', () => {
    const seed = Date.now() % 1_000_000;
    const draw = seeded(seed);
    const text = 'retry: 10\nevent: ready\nid: 1\ndata: {"a":1}\n\n: beat\nid: 2\n\nevent: runs\nid: 3\ndata: b\ndata: ü\n\n';
    const whole = read(text);
    for (let tries = 0; tries < 300; tries += 1) {
      const ended = text.replaceAll('\n', () => ['\n', '\r\n', '\n'][draw(3)]!);
      const pieces = [...ended.matchAll(new RegExp(`[^]{1,${1 + draw(9)}}`, 'g'))].map(([piece]) => piece);
      expect({ seed, ...read(...pieces) }).toEqual({ seed, ...whole });
    }
    expect(read(text.replaceAll('\n', '\r'), '\r')).toEqual(whole);
  });
});
