import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fc from 'fast-check';
import type { LedgerEvent } from '../../src/events/ledger-event.js';
import type { EventStore } from '../../src/event-store/event-store.js';
import { MemoryEventStore } from '../../src/event-store/memory.js';
import { PostgresEventStore } from '../../src/event-store/postgres.js';
import { dashboard } from '../../src/projections/dashboard.js';
import { dueRetries } from '../../src/projections/due-retries.js';
import { foldLog } from '../../src/projections/projector/fold.js';
import { Owners } from '../../src/projections/projector/owner.js';
import { ParkedStreams } from '../../src/projections/projector/parked.js';
import { thisProcess } from '../../src/projections/projector/process-identity.js';
import { anyProjection, type AnyProjection, type Fact, type Projection } from '../../src/projections/projection.js';
import { runStatus, type RunRow } from '../../src/projections/run-status.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { projectionsOfTheLedger } from '../../src/projections/all.js';
import { History, seeded } from './history.js';
import { ReadSide } from './read-side.js';
import { until } from './until.js';

let database: TestDatabase;
beforeEach(async () => {
  database = await freshDatabase();
});
afterEach(() => database.drop());

describe('a projector', () => {
  it('writes the rows that the log folds to, whatever happened, and goes on where it stopped', async () => {
    const seed = Date.now() % 2 ** 31;
    console.log(`seed ${seed}`);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0 }),
        fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 2, maxLength: 4 }),
        async (seed, parts) => {
          const fresh = await freshDatabase();
          const store = new MemoryEventStore();
          const history = new History(seeded(seed));
          for (const part of parts)
            await withReadSide(fresh, store, projectionsOfTheLedger, async (side) => {
              await append(store, history, part);
              await side.caughtUp();
              await side.expectRowsOfTheLog();
              expect(side.said).toEqual([]);
            });
          await fresh.drop();
        },
      ),
      { numRuns: 6, seed },
    );
  });

  it('shows an append on Postgres within the wait of a read', async () => {
    const store = new PostgresEventStore({ url: database.url });
    await withReadSide(database, store, projectionsOfTheLedger, async (side) => {
      const history = new History(seeded(2));
      for (let n = 0; n < 40; n++) {
        await append(store, history, 1);
        await side.caughtUp(2_000);
      }
      await side.expectRowsOfTheLog();
    });
    await store.close();
  });

  it('folds everything once while two processes take the work from each other', async () => {
    const store = new MemoryEventStore();
    const thief = new Owners(database.pool);
    await withReadSide(database, store, projectionsOfTheLedger, (one) =>
      withReadSide(database, store, projectionsOfTheLedger, async (other) => {
        const history = new History(seeded(3));
        for (let n = 0; n < 30; n++) {
          await append(store, history, 20);
          const stolen = await thief.seize(`projector ${n % 2 ? 'dashboard' : 'run_status'}_v1`);
          await stolen.release();
        }
        await one.caughtUp();
        await one.expectRowsOfTheLog();
        expect([...one.said, ...other.said]).toEqual([]);
      }),
    );
  });

  it('folds everything once although its connections break, and says so once', async () => {
    const store = new MemoryEventStore();
    await withReadSide(database, store, [anyProjection(dashboard)], async (side) => {
      const history = new History(seeded(4));
      for (let n = 0; n < 20; n++) {
        await append(store, history, 20);
        await database.pool.query(
          `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'run-ledger projector' and datname = current_database()`,
        );
      }
      await until('it is up again', () =>
        side.caughtUp(500).then(
          () => true,
          () => false,
        ),
      );
      await side.expectRowsOfTheLog();
      const begun = side.said.filter((line) => line.includes('does not go on')).length;
      expect(side.said.length - begun).toBeGreaterThanOrEqual(begun - 1);
    });
  });

  it('folds again what a crash of Postgres has taken back, though nothing new happens', async () => {
    const store = new MemoryEventStore();
    await withReadSide(database, store, [anyProjection(dashboard)], async (side) => {
      await append(store, new History(seeded(16)), 30);
      await side.caughtUp();
      await database.pool.query(
        `with back as (delete from dashboard_v1.dashboard)
         update checkpoints set position = '', event_id = '', stream = null, revision = null`,
      );
      await until('its rows are there again', async () => (await side.rows(anyProjection(dashboard))).length > 0);
      await side.expectRowsOfTheLog();
      expect(side.said).toEqual([]);
    });
  });

  it('takes over at once from another process that is gone', async () => {
    const store = new MemoryEventStore();
    await append(store, new History(seeded(5)), 30);
    const dead = new Owners(database.pool, { holder: '00000000-0000-4000-8000-000000000000', ...(await goneProcess()) });
    await dead.acquire('projector dashboard_v1', new AbortController().signal);
    await withReadSide(database, store, [anyProjection(dashboard)], (side) => side.caughtUp(5_000));
  });

  it('is followed at once by another process when it stops cleanly', async () => {
    const store = new MemoryEventStore();
    const history = new History(seeded(6));
    await withReadSide(database, store, [anyProjection(dashboard)], async (standby) => {
      await withReadSide(database, store, [anyProjection(dashboard)], async (other) => {
        await append(store, history, 30);
        await other.caughtUp();
      });
      await append(store, history, 30);
      await standby.caughtUp(5_000);
      await standby.expectRowsOfTheLog();
    });
  });
});

describe('an event that cannot be folded', () => {
  const parking = (store: EventStore, projection: Projection<RunRow>) =>
    new ParkedStreams({ db: database.pool, store, owners: new Owners(database.pool), projections: [anyProjection(projection)] });

  const parkedIn = async (store: EventStore) => (await parking(store, runStatus).list('run_status_v1', { limit: 10 })).items;

  const failing: Projection<RunRow> = {
    ...runStatus,
    on: {
      ...runStatus.on,
      RunStarted: (event: Fact<'RunStarted'>) => (event.subject.endsWith('-1') ? fail() : runStatus.on.RunStarted!(event)),
    },
  };

  it('parks its stream from there on, while the rest goes on', async () => {
    const store = new MemoryEventStore();
    await withReadSide(database, store, [anyProjection(failing)], async (side) => {
      await append(store, new History(seeded(7)), 600);
      await side.caughtUp();
      const [parked, ...others] = await parkedIn(store);
      expect(others).toEqual([]);
      expect(parked).toMatchObject({ stream: expect.stringMatching(/-1$/), error: 'Error: no such thing' });
      const expected = await rowsWithout(store, parked!.stream, parked!.revision);
      expect(sorted(await side.rows(anyProjection(runStatus)))).toEqual(sorted(expected));
    });
  });

  it('is folded with the rest of its stream when it is retried with a mended fold', async () => {
    const store = new MemoryEventStore();
    const history = new History(seeded(8));
    await withReadSide(database, store, [anyProjection(failing)], async (side) => {
      await append(store, history, 300);
      await side.caughtUp();
    });
    await withReadSide(database, store, [anyProjection(runStatus)], async (side) => {
      await append(store, history, 50);
      await side.caughtUp();
      const [parked] = await parkedIn(store);
      const folded: number[] = [];
      const record = async (events: number) => void folded.push(events);
      expect(await parking(store, runStatus).refold(parked!, { record })).toEqual({});
      expect(await parking(store, runStatus).refold(parked!, { record })).toEqual({});
      expect(folded).toEqual([expect.any(Number)]);
      expect(folded[0]).toBeGreaterThan(1);
      await append(store, history, 50);
      await side.caughtUp();
      await side.expectRowsOfTheLog();
      expect(await parkedIn(store)).toEqual([]);
    });
  });

  it('stays parked when the retry fails again', async () => {
    const store = new MemoryEventStore();
    await withReadSide(database, store, [anyProjection(failing)], async (side) => {
      await append(store, new History(seeded(9)), 300);
      await side.caughtUp();
      const [parked] = await parkedIn(store);
      const record = () => Promise.reject(new Error('nothing was done'));
      expect(await parking(store, failing).refold(parked!, { record })).toEqual({ error: 'Error: no such thing' });
      expect(await parkedIn(store)).toHaveLength(1);
    });
  });

  it('parks its stream as well when Postgres refuses the row', async () => {
    const unstorable: Projection<RunRow> = {
      ...runStatus,
      on: {
        ...runStatus.on,
        RetryScheduled: ({ company, data }) => ({
          key: [company, data.runId],
          fold: () => ({ company, run_id: data.runId, attempt: 2 ** 40 }) as RunRow,
        }),
      },
    };
    const store = new MemoryEventStore();
    await withReadSide(database, store, [anyProjection(unstorable)], async (side) => {
      await append(store, new History(seeded(10)), 200);
      await side.caughtUp();
      const [parked] = await parkedIn(store);
      expect(parked?.error).toContain('out of range');
    });
  });

  it('halts a projection whose rows gather many streams, and says which event it was', async () => {
    const store = new MemoryEventStore();
    const halting = anyProjection({ ...dashboard, on: { ...dashboard.on, RunStarted: fail } });
    const history = new History(seeded(11));
    await withReadSide(database, store, [halting], async (side) => {
      await append(store, history, 100);
      await until('it has halted', async () => (await halted('dashboard_v1')) !== null);
      expect(side.said).toEqual([
        expect.stringMatching(/^dashboard_v1 does not go on: dashboard cannot fold RunStarted at position \d+ \(task-/),
      ]);
    });
    await withReadSide(database, store, [anyProjection(dashboard)], async (side) => {
      await side.caughtUp();
      await side.expectRowsOfTheLog();
      expect(await halted('dashboard_v1')).toBeNull();
    });
  });
});

describe('a log that was restored from an older backup', () => {
  it('halts what has folded more of it, and names the event', async () => {
    const store = new MemoryEventStore();
    await withReadSide(database, store, [anyProjection(dueRetries)], async (side) => {
      await append(store, new History(seeded(12)), 50);
      await side.caughtUp();
    });
    const restored = new MemoryEventStore();
    await append(restored, new History(seeded(13)), 10);
    await withReadSide(database, restored, [anyProjection(dueRetries)], async (side) => {
      await until('it has halted', async () => (await halted('due_retries_v1')) !== null);
      expect(side.said[0]).toMatch(/has read event [0-9a-f-]{36} .* restored from an older backup/);
    });
  });
});

describe('a read that waits for its own write', () => {
  it('is refused with a sentence when the read model does not come so far in time', async () => {
    const store = new MemoryEventStore();
    await withReadSide(database, store, [anyProjection(dashboard)], (side) => side.caughtUp());
    await append(store, new History(seeded(14)), 5);
    const side = new ReadSide(database.url, store, [anyProjection(dashboard)]);
    await expect(side.caughtUp(100)).rejects.toThrow(/^dashboard is at position "" and did not reach "0+5" within 100 ms/);
    await side.stop();
  });

  it('is answered by the projector of another process', async () => {
    const store = new MemoryEventStore();
    const reader = new ReadSide(database.url, store, [anyProjection(dashboard)]);
    await withReadSide(database, store, [anyProjection(dashboard)], async () => {
      await append(store, new History(seeded(15)), 50);
      await reader.caughtUp(5_000);
    });
    await reader.stop();
  });
});

async function withReadSide(
  { url }: TestDatabase,
  store: EventStore,
  projections: readonly AnyProjection[],
  work: (side: ReadSide) => Promise<unknown>,
): Promise<void> {
  const side = new ReadSide(url, store, projections);
  await side.start();
  try {
    await work(side);
  } finally {
    await side.stop();
  }
}

async function append(store: EventStore, history: History, steps: number): Promise<void> {
  for (const write of history.steps(steps)) {
    const [result] = await store.append([write]);
    if (result?.outcome !== 'appended') throw new Error(`${write.stream}: ${JSON.stringify(result)}`);
  }
}

function fail(): never {
  throw new Error('no such thing');
}

async function rowsWithout(store: EventStore, stream: string, revision: number): Promise<object[]> {
  const log = await store.readAll<LedgerEvent>({ after: '', limit: 100_000 });
  return foldLog(
    runStatus,
    log.filter((event) => event.stream !== stream || event.revision < revision),
  );
}

const sorted = (rows: readonly object[]) =>
  rows.toSorted((a, b) => (JSON.stringify(Object.values(a).slice(0, 2)) < JSON.stringify(Object.values(b).slice(0, 2)) ? -1 : 1));

/** The identity of a process that has ended. */
async function goneProcess() {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  const { host } = thisProcess();
  return { host, pid: child.pid!, pidStarted: '' };
}

async function halted(readModel: string): Promise<string | null> {
  const { rows } = await database.pool.query<{ halted: string | null }>('select halted from checkpoints where read_model = $1', [
    readModel,
  ]);
  return rows[0]?.halted ?? null;
}
