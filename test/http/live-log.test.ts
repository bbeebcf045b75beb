import { HttpAdapterHost } from '@nestjs/core';
import { MemoryEventStore } from '../../src/event-store/memory.js';
import { beginning } from '../../src/events/event.js';
import { Drain } from '../../src/http/drain.js';
import { LiveLog } from '../../src/http/stream/live-log.js';
import { event, events, write } from '../event-store/contract.js';

describe('the log for the readers of a process', () => {
  const store = new MemoryEventStore();
  const drain = new Drain(new HttpAdapterHost());
  const log = new LiveLog(store, drain);
  const { signal } = new AbortController();
  afterAll(async () => {
    drain.beforeApplicationShutdown();
    await store.close();
  });

  it('has the next event after each, whether it is kept or has to be read', async () => {
    await store.append([write('task-acme.T-0', 'no-stream', [event()])]);
    let last = (await log.after(beginning, signal)).at(-1)!.event.position;
    for (let n = 1; n <= 55; n += 1) {
      await store.append([write(`task-acme.T-${n}`, 'no-stream', events(100))]);
      while (last < (await store.head())) last = (await log.after(last, signal)).at(-1)!.event.position;
    }
    const all = (await store.readAll({ after: beginning, limit: 10_000 })).map(({ position }) => position);
    expect(all).toHaveLength(5_501);
    const next: string[] = [];
    for (const position of [beginning, ...all.slice(0, -1)]) next.push((await log.after(position, signal))[0]!.event.position);
    expect(next).toEqual(all);
  });

  it('has nothing for a reader that has gone', async () => {
    const gone = new AbortController();
    const waiting = log.after(await store.head(), gone.signal);
    gone.abort();
    expect(await waiting).toEqual([]);
  });
});
