import { createPool } from '../../src/database.js';
import { agents } from '../../src/projections/agents.js';
import { Progress } from '../../src/projections/projector/progress.js';
import { anyProjection } from '../../src/projections/projection.js';
import { install } from '../../src/projections/projector/install.js';
import { ReadModels } from '../../src/projections/read-models.js';
import { freshDatabase } from '../postgres.js';
import { until } from './until.js';

it('takes nothing for reached any more that a crash of Postgres may have taken back', async () => {
  const database = await freshDatabase();
  const db = createPool(database.url, 'read');
  const known = [anyProjection(agents)];
  await install(db, known);
  const progress = new Progress(db, new ReadModels(db, known));
  const written = '0000000000000002';
  progress.moved('agents_v1', written);
  await progress.reached(['agents'], written, 0);
  let broken = 0;
  db.on('remove', () => broken++);
  await database.pool.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  );
  await until('broken connections', () => broken > 0);
  await expect(progress.reached(['agents'], written, 0)).rejects.toThrow('agents is at position "" and did not reach');
  await db.end();
  await database.drop();
});

it('does not wait for what was in a log that the ledger has been moved from', async () => {
  const database = await freshDatabase();
  const db = createPool(database.url, 'read');
  const known = [anyProjection(agents)];
  await install(db, known);
  const progress = new Progress(db, new ReadModels(db, known));
  progress.moved('agents_v1', '00000000000000001144');
  await progress.reached(['agents'], '0000000000000762', 0);
  progress.moved('agents_v1', '0000000000000762');
  await progress.reached(['agents'], '00000000000000991144', 0);
  await db.end();
  await database.drop();
});
