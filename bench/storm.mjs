// 10,000 routines whose slots fall on one instant: how long until each has been fired and has its outcome, and what commands, claims and
// beats to the same server take meanwhile, beside what they take when nothing is due. With spreadSec 60 they come within a minute. Beside
// graphile-worker with as many cron items, whose jobs do nothing, and beside the bare appends of as many events.
import 'reflect-metadata';
import { parseCronItems, run as runGraphile } from 'graphile-worker';
import { offsetMs } from '../dist/events/due-slot.js';
import { PostgresEventStore } from '../dist/event-store/postgres.js';
import { company, registered } from './lib/history.mjs';
import { openLedger } from './lib/ledger.mjs';
import { eachOnce, percentile, seconds, until } from './lib/measure.mjs';
import { openGraphile } from './lib/peers.mjs';
import { openPostgres } from './lib/postgres.mjs';
import { forkAll } from './lib/processes.mjs';
import { Report } from './lib/report.mjs';
import { routineCopies } from './lib/routines.mjs';
import { newStream, sampleEvent, sampleMetadata } from './lib/samples.mjs';
import { taskNames } from './lib/seed.mjs';
import { freePort, startLedger } from './lib/servers.mjs';
import { settings } from './lib/settings.mjs';

const count = 10_000;
const idleMs = 8_000;
const calls = { put: 'PUT task', claim: 'claim', beat: 'beat' };

const { rounds } = settings({ rounds: 2 });
const postgres = await openPostgres();
const report = new Report('storm', postgres);
const url = await postgres.database('bench_ours');
const port = await freePort();
const server = await startLedger({ DATABASE_URL: url, PORT: String(port) });
const log = { info() {}, warn: console.error, error: console.error };
const store = new PostgresEventStore({ url, log });
/** nobody follows it */
const alone = await openLedger(await postgres.database('bench_alone'));
const callers = await forkAll(1, 'callers-process.mjs');
const address = `http://127.0.0.1:${port}`;
const copy = await routineCopies();
await store.append([await registered()]);
await callers.ask({ url: address, ms: 2_000 });

const storms = [];
const spread = [];
const bare = [];
const graphile = [];
for (let round = 0; round < rounds; round++) {
  storms.push(await storm(`S-${round}`, 0));
  bare.push(await bareAppends(storms.at(-1).appends));
  graphile.push(await cronOfGraphile(round));
  spread.push(await storm(`M-${round}`, 60));
}

const took = storms.map(({ took }) => took);
report.add({
  what: `${count} due at one instant, until the last outcome`,
  unit: 's',
  ours: took,
  against: 'graphile-worker',
  reference: graphile,
});
report.add({ what: 'the same', unit: 's', ours: took, against: 'bare appends, 8 at a time', reference: bare });
compareCalls('storm', storms);
compareCalls('spread', spread);
for (const p of [50, 99])
  report.add({ what: `spread over 60 s: due → fired, p${p}`, unit: 'ms', ours: spread.map(({ late }) => percentile(late, p)) });

report.finish();
await callers.close();
await store.close();
await alone.close();
await server.stop();
await postgres.close();

/** What the callers found while routines came due, beside when nothing was. */
function compareCalls(name, measured) {
  for (const [call, what] of Object.entries(calls))
    for (const p of [50, 99]) {
      const of = (when) => measured.map((round) => percentile(round[when][call], p));
      report.add({
        what: `${name}: ${what}, p${p}`,
        unit: 'ms',
        ours: of('during'),
        against: 'nothing due',
        reference: of('before'),
      });
    }
}

async function storm(prefix, spreadSec) {
  const names = taskNames(prefix, count);
  const due = new Date(Date.now() + idleMs + 12_000);
  for (let from = 0; from < count; from += 250)
    await store.append(names.slice(from, from + 250).map((name) => copy(name, { due: due.toISOString(), spreadSec })));
  await postgres.checkpoint();
  await until('read models at the head', 60_000, isIdle);
  if (Date.now() + idleMs > due.getTime()) throw new Error('the seed took too long: the storm has begun before it was measured');
  const before = await calling(() => Date.now() < due.getTime() - 1_000);
  let isOver = false;
  const followed = follow(prefix, spreadSec, due.getTime()).finally(() => (isOver = true));
  await until('the storm', 60_000, () => Date.now() >= due.getTime());
  const during = await calling(() => !isOver);
  process.stderr.write('.');
  return { ...(await followed), before, during };
}

async function isIdle() {
  const { head, items } = await (await fetch(`${address}/v1/projections`)).json();
  return items.every(({ position }) => position === head);
}

async function calling(goesOn) {
  const all = { put: [], claim: [], beat: [] };
  while (goesOn()) {
    const [found] = await callers.ask({ url: address, ms: 500 });
    for (const call of Object.keys(all)) all[call].push(...found[call]);
  }
  return all;
}

/** Hears of fires and their outcomes as any other process would: from the log. */
async function follow(prefix, spreadSec, due) {
  const ended = new AbortController();
  const late = [];
  let settled = 0;
  let appends = 0;
  for await (const page of store.subscribe({ after: await store.head(), signal: ended.signal })) {
    for (const { type, data } of page) {
      if (!data.routine?.startsWith(prefix)) continue;
      if (['RoutineFired', 'FireTaken', 'FireCreated'].includes(type)) appends++;
      if (type === 'RoutineFired') late.push(Date.now() - due - offsetMs(company, data.routine, 'tick', spreadSec));
      if (type === 'FireCreated') settled++;
    }
    if (settled >= count) break;
  }
  return { took: (Date.now() - due) / 1_000, late, appends };
}

/** As many appends as the storm has made, of one event each. */
async function bareAppends(appends) {
  const start = performance.now();
  await eachOnce(8, Array.from({ length: appends }), async () => {
    await alone.ledger.store.append([
      { stream: newStream(), expectedRevision: 'no-stream', events: [sampleEvent()], metadata: sampleMetadata() },
    ]);
  });
  return seconds(start);
}

/** From the minute for which they are due until the last job is done. */
async function cronOfGraphile(round) {
  const peer = await openGraphile(await postgres.database(`bench_graphile_${round}`));
  const due = Math.ceil((Date.now() + 5_000) / 60_000) * 60_000;
  const min = new Date(due).getMinutes();
  let done = 0;
  const items = Array.from({ length: count }, (_, n) => ({
    task: 'report',
    match: (digest) => digest.min === min,
    options: { backfillPeriod: 0 },
    identifier: `report-${n}`,
  }));
  const { pgPool, logger } = peer;
  const runner = await runGraphile({
    pgPool,
    logger,
    concurrency: 8,
    noHandleSignals: true,
    taskList: { report: () => void done++ },
    parsedCronItems: parseCronItems(items),
  });
  await until('all jobs', 300_000, () => done >= count);
  const took = (Date.now() - due) / 1_000;
  await runner.stop();
  await peer.close();
  return took;
}
