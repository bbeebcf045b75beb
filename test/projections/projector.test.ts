import { agents } from '../../src/projections/agents.js';
import { beginning } from '../../src/events/event.js';
import type { LedgerEvent } from '../../src/events/ledger-event.js';
import { MemoryEventStore } from '../../src/event-store/memory.js';
import { DueRetriesQueries, dueRetries } from '../../src/projections/due-retries.js';
import { foldLog } from '../../src/projections/fold.js';
import { Progress } from '../../src/projections/progress.js';
import type { Projection } from '../../src/projections/projection.js';
import { Projectors, installable } from '../../src/projections/projectors.js';
import { ReadModels } from '../../src/projections/read-models.js';
import { readyRuns } from '../../src/projections/ready-runs.js';
import { runStatus } from '../../src/projections/run-status.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { History, seeded } from './history.js';

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
  const projectors = new Projectors(
    [installable(runStatus), installable(dueRetries), installable(readyRuns), installable(agents)],
    {
      db: database.pool,
      store,
      progress,
      say: (level, sentence) => said.push(`${level} ${sentence}`),
    },
  );
  await projectors.start();
  const history = new History(seeded(1));
  for (let i = 0; i < 50; i++) {
    const results = await store.append(history.steps(1));
    expect(results.filter((result) => result.outcome !== 'appended')).toEqual([]);
  }
  await store.append(history.steps(2000));
  await progress.reached(['run_status', 'due_retries', 'ready_runs', 'agents'], await store.head(), 5000);
  const log = await store.readAll<LedgerEvent>({ after: beginning, limit: 1e6 });
  expect(log.length).toBeGreaterThan(3000);
  for (const projection of [runStatus, dueRetries, readyRuns, agents] as Projection<object>[]) {
    const { rows } = await database.pool.query(`select * from ${projection.name}_v1.${projection.name}`);
    const sort = (list: object[]) => list.map((row) => projection.key.map((k) => row[k as never]).join(' ')).sort();
    const folded = foldLog(projection, log);
    expect(sort(rows)).toEqual(sort(folded));
    expect(rows).toEqual(expect.arrayContaining(folded));
  }
  await projectors.stop();
  expect(said).toEqual([]);
});
