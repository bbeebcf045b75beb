// What people look at on a ledger of a million runs, over HTTP from a server of the role api alone: beside the same rows asked for by
// hand through pg, and for the dashboard beside a count of the runs, which is what it costs where no counters are kept.
//
// The agents, and the tasks that are looked at as of a position or replayed, are events that were appended and projected. The million
// runs are rows: what the projections make of a few stories, multiplied in SQL, and counted once into the counters.
import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { putAgent } from '../dist/commands/agent.js';
import { createPool } from '../dist/database.js';
import { activity } from '../dist/projections/activity.js';
import { agents } from '../dist/projections/agents.js';
import { dashboard } from '../dist/projections/dashboard.js';
import { dueRetries } from '../dist/projections/due-retries.js';
import { readModelOf } from '../dist/projections/projection.js';
import { readyRuns } from '../dist/projections/ready-runs.js';
import { runStatus } from '../dist/projections/run-status.js';
import { taskCounts } from '../dist/projections/task-counts.js';
import { tasks } from '../dist/projections/tasks.js';
import { wakeupRequests } from '../dist/projections/wakeup-requests.js';
import { agent, apart, company, eventsOf, longStory, story } from './lib/history.mjs';
import { openLedger } from './lib/ledger.mjs';
import { alternate, closedLoop } from './lib/measure.mjs';
import { openPostgres } from './lib/postgres.mjs';
import { forkAll } from './lib/processes.mjs';
import { atMost, Report } from './lib/report.mjs';
import { count, withoutIndexes, writeRows } from './lib/rows.mjs';
import { freePort, startLedger } from './lib/servers.mjs';
import { settings } from './lib/settings.mjs';

const howMany = { agents: 50, tasks: { mixed: 198_000, parked: 4_000, queued: 2_000 } };
const dayMs = 24 * 3_600_000;
/** four events a run, and one of the task */
const longRuns = 2_499;
const path = `/v1/companies/${company}`;

const { rounds, ms } = settings();
const postgres = await openPostgres();
const report = new Report('reads', postgres);
const url = await postgres.database('bench_reads');
const head = await append();
await fill();

const port = await freePort();
const api = await startLedger({ DATABASE_URL: url, LEDGER_ROLES: 'api', PORT: String(port) });
const load = await forkAll(1, 'http-load.mjs');
const db = createPool(url, 'read', 1);
const table = (projection) => `${readModelOf(projection)}.${projection.name}`;

await page('dashboard', 10, ['dashboard'], [dashboardByHand]);
await page('dashboard', undefined, ['dashboard'], [runsCounted], 'a count of the runs');
await page('run list', 20, ['runs'], [() => newest(runStatus, 'queued_at', 'run_id')]);
await page(
  'run list, one status',
  20,
  ['failed', 'timed_out', 'succeeded', 'queued', 'scheduled_retry'].map((status) => `runs?status=${status}`),
  ['failed', 'timed_out', 'succeeded', 'queued', 'scheduled_retry'].map(
    (status) => () => newest(runStatus, 'queued_at', 'run_id', 'status', status),
  ),
);
await page(
  'run list, one agent',
  20,
  some((n) => `runs?agent=${agent}-${n}`),
  some((n) => () => newest(runStatus, 'queued_at', 'run_id', 'agent', `${agent}-${n}`)),
);
await page(
  'run list, three filters',
  50,
  some((n) => `runs?status=timed_out&agent=${agent}-${n}&errorCode=timeout`),
);
await page(
  "a task's runs",
  10,
  some((n) => `runs?task=mixed-${n * 3_000}`),
  some((n) => () => newest(runStatus, 'queued_at', 'run_id', 'task', `mixed-${n * 3_000}`)),
);
await page(
  "a task's runs, 2,499 of them",
  10,
  ['runs?task=LONG-1'],
  [() => newest(runStatus, 'queued_at', 'run_id', 'task', 'LONG-1')],
);
await page('activity', 20, ['activity'], [() => newest(activity, 'position')]);
await page(
  'activity of an agent',
  20,
  some((n) => `activity?agent=${agent}-${n}`),
  some((n) => () => newest(activity, 'position', undefined, 'agent', `${agent}-${n}`)),
);
await page('wakeups', 20, ['wakeups'], [() => newest(wakeupRequests, 'requested_at', 'wakeup_id')]);
await page('agents', 20, ['agents']);
await page(
  "a task's runs as of a position",
  50,
  some((n) => `runs?task=SHORT-${n}&asOfPosition=${head}`),
);
await page("a task's runs as of a position, 2,499 of them", 50, [`runs?task=LONG-1&asOfPosition=${head}`]);
await replayed('replay of a stream of 10,000 events', 'tasks/LONG-1/replay?limit=10000');
await replayed('the same stream, its events only', 'tasks/LONG-1/events?limit=1000');

report.finish();
await load.close();
await api.stop();
await db.end();
await postgres.close();

/** `asked` in turn from one connection, beside `byHand` in turn; what answers another status than 200 is left out. */
async function page(what, goalMs, asked, byHand, against = 'SQL by hand') {
  const paths = asked.map((rest) => `${path}/${rest}`);
  if (!(await answers(paths[0]))) return;
  let turn = 0;
  const measured = await alternate(rounds, {
    ours: async () => (await load.ask({ ports: [port], connections: 1, ms, paths }))[0],
    ...(byHand && { hand: () => closedLoop(1, ms, () => byHand[turn++ % byHand.length]()) }),
  });
  for (const p of ['p50', 'p99']) {
    const [ours, reference] = [measured.ours, measured.hand].map((side) => side?.map((round) => round[p]));
    const goal = p === 'p99' && goalMs ? atMost(goalMs, 'ms') : undefined;
    report.add({ what: `${what}, ${p}`, unit: 'ms', ours, goal, ...(reference && { against, reference }) });
  }
}

async function replayed(what, first) {
  if (!(await answers(`${path}/${first}`))) return;
  const { ours } = await alternate(rounds, { ours: () => wholeList(`${path}/${first}`) });
  report.add({ what, unit: 'ms', ours, goal: atMost(1_000, 'ms') });
}

async function wholeList(first) {
  const start = performance.now();
  for (let next = first; next;) {
    const body = await (await fetch(`http://127.0.0.1:${port}${next}`)).json();
    next = body.next && `${first}&cursor=${encodeURIComponent(body.next)}`;
  }
  return performance.now() - start;
}

async function answers(first) {
  const { status } = await fetch(`http://127.0.0.1:${port}${first}`);
  if (status !== 200) console.error(`\nleft out, as it answers ${status}: ${first}`);
  return status === 200;
}

function some(of) {
  return Array.from({ length: howMany.agents }, (_, n) => of(n + 1));
}

/** The least that a page needs: one more row than it shows. */
function newest(projection, time, id, column, value) {
  return db.query({
    name: `${projection.name} ${column ?? ''}`,
    text: `
      select *
      from ${table(projection)}
      where company = $1
        ${column ? `and ${column} = $2` : ''}
      order by ${[time, id].flatMap((name) => (name ? [`${name} desc`] : [])).join(', ')}
      limit ${projection === activity ? 101 : 51}`,
    values: column ? [company, value] : [company],
  });
}

async function dashboardByHand() {
  const of = (projection, rest = '') =>
    db.query({
      name: `dashboard ${projection.name}`,
      text: `select * from ${table(projection)} where company = $1 ${rest}`,
      values: [company],
    });
  await of(dashboard, 'and day > current_date - 14 or company = $1 and queued + running + parked > 0');
  await of(taskCounts);
  await of(dueRetries, 'order by due_at limit 1');
}

function runsCounted() {
  return db.query({
    name: 'count',
    text: `
      select (queued_at at time zone 'UTC')::date as day, status, count(*)
      from ${table(runStatus)}
      where company = $1
      group by 1, 2`,
    values: [company],
  });
}

/** Answers the position of the last event. */
async function append() {
  const { ledger, dispatch, close } = await openLedger(url, ['api', 'projector']);
  const context = () => ({ commandId: randomUUID(), actor: { type: 'user', id: 'operator' } });
  for (let n = 1; n <= howMany.agents; n++) await dispatch.send(putAgent, { company, agent: `${agent}-${n}` }, context());
  const short = await story('mixed');
  await ledger.store.append(some((n) => short(`SHORT-${n}`)));
  for (const part of apart(await longStory('LONG-1', longRuns), 500)) await ledger.store.append([part]);
  const last = await ledger.store.head();
  await ledger.progress.reached(await namesOf(ledger), last, 120_000);
  await close();
  return last;
}

async function namesOf({ reads }) {
  return (await reads.query('select projection from projection_versions')).rows.map(({ projection }) => projection);
}

async function fill() {
  const db = createPool(url, 'admin', 1);
  await db.query('set synchronous_commit = off');
  const filled = [runStatus, wakeupRequests, tasks, activity, dueRetries, readyRuns];
  let place = Number(head);
  await withoutIndexes(db, filled, async () => {
    for (const [name, count] of Object.entries(howMany.tasks)) {
      const events = await eventsOf(name);
      const begin = new Date(Date.now() - 28 * dayMs);
      const spread = { prefix: name, count, agents: howMany.agents, begin, everyMs: (27 * dayMs) / count, head: place };
      for (const projection of filled) await writeRows(db, projection, events, spread);
      place += events.length * count;
      process.stderr.write('.');
    }
  });
  await count(db, { dashboard, taskCounts, agents, runStatus, tasks });
  await db.query('vacuum analyze');
  await db.end();
  await postgres.checkpoint();
}
