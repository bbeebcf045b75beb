import { randomUUID } from 'node:crypto';
import { Streams } from '../../src/commands/streams.js';
import { MemoryEventStore } from '../../src/event-store/memory.js';
import type { ReadStream, WriteResult } from '../../src/event-store/event-store.js';
import { agentStream, type Event, type NewEvent, type Recorded, type StreamId } from '../../src/events/event.js';

/** Something happens between what a read has seen and its answer. */
class SlowReads extends MemoryEventStore {
  meanwhile: () => Promise<void> = async () => {};

  override async readStream<E extends Event>(stream: StreamId, options?: ReadStream): Promise<Recorded<E>[]> {
    const events = await super.readStream<E>(stream, options);
    const { meanwhile } = this;
    this.meanwhile = async () => {};
    await meanwhile();
    return events;
  }
}

const stream = agentStream('acme', 'coder');
const policy = { maxConcurrentRuns: 1, wakeOnDemand: true, heartbeat: { enabled: false, intervalSec: 0 } };

function anEvent(type: string, data: object): NewEvent {
  return { type, data: { agent: 'coder', ...data }, id: randomUUID(), schema: 1 };
}

async function append(store: MemoryEventStore, ...events: NewEvent[]): Promise<readonly Recorded[]> {
  const metadata = { actor: { type: 'user', id: 'ada' }, commandId: randomUUID(), causationId: 'c', correlationId: 'c' } as const;
  const [result] = (await store.append([{ stream, expectedRevision: 'any', events, metadata }])) as [WriteResult];
  return result.outcome === 'appended' ? store.readStream(stream, { from: result.revision - events.length + 1 }) : [];
}

describe('the kept state of a stream', () => {
  it('has what passed by while it was read', async () => {
    const store = new SlowReads();
    const streams = new Streams(store);
    await append(
      store,
      anEvent('AgentRegistered', { name: 'coder', adapter: 'process', manager: null, policy, registeredAt: 'then' }),
    );
    store.meanwhile = async () => streams.follow(await append(store, anEvent('AgentPaused', { reason: 'x', pausedAt: 'then' })));
    expect(await streams.agent('acme', 'coder')).toMatchObject({ status: 'paused' });
    expect(await streams.agent('acme', 'coder')).toMatchObject({ status: 'paused' });
  });

  it('is whole when the stream is longer than a page', async () => {
    const store = new MemoryEventStore();
    const streams = new Streams(store);
    await append(
      store,
      anEvent('AgentRegistered', { name: 'coder', adapter: 'process', manager: null, policy, registeredAt: 'then' }),
    );
    const toAndFro = Array.from({ length: 6_001 }, (_, i) =>
      anEvent(i % 2 ? 'AgentResumed' : 'AgentPaused', { pausedAt: `${i}` }),
    );
    for (let i = 0; i < toAndFro.length; i += 1_000) await append(store, ...toAndFro.slice(i, i + 1_000));
    expect(await streams.agent('acme', 'coder')).toMatchObject({ status: 'paused', since: '6000' });
  });
});
