import { createPool } from '../../dist/database.js';
import { projectionsOfTheLedger } from '../../dist/projections/all.js';
import { LogPages } from '../../dist/projections/projector/log-pages.js';
import { Owners } from '../../dist/projections/projector/owner.js';
import { Progress } from '../../dist/projections/projector/progress.js';
import { Projectors } from '../../dist/projections/projector/projectors.js';
import { ReadModels } from '../../dist/projections/read-models.js';
import { seconds } from './measure.mjs';

/** Read models of a database, all or these, kept from this log. They begin with `projectors.start()`; `close` closes the store too. */
export function openProjectors(url, store, projections = projectionsOfTheLedger) {
  const [db, reads] = [createPool(url, 'projector'), createPool(url, 'read')];
  const progress = new Progress(reads, new ReadModels(reads, projections));
  const pages = new LogPages(store);
  const stopping = new AbortController();
  const following = pages.follow(stopping.signal);
  const projectors = new Projectors(projections, {
    db,
    pages,
    owners: new Owners(db),
    store,
    progress,
    log: { info: console.error, warn: console.error, error: console.error },
  });
  let names;
  return {
    store,
    projectors,
    async reached(position) {
      names ??= (await reads.query('select projection from projection_versions')).rows.map(({ projection }) => projection);
      await progress.reached(names, position, 600_000);
    },
    async close() {
      await projectors.stop();
      stopping.abort();
      await following;
      await store.close();
      await Promise.all([db.end(), reads.end()]);
    },
  };
}

/** How long it takes, in seconds, until all of them show the event at `head`. */
export async function timeToCatchUp({ projectors, reached }, head) {
  const start = performance.now();
  await projectors.start();
  await reached(head);
  return seconds(start);
}

/** How many rows each of them has of a company. */
export async function countRows(url, company) {
  const pool = createPool(url, 'admin');
  const counts = {};
  const { rows } = await pool.query('select projection, read_model from projection_versions');
  for (const { projection, read_model } of rows) {
    const text = `select count(*) as n from ${read_model}.${projection} as row where to_jsonb(row) ->> 'company' = $1`;
    counts[projection] = (await pool.query(text, [company])).rows[0].n;
  }
  await pool.end();
  return counts;
}
