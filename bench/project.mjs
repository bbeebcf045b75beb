// How fast the read models catch up that the hand knows too, exactly once: beside the least that must be done for the same tables, and
// beside Emmett's consumer, which hands every event over and does nothing with it. And how soon an append is seen in all of them.
import 'reflect-metadata';
import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql';
import { createPool } from '../dist/database.js';
import { PostgresEventStore } from '../dist/event-store/postgres.js';
import { migrate } from '../dist/migrator.js';
import { projectionsOfTheLedger } from '../dist/projections/all.js';
import { install } from '../dist/projections/projector/install.js';
import { foldByHand, tablesByHand } from './lib/fold-limit.mjs';
import { company, story } from './lib/history.mjs';
import { alternate, percentile, seconds } from './lib/measure.mjs';
import { openPostgres } from './lib/postgres.mjs';
import { forkAll } from './lib/processes.mjs';
import { countRows, openProjectors, timeToCatchUp } from './lib/projectors.mjs';
import { atMost, ratioAtLeast, Report } from './lib/report.mjs';
import { sampleEvent, sampleMetadata } from './lib/samples.mjs';
import { seed, seedInterleaved, taskNames } from './lib/seed.mjs';
import { settings } from './lib/settings.mjs';

const tasks = 5_000;
const events = tasks * 20 + 1;
const emmettEvents = 20_000;
const known = projectionsOfTheLedger.filter(({ name }) => tablesByHand.includes(name));

const { rounds, ms } = settings();
const postgres = await openPostgres();
const report = new Report('project', postgres);
const emmettUrl = await postgres.database('bench_emmett');
await fillEmmett();
for (const [how, fill] of Object.entries({ contiguous: seed, interleaved: seedInterleaved })) await catchUp(how, fill);
await visible();
report.finish();
await postgres.close();

async function catchUp(how, fill) {
  const log = `bench_${how}`;
  const schemas = await prepare(await postgres.database(log), known, fill);
  const measured = await alternate(rounds, {
    ours: () => onCopy(log, (url) => ourCatchUp(url)),
    limit: () => onCopy(log, (url) => byHand(url, schemas)),
    ...(how === 'contiguous' && { emmett: () => emmettCatchUp(), emmettLarge: () => emmettCatchUp({ batchSize: 1_000 }) }),
  });
  refuseDifferent(measured);
  const ours = measured.ours.map(({ rate }) => rate);
  const add = (rest) =>
    report.add({ what: `catch-up of ${schemas.count} read models, runs ${how}`, unit: 'events/s', ours, ...rest });
  add({ against: 'fold by hand', reference: measured.limit.map(({ rate }) => rate), goal: ratioAtLeast(0.6) });
  for (const [side, against] of Object.entries({ emmett: "Emmett's consumer", emmettLarge: 'the same in batches of 1,000' }))
    if (measured[side]) add({ against, reference: measured[side].map(({ rate }) => rate), goal: ratioAtLeast(10) });
  await postgres.drop(log);
}

/** A full log beside empty tables. */
async function prepare(url, projections, fill) {
  const pool = createPool(url, 'admin');
  await migrate(pool);
  const store = new PostgresEventStore({ url });
  await fill(store, 'whole', taskNames('T', tasks));
  await store.close();
  await install(pool, projections);
  const { rows } = await pool.query('select projection, read_model from projection_versions');
  await pool.query('vacuum (analyze, freeze) public.events');
  await pool.end();
  return { count: rows.length, ...Object.fromEntries(rows.map((row) => [row.projection, row.read_model])) };
}

async function onCopy(log, work) {
  const url = await postgres.database('bench_copy', log);
  await postgres.checkpoint();
  const measured = await work(url);
  return { ...measured, counts: await countRows(url, company) };
}

async function ourCatchUp(url) {
  const side = openProjectors(url, new PostgresEventStore({ url }), known);
  const took = await timeToCatchUp(side, await side.store.head());
  await side.close();
  return { rate: events / took };
}

async function byHand(url, schemas) {
  const start = performance.now();
  await foldByHand(url, schemas, events);
  return { rate: events / seconds(start) };
}

/** Both sides have folded the same: no row too few, none too many. */
function refuseDifferent({ ours, limit }) {
  const [first, ...others] = [...ours, ...limit].map(({ counts }) => JSON.stringify(counts));
  for (const other of others) if (other !== first) throw new Error(`the rows differ: ${first} and ${other}`);
}

async function fillEmmett() {
  const store = getPostgreSQLEventStore(emmettUrl);
  await store.schema.migrate();
  const sample = () => ({ type: sampleEvent().type, data: sampleEvent().data, metadata: sampleMetadata() });
  for (let n = 0; n < emmettEvents; n += 1_000) await store.appendToStream(`run-${n}`, Array.from({ length: 1_000 }, sample));
  await store.close();
}

async function emmettCatchUp(pulling = {}) {
  const consumer = await forkAll(1, 'emmett-consumer.mjs');
  const [measured] = await consumer.ask({ url: emmettUrl, events: emmettEvents, pulling });
  await consumer.close();
  return measured;
}

/** One task after another is opened, 500 events a second, and waited for until every read model shows it. */
async function visible() {
  const url = await postgres.database('bench_visible');
  const schemas = await prepare(url, projectionsOfTheLedger, async () => {});
  const side = openProjectors(url, new PostgresEventStore({ url }));
  await side.projectors.start();
  const copy = await story('failed');
  const measured = await alternate(rounds, { ours: (round) => paced(side, copy, round) });
  for (const [p, goal] of [
    [50, 10],
    [99, 50],
  ]) {
    const ours = measured.ours.map((latencies) => percentile(latencies, p));
    report.add({
      what: `append → visible in all ${schemas.count}, 500 events/s, p${p}`,
      unit: 'ms',
      ours,
      goal: atMost(goal, 'ms'),
    });
  }
  await side.close();
}

/** From the answer of the append to the commit of the last read model, in ms. */
async function paced(side, copy, round) {
  const latencies = [];
  const pending = [];
  const name = taskNames(`V-${round + 1}`, 100_000).values();
  const first = copy(name.next().value);
  const everyMs = (first.events.length / 500) * 1_000;
  const start = performance.now();
  for (let n = 0; n * everyMs < ms; n++) {
    const wait = n * everyMs - (performance.now() - start);
    if (wait > 0) await new Promise((resume) => setTimeout(resume, wait));
    pending.push(once(side, copy(name.next().value)).then((took) => latencies.push(took)));
  }
  await Promise.all(pending);
  return latencies;
}

async function once({ store, reached }, write) {
  const [{ position }] = await store.append([write]);
  const answered = performance.now();
  await reached(position);
  return performance.now() - answered;
}
