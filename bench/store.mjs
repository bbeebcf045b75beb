// The two engines beside each other, and each beside the same without a ledger: appends, reads of the whole log, and how fast all read
// models catch up. EVENT_STORE_TEST_URL is an EventStoreDB that may be written to; it need not be empty, and nothing else should use it.
import 'reflect-metadata';
import { createPool } from '../dist/database.js';
import { migrate } from '../dist/migrator.js';
import { projectionsOfTheLedger } from '../dist/projections/all.js';
import { install } from '../dist/projections/projector/install.js';
import { alternate } from './lib/measure.mjs';
import { openPostgres } from './lib/postgres.mjs';
import { forkAll } from './lib/processes.mjs';
import { countRows } from './lib/projectors.mjs';
import { ratioAtLeast, Report } from './lib/report.mjs';
import { settings } from './lib/settings.mjs';

const tasks = 5_000;
const events = tasks * 20 + 1;
const company = `bench-${Date.now().toString(36)}`;
const besideCalls = { 1: 0.9, 8: 1.3, 32: 2.5 };

const { rounds, ms } = settings();
const logUrl = addressOfEventStoreDb();
const bare = await forkAll(1, 'store-process.mjs', ['bare', logUrl]);
const [version] = await bare.ask({ what: 'version' });
const postgres = await openPostgres();
const report = new Report('store', postgres);
const logs = await fillBoth();
// While nothing that no read model knows stands behind it.
await catchUps();
const sides = await open();

for (const page of [500, 5_000]) await reads(page);
for (const callers of [1, 8, 32, 256]) await singles(callers);
await batches(8, 100);
for (const side of Object.values(sides)) await side.close();
report.say(`EventStoreDB ${version}; its log now has ${company} too, with ${events.toLocaleString('en')} events.`);
report.say('Catch-up on EventStoreDB: of a fresh database, from where the log ended before those events came.');
report.finish();
await postgres.close();

function addressOfEventStoreDb() {
  const { EVENT_STORE_TEST_URL: url } = process.env;
  if (url) return url;
  console.error(
    'EVENT_STORE_TEST_URL is not set: give the address of an EventStoreDB that may be written to, as in\n' +
      "  EVENT_STORE_TEST_URL='esdb://127.0.0.1:2113?tls=false' npm run bench -- store",
  );
  process.exit(2);
}

/** The same events in both; on Postgres in a database to be copied. Beside it one that has read models and no log. */
async function fillBoth() {
  const [full, empty] = [await prepared('bench_log'), await prepared('bench_read_models')];
  const filled = { postgres: await fill('postgres', full), eventstoredb: await fill('eventstoredb', logUrl) };
  await query(full, 'vacuum (analyze, freeze) public.events');
  await query(empty, 'update checkpoints set position = $1', [filled.eventstoredb.before]);
  return filled;
}

async function prepared(name) {
  const url = await postgres.database(name);
  const pool = createPool(url, 'admin');
  await migrate(pool);
  await install(pool, projectionsOfTheLedger);
  await pool.end();
  return url;
}

async function fill(engine, url) {
  const child = await forkAll(1, 'log-process.mjs', [engine, url]);
  const [filled] = await child.ask({ what: 'fill', company, tasks });
  await child.close();
  return filled;
}

async function query(url, text, values) {
  const pool = createPool(url, 'admin');
  await pool.query(text, values);
  await pool.end();
}

async function open() {
  const url = await postgres.database('bench_store', 'bench_log');
  const of = (name, at) => forkAll(1, 'store-process.mjs', [name, at]);
  return {
    postgres: await of('postgres', url),
    plain: await of('plain', url),
    eventstoredb: await of('eventstoredb', logUrl),
    bare,
  };
}

async function singles(callers) {
  const measured = await append(callers, 1);
  const what = `append, ${callers} callers`;
  compare(what, 'events/s', each(measured, 'rate'), { against: 'call per event', goal: besideCalls[callers] });
  compare(`${what}: p99`, 'ms', each(measured, 'p99'), { against: 'call per event' });
}

async function batches(callers, size) {
  const measured = await append(callers, size);
  compare(`append of ${size} at once, ${callers} callers`, 'events/s', each(measured, 'rate'), { against: 'unnest', goal: 0.9 });
}

function append(callers, size) {
  return measure((round) => ({ what: 'append', callers, size, ms: round < 0 ? Math.min(ms, 1_000) : ms }));
}

async function reads(page) {
  const measured = await measure((_, { before }) => ({ what: 'read', after: before, events, page }));
  const what = `whole log in pages of ${page.toLocaleString('en')}`;
  compare(what, 'events/s', each(measured, 'rate'), { against: 'rows by key, parsed', goal: 0.8 });
}

/** The same is asked of all four, of each about its log. */
function measure(question) {
  const log = { ...logs, plain: logs.postgres, bare: logs.eventstoredb };
  const ask = async (name, round) => (await sides[name].ask(question(round, log[name])))[0];
  return alternate(rounds, Object.fromEntries(Object.keys(sides).map((name) => [name, (round) => ask(name, round)])));
}

async function catchUps() {
  const { eventstoredb, postgres } = await alternate(rounds, {
    eventstoredb: () => catchUp('eventstoredb', 'bench_read_models'),
    postgres: () => catchUp('postgres', 'bench_log'),
  });
  const [first, ...others] = [...eventstoredb, ...postgres].map(({ counts }) => JSON.stringify(counts));
  for (const other of others) if (other !== first) throw new Error(`the rows differ: ${first} and ${other}`);
  const what = `catch-up of ${projectionsOfTheLedger.length} read models`;
  const [ours, reference] = [eventstoredb, postgres].map((side) => side.map(({ rate }) => rate));
  report.add({ what: `Postgres: ${what}`, unit: 'events/s', ours: reference });
  report.add({ what: `EventStoreDB: ${what}`, unit: 'events/s', ours, against: 'on Postgres', reference });
}

async function catchUp(engine, template) {
  const url = await postgres.database('bench_copy', template);
  await postgres.checkpoint();
  const child = await forkAll(1, 'log-process.mjs', [engine, engine === 'postgres' ? url : logUrl]);
  const [took] = await child.ask({ what: 'catchUp', readModels: url, head: logs[engine].head });
  await child.close();
  return { rate: events / took, counts: await countRows(url, company) };
}

/** Each engine beside its own reference, and the two beside each other. */
function compare(what, unit, { postgres, plain, eventstoredb, bare }, rest) {
  const add = (name, ours, against, reference, goal) =>
    report.add({ what: `${name}: ${what}`, unit, ours, against, reference, goal });
  add('Postgres', postgres, rest.against, plain, rest.goal && ratioAtLeast(rest.goal));
  add('EventStoreDB', eventstoredb, 'bare client', bare, unit === 'ms' ? undefined : ratioAtLeast(0.9));
  add('EventStoreDB', eventstoredb, 'on Postgres', postgres);
}

/** One figure of every round of every side. */
function each(measured, figure) {
  return Object.fromEntries(Object.entries(measured).map(([name, found]) => [name, found.map((round) => round[figure])]));
}
