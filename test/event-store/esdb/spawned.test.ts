import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { SpawnedProtocolServer } from './spawned.js';

describe('the protocol server as a process', () => {
  it('answers a client, and does wrong what it is told to', async () => {
    const server = await SpawnedProtocolServer.start();
    const client = EventStoreDBClient.connectionString(server.url);
    const append = () => client.appendToStream('task-acme.ACME-12', jsonEvent({ type: 'RunQueued', data: {} }));
    expect(await append()).toMatchObject({ nextExpectedRevision: 0n });
    await server.tell({ do: 'fail-appends', fault: { written: true, then: 'cut' } });
    await expect(append()).rejects.toMatchObject({ type: 'unavailable' });
    expect(await server.tell({ do: 'count' })).toEqual({ records: 3, appends: 2 });
    await server.tell({ do: 'restart' });
    expect(await append().catch(append)).toMatchObject({ nextExpectedRevision: 2n });
    await client.dispose();
    await server.end();
  });
});
