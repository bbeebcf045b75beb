import { nameUuid } from '../../src/events/event.js';
import { copyLog, type Source, type Target } from '../../src/event-store/copy/copy-log.js';
import { LogsDiffer } from '../../src/event-store/copy/logs-differ.js';
import type { StoredEvent } from '../../src/event-store/stored-log.js';
import { until } from '../processes/until.js';
import { engines, eventStoreDbLog, filled, keptOf, nthWrite, postgresLog, wholeLog, type TestLog } from './logs.js';

const opened: TestLog[] = [];
async function open<L extends TestLog>(kind: () => Promise<L>): Promise<L> {
  const log = await kind();
  opened.push(log);
  return log;
}
afterEach(async () => {
  await Promise.all(opened.splice(0).map((log) => log.end()));
});

/** About `n` events. */
async function aLog(n: number): Promise<TestLog> {
  const source = await open(postgresLog);
  await filled(source.store, 0, n / 4);
  return source;
}

const copied = ({ log: source }: TestLog, { log: target }: TestLog) => copyLog({ source, target });
const aside = (event: StoredEvent, over: Partial<StoredEvent> = {}): StoredEvent => ({ ...event, ...over });

it('keeps every field and the order, from engine to engine, while the source is written to', async () => {
  const [first, second, third] = [await aLog(1_400), await open(eventStoreDbLog), await open(postgresLog)];
  const writing = filled(first.store, 350, 550);
  const early = await copied(first, second);
  await writing;
  await first.log.seal();
  const complete = await copied(first, second);
  const back = await copied(second, third);

  const kept = await keptOf(first.log);
  expect(early).toMatchObject({ end: 'open', written: early.events });
  expect(complete).toMatchObject({ end: 'complete', events: kept.length, written: kept.length - early.events, streams: 101 });
  expect(back).toEqual({ ...complete, end: 'open', written: kept.length });
  expect(await keptOf(second.log)).toEqual(kept);
  expect(await keptOf(third.log)).toEqual(kept);
});

describe.each(engines)('a copy into %s', (_, kind) => {
  it('goes on where it was cut off, be it within a page', async () => {
    const [source, target] = [await aLog(2_100), await open(kind)];
    let cuts = 0;
    const cutOff: Target = {
      id: () => target.log.id(),
      after: (...page) => target.log.after(...page),
      take: async (events) => {
        await target.log.take(events.slice(0, Math.ceil(events.length / (1 + (cuts % 2)))));
        throw new Error(`cut off ${++cuts} times`);
      },
    };
    while (await copyLog({ source: source.log, target: cutOff }).then(...isCut));
    expect(cuts).toBeGreaterThanOrEqual(4);
    expect(await keptOf(target.log)).toEqual(await keptOf(source.log));
    expect(await copied(source, target)).toMatchObject({ written: 0 });
  });

  it('comes out right when two are made at once', async () => {
    const [source, target] = [await aLog(1_100), await open(kind)];
    const both = await Promise.all([copied(source, target), copied(source, target), compareOften(source, target)]);
    expect(both[0].digest).toBe(both[1].digest);
    expect(await keptOf(target.log)).toEqual(await keptOf(source.log));
  });

  it('takes what it has taken already, and refuses another event in its place', async () => {
    const [source, target] = [await aLog(40), await open(kind)];
    const events = await wholeLog(source.log);
    await target.log.take(events.slice(0, 20));
    await target.log.take(events.slice(10));
    await target.log.take(events);
    expect(await keptOf(target.log)).toEqual(await keptOf(source.log));
    await expect(target.log.take([aside(events[0]!, { id: nameUuid('another') })])).rejects.toThrow(/another event|other events/);
    expect(await wholeLog(target.log)).toHaveLength(events.length);
  });
});

const isCut = [
  () => false,
  (error: Error) => {
    if (error.message.startsWith('cut off')) return true;
    throw error;
  },
] as const;

/** What is there is the beginning of the source at any time. */
async function compareOften({ log: source }: TestLog, { log: target }: TestLog): Promise<void> {
  const kept = await keptOf(source);
  let there = 0;
  while (there < kept.length) {
    const now = await keptOf(target);
    expect(now).toEqual(kept.slice(0, now.length));
    there = now.length;
  }
}

it.each<[string, (events: readonly StoredEvent[]) => readonly StoredEvent[], RegExp]>([
  [
    'changes what it takes',
    (events) => events.map((event) => aside(event, { schema: 2 })),
    /event 1, .* has another schema there/,
  ],
  ['takes only some of it', (events) => events.slice(1), /event 1 is .* there, and/],
  ['takes nothing', () => [], /has lost events that it has taken: it ends after 0/],
])('finds a store that %s, as it reads back', async (_, changed, sentence) => {
  const [source, target] = [await aLog(40), await open(postgresLog)];
  const liar: Target = {
    id: () => target.log.id(),
    after: (...page) => target.log.after(...page),
    take: (events) => target.log.take(changed(events)),
  };
  await expect(copyLog({ source: source.log, target: liar })).rejects.toThrow(sentence);
});

it('takes nothing between two events that belong together', async () => {
  const [source, target] = [await aLog(40), await open(postgresLog)];
  const events = await wholeLog(source.log);
  await target.log.take([events[0]!]);
  await target.store.append([nthWrite(100)]);
  await expect(target.log.take(events.slice(0, 20))).rejects.toThrow('do not follow each other');
  expect((await wholeLog(target.log)).map(({ stream }) => stream)).toEqual([
    events[0]!.stream,
    ...Array(3).fill('task-acme.ACME-100'),
  ]);
});

describe('a target', () => {
  const differing = async (change: (events: StoredEvent[]) => StoredEvent[], n = 2_400) => {
    const [source, target] = [await aLog(n), await open(postgresLog)];
    const events = await wholeLog(source.log);
    await target.log.take(change(events));
    const failed: unknown = await copied(source, target).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(LogsDiffer);
    return { events, failed: failed as LogsDiffer, left: await wholeLog(target.log) };
  };

  it('that has another event is refused, with the first that differs and all streams that do; nothing is written to it', async () => {
    const other = { n: 'other' };
    const isChanged = (place: number) => place === 1_200 || place === 1_500;
    const { failed, events, left } = await differing((all) =>
      all.slice(0, 2_000).map((event, i) => (isChanged(i + 1) ? aside(event, { data: other }) : event)),
    );
    const [first, second] = [events[1_199]!, events[1_499]!];
    expect(failed.first).toMatchObject({ place: 1_200, fields: ['data'], source: { id: first.id }, target: { data: other } });
    expect(failed.streams.toSorted()).toEqual([first.stream, second.stream].toSorted());
    expect(failed.message).toContain(`event 1200, ${first.type} ${first.id}`);
    expect(failed.message).toContain('2 streams differ');
    expect(left).toHaveLength(2_000);
  });

  it('that lacks an event is refused', async () => {
    const { failed } = await differing((all) => all.filter((_, i) => i !== 149), 400);
    expect(failed.first?.place).toBe(150);
  });

  it('that has its events in another order is refused', async () => {
    const { failed } = await differing((all) => [all[1]!, all[0]!, ...all.slice(2)].filter(({ revision }) => revision === 0), 40);
    expect(failed.message).toContain('event 1 is');
  });

  it('that goes on behind the source is refused', async () => {
    const [source, target] = [await aLog(40), await open(postgresLog)];
    await copied(source, target);
    await target.store.append([nthWrite(10_000)]);
    await expect(copied(source, target)).rejects.toThrow('the target has more than the source');
  });

  it('to which the ledger was moved is left as it is', async () => {
    const [source, target] = [await aLog(40), await open(postgresLog)];
    await source.log.seal();
    const { events, digest } = await copied(source, target);
    const [from, to] = await Promise.all([source.log.id(), target.log.id()]);
    const moved = { id: nameUuid('moved'), type: 'StoreMoved', schema: 1, data: { from, to, events, digest } };
    await target.store.append([{ ...nthWrite(0), stream: 'operations', events: [moved] }, nthWrite(10_000)]);
    expect(await copied(source, target)).toMatchObject({ end: 'moved', events, digest, written: 0 });
  });

  it('that is the source itself is refused', async () => {
    const source = await aLog(40);
    await expect(copied(source, source)).rejects.toThrow('one and the same log');
  });
});

it('follows the source until it is closed for writes', async () => {
  const [source, target] = [await aLog(400), await open(postgresLog)];
  const seen: string[] = [];
  const copying = copyLog({
    source: source.log,
    target: target.log,
    follow: new AbortController().signal,
    progress: ({ phase }) => seen.push(phase),
  });
  await until('it follows', () => seen.includes('following'));
  await filled(source.store, 100, 150);
  await source.log.seal();
  expect(await copying).toMatchObject({ end: 'complete' });
  expect(await keptOf(target.log)).toEqual(await keptOf(source.log));
});

it('knows what another copy has written that saw a later head', async () => {
  const [source, target] = [await aLog(40), await open(postgresLog)];
  const { length: events } = await wholeLog(source.log);
  let looks = 0;
  const early: Source = {
    id: () => source.log.id(),
    after: (...page) => source.log.after(...page),
    isSealed: () => source.log.isSealed(),
    head: async () => {
      const head = await source.log.head();
      if (looks++ === 0) await filled(source.store, 10, 20).then(() => copied(source, target));
      return head;
    },
  };
  expect(await copyLog({ source: early, target: target.log })).toMatchObject({ end: 'open', events, written: 0 });
});

it('stops following when it is told to, and says that the source is open', async () => {
  const [source, target] = [await aLog(40), await open(postgresLog)];
  const stop = new AbortController();
  const copying = copyLog({ source: source.log, target: target.log, follow: stop.signal, progress: () => stop.abort() });
  expect(await copying).toMatchObject({ end: 'open' });
});

it('waits for a store that is away', async () => {
  const [source, target] = [await aLog(400), await open(eventStoreDbLog)];
  await target.log.id();
  await target.server.stop();
  const reads = jest.spyOn(target.log, 'after');
  const copying = copied(source, target);
  await until('it is tried again', () => reads.mock.calls.length > 1);
  await target.server.restart();
  await copying;
  expect(await keptOf(target.log)).toEqual(await keptOf(source.log));
});

it('copies nothing of nothing', async () => {
  const [source, target] = [await open(postgresLog), await open(eventStoreDbLog)];
  await source.log.seal();
  expect(await copied(source, target)).toMatchObject({ end: 'complete', events: 0, streams: 0 });
});

it('writes nothing to a target that is closed for writes', async () => {
  const [source, target] = [await aLog(40), await open(postgresLog)];
  await target.log.seal();
  await expect(copied(source, target)).rejects.toThrow('the log is sealed');
});
