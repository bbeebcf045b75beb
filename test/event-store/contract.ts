import { randomUUID } from 'node:crypto';
import {
  beginning,
  type Appended,
  type Event,
  type Metadata,
  type NewEvent,
  type Position,
  type Recorded,
  type StreamId,
} from '../../src/events/event.js';
import {
  StoreUnavailable,
  type EventStore,
  type ExpectedRevision,
  type Write,
  type WriteResult,
} from '../../src/event-store/event-store.js';

/** An engine under test on an empty log, and what the tests do to the world around it. */
export interface Engine {
  readonly store: EventStore;
  setClock(time: string): Promise<void>;
  /** Cuts whatever connections the engine holds. */
  loseConnections(): Promise<void>;
  end(): Promise<void>;
}

export const metadata: Metadata = {
  actor: { type: 'user', id: 'ada' },
  correlationId: 'chain-1',
  causationId: 'command-1',
  commandId: 'command-1',
};

export const event = (data: object = { step: 1 }, id: string = randomUUID()): NewEvent => ({
  id,
  type: 'RunQueued',
  schema: 1,
  data,
});

export const events = (count: number): NewEvent[] => Array.from({ length: count }, (_, step) => event({ step }));

export const write = (stream: StreamId, expectedRevision: ExpectedRevision, written: readonly NewEvent[]): Write => ({
  stream,
  expectedRevision,
  events: written,
  metadata,
});

/** As an append answers with it. */
export const withoutPosition = ({ position: _, ...event }: Recorded): Appended => event;

/** What every engine of the event store promises. */
export function eventStoreContract(open: () => Promise<Engine>): void {
  let engine: Engine;
  let store: EventStore;
  const lane: StreamId = 'task-acme.ACME-12';

  beforeEach(async () => {
    engine = await open();
    store = engine.store;
  });
  afterEach(() => engine.end());

  const append = async (...written: Parameters<typeof write>): Promise<WriteResult> =>
    (await store.append([write(...written)]))[0]!;
  const ids = (recorded: readonly Recorded[]) => recorded.map(({ id }) => id);

  describe('append', () => {
    it('answers with the events as they are stored', async () => {
      const written = events(2);
      const result = await append(lane, 'no-stream', written);
      const stored = await store.readStream(lane);
      expect(result).toMatchObject({
        outcome: 'appended',
        revision: 1,
        position: await store.head(),
        replayed: false,
        events: stored.map(withoutPosition),
      });
      expect(stored).toEqual(
        written.map(({ id, type, schema, data }, revision) => ({
          id,
          type,
          schema,
          data,
          metadata,
          stream: lane,
          company: 'acme',
          subject: 'ACME-12',
          revision,
          position: expect.any(String),
          recordedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        })),
      );
    });

    it.each<[string, ExpectedRevision, number, object]>([
      ['no-stream takes a new stream', 'no-stream', 0, { outcome: 'appended', revision: 0 }],
      ['no-stream refuses one that is there', 'no-stream', 2, { outcome: 'conflict', actual: 1 }],
      ['stream-exists refuses a new stream', 'stream-exists', 0, { outcome: 'conflict', actual: 'no-stream' }],
      ['stream-exists takes one that is there', 'stream-exists', 2, { outcome: 'appended', revision: 2 }],
      ['any takes a new stream', 'any', 0, { outcome: 'appended', revision: 0 }],
      ['any takes one that is there', 'any', 2, { outcome: 'appended', revision: 2 }],
      ['the current revision is taken', 1, 2, { outcome: 'appended', revision: 2 }],
      ['a former revision is refused', 0, 2, { outcome: 'conflict', actual: 1 }],
      ['a revision to come is refused', 5, 2, { outcome: 'conflict', actual: 1 }],
      ['a revision of a missing stream is refused', 0, 0, { outcome: 'conflict', actual: 'no-stream' }],
    ])('%s', async (_, expected, there, result) => {
      if (there > 0) await append(lane, 'no-stream', events(there));
      expect(await append(lane, expected, events(1))).toMatchObject(result);
      expect(await store.readStream(lane)).toHaveLength(there + ('revision' in result ? 1 : 0));
    });

    it('lets exactly one of many concurrent writers win', async () => {
      await append(lane, 'no-stream', events(1));
      const results = await Promise.all(Array.from({ length: 20 }, () => append(lane, 0, events(2))));
      expect(results.filter(({ outcome }) => outcome === 'appended')).toHaveLength(1);
      expect(results.filter((result) => result.outcome === 'conflict' && result.actual === 2)).toHaveLength(19);
      expect(await store.readStream(lane)).toHaveLength(3);
    });

    it('takes many writes at once, each for itself', async () => {
      await append(lane, 'no-stream', events(1));
      const results = await store.append([
        write('task-acme.ACME-1', 'no-stream', events(3)),
        write(lane, 'no-stream', events(1)),
        write('task-acme.ACME-2', 'no-stream', events(1)),
      ]);
      expect(results.map(({ outcome }) => outcome)).toEqual(['appended', 'conflict', 'appended']);
      expect((await store.readAll({ after: beginning, limit: 10 })).map(({ stream }) => stream)).toEqual([
        lane,
        ...Array.from({ length: 3 }, () => 'task-acme.ACME-1'),
        'task-acme.ACME-2',
      ]);
    });

    it('takes two writes to one stream one after the other', async () => {
      const results = await store.append([
        write(lane, 'no-stream', events(1)),
        write(lane, 0, events(1)),
        write(lane, 0, events(1)),
      ]);
      expect(results).toMatchObject([{ revision: 0 }, { revision: 1 }, { outcome: 'conflict', actual: 1 }]);
    });

    it('takes nothing for nothing', async () => {
      expect(await store.append([])).toEqual([]);
    });
  });

  describe('the same events again', () => {
    it.each<[string, ExpectedRevision]>([
      ['the revision they were written at', 1],
      ['any', 'any'],
      ['stream-exists', 'stream-exists'],
    ])('are a replay when the writer expects %s', async (_, expected) => {
      await append(lane, 'no-stream', events(2));
      const written = events(3);
      const first = await append(lane, 1, written);
      expect(await append(lane, expected, written)).toEqual({ ...first, replayed: true });
      expect(await store.readStream(lane)).toHaveLength(5);
    });

    it('are written again for a writer that expects the very revision they ended at, and so has seen them', async () => {
      const written = events(2);
      await append(lane, 'no-stream', written);
      expect(await append(lane, 1, written)).toMatchObject({ outcome: 'appended', replayed: false, revision: 3 });
    });

    it('are a replay after no-stream, however long the stream has become, with the events of then', async () => {
      const written = [event({ step: 'first' })];
      const first = await append(lane, 'no-stream', written);
      await append(lane, 0, events(150));
      expect(await append(lane, 'no-stream', [{ ...written[0]!, data: { step: 'other' } }])).toEqual({
        ...first,
        replayed: true,
      });
    });

    it('are a replay whatever the case of their ids', async () => {
      const written = event({}, 'ABCDEF00-0000-4000-8000-00000000000A');
      await append(lane, 'no-stream', [written]);
      expect(await append(lane, 'no-stream', [written])).toMatchObject({ replayed: true });
    });

    it.each<[string, ExpectedRevision]>([
      ['the revision before them', 0],
      ['any', 'any'],
    ])('are a conflict when only some of them are there and the writer expects %s', async (_, expected) => {
      await append(lane, 'no-stream', events(1));
      const [first, second] = events(2);
      await append(lane, 0, [first!, event()]);
      expect(await append(lane, expected, [first!, second!])).toEqual({ outcome: 'conflict', actual: 2 });
      expect(await append(lane, expected, [first!])).toMatchObject({ replayed: true });
    });

    it('are new events in another stream', async () => {
      const written = events(1);
      await append(lane, 'no-stream', written);
      expect(await append('task-acme.ACME-13', 'no-stream', written)).toMatchObject({ replayed: false });
    });
  });

  describe('what cannot be stored', () => {
    const big = (bytes: number) => event({ text: 'x'.repeat(bytes) });
    const loop: Record<string, unknown> = {};
    loop['itself'] = loop;

    it.each<[string, Write, RegExp]>([
      ['a write of more than 1 MiB', write(lane, 'any', [big(600_000), big(500_000)]), /has 1100\d\d\d bytes, at most 1048576/],
      ['a NUL character', write(lane, 'any', [event({ text: 'a\0b' })]), /NUL/],
      ['half of a surrogate pair', write(lane, 'any', [event({ text: '\ud83d' })]), /surrogate/],
      ['half of a pair in a key', write(lane, 'any', [event({ '\udc00': 1 })]), /surrogate/],
      ['NUL in the metadata', { ...write(lane, 'any', events(1)), metadata: { ...metadata, commandId: '\0' } }, /NUL/],
      ['a bigint', write(lane, 'any', [event({ n: 1n })]), /BigInt/],
      ['a circle', write(lane, 'any', [event(loop)]), /circular/],
      ['an id that is no UUID', write(lane, 'any', [event({}, 'run-1')]), /"run-1", which is not a UUID/],
      ['a schema out of range', write(lane, 'any', [{ ...event(), schema: 40_000 }]), /schema 40000/],
      ['no events', write(lane, 'any', []), /needs an event/],
      ['an endless name', write(`task-acme.${'x'.repeat(3_000)}`, 'any', events(1)), /3010 characters/],
      ['NUL in a name', write('task-acme.\0', 'any', events(1)), /name/],
      ['a revision below 0', write(lane, -1, events(1)), /-1 is not a revision/],
    ])('is refused with a reason: %s', async (_, unfit, reason) => {
      const [before, result, after] = await store.append([
        write('task-acme.ACME-1', 'no-stream', events(1)),
        unfit,
        write('task-acme.ACME-2', 'no-stream', events(1)),
      ]);
      expect([before?.outcome, after?.outcome]).toEqual(['appended', 'appended']);
      expect(result).toEqual({ outcome: 'refused', reason: expect.stringMatching(reason) });
    });

    it('is not what merely looks like it', async () => {
      const data = { text: '\\u0000 \\ud83d', emoji: '🏃‍♀️ 日本語', 'key 🗝': '\u0001\u001f"\\', big: 'x'.repeat(1_000_000) };
      expect(await append(lane, 'no-stream', [event(data)])).toMatchObject({ outcome: 'appended' });
      expect((await store.readStream(lane))[0]?.data).toEqual(data);
    });

    it('is not a number of any size', async () => {
      const data = { numbers: [Number.MAX_VALUE, Number.MIN_VALUE, -0.1, 1e21, 2 ** 53 - 1, 0.1 + 0.2], zero: 0, none: null };
      const result = await append(lane, 'no-stream', [event(data)]);
      const [stored] = await store.readStream(lane);
      expect(stored?.data).toEqual(data);
      expect(result).toMatchObject({ events: [withoutPosition(stored!)] });
    });
  });

  describe('read', () => {
    it('finds nothing in a missing stream', async () => {
      const missing: StreamId = 'task-acme.NONE';
      expect(await store.readStream(missing)).toEqual([]);
      expect(await store.readStream(missing, { direction: 'backwards', limit: 1 })).toEqual([]);
      expect(await store.readStream('task-acme.\0')).toEqual([]);
      expect(await store.readStreams([missing, 'task-acme.\ud83d'])).toEqual(
        new Map([
          [missing, []],
          ['task-acme.\ud83d', []],
        ]),
      );
      expect(await store.head()).toBe(beginning);
      expect(await store.readAll({ after: beginning, limit: 10 })).toEqual([]);
    });

    it.each([
      [{}, [0, 1, 2, 3, 4]],
      [{ from: 2 }, [2, 3, 4]],
      [{ from: 1, to: 3 }, [1, 2, 3]],
      [{ from: 1, limit: 2 }, [1, 2]],
      [{ from: 9 }, []],
      [{ direction: 'backwards' as const }, [4, 3, 2, 1, 0]],
      [{ direction: 'backwards' as const, from: 3, limit: 2 }, [3, 2]],
      [{ direction: 'backwards' as const, from: 9, to: 3 }, [4, 3]],
      [{ from: -(2 ** 40), to: 2 ** 40, limit: 1 }, [0]],
    ])('reads a stream with %j', async (options, revisions) => {
      await append(lane, 'no-stream', events(5));
      await append('task-acme.ACME-13', 'no-stream', events(5));
      expect((await store.readStream(lane, options)).map(({ revision }) => revision)).toEqual(revisions);
    });

    it('reads many whole streams at once', async () => {
      await append(lane, 'no-stream', events(2));
      await append('task-acme.ACME-13', 'no-stream', events(1));
      const both = await store.readStreams([lane, 'task-acme.ACME-13']);
      expect([...both].map(([stream, read]) => [stream, read.length])).toEqual([
        [lane, 2],
        ['task-acme.ACME-13', 1],
      ]);
      expect(both.get(lane)).toEqual(await store.readStream(lane));
    });

    it('pages through the log, in the order of positions, each event once', async () => {
      for (let i = 0; i < 5; i += 1) await append(`task-acme.ACME-${i}`, 'no-stream', events(2));
      const seen: Recorded[] = [];
      for (let page = await store.readAll({ after: beginning, limit: 3 }); page.length > 0;) {
        seen.push(...page);
        page = await store.readAll({ after: seen.at(-1)!.position, limit: 3 });
      }
      expect(seen).toEqual(await store.readAll({ after: beginning, limit: 100 }));
      expect(seen).toHaveLength(10);
      const positions = seen.map(({ position }) => position);
      expect(positions).toEqual([...positions].sort());
      expect(positions.at(-1)).toBe(await store.head());
    });

    it('reads only the types that are asked for', async () => {
      const written = [event(), { ...event(), type: 'RunStarted' }, event(), { ...event(), type: 'RunStarted' }];
      await append(lane, 'no-stream', written);
      const started = await store.readAll({ after: beginning, limit: 10, types: ['RunStarted'] });
      expect(started.map(({ revision }) => revision)).toEqual([1, 3]);
      expect(await store.readAll({ after: started[0]!.position, limit: 1, types: ['RunQueued', 'RunStarted'] })).toMatchObject([
        { revision: 2 },
      ]);
    });

    it('stops at the position that it is told', async () => {
      await append(lane, 'no-stream', [event(), { ...event(), type: 'RunStarted' }, event(), { ...event(), type: 'RunStarted' }]);
      const log = await store.readAll({ after: beginning, limit: 10 });
      const [first, second, third] = log.map(({ position }) => position);
      const read = async (asked: Parameters<EventStore['readAll']>[0]) =>
        (await store.readAll(asked)).map(({ revision }) => revision);
      expect(await read({ after: beginning, upTo: third!, limit: 10 })).toEqual([0, 1, 2]);
      expect(await read({ after: first!, upTo: third!, limit: 1 })).toEqual([1]);
      expect(await read({ after: beginning, upTo: third!, limit: 10, types: ['RunStarted'] })).toEqual([1]);
      expect(await read({ after: second!, upTo: second!, limit: 10 })).toEqual([]);
      expect(await read({ after: third!, upTo: beginning, limit: 10 })).toEqual([]);
      expect(await read({ after: third!, upTo: first!, limit: 10, types: ['RunStarted'] })).toEqual([]);
    });

    it('refuses a position that it never handed out', async () => {
      await expect(store.readAll({ after: 'yesterday', limit: 1 })).rejects.toThrow('"yesterday" is not a position');
    });
  });

  describe('time', () => {
    it('never goes back, and finds the position of a moment', async () => {
      const times = [
        '2026-04-20T12:00:00.000Z',
        '2026-04-20T12:00:05.250Z',
        '2026-04-20T11:00:00.000Z',
        '2026-04-20T12:10:00.000Z',
      ];
      for (const [i, time] of times.entries()) {
        await engine.setClock(time);
        await append(`task-acme.ACME-${i}`, 'no-stream', events(1));
      }
      const log = await store.readAll({ after: beginning, limit: 10 });
      expect(log.map(({ recordedAt }) => recordedAt)).toEqual([times[0], times[1], times[1], times[3]]);
      expect(await store.positionAt('2026-04-20T11:59:59.999Z')).toBe(beginning);
      expect(await store.positionAt(times[0]!)).toBe(log[0]?.position);
      expect(await store.positionAt('2026-04-20T14:00:05.250+02:00')).toBe(log[2]?.position);
      expect(await store.positionAt('2026-04-20T12:09:59.999Z')).toBe(log[2]?.position);
      expect(await store.positionAt('2099-01-01T00:00:00Z')).toBe(log[3]?.position);
    });

    it('is not read out of what is no time', async () => {
      await expect(store.positionAt('noon')).rejects.toThrow('"noon" is not a time');
    });
  });

  describe('readByStream', () => {
    /** In the order of their bytes, which is another one than that of UTF-16. */
    const inOrder: StreamId[] = [
      'agent-acme.ada',
      'task-acme.A-1',
      'task-acme.a-1',
      'task-acme.é',
      'task-acme.\uff5e',
      'task-acme.😀',
    ];

    beforeEach(async () => {
      for (let revision = -1; revision < 3; revision += 1)
        for (const stream of inOrder.toReversed())
          await append(stream, revision < 0 ? 'no-stream' : revision, [
            { ...event(), type: revision % 2 === 0 ? 'RunStarted' : 'RunQueued' },
          ]);
    });

    const places = (recorded: readonly Recorded[]) => recorded.map(({ stream, revision }) => `${stream} ${revision}`);
    const whole = (streams: readonly StreamId[]) => streams.flatMap((stream) => [0, 1, 2, 3].map((n) => `${stream} ${n}`));

    it('hands over whole streams, one after the other', async () => {
      const read = await store.readByStream({ upTo: await store.head(), limit: 100 });
      expect(places(read)).toEqual(whole(inOrder));
      expect(read.slice(0, 4)).toEqual(await store.readStream(inOrder[0]!));
    });

    it('reads from one stream on, and stops before another', async () => {
      const asked = { upTo: await store.head(), limit: 100 };
      expect(places(await store.readByStream({ ...asked, from: 'task-acme.a-1', before: 'task-acme.\uff5e' }))).toEqual(
        whole(inOrder.slice(2, 4)),
      );
      expect(places(await store.readByStream({ ...asked, from: 'task-acme.a', before: 'task-acme.a-1!' }))).toEqual(
        whole(inOrder.slice(2, 3)),
      );
    });

    it('goes on behind the last event of a page, in the middle of a stream', async () => {
      const asked = { upTo: await store.head(), limit: 3 };
      const read: Recorded[] = [];
      for (let page = await store.readByStream(asked); page.length > 0;) {
        expect(page.length).toBeLessThanOrEqual(3);
        read.push(...page);
        page = await store.readByStream({ ...asked, after: page.at(-1)! });
      }
      expect(places(read)).toEqual(whole(inOrder));
    });

    it('leaves out what came later, and other types', async () => {
      const log = await store.readAll({ after: beginning, limit: 100 });
      const upTo = log[13]!.position;
      const expected = log.slice(0, 14).filter(({ type }) => type === 'RunStarted');
      const read = await store.readByStream({ upTo, limit: 100, types: ['RunStarted', 'RunFailed'] });
      expect(new Set(ids(read))).toEqual(new Set(ids(expected)));
      expect(await store.readByStream({ upTo: beginning, limit: 100 })).toEqual([]);
    });

    it('is told bounds that cut the log into ranges, if the engine has an order of names', async () => {
      const upTo = await store.head();
      const bounds = await store.streamBounds({ upTo, ranges: 3 });
      if (!bounds) return;
      expect(bounds.length).toBeLessThanOrEqual(2);
      const ranges = [undefined, ...bounds].map((from, n) => ({ from, before: bounds[n] }));
      const read = await Promise.all(ranges.map((range) => store.readByStream({ ...range, upTo, limit: 100 })));
      expect(places(read.flat())).toEqual(whole(inOrder));
      expect(await store.streamBounds({ upTo: beginning, ranges: 3 })).toEqual([]);
      expect(await store.streamBounds({ upTo, ranges: 1 })).toEqual([]);
    });

    it('is told how many events there are', async () => {
      const log = await store.readAll({ after: beginning, limit: 100 });
      const ofTypes = async (upTo: Position, ...types: string[]) => (await store.countOfTypes({ upTo, types })) ?? 'unknown';
      expect(await store.count({ upTo: log.at(-1)!.position })).toBe(24);
      expect(await store.count({ upTo: log[6]!.position })).toBe(7);
      expect(await store.count({ upTo: beginning })).toBe(0);
      expect([12, 'unknown']).toContain(await ofTypes(log.at(-1)!.position, 'RunStarted', 'RunFailed'));
      expect([0, 'unknown']).toContain(await ofTypes(beginning, 'RunStarted'));
    });
  });

  describe('subscribe', () => {
    it('catches up, then stays live, across lost connections, each event once and in order', async () => {
      const ending = new AbortController();
      const seen = collect(store.subscribe({ after: beginning, signal: ending.signal, limit: 7 }), ending, 90);
      for (let round = 0; round < 3; round += 1) {
        await Promise.all(
          Array.from({ length: 30 }, (_, i) => settle(store, write(`task-acme.R${round}-${i}`, 'no-stream', events(1)))),
        );
        await engine.loseConnections();
      }
      expect(ids(await seen)).toEqual(ids(await store.readAll({ after: beginning, limit: 100 })));
    });

    it('begins after the position it is given', async () => {
      await append(lane, 'no-stream', events(5));
      const [, second] = await store.readStream(lane);
      const ending = new AbortController();
      const seen = await collect(store.subscribe({ after: second!.position, signal: ending.signal, limit: 2 }), ending, 3);
      expect(seen.map(({ revision }) => revision)).toEqual([2, 3, 4]);
    });

    it('ends when its signal is aborted', async () => {
      const ending = new AbortController();
      const seen = collect(store.subscribe({ after: beginning, signal: ending.signal }), ending, Infinity);
      ending.abort();
      expect(await seen).toEqual([]);
      expect(await collect(store.subscribe({ after: beginning, signal: ending.signal }), ending, 1)).toEqual([]);
    });
  });

  describe('close', () => {
    it('ends subscriptions, waits for what is in flight, and refuses what comes later', async () => {
      const ending = new AbortController();
      const seen = collect(store.subscribe({ after: beginning, signal: ending.signal }), ending, Infinity);
      const inFlight = store.append([write(lane, 'no-stream', events(1)), write(lane, 0, events(1))]);
      const read = store.readAll({ after: beginning, limit: 10 });
      await store.close();
      await store.close();
      expect(await inFlight).toMatchObject([{ outcome: 'appended' }, { outcome: 'appended' }]);
      expect(await read).toEqual(expect.any(Array));
      expect(await seen).toEqual(expect.any(Array));
      await expect(append(lane, 'any', events(1))).rejects.toThrow(StoreUnavailable);
      await expect(store.readStream(lane)).rejects.toThrow(StoreUnavailable);
      expect(() => store.subscribe({ after: beginning, signal: ending.signal })).toThrow(StoreUnavailable);
    });
  });
}

/** An append of unknown outcome is settled by sending the identical write again. */
export async function settle(store: EventStore, written: Write): Promise<WriteResult> {
  for (let tries = 1; ; tries += 1) {
    try {
      return (await store.append([written]))[0]!;
    } catch (error) {
      if (!(error instanceof StoreUnavailable) || tries === 100) throw error;
    }
  }
}

/** Everything that a subscription hands out, up to `count` events. Pages are never empty. */
export async function collect<E extends Event>(
  pages: AsyncIterable<Recorded<E>[]>,
  ending: AbortController,
  count: number,
): Promise<Recorded<E>[]> {
  const seen: Recorded<E>[] = [];
  for await (const page of pages) {
    expect(page).not.toHaveLength(0);
    seen.push(...page);
    if (seen.length >= count) ending.abort();
  }
  return seen;
}
