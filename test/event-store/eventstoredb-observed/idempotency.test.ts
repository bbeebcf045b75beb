import type { AppendExpectedRevision, EventData } from '@eventstore/db-client';
import {
  append,
  event,
  events,
  failureOf,
  newStream,
  onEveryServer,
  onTheProtocolServer,
  revisions,
  streamOf,
} from './observed.js';

const conflict = { type: 'wrong-expected-version' };

onEveryServer((observed) => {
  /** Two events behind the first of a stream, and how they were answered. */
  const written = async () => {
    const stream = await streamOf(observed.client, 1);
    const both = events(2) as [EventData, EventData];
    return { stream, both, answer: await append(observed.client, stream, 0n, both) };
  };

  describe('the same events again', () => {
    it.each<[AppendExpectedRevision]>([[0n], ['any'], ['stream_exists']])(
      'are answered as then when %s is expected, and written once, also behind others',
      async (expected) => {
        const { stream, both, answer } = await written();
        expect(await append(observed.client, stream, expected, both)).toEqual(answer);
        await append(observed.client, stream, 2n, events(2));
        expect(await append(observed.client, stream, expected, both)).toEqual(answer);
        expect(await revisions(observed.client.readStream(stream))).toHaveLength(5);
      },
    );

    it('are answered as then when no stream is expected again', async () => {
      const stream = newStream();
      const both = events(2);
      const answer = await append(observed.client, stream, 'no_stream', both);
      await append(observed.client, stream, 1n);
      expect(await append(observed.client, stream, 'no_stream', both)).toEqual(answer);
    });

    it('are written again under the revision that they ended at', async () => {
      const { stream, both } = await written();
      expect(await append(observed.client, stream, 2n, both)).toMatchObject({ nextExpectedRevision: 4n });
    });

    it('are a conflict under another revision than that before them', async () => {
      const { stream, both } = await written();
      await append(observed.client, stream, 2n);
      expect(await failureOf(append(observed.client, stream, 1n, both))).toMatchObject(conflict);
      expect(await failureOf(append(observed.client, stream, 'no_stream', both))).toMatchObject(conflict);
      expect(await failureOf(append(observed.client, stream, 7n, both))).toMatchObject({ ...conflict, actualVersion: 3n });
    });

    it('are those of their ids: other contents are dropped without a word', async () => {
      const { stream, both, answer } = await written();
      const others = both.map(({ id }) => event({ other: 'contents' }, id));
      expect(await append(observed.client, stream, 0n, others)).toEqual(answer);
    });

    it('are new in another stream, and twice in one append', async () => {
      const { both } = await written();
      expect(await append(observed.client, newStream(), 'no_stream', [...both, both[0]])).toMatchObject({
        nextExpectedRevision: 2n,
      });
    });
  });

  describe('some of the same events', () => {
    it('are known by themselves, at the place that they had', async () => {
      const { stream, both } = await written();
      expect(await append(observed.client, stream, 0n, [both[0]])).toMatchObject({ nextExpectedRevision: 1n });
      expect(await append(observed.client, stream, 1n, [both[1]])).toMatchObject({ nextExpectedRevision: 2n });
      expect(await failureOf(append(observed.client, stream, 0n, [both[1]]))).toMatchObject(conflict);
    });

    it.each<[AppendExpectedRevision]>([[0n], ['any']])('before new ones are a conflict when %s is expected', async (expected) => {
      const { stream, both } = await written();
      expect(await failureOf(append(observed.client, stream, expected, [both[0], event()]))).toMatchObject(conflict);
      expect(await failureOf(append(observed.client, stream, expected, [...both, event()]))).toMatchObject(conflict);
    });

    it('behind a new one are written again when anything is expected', async () => {
      const { stream, both } = await written();
      expect(await append(observed.client, stream, 'any', [event(), both[1]])).toMatchObject({ nextExpectedRevision: 4n });
    });
  });
});

// A restart loses what a server remembers, and an answer that is held back keeps an append under way.
onTheProtocolServer((observed) => {
  it('are known after a restart under the revision of then, and no longer under "any"', async () => {
    const stream = await streamOf(observed.client, 1);
    const written = events(2);
    const answer = await append(observed.client, stream, 0n, written);
    await observed.protocol.restart();
    expect(await again(() => append(observed.client, stream, 0n, written))).toEqual(answer);
    expect(await append(observed.client, stream, 'any', written)).toMatchObject({ nextExpectedRevision: 4n });
  });

  it('while they are under way end in a time-out, and are written once', async () => {
    const stream = newStream();
    const written = events(1);
    observed.protocol.faults.delayMs = 50;
    const first = append(observed.client, stream, 'no_stream', written);
    expect(await failureOf(append(observed.client, stream, 'no_stream', written))).toMatchObject({ type: 'deadline-exceeded' });
    expect(await first).toMatchObject({ nextExpectedRevision: 0n });
    observed.protocol.faults.clear();
    expect(await revisions(observed.client.readStream(stream))).toEqual([0n]);
  });
});

/** The first call after a lost connection may be the one that notices. */
const again = <T>(call: () => Promise<T>): Promise<T> => call().catch(call);
