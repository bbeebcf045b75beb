import { beginning } from '../../src/events/event.js';
import type { LedgerEvent } from '../../src/events/ledger-event.js';
import { MemoryEventStore } from '../../src/event-store/memory.js';
import { readModelsOfTheLedger } from '../../src/projections/core.js';
import { foldLog } from '../../src/projections/fold.js';
import { Progress } from '../../src/projections/progress.js';
import { Projectors } from '../../src/projections/projectors.js';
import { ReadModels } from '../../src/projections/read-models.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { everyProjection } from './every.js';
import { History, seeded } from './history.js';
import { RunStatusQueries } from '../../src/projections/run-queries.js';
import { WakeupRequestsQueries } from '../../src/projections/wakeup-queries.js';
import { TasksQueries } from '../../src/projections/task-queries.js';
import { AgentsQueries } from '../../src/projections/agent-queries.js';
import { ActivityQueries } from '../../src/projections/activity-queries.js';
import { DashboardQueries } from '../../src/projections/dashboard-queries.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.drop());

it('works', async () => {
  const store = new MemoryEventStore();
  const readModels = new ReadModels(database.pool);
  const progress = new Progress(database.pool, readModels);
  const said: string[] = [];
  const projectors = new Projectors(readModelsOfTheLedger, {
    db: database.pool,
    store,
    progress,
    say: (level, sentence) => said.push(`${level} ${sentence}`),
  });
  await projectors.start();
  const history = new History(seeded(1));
  for (let i = 0; i < 50; i++) {
    const results = await store.append(history.steps(1));
    expect(results.filter((result) => result.outcome !== 'appended')).toEqual([]);
  }
  await store.append(history.steps(2000));
  await progress.reached(
    everyProjection.map((p) => p.name),
    await store.head(),
    5000,
  );
  const log = await store.readAll<LedgerEvent>({ after: beginning, limit: 1e6 });
  expect(log.length).toBeGreaterThan(3000);
  for (const projection of everyProjection) {
    const { rows } = await database.pool.query(`select * from ${projection.name}_v1.${projection.name}`);
    const sorted = (list: object[]) =>
      new Map(list.map((row): [string, object] => [projection.key.map((k) => row[k as never]).join(' '), row]));
    const folded = foldLog(projection, log);
    expect(sorted(rows)).toEqual(sorted(folded));
  }
  const runs = new RunStatusQueries(readModels);
  let cursor: string | undefined;
  let n = 0;
  do {
    const page = await runs.list('acme', { status: ['failed', 'timed_out'] }, { cursor, limit: 37 });
    n += page.items.length;
    cursor = page.next;
  } while (cursor);
  console.log(
    n,
    JSON.stringify(await runs.list('acme', { q: 'OVERload', status: ['failed'] }, { limit: 1 })),
    (await runs.parked('acme', {})).items.length,
  );
  console.log(
    JSON.stringify(
      [
        await new WakeupRequestsQueries(readModels).list('acme', { status: ['coalesced'] }, { limit: 1 }),
        await new TasksQueries(readModels).list('acme', {}, { limit: 2 }),
        await new AgentsQueries(readModels).list('acme', { limit: 1 }),
        await new ActivityQueries(readModels).list('acme', { actor: ['alice'] }, { limit: 3 }),
        await new DashboardQueries(readModels).get('acme', new Date('2026-04-28')),
      ],
      null,
      1,
    ),
  );
  await projectors.stop();
  expect(said).toEqual([]);
});
