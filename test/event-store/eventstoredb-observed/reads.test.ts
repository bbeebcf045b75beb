import { randomUUID } from 'node:crypto';
import type { ReadRevision } from '@eventstore/db-client';
import { all, append, events, failureOf, newStream, onEveryServer, revisions } from './observed.js';

const unreadable = { type: 'unknown', code: 2 };

onEveryServer((observed) => {
  const stream = newStream();
  let positions: bigint[];

  beforeAll(async () => {
    await append(observed.client, stream, 'no_stream', events(4));
    positions = (await all(observed.client.readStream(stream))).map(({ event }) => event!.position!.commit);
    await append(observed.client, newStream(), 'no_stream');
  });

  describe('a read of a stream', () => {
    it.each<[string, { fromRevision?: ReadRevision; direction?: 'backwards'; maxCount?: number }, bigint[]]>([
      ['is inclusive', { fromRevision: 2n }, [2n, 3n]],
      ['takes as many as are asked for', { maxCount: 3 }, [0n, 1n, 2n]],
      ['from behind the end finds nothing', { fromRevision: 1_000n }, []],
      ['backwards has to be told to begin at the end', { direction: 'backwards', fromRevision: 'end' }, [3n, 2n, 1n, 0n]],
      ['backwards begins at the start else', { direction: 'backwards' }, [0n]],
      ['backwards is inclusive', { direction: 'backwards', fromRevision: 1n }, [1n, 0n]],
      ['backwards from behind the end begins with the last', { direction: 'backwards', fromRevision: 1_000n, maxCount: 1 }, [3n]],
    ])('%s', async (_, options, expected) => {
      expect(await revisions(observed.client.readStream(stream, options))).toEqual(expected);
    });

    it('forwards from the end, or of no events, fails', async () => {
      expect(await failureOf(all(observed.client.readStream(stream, { fromRevision: 'end' })))).toMatchObject(unreadable);
      expect(await failureOf(all(observed.client.readStream(stream, { maxCount: 0 })))).toMatchObject(unreadable);
    });

    it('that is missing fails, and names it', async () => {
      const missing = `missing-${randomUUID()}`;
      for (const direction of ['forwards', 'backwards'] as const)
        expect(await failureOf(all(observed.client.readStream(missing, { direction, fromRevision: 'end' })))).toMatchObject({
          type: direction === 'backwards' ? 'stream-not-found' : 'unknown',
        });
      expect(await failureOf(all(observed.client.readStream(missing)))).toMatchObject({
        type: 'stream-not-found',
        code: undefined,
        streamName: missing,
      });
    });
  });

  describe('a read of the log', () => {
    const read = async (from: bigint | 'start' | 'end', direction: 'forwards' | 'backwards', prepare = from) => {
      const fromPosition = typeof from === 'bigint' ? { commit: from, prepare: prepare as bigint } : from;
      const found = await all(observed.client.readAll({ fromPosition, direction, maxCount: 2 }));
      return found.map(({ event }) => event!.position.commit);
    };

    it('forwards begins with the event at the position, backwards with the one before it', async () => {
      expect(await read(positions[1]!, 'forwards')).toEqual([positions[1], positions[2]]);
      expect(await read(positions[2]!, 'backwards')).toEqual([positions[1], positions[0]]);
    });

    it('has commit and prepare positions that are one, with gaps, and in the order of the log', async () => {
      const [found] = await all(observed.client.readAll({ fromPosition: { commit: positions[0]!, prepare: 0n }, maxCount: 1 }));
      expect(found?.event?.position).toEqual({ commit: positions[0], prepare: positions[0] });
      expect(found?.commitPosition).toBe(positions[0]);
      expect(positions.every((position, i) => i === 0 || position > positions[i - 1]! + 1n)).toBe(true);
    });

    it('begins before everything at the start, and behind everything at the end', async () => {
      const [first] = await read('start', 'forwards');
      expect(first).toBeLessThan(positions[0]!);
      expect(await read(0n, 'forwards')).toContain(first);
      expect(await read('end', 'forwards')).toEqual([]);
      expect((await read('end', 'backwards'))[0]).toBeGreaterThan(positions[3]!);
    });

    it('meets events of the system, which have a $ before their types', async () => {
      const [first] = await all(observed.client.readAll({ maxCount: 1 }));
      expect(first?.event).toMatchObject({ type: '$metadata', streamId: expect.stringMatching(/^\$\$/) });
    });

    it.each([-1n, 1n])('from where no event is (%i beside one) fails in both directions', async (beside) => {
      for (const direction of ['forwards', 'backwards'] as const)
        expect(await failureOf(read(positions[1]! + beside, direction))).toMatchObject({
          ...unreadable,
          message: '2 UNKNOWN: Unexpected ReadAllResult: Error',
        });
    });

    it('from far behind the end finds nothing forwards, and fails backwards', async () => {
      expect(await read(10n ** 15n, 'forwards')).toEqual([]);
      expect(await failureOf(read(10n ** 15n, 'backwards'))).toMatchObject(unreadable);
    });

    it('minds the prepare position only when it lies behind the commit position', async () => {
      expect(await read(positions[1]!, 'forwards', 0n)).toEqual([positions[1], positions[2]]);
      expect(await failureOf(read(positions[1]!, 'forwards', positions[2]))).toMatchObject(unreadable);
    });

    it('shows an append as soon as it is acknowledged, at the position that it was told', async () => {
      for (let i = 0; i < 20; i += 1) {
        const { position } = await append(observed.client, newStream(), 'no_stream');
        expect(await read(position!.commit, 'forwards')).toContain(position!.commit);
      }
    });
  });
});
