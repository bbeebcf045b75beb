// What goes on beside a rebuild: 200 events a second arrive, and the live read models follow them.
import 'reflect-metadata';
import { createPool } from '../../dist/database.js';
import { PostgresEventStore } from '../../dist/event-store/postgres.js';
import { projectionsOfTheLedger } from '../../dist/projections/all.js';
import { LogPages } from '../../dist/projections/projector/log-pages.js';
import { Owners } from '../../dist/projections/projector/owner.js';
import { Progress } from '../../dist/projections/projector/progress.js';
import { Projectors } from '../../dist/projections/projector/projectors.js';
import { ReadModels } from '../../dist/projections/read-models.js';
import { story } from './history.mjs';

process.on('message', async ({ url, perSecond }) => {
  await followed(url);
  const store = new PostgresEventStore({ url });
  const copy = await story('whole');
  const everyMs = (1_000 * copy('T').events.length) / perSecond;
  for (let n = 0, began = performance.now(); ; n++) {
    await store.append([copy(`A-${process.pid}-${n}`)]);
    if (n === 0) process.send('arriving');
    await new Promise((resume) => setTimeout(resume, Math.max(0, began + (n + 1) * everyMs - performance.now())));
  }
});
process.on('disconnect', () => process.exit());
process.send('ready');

async function followed(url) {
  const db = createPool(url, 'projector');
  const store = new PostgresEventStore({ url });
  const log = { info() {}, warn: console.error, error: console.error };
  const pages = new LogPages(store);
  const progress = new Progress(db, new ReadModels(db, projectionsOfTheLedger));
  const world = { db, store, pages, owners: new Owners(db), progress, log };
  void pages.follow(new AbortController().signal);
  await new Projectors(projectionsOfTheLedger, world).start();
}
