import type { AppendExpectedRevision } from '@eventstore/db-client';
import { randomUUID } from 'node:crypto';
import { all, append, event, events, failureOf, newStream, onEveryServer, revisions, streamOf } from './observed.js';

const conflict = (expectedVersion: unknown, actualVersion: unknown) => ({
  type: 'wrong-expected-version',
  message: '',
  code: undefined,
  expectedVersion,
  actualVersion,
});
const deleted = { type: 'stream-deleted' };
const mebibyte = 1024 * 1024;
/** One event with so many bytes of data. */
const sized = (bytes: number) => [event({ text: 'x'.repeat(bytes - '{"text":""}'.length) })];

// What the server cannot read (an event without a type, an id that is no UUID) is never sent: it is answered twice, two seconds
// apart, and at the second answer the client throws where nobody can catch it. Nor is more than 3 MiB, which goes in several messages:
// when the last of them comes late, it is not answered at all.
onEveryServer((observed) => {
  describe('an append', () => {
    it('is answered with the revision and the position of its last event, as they are read back', async () => {
      const stream = newStream();
      const written = await append(observed.client, stream, 'no_stream', events(3));
      const [last] = await all(observed.client.readStream(stream, { direction: 'backwards', fromRevision: 'end', maxCount: 1 }));
      expect(written).toEqual({ success: true, nextExpectedRevision: 2n, position: last?.event?.position });
      expect(last?.event).toMatchObject({ revision: 2n, isJson: true, data: { n: 1 }, metadata: { of: 'a test' } });
      expect(last?.event?.created).toBeInstanceOf(Date);
    });

    it.each<[AppendExpectedRevision, number, bigint]>([
      ['no_stream', 0, 0n],
      ['any', 0, 0n],
      [3n, 4, 4n],
      ['any', 4, 4n],
      ['stream_exists', 4, 4n],
    ])('that expects %s of a stream of %i events is taken', async (expected, there, revision) => {
      const stream = await streamOf(observed.client, there);
      expect(await append(observed.client, stream, expected)).toMatchObject({ success: true, nextExpectedRevision: revision });
    });

    it.each<[AppendExpectedRevision, number, bigint | 'no_stream']>([
      [0n, 0, 'no_stream'],
      [5n, 0, 'no_stream'],
      ['stream_exists', 0, 'no_stream'],
      ['no_stream', 4, 3n],
      [0n, 4, 3n],
      [99n, 4, 3n],
    ])(
      'that expects %s of a stream of %i events is a conflict, and says where the stream is',
      async (expected, there, actual) => {
        const stream = await streamOf(observed.client, there);
        expect(await failureOf(append(observed.client, stream, expected))).toMatchObject({
          ...conflict(expected, actual),
          streamName: stream,
        });
      },
    );

    it('lets one of many win that expect the same, and the losers see its revision', async () => {
      const stream = await streamOf(observed.client, 1);
      const appends = Array.from({ length: 8 }, () => append(observed.client, stream, 0n, events(2)).catch((error) => error));
      const outcomes = await Promise.all(appends);
      expect(outcomes.filter(({ success }) => success)).toHaveLength(1);
      expect(outcomes.filter(({ actualVersion }) => actualVersion === 2n)).toHaveLength(7);
    });

    it('keeps ids in lower case', async () => {
      const id = randomUUID();
      const stream = newStream();
      await append(observed.client, stream, 'no_stream', [event({}, id.toUpperCase())]);
      expect(await all(observed.client.readStream(stream))).toMatchObject([{ event: { id } }]);
    });
  });

  describe('an append of nothing', () => {
    it('takes a position, and is held to what it expects', async () => {
      const stream = await streamOf(observed.client, 2);
      const [, last] = await all(observed.client.readStream(stream));
      const nothing = await append(observed.client, stream, 1n, []);
      expect(nothing).toMatchObject({ success: true, nextExpectedRevision: 1n });
      expect(nothing.position!.commit).toBeGreaterThan(last!.event!.position!.commit);
      expect(await failureOf(append(observed.client, stream, 0n, []))).toMatchObject(conflict(0n, 1n));
    });

    it('makes no stream, and says that its revision is 0', async () => {
      const stream = newStream();
      expect(await append(observed.client, stream, 'no_stream', [])).toMatchObject({ success: true, nextExpectedRevision: 0n });
      expect(await failureOf(all(observed.client.readStream(stream)))).toMatchObject({ type: 'stream-not-found' });
      expect(await append(observed.client, stream, 'no_stream')).toMatchObject({ nextExpectedRevision: 0n });
    });
  });

  describe('the size of an append', () => {
    it('is that of the data of all its events, at most 1 MiB, and metadata is not counted', async () => {
      const stream = newStream();
      const half = sized(mebibyte / 2);
      const fits = [...half, { ...sized(mebibyte / 2)[0]!, metadata: { text: 'x'.repeat(mebibyte) } }];
      expect(await append(observed.client, stream, 'no_stream', fits)).toMatchObject({ nextExpectedRevision: 1n });
      expect(await failureOf(append(observed.client, stream, 1n, [...half, ...sized(mebibyte / 2 + 1)]))).toMatchObject({
        type: 'maximum-append-size-exceeded',
        code: undefined,
        maxAppendSize: mebibyte,
      });
      expect(await revisions(observed.client.readStream(stream))).toEqual([0n, 1n]);
    });

    it('does no harm to others that are under way', async () => {
      const large = failureOf(append(observed.client, newStream(), 'no_stream', sized(2 * mebibyte)));
      const others = Array.from({ length: 10 }, () => append(observed.client, newStream(), 'no_stream'));
      expect(await large).toMatchObject({ maxAppendSize: mebibyte });
      expect((await Promise.all(others)).every(({ success }) => success)).toBe(true);
    });
  });

  describe('a deleted stream', () => {
    it('is missing, and goes on with its numbers', async () => {
      const stream = await streamOf(observed.client, 3);
      await observed.client.deleteStream(stream);
      expect(await failureOf(all(observed.client.readStream(stream)))).toMatchObject({ type: 'stream-not-found' });
      expect(await failureOf(append(observed.client, stream, 1n))).toMatchObject(conflict(1n, 2n));
      expect(await failureOf(append(observed.client, stream, 'stream_exists'))).toMatchObject(deleted);
      expect(await append(observed.client, stream, 'no_stream')).toMatchObject({ nextExpectedRevision: 3n });
      expect(await revisions(observed.client.readStream(stream))).toEqual([3n]);
    });

    it('knows the ids that it had, and tells no position then', async () => {
      const stream = newStream();
      const written = events(1);
      await append(observed.client, stream, 'no_stream', written);
      await observed.client.deleteStream(stream);
      const again = await append(observed.client, stream, 'no_stream', written);
      expect(again).toEqual({ success: true, nextExpectedRevision: 0n, position: undefined });
    });

    it('with a tombstone is an error to everybody', async () => {
      const stream = await streamOf(observed.client, 2);
      await observed.client.tombstoneStream(stream);
      for (const expected of ['any', 'no_stream', 1n] as const)
        expect(await failureOf(append(observed.client, stream, expected))).toMatchObject({ ...deleted, streamName: stream });
      expect(await failureOf(all(observed.client.readStream(stream)))).toMatchObject({ ...deleted, code: 9 });
    });
  });
});
