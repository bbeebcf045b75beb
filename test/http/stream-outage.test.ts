import { beginning } from '../../src/events/event.js';
import { OwnPostgres } from '../own-postgres.js';
import { until } from '../projections/until.js';
import { startServer, type TestServer } from '../server.js';
import { large } from './large.js';
import { Reader } from './reader.js';

jest.setTimeout(120_000);

describe('a live stream whose Postgres goes away', () => {
  let postgres: OwnPostgres;
  let server: TestServer;

  beforeAll(async () => {
    postgres = await OwnPostgres.start();
    server = await startServer({ roles: ['api'], streams: { beatMs: 10 }, database: postgres.database() });
  });
  afterAll(async () => {
    await server.stop();
    await server.database.drop();
    await postgres.end();
  });

  it('pauses, and goes on without a loss or a repeat, near the head as far behind it', async () => {
    const write = async (from: number, to: number) => {
      for (let n = from; n < to; n += 1)
        await until('the task', async () => (await server.api('PUT', `tasks/T-${n}`, { title: `task ${n}` })).status === 200);
    };
    for (let n = 0; n < 30; n += 1) await server.ledger.store.append([large(10)]);
    const open = (after?: string) => Reader.open(`${server.url}/v1/companies/acme/stream`, after);
    const near = await open();
    await near.has('the first message', ({ messages }) => messages.length > 0);
    const far = await open('0'.repeat(16));
    far.response.pause();
    postgres.crash();
    await until('the outage', async () => (await server.api('GET', '/readyz')).status === 503, 20_000);
    const refused = await open();
    expect(refused.response.statusCode).toBe(503);
    const { comments } = near;
    await near.has('that it lives', (reader) => reader.comments > comments);
    far.response.resume();
    await far.has('what was read before', (reader) => reader.comments > 0);
    expect(far.events.length).toBeLessThan(300);
    await postgres.startAgain();
    await write(0, 10);

    const all = (await server.ledger.store.readAll({ after: beginning, limit: 10_000 })).map(({ position }) => position);
    for (const reader of [near, far]) await reader.has('everything', ({ lastId }) => lastId >= all.at(-1)!);
    expect([near.ended, far.ended]).toEqual([false, false]);
    expect(far.events.map(({ id }) => id)).toEqual(all);
    expect(near.events.map(({ id }) => id)).toEqual(all.slice(300));
    for (const reader of [near, far]) reader.cut();
  });
});
