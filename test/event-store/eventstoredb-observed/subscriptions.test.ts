import { eventTypeFilter, type AllStreamSubscription, type StreamSubscription } from '@eventstore/db-client';
import { append, events, newStream, onEveryServer, streamOf, all as allOf } from './observed.js';

/** What a subscription has said so far, and a wait for more of it. */
function follow(subscription: AllStreamSubscription | StreamSubscription, stream?: string) {
  const said: string[] = [];
  const waiting = new Set<() => void>();
  const say = (word: string) => {
    said.push(word);
    for (const look of waiting) look();
  };
  for (const name of ['confirmation', 'caughtUp', 'end'] as const)
    (subscription as AllStreamSubscription).on(name, () => say(name));
  subscription.on('data', ({ event }: { event?: { streamId: string; revision: bigint } }) => {
    if (event && (stream === undefined || event.streamId.startsWith(stream))) say(`${event.revision}`);
  });
  subscription.on('error', (error: Error & { type?: string; code?: number }) => say(`${error.type} ${error.code}`));
  const until = (word: string) =>
    new Promise<readonly string[]>((done) => {
      const look = () => said.includes(word) && done(said);
      waiting.add(look);
      look();
    });
  return { said, say, until };
}

onEveryServer((observed) => {
  describe('a subscription', () => {
    it('begins behind the position that it is given, catches up, and goes on with what comes', async () => {
      const stream = await streamOf(observed.client, 3);
      const [first] = await allOf(observed.client.readStream(stream, { maxCount: 1 }));
      const subscription = observed.client.subscribeToAll({ fromPosition: first!.event!.position! });
      const { until } = follow(subscription, stream);
      await until('caughtUp');
      await append(observed.client, stream, 2n, events(2));
      expect(await until('4')).toEqual(['confirmation', '1', '2', 'caughtUp', '3', '4']);
      await subscription.unsubscribe();
      await until('end');
    });

    it('from the end tells only what comes', async () => {
      const stream = await streamOf(observed.client, 3);
      const subscription = observed.client.subscribeToAll({ fromPosition: 'end' });
      const { until } = follow(subscription, stream);
      await until('caughtUp');
      await append(observed.client, stream, 2n);
      expect(await until('3')).toEqual(['confirmation', 'caughtUp', '3']);
      await subscription.unsubscribe();
    });

    it('from where no event is fails', async () => {
      const stream = await streamOf(observed.client, 2);
      const [first] = await allOf(observed.client.readStream(stream, { maxCount: 1 }));
      const commit = first!.event!.position!.commit + 1n;
      const { until } = follow(observed.client.subscribeToAll({ fromPosition: { commit, prepare: commit } }));
      expect(await until('unknown 2')).toEqual(['unknown 2']);
    });

    it('that asks for events of which there are none is told how far the server has looked', async () => {
      const looked: bigint[] = [];
      const checkpointReached = async (_: unknown, { commit }: { commit: bigint }) => {
        looked.push(commit);
        followed.say(`looked ${commit}`);
      };
      const filter = {
        ...eventTypeFilter({ prefixes: ['$no-event-has-this-type'], maxSearchWindow: 1, checkpointInterval: 1 }),
        checkpointReached,
      };
      const subscription = observed.client.subscribeToAll({ fromPosition: 'end', filter });
      const followed = follow(subscription);
      await followed.until('caughtUp');
      const { position } = await append(observed.client, newStream(), 'no_stream', events(3));
      await followed.until(`looked ${position!.commit}`);
      expect(looked.length).toBeGreaterThanOrEqual(3);
      await subscription.unsubscribe();
    });

    it('of one append of 100 events, with nothing in the way, is told them all', async () => {
      const stream = newStream();
      const subscription = observed.client.subscribeToStream(stream);
      const { until } = follow(subscription);
      await append(observed.client, stream, 'no_stream', events(1));
      await until('caughtUp');
      await append(observed.client, stream, 0n, events(99));
      expect(await until('99')).toHaveLength(102);
      await subscription.unsubscribe();
    });

    it('that falls behind while it is live is dropped', async () => {
      const stream = newStream();
      const { until } = follow(observed.client.subscribeToAll({ fromPosition: 'end' }), stream);
      await until('caughtUp');
      await Promise.all(
        Array.from({ length: 10 }, (_, i) => append(observed.client, `${stream}-${i}`, 'no_stream', events(200))),
      );
      expect((await until('timeout 10')).length).toBeLessThan(2_000);
    });

    it('of a stream with a tombstone fails', async () => {
      const stream = await streamOf(observed.client, 1);
      await observed.client.tombstoneStream(stream);
      expect(await follow(observed.client.subscribeToStream(stream)).until('stream-deleted 9')).toHaveLength(1);
    });
  });
});
