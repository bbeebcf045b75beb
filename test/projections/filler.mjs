// A process that fills a table of run_status, for fill.test.ts: <compiled modules> <database url> <schema> <position>
import { join } from 'node:path';
import 'reflect-metadata';

const [modules, url, readModel, upTo] = process.argv.slice(2);
const load = (name) => import(join(modules, name));
const { createPool } = await load('database.js');
const { PostgresEventStore } = await load('event-store/postgres.js');
const { runStatus } = await load('projections/run-status.js');
const { fill } = await load('projections/rebuild/fill.js');

await fill({
  db: createPool(url, 'admin'),
  store: new PostgresEventStore({ url }),
  projection: runStatus,
  readModel,
  upTo,
  pace: { take: async () => {} },
  signal: new AbortController().signal,
  moved: () => {},
});
