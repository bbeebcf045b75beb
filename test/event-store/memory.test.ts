import { MemoryEventStore } from '../../src/event-store/memory.js';
import { eventStoreContract } from './contract.js';

describe('the memory engine', () => {
  eventStoreContract(async () => {
    let now: string | undefined;
    const store = new MemoryEventStore({ now: () => (now ? new Date(now) : new Date()) });
    const setClock = async (time: string) => void (now = time);
    return { store, setClock, loseConnections: async () => {}, end: () => store.close() };
  });
});
