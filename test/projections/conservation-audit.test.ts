import type { LedgerEvent } from '../../src/events/ledger-event.js';
import { MemoryEventStore } from '../../src/event-store/memory.js';
import { conservationChecks } from '../../src/projections/conservation/conservation-audit.js';
import { conservation } from '../../src/projections/conservation/conservation.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { succeeded } from '../facts.js';
import { anyProjection } from '../../src/projections/projection.js';
import { History, seeded } from './history.js';
import { ReadSide } from './read-side.js';

let database: TestDatabase;
let side: ReadSide;
let store: MemoryEventStore;
let history: History;
beforeEach(async () => {
  database = await freshDatabase();
  store = new MemoryEventStore();
  history = new History(seeded(31));
  side = new ReadSide(database.url, store, [anyProjection(conservation)]);
  await side.start();
});
afterEach(async () => {
  await side.stop();
  await database.drop();
});

const happen = async (steps: number) => {
  for (const write of history.steps(steps)) await store.append([write]);
  await side.caughtUp();
};
const checks = (patienceMs?: number) => conservationChecks(database.pool, store, patienceMs);
const requests = async () =>
  (await store.readAll<LedgerEvent>({ after: '', limit: 1_000_000 })).filter(({ type }) => type === 'WakeupRequested').length;
const inWords = (count: number) => count.toLocaleString('en');

/** A run that is over ends once more, as no decision would have it. */
async function breakTheLog(): Promise<void> {
  const log = await store.readAll<LedgerEvent>({ after: '', limit: 1_000_000 });
  const ended = log.find(({ type }) => type === 'RunSucceeded')!;
  const head = log.findLast(({ stream }) => stream === ended.stream)!;
  const event = { ...succeeded(1), data: ended.data, id: '11111111-1111-4111-8111-111111111111', schema: 1 };
  const metadata = { ...head.metadata, commandId: 'another' };
  await store.append([{ stream: ended.stream, expectedRevision: head.revision, events: [event], metadata }]);
  await side.caughtUp();
}

describe('the doctor, of demands', () => {
  it('counts them by the log, and finds the same in the live rows', async () => {
    await happen(600);
    const [log, rows] = await checks();
    expect(log).toMatchObject({ name: 'demands by the log', ok: true });
    expect(log!.sentence).toMatch(new RegExp(`^${inWords(await requests())} requested = [\\d,]+ delivered \\+ .* open$`));
    expect(rows).toMatchObject({ name: 'demands by the live rows', ok: true, sentence: expect.stringMatching(/^the same as/) });
  });

  it('goes on where it stopped', async () => {
    await happen(300);
    await checks();
    await happen(300);
    const read: string[] = [];
    const readAll = store.readAll.bind(store);
    store.readAll = (options) => (read.push(options.after), readAll(options));
    const [log, rows] = await checks();
    expect([log!.ok, rows!.ok]).toEqual([true, true]);
    expect(log!.sentence).toContain(`${inWords(await requests())} requested`);
    expect(read[0]).not.toBe('');
  });

  it('says how far it has come when it takes too long', async () => {
    await happen(100);
    const [log, rows] = await checks(0);
    expect(log!.sentence).toMatch(/^0 requested .*, as far as the beginning of .*: the next look goes on from there$/);
    expect(rows!.sentence).toMatch(/where the log was not counted$/);
    expect((await checks())[0]!.sentence).toContain(`${inWords(await requests())} requested`);
  });

  it('names the first violation, in the log and in the live rows', async () => {
    await happen(600);
    await breakTheLog();
    for (const { ok, sentence } of await checks()) {
      expect(ok).toBe(false);
      expect(sentence).toMatch(/^1 violations, the first: .* is over, and RunSucceeded moves it from running; /);
    }
  });

  it('names rows that are not what the log comes to', async () => {
    await happen(600);
    await database.pool.query('update demand_conservation_v1.demand_conservation set skipped = skipped + 1 where task = $1', [
      'T-1',
    ]);
    const [log, rows] = await checks();
    expect(log!.ok).toBe(true);
    expect(rows).toMatchObject({ ok: false, sentence: expect.stringMatching(/^at \S+ \d+ skipped, by the log \d+$/) });
  });
});
