import { EventStoreDbEventStore } from '../../src/event-store/eventstoredb.js';
import { IsolatedEventStore } from './esdb/isolated.js';
import { testedServers, type TestedServer } from './esdb/servers.js';
import { eventStoreContract, type Engine } from './contract.js';

describe.each(testedServers)('the EventStoreDB engine on %s', (_, open) => {
  eventStoreContract(async () => {
    const server = await open();
    return server.protocol ? onNewLog(server) : onLogOfOthers(server);
  });
});

const settableClock = () => {
  let time: number | undefined;
  return { now: () => new Date(time ?? Date.now()), set: (to: number) => void (time = to) };
};

function onNewLog(server: TestedServer): Engine {
  const clock = settableClock();
  const store = new EventStoreDbEventStore({ url: server.url, now: clock.now });
  return engine(server, store, async (time) => clock.set(Date.parse(time)));
}

async function onLogOfOthers(server: TestedServer): Promise<Engine> {
  const clock = settableClock();
  const store = await IsolatedEventStore.of(new EventStoreDbEventStore({ url: server.url, now: clock.now }), clock);
  return engine(server, store, (time) => store.setClock(time));
}

const engine = (server: TestedServer, store: Engine['store'], setClock: Engine['setClock']): Engine => ({
  store,
  setClock,
  loseConnections: async () => server.proxy.cut(),
  end: async () => {
    await store.close();
    await server.end();
  },
});
