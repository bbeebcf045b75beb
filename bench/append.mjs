// How many durable events per second can be appended, beside one function call per event, and beside Emmett.
import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql';
import pg from 'pg';
import { migrate } from '../dist/migrator.js';
import { createPool } from '../dist/database.js';
import { alternate, closedLoop } from './lib/measure.mjs';
import { ourAppend } from './lib/our-append.mjs';
import { plainAppend } from './lib/plain-append.mjs';
import { openPostgres } from './lib/postgres.mjs';
import { forkAll } from './lib/processes.mjs';
import { ratioAtLeast, ratioAtMost, Report } from './lib/report.mjs';
import { newStream, sampleEvent, sampleMetadata } from './lib/samples.mjs';
import { settings } from './lib/settings.mjs';

/** Postgres takes a hundred connections as it is delivered; more callers than this share them. */
const mostConnections = 64;
const goals = { 1: 0.9, 8: 1.3, 32: 2.5 };

const { rounds, ms } = settings();
const postgres = await openPostgres();
const report = new Report('append', postgres);
const [ourUrl, plainUrl, emmettUrl] = [
  await postgres.database('bench_ours'),
  await postgres.database('bench_plain'),
  await postgres.database('bench_emmett'),
];
await prepare(ourUrl);

await inProcess();
await inFourProcesses();
report.finish();
await postgres.close();

async function prepare(url) {
  const pool = createPool(url, 'admin');
  await migrate(pool);
  await pool.end();
}

async function inProcess() {
  const [ours, plain, emmett] = [ourAppend(ourUrl), await plainAppend(plainUrl, mostConnections), await emmettAppend(emmettUrl)];
  for (const callers of [1, 8, 32, 256]) await singles(callers, { ours, plain, emmett });
  for (const callers of [1, 4]) await batches(callers, 100, { ours, plain });
  for (const side of [ours, plain, emmett]) await side.close();
}

async function singles(callers, sides) {
  const loops = Object.entries(sides).map(([name, side]) => [
    name,
    (round) => closedLoop(callers, lengthOf(round), () => side.one()),
  ]);
  const { ours, plain, emmett } = await alternate(rounds, Object.fromEntries(loops));
  const what = `single, ${callers} callers`;
  compare(what, ours, plain, { against: 'call per event', goal: goals[callers] && ratioAtLeast(goals[callers]) });
  const p99 = { unit: 'ms', ours: ours.map((round) => round.p99), reference: plain.map((round) => round.p99) };
  report.add({ what: `${what}: p99`, against: 'call per event', ...p99, goal: callers === 32 ? ratioAtMost(1) : undefined });
  compare(what, ours, emmett, { against: 'Emmett' });
}

async function batches(callers, size, { ours, plain }) {
  const loop = (call) => async (round) => times(size, await closedLoop(callers, lengthOf(round), call));
  const measured = await alternate(rounds, {
    ours: loop(() => ours.batch(size)),
    plain: loop(() => plain.batch(size)),
    oursSpread: loop(() => ours.spread(size)),
    plainSpread: loop(() => plain.spread(size)),
  });
  const goal = ratioAtLeast(0.9);
  compare(`${size} in one call to one stream, ${callers} callers`, measured.ours, measured.plain, { against: 'unnest', goal });
  compare(`${size} in one call to ${size} streams, ${callers} callers`, measured.oursSpread, measured.plainSpread, {
    against: 'unnest',
    goal,
  });
}

async function inFourProcesses() {
  const ours = await forkAll(4, 'append-process.mjs', ['ours', ourUrl]);
  const plain = await forkAll(4, 'append-process.mjs', ['plain', plainUrl, '20']);
  const ask = (side) => async (round) => together(await side.ask({ callers: 32, ms: lengthOf(round) }));
  const measured = await alternate(rounds, { ours: ask(ours), plain: ask(plain) });
  const note = 'its callers share 80 connections';
  compare('single, 4 processes of 32 callers', measured.ours, measured.plain, {
    against: 'call per event',
    goal: ratioAtLeast(3),
    note,
  });
  await ours.close();
  await plain.close();
}

function compare(what, ours, other, rest) {
  report.add({ what, unit: 'events/s', ours: ours.map(({ rate }) => rate), reference: other.map(({ rate }) => rate), ...rest });
}

async function emmettAppend(url) {
  const pool = new pg.Pool({ connectionString: url, max: mostConnections });
  const store = getPostgreSQLEventStore(url, { connectionOptions: { pool } });
  await store.schema.migrate();
  return {
    async one() {
      const { type, data } = sampleEvent();
      await store.appendToStream(newStream(), [{ type, data, metadata: sampleMetadata() }]);
    },
    async close() {
      await store.close();
      await pool.end();
    },
  };
}

function lengthOf(round) {
  return round < 0 ? Math.min(ms, 1_000) : ms;
}

function times(size, { rate, ...rest }) {
  return { rate: rate * size, ...rest };
}

function together(answers) {
  return { rate: answers.reduce((sum, { rate }) => sum + rate, 0) };
}
