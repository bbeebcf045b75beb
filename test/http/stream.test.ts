import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ServerResponse } from 'node:http';
import { beginning, type Recorded } from '../../src/events/event.js';
import { History, seeded } from '../projections/history.js';
import { until } from '../projections/until.js';
import { startServer, type TestServer } from '../server.js';
import { large, largeBytes } from './large.js';
import { Reader, type Message } from './reader.js';

jest.setTimeout(60_000);

const servers: TestServer[] = [];
const readers: Reader[] = [];
afterEach(async () => {
  for (const reader of readers.splice(0)) reader.cut();
  for (const server of servers.splice(0)) await server.stop();
});

async function serving(options: Parameters<typeof startServer>[0] = {}): Promise<TestServer> {
  const server = await startServer({ roles: ['api'], ...options });
  servers.push(server);
  return server;
}

/** Resolves when the stream has begun, so that what happens afterwards is told. */
async function reading({ url }: TestServer, query = '', after?: string): Promise<Reader> {
  const reader = await Reader.open(`${url}/v1/companies/acme/stream?${query}`, after);
  readers.push(reader);
  await reader.has('the first message', ({ messages, ended }) => messages.length > 0 || ended);
  return reader;
}

const ids = (messages: readonly Message[]) => messages.map(({ id }) => id);
const positions = (events: readonly Recorded[]) => events.map(({ position }) => position);

/** What `GET events` lists of a company. */
async function recorded({ ledger: { store } }: TestServer, company = 'acme'): Promise<Recorded[]> {
  const log = await store.readAll({ after: beginning, limit: 1_000_000 });
  return log.filter((event) => event.company === company);
}

describe('a live stream', () => {
  it('begins at the head, and tells what happens then as it was recorded, with a sentence', async () => {
    const server = await serving();
    await server.api('PUT', 'agents/coder', {});
    const reader = await reading(server);
    expect(reader.response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    expect(reader.messages).toEqual([{ event: 'ready', id: '0000000000000001', data: { position: '0000000000000001' } }]);
    await server.api('POST', 'wakeups', { agent: 'coder' });
    await reader.has('what the wakeup did', ({ events }) => events.length === 3);
    expect(reader.events.map(({ event }) => event)).toEqual(['tasks', 'wakeups', 'runs']);
    expect(reader.events.map(({ data: { sentence: _, ...event } }) => event)).toEqual((await recorded(server)).slice(1));
    expect(reader.events.at(-1)!.data.sentence).toBe('heartbeat~coder.1 is queued for coder, because somebody asked for it');
  });

  it('loses nothing between an empty ledger and a connection that was cut before the first event', async () => {
    const server = await serving();
    const first = await reading(server);
    first.cut();
    await server.api('PUT', 'agents/coder', {});
    const second = await reading(server, '', first.lastId);
    await second.has('the agent', ({ events }) => events.length === 1);
  });

  it('tells everything once and in order to a client that is cut twenty times, while eight others write', async () => {
    const seed = Date.now() % 1_000_000;
    const draw = seeded(seed);
    const server = await serving();
    await server.api('PUT', 'agents/coder', {});
    let over = false;
    const write = async (name: string) => {
      for (let n = 0; !over; n += 1) {
        await server.api('PUT', `tasks/${name}-${n}`, { title: `task ${n}`, assignee: 'coder' });
        await server.api('PUT', `/v1/companies/globex/tasks/${name}-${n}`, { title: `task ${n}` });
      }
    };
    const writers = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'].map(write);
    const told: Message[] = [];
    let last = '0'.repeat(16);
    for (let cuts = 0; cuts < 20; cuts += 1) {
      const reader = await reading(server, '', last);
      const enough = draw(40);
      await reader.has('some events', ({ events }) => events.length >= enough);
      reader.cut();
      told.push(...reader.events);
      last = reader.lastId;
    }
    over = true;
    await Promise.all(writers);
    const reader = await reading(server, '', last);
    const all = await recorded(server);
    await reader.has('the rest', ({ lastId }) => lastId >= all.at(-1)!.position);
    told.push(...reader.events);
    expect({ seed, told: ids(told) }).toEqual({ seed, told: positions(all) });
    expect(told.length).toBeGreaterThan(100);
  });

  it('tells ten thousand events in order, as they come and from far back', async () => {
    const server = await serving();
    const near = await reading(server);
    const history = new History(seeded(41), { agents: 20, tasks: 200 });
    await server.ledger.store.append(history.steps(7_000));
    const far = await reading(server, '', '0'.repeat(16));
    await server.ledger.store.append(history.steps(200));
    const all = await recorded(server);
    expect(all.length + (await recorded(server, 'globex')).length).toBeGreaterThan(10_000);
    for (const reader of [near, far]) {
      await reader.has('the whole log', ({ events }) => events.length >= all.length);
      expect(ids(reader.events)).toEqual(positions(all));
    }
  });
});

describe('a filter of a live stream', () => {
  it.each([
    ['topics=runs', ['RunQueued', 'RunCancelled', 'RunQueued']],
    ['topics=agents,companies&topics=wakeups', ['WakeupRequested', 'AgentChanged', 'WakeupRequested']],
    ['task=T-1', ['TaskOpened', 'WakeupRequested', 'RunQueued', 'TaskAssigned', 'RunCancelled', 'WakeupRequested', 'RunQueued']],
    ['agent=writer', ['TaskAssigned', 'WakeupRequested', 'RunQueued']],
    ['run=T-1.2&run=T-1.9', ['RunQueued']],
    ['agent=coder&agent=writer&topics=runs&run=T-1.1', ['RunQueued', 'RunCancelled']],
    ['task=T-1&agent=nobody', []],
  ])('%s lets through what concerns it', async (query, types) => {
    const server = await serving({ streams: { beatMs: 10 } });
    for (const agent of ['coder', 'writer']) await server.api('PUT', `agents/${agent}`, {});
    const reader = await reading(server, query);
    await server.api('PUT', 'tasks/T-1', { title: 'Mend the build', assignee: 'coder' });
    await server.api('PUT', '/v1/companies/globex/tasks/T-1', { title: 'Of another company' });
    await server.api('PUT', 'agents/coder', { name: 'Coder' });
    await server.api('POST', 'tasks/T-1/assign', { agent: 'writer' });
    const all = await recorded(server);
    await reader.has('that it has passed everything', ({ lastId }) => lastId >= all.at(-1)!.position);
    expect(reader.events.map(({ data }) => data.type)).toEqual(types);
  });
});

describe('a request for a live stream', () => {
  it.each([
    [
      'topics=runs,wishes',
      undefined,
      'topics has "wishes" in it: every item must be one of companies, agents, tasks, wakeups, runs, routines, dashboard',
    ],
    [
      'run=T-1',
      undefined,
      'run has "T-1" in it: every item must be a run: its task, a dot and its number there, such as ACME-12.3',
    ],
    ['status=failed', undefined, 'unknown field status; there are topics, agent, task, run, routine, lastEventId, company'],
    ['', '4x', 'Last-Event-ID is "4x": give a position that a Ledger-Position header or an event had'],
    ['lastEventId=later', undefined, 'Last-Event-ID is "later": give a position that a Ledger-Position header or an event had'],
    [
      '',
      '0000000000000777',
      'Last-Event-ID is 0000000000000777, and this ledger ends at 0000000000000000: it was restored, or is another one; read what there is, and follow it without Last-Event-ID',
    ],
  ])('"%s" with the id %s is refused', async (query, id, detail) => {
    const server = await serving();
    const headers: Record<string, string> = id === undefined ? {} : { 'last-event-id': id };
    const { status, body } = await server.api('GET', `stream?${query}`, undefined, headers);
    expect([status, body.code, body.detail]).toEqual([400, 'malformed', detail]);
  });

  it('may name the last id in its query, which the header that a browser sends later goes before', async () => {
    const server = await serving();
    await server.api('PUT', 'agents/coder', {});
    await server.api('PUT', 'agents/writer', {});
    const [one, two] = positions(await recorded(server));
    const first = await reading(server, `lastEventId=${one}`);
    await first.has('the second event', ({ events }) => events.length === 1);
    expect(ids(first.messages)).toEqual([one, two]);
    const again = await reading(server, `lastEventId=${one}`, two);
    expect(ids(again.messages)).toEqual([two]);
    const typed = await reading(server, 'lastEventId=1');
    await typed.has('the second event', ({ events }) => events.length === 1);
    expect(ids(typed.messages)).toEqual([one, two]);
  });

  it('comes in vain while as many others are there as the server takes', async () => {
    const server = await serving({ streams: { connections: 2 } });
    const [first] = [await reading(server), await reading(server)];
    const refused = await server.api('GET', 'stream');
    expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([503, 'too_many_streams', '1']);
    first.cut();
    await until('a place for another one', async () => !(await reading(server)).ended);
  });

  it('is answered with the headers alone when it is HEAD', async () => {
    const server = await serving({ streams: { connections: 1 } });
    const { status, headers } = await server.api('HEAD', 'stream');
    expect([status, headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
    await reading(server);
  });
});

describe('the dashboard of a live stream', () => {
  it('is said to have changed at first, and then once for many events', async () => {
    const server = await serving({ roles: ['api', 'projector'], streams: { dashboardMs: 300 } });
    const reader = await reading(server, 'topics=dashboard');
    await reader.has('the first message', ({ messages }) => messages.length === 2);
    for (const n of [1, 2, 3, 4, 5]) await server.api('PUT', `tasks/T-${n}`, { title: `task ${n}` });
    const { position } = (await recorded(server)).at(-1)!;
    await reader.has('the last of it', ({ lastId }) => lastId >= position);
    expect(reader.messages.map(({ event }) => event)).toContain('dashboard');
    expect(reader.messages.length).toBeLessThan(2 + 5);
    const { body } = await server.api('GET', 'dashboard', undefined, { 'ledger-min-position': reader.lastId });
    expect(body.tasks).toMatchObject({ open: 5 });
  });
});

describe('the connection of a live stream', () => {
  it('shows that it lives, and how far it is, when nothing concerns it', async () => {
    const server = await serving({ streams: { beatMs: 10 } });
    const reader = await reading(server, 'topics=companies');
    await server.api('PUT', 'agents/coder', {});
    const [{ position }] = (await recorded(server)) as [Recorded];
    await reader.has('the position that was passed over', ({ lastId, comments }) => lastId >= position && comments > 3);
    expect(reader.events).toEqual([]);
  });

  it('ends at once when the server does, also where nobody reads', async () => {
    const server = await serving();
    const [response] = await observed(async () => void (await reading(server)));
    const reader = await reading(server);
    readers[0]!.response.pause();
    for (let n = 0; n < 30; n += 1) await server.ledger.store.append([large(20)]);
    await reader.has('everything', ({ events }) => events.length === 600);
    expect(response!.writableNeedDrain).toBe(true);
    const began = Date.now();
    await server.close();
    expect(Date.now() - began).toBeLessThan(5_000);
    await reader.has('its end', ({ ended }) => ended);
    expect(reader.messages.at(-1)).toMatchObject({ event: 'resume', data: { reason: 'the server shuts down' } });
  });

  it('ends where an event stands that this version cannot read, and goes on behind it', async () => {
    const server = await serving();
    const reader = await reading(server);
    await server.api('PUT', 'tasks/T-1', { title: 'task 1' });
    await reader.has('what this version wrote', ({ events }) => events.length === 1);
    await server.database.pool.query(
      `insert into events
       select position + 1, stream, revision + 1, gen_random_uuid(), type, 9, data, metadata, recorded_at
       from events`,
    );
    await reader.has('its end', ({ ended }) => ended);
    expect(reader.messages.at(-1)).toMatchObject({
      event: 'resume',
      id: '0000000000000001',
      data: { reason: expect.stringContaining('log says why') },
    });
    const behind = await reading(server, '', '0000000000000002');
    await server.api('PUT', 'tasks/T-2', { title: 'task 2' });
    await behind.has('what comes after it', ({ events }) => events.length === 1);
  });

  it('is not fed faster than it is read, and told to resume when it is not read at all', async () => {
    const server = await serving({ streams: { stalledMs: 2_000 } });
    const { ledger } = server;
    const [response] = await observed(async () => void (await reading(server)));
    const slow = readers[0]!;
    slow.response.pause();
    const other = await reading(server);
    let most = 0;
    for (let n = 0; n < 60; n += 1) {
      await ledger.store.append([large(10)]);
      most = Math.max(most, response!.writableLength);
    }
    const all = await recorded(server);
    await other.has('everything', ({ events }) => events.length === all.length);
    expect(most).toBeLessThan(4 * largeBytes);
    await until('the end that it is told', () => response!.writableEnded);
    slow.response.resume();
    await slow.has('the end', ({ ended }) => ended);
    expect(slow.messages.at(-1)).toMatchObject({ event: 'resume', id: slow.events.at(-1)!.id });
    const again = await reading(server, '', slow.lastId);
    await again.has('the rest', ({ lastId }) => lastId >= all.at(-1)!.position);
    expect(ids([...slow.events, ...again.events])).toEqual(positions(all));
    expect(again.events.length).toBeGreaterThan(0);
  });
});

/** The answers of the server that begin meanwhile, as it holds them itself. */
async function observed(work: () => Promise<void>): Promise<ServerResponse[]> {
  const responses: ServerResponse[] = [];
  const began = (message: unknown) => void responses.push((message as { response: ServerResponse }).response);
  subscribe('http.server.request.start', began);
  await work();
  unsubscribe('http.server.request.start', began);
  return responses;
}
