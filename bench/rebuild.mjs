// How long it takes to build a read model anew from 1,000,000 events while 200 a second arrive: each table beside the least that must be
// done for it (fold in memory, insert in bulk), and then all of them; and how long it takes to verify what is live.
import 'reflect-metadata';
import { createPool } from '../dist/database.js';
import { PostgresEventStore } from '../dist/event-store/postgres.js';
import { migrate } from '../dist/migrator.js';
import { projectionsOfTheLedger } from '../dist/projections/all.js';
import { readModelOf } from '../dist/projections/projection.js';
import { checkpointAt } from '../dist/projections/projector/checkpoint.js';
import { install } from '../dist/projections/projector/install.js';
import { fill } from '../dist/projections/rebuild/fill.js';
import { tablesByHand } from './lib/fold-limit.mjs';
import { alternate } from './lib/measure.mjs';
import { openPostgres } from './lib/postgres.mjs';
import { forkAll } from './lib/processes.mjs';
import { atMost, ratioAtMost, Report } from './lib/report.mjs';
import { seedInterleaved, taskNames } from './lib/seed.mjs';
import { settings } from './lib/settings.mjs';

const tasks = 50_000;
/** so many tasks are under way at once */
const sideBySide = 1_000;

const { rounds } = settings();
const postgres = await openPostgres();
const report = new Report('rebuild', postgres);
const url = await postgres.database('bench_rebuild');
const at = await prepare();
const events = Number(at.position);
const arrivals = await forkAll(1, 'arrivals-process.mjs');
await arrivals.ask({ url, perSecond: 200 });

const all = projectionsOfTheLedger.map(({ name }) => name);
const million = `${events.toLocaleString('en')} events`;
for (const name of tablesByHand) {
  const measured = await alternate(rounds, { ours: () => measure('ours', [name]), limit: () => measure('limit', [name]) });
  refuseDifferent(name, measured);
  add(`rebuild of ${name} from ${million}`, measured);
}
await whole('rebuild of all', 'ours');
await whole('verify all (fill and compare)', 'verify');
report.finish();
await arrivals.close();
await postgres.close();

/** A log whose tasks go on side by side, and live read models at its end. */
async function prepare() {
  const pool = createPool(url, 'admin', 4);
  await migrate(pool);
  const store = new PostgresEventStore({ url });
  const names = taskNames('T', tasks);
  for (let from = 0; from < tasks; from += sideBySide)
    await seedInterleaved(store, 'whole', names.slice(from, from + sideBySide));
  await pool.query('vacuum (analyze, freeze) public.events');
  const last = await store.head();
  const [event] = await store.readAll({ after: before(last), limit: 1 });
  await install(pool, projectionsOfTheLedger);
  for (const projection of projectionsOfTheLedger) await fillLive(pool, store, projection, checkpointAt(event));
  await Promise.all([store.close(), pool.end()]);
  return checkpointAt(event);
}

function before(position) {
  return String(Number(position) - 1).padStart(position.length, '0');
}

async function fillLive(db, store, projection, { position, eventId, stream, revision }) {
  const readModel = readModelOf(projection);
  const signal = new AbortController().signal;
  await fill({ db, store, projection, readModel, upTo: position, pace: { take: async () => {} }, signal, moved: () => {} });
  await db.query(`vacuum (analyze) ${readModel}.${projection.name}`);
  await db.query('update checkpoints set position = $2, event_id = $3, stream = $4, revision = $5 where read_model = $1', [
    readModel,
    position,
    eventId,
    stream,
    revision,
  ]);
}

async function measure(what, names) {
  await postgres.checkpoint();
  const child = await forkAll(1, 'rebuild-process.mjs');
  const [measured] = await child.ask({ what, names, url, events, upTo: at.position });
  await child.close();
  return measured;
}

function add(what, { ours, limit }) {
  const times = (side) => side.map(({ took }) => took);
  const memory = `${Math.round(Math.max(...ours.map(({ peakMb }) => peakMb)))} MB`;
  report.add({
    what,
    unit: 's',
    ours: times(ours),
    against: 'fold by hand, insert in bulk',
    reference: times(limit),
    goal: ratioAtMost(2),
    note: memory,
  });
}

/** All tables in one process, beside the same tables by hand as far as they can be. */
async function whole(what, side) {
  const known = all.filter((name) => tablesByHand.includes(name));
  const measured = await alternate(
    Math.ceil(rounds / 2),
    { ours: () => measure(side, known), limit: () => measure('limit', known) },
    { warmUp: false },
  );
  add(`${what} that the hand knows (${known.length})`, measured);
  const everything = await measure(side, all);
  report.add({ what: `${what} ${all.length}`, unit: 's', ours: [everything.took], note: compared(everything) });
  report.add({ what: `${what} ${all.length}: most memory`, unit: 'MB', ours: [everything.peakMb], goal: atMost(600, 'MB') });
}

function compared({ compared: took }) {
  return took > 0 ? `of it ${took.toFixed(1)} s to compare` : '';
}

function refuseDifferent(name, { ours, limit }) {
  const rows = new Set([...ours, ...limit].map(({ counts }) => counts[name]));
  if (rows.size !== 1) throw new Error(`${name}: sides came to ${[...rows].join(' and ')} rows`);
}
