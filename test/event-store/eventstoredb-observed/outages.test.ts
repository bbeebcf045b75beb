import { EventStoreDBClient } from '@eventstore/db-client';
import { ProtocolServer } from '../esdb/protocol-server.js';
import {
  all,
  append,
  events,
  failureOf,
  newStream,
  onEveryServer,
  onTheProtocolServer,
  revisions,
  streamOf,
} from './observed.js';

const unavailable = { type: 'unavailable', code: 14 };
const plain = { type: undefined, code: 14 };

// Through the proxy: to the client, a port that is closed and bytes that do not come are the same wherever they stay.
onEveryServer((observed) => {
  const readOne = () => all(observed.client.readAll({ maxCount: 1 }));

  describe('while the server is away', () => {
    it('an append fails without a type, a read with one, and the same client works again when it is back', async () => {
      const stream = await streamOf(observed.client, 1);
      await observed.server.proxy.refuse();
      await failureOf(readOne());
      expect(await failureOf(append(observed.client, stream, 0n))).toMatchObject(plain);
      expect(await failureOf(readOne())).toMatchObject(unavailable);
      await observed.server.proxy.accept();
      expect(await append(observed.client, stream, 0n)).toMatchObject({ nextExpectedRevision: 1n });
      expect(await readOne()).toHaveLength(1);
    });

    it('a live subscription ends with an error at once', async () => {
      const subscription = observed.client.subscribeToAll({ fromPosition: 'end' });
      await new Promise((done) => subscription.once('caughtUp', () => done(undefined)).resume());
      const ended = new Promise((done) => subscription.once('error', done));
      observed.server.proxy.cut();
      expect(await ended).toMatchObject(unavailable);
    });

    it('an append whose answer was on its way has an unknown outcome, which the identical one settles', async () => {
      const stream = await streamOf(observed.client, 1);
      const written = events(2);
      observed.server.proxy.freeze();
      const lost = failureOf(append(observed.client, stream, 0n, written));
      await new Promise((done) => setImmediate(done));
      observed.server.proxy.cut();
      observed.server.proxy.thaw();
      expect(await lost).toMatchObject(unavailable);
      expect(await append(observed.client, stream, 0n, written)).toMatchObject({ nextExpectedRevision: 2n });
    });
  });

  describe('while the server stands still', () => {
    it('nothing is answered, and what was sent in time is, once it goes on', async () => {
      const stream = await streamOf(observed.client, 1);
      observed.server.proxy.freeze();
      let answered = 0;
      const waiting = [append(observed.client, stream, 0n), readOne()].map((call) => call.finally(() => (answered += 1)));
      await new Promise((done) => setTimeout(done, 100));
      expect(answered).toBe(0);
      observed.server.proxy.thaw();
      expect(await waiting[0]).toMatchObject({ success: true, nextExpectedRevision: 1n });
      expect(await waiting[1]).toHaveLength(1);
    });

    it('an append that is too late by its deadline is not written', async () => {
      const stream = await streamOf(observed.client, 1);
      observed.server.proxy.freeze();
      const late = failureOf(observed.client.appendToStream(stream, events(1), { expectedRevision: 0n, deadline: 50 }));
      await new Promise((done) => setTimeout(done, 100));
      observed.server.proxy.thaw();
      expect(await late).toMatchObject({ type: 'deadline-exceeded', code: undefined });
      expect(await revisions(observed.client.readStream(stream))).toEqual([0n]);
    });
  });

  describe('a cluster', () => {
    const discovered = (url: string) =>
      url.replace('esdb:', 'esdb+discover:').concat('&maxDiscoverAttempts=2&discoveryInterval=5');

    it('is asked for its members', async () => {
      const client = EventStoreDBClient.connectionString(discovered(observed.server.url));
      expect(await all(client.readAll({ maxCount: 1 }))).toHaveLength(1);
      await client.dispose();
    });

    it('of which nobody answers is an error without type or code', async () => {
      await observed.server.proxy.refuse();
      const client = EventStoreDBClient.connectionString(discovered(observed.server.url));
      const failed = { type: undefined, code: undefined, message: 'Failed to discover after 2 attempts.' };
      expect(await failureOf(append(client, newStream(), 'no_stream'))).toMatchObject(failed);
      await observed.server.proxy.accept();
      await failureOf(readOne());
    });
  });
});

// What goes wrong behind an answer cannot be seen from outside of a server.
onTheProtocolServer((observed) => {
  describe('an append that was written', () => {
    it.each([
      ['cut', unavailable],
      ['unavailable', unavailable],
      ['unknown', { type: 'unknown', code: 13 }],
      ['deadline-exceeded', { type: 'deadline-exceeded' }],
    ] as const)('and answered with %s is there once, however often it is sent again', async (then, failure) => {
      const stream = await streamOf(observed.client, 1);
      const written = events(2);
      observed.protocol.faults.appends.plan({ written: true, then });
      expect(await failureOf(append(observed.client, stream, 0n, written))).toMatchObject(failure);
      for (let i = 0; i < 2; i += 1)
        expect(await append(observed.client, stream, 0n, written)).toMatchObject({ nextExpectedRevision: 2n });
      expect(await revisions(observed.client.readStream(stream))).toEqual([0n, 1n, 2n]);
    });

    it('breaks off those beside it, which may be written too', async () => {
      const streams = await Promise.all(Array.from({ length: 4 }, () => streamOf(observed.client, 1)));
      observed.protocol.faults.appends.plan({ written: true, then: 'cut', skip: 2 });
      observed.protocol.faults.delayMs = 20;
      const outcomes = await Promise.all(streams.map((stream) => failureOf(append(observed.client, stream, 0n))));
      observed.protocol.faults.clear();
      expect(outcomes[2]).toMatchObject(unavailable);
      expect(outcomes[3]).toMatchObject(unavailable);
      const there = await Promise.all(streams.map((stream) => revisions(observed.client.readStream(stream))));
      expect(there).toEqual(streams.map(() => [0n, 1n]));
    });
  });

  it('a node that no longer leads names the one that does, and the client goes there', async () => {
    const leader = await ProtocolServer.start();
    const stream = await streamOf(observed.client, 1);
    observed.protocol.faults.appends.plan({ written: false, then: 'not-leader', leader: leader.port });
    expect(await failureOf(append(observed.client, stream, 0n))).toMatchObject({ type: 'not-leader' });
    expect(await failureOf(append(observed.client, stream, 0n))).toMatchObject({ actualVersion: 'no_stream' });
    await leader.end();
  });
});
