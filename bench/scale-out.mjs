// What more processes on one Postgres come to: validated, durable commands per second over HTTP, and how long after its due time a parked
// run is promoted. 1, 2 and 4 servers with all roles each, beside the one; they, Postgres and the load share the machine.
import 'reflect-metadata';
import { cpus } from 'node:os';
import { createPool } from '../dist/database.js';
import { PostgresEventStore } from '../dist/event-store/postgres.js';
import { migrate } from '../dist/migrator.js';
import { promotedLate } from './lib/due.mjs';
import { registered } from './lib/history.mjs';
import { alternate, percentile } from './lib/measure.mjs';
import { openPostgres } from './lib/postgres.mjs';
import { forkAll } from './lib/processes.mjs';
import { atMost, Report } from './lib/report.mjs';
import { taskNames } from './lib/seed.mjs';
import { freePort, startLedger } from './lib/servers.mjs';
import { settings } from './lib/settings.mjs';

const counts = [1, 2, 4];
const connections = 32;
const runs = 60;

const { rounds, ms } = settings();
const postgres = await openPostgres();
const report = new Report('scale-out', postgres);
await prepare();
const load = await forkAll(1, 'http-load.mjs');

const measured = await alternate(rounds, Object.fromEntries(counts.map((count) => [`of${count}`, () => measure(count)])), {
  warmUp: false,
});
for (const count of counts) compare(count);
report.say(
  `All processes, Postgres and the load share ${cpus().length} cores; each measurement has new processes and a new database.`,
);
report.finish();
await load.close();
await postgres.close();

/** A database to be copied, that has the agent. */
async function prepare() {
  const url = await postgres.database('bench_new');
  const pool = createPool(url, 'admin');
  await migrate(pool);
  await pool.end();
  const store = new PostgresEventStore({ url });
  await store.append([await registered()]);
  await store.close();
}

/** Due times first, while there is nothing else to do. */
async function measure(count) {
  const url = await postgres.database('bench_scale_out', 'bench_new');
  await postgres.checkpoint();
  const ports = await Promise.all(Array.from({ length: count }, freePort));
  const servers = await Promise.all(ports.map((port) => startLedger({ DATABASE_URL: url, PORT: String(port) })));
  const late = await parked(url);
  await load.ask({ ports, connections, ms: 2_000 });
  const [commands] = await load.ask({ ports, connections, ms });
  await Promise.all(servers.map((server) => server.stop()));
  return { ...commands, late50: percentile(late, 50), late99: percentile(late, 99) };
}

/** The first few warm up. */
async function parked(url) {
  const store = new PostgresEventStore({ url });
  await promotedLate(store, taskNames('W', 10));
  const late = await promotedLate(store, taskNames('D', runs));
  await store.close();
  return late;
}

function compare(count) {
  const processes = count === 1 ? '1 process' : `${count} processes`;
  const add = (what, unit, figure, goal) => {
    const of = (side) => side.map((round) => round[figure]);
    const beside = count === 1 ? {} : { against: '1 process', reference: of(measured.of1) };
    report.add({ what: `${processes}: ${what}`, unit, ours: of(measured[`of${count}`]), ...beside, goal });
  };
  add(`PUT task, ${connections} connections`, 'req/s', 'rate');
  add(`PUT task, ${connections} connections: p50`, 'ms', 'p50');
  add(`PUT task, ${connections} connections: p99`, 'ms', 'p99');
  add('due → promoted, p50', 'ms', 'late50', atMost(20, 'ms'));
  add('due → promoted, p99', 'ms', 'late99', atMost(100, 'ms'));
}
