// How long after its due time an idle ledger promotes a parked run; beside when pg-boss and graphile-worker hand a due job over.
import 'reflect-metadata';
import { dueTimes, promotedLate } from './lib/due.mjs';
import { openLedger } from './lib/ledger.mjs';
import { alternate, percentile, until } from './lib/measure.mjs';
import { openBoss, openGraphile } from './lib/peers.mjs';
import { openPostgres } from './lib/postgres.mjs';
import { atMost, Report } from './lib/report.mjs';
import { taskNames } from './lib/seed.mjs';
import { settings } from './lib/settings.mjs';

const count = 60;

const { rounds } = settings();
const postgres = await openPostgres();
const report = new Report('due-latency', postgres);
const ours = await openLedger(await postgres.database('bench_ours'), ['api', 'projector', 'promoter', 'reaper']);
const boss = await openBoss(await postgres.database('bench_boss'), ['due']);
let late;
const graphile = await openGraphile(await postgres.database('bench_graphile'), { due: ({ due }) => late.push(Date.now() - due) });
await boss.boss.work('due', { batchSize: 100 }, async (jobs) => {
  for (const { data } of jobs) late.push(Date.now() - data.due);
});

const measured = await alternate(rounds, { ours: parkAll, boss: bossAll, graphile: graphileAll });
for (const [p, goal] of [
  [50, 20],
  [99, 100],
]) {
  const of = (side) => measured[side].map((latencies) => percentile(latencies, p));
  report.add({
    what: `due → promoted, p${p}`,
    unit: 'ms',
    ours: of('ours'),
    against: 'pg-boss',
    reference: of('boss'),
    goal: atMost(goal, 'ms'),
  });
  report.add({
    what: `due → promoted, p${p}`,
    unit: 'ms',
    ours: of('ours'),
    against: 'graphile-worker',
    reference: of('graphile'),
  });
}
report.finish();
await ours.close();
await boss.close();
await graphile.close();
await postgres.close();

function parkAll(round) {
  return promotedLate(ours.ledger.store, taskNames(`D-${round + 1}`, round < 0 ? 5 : count));
}

function bossAll(round) {
  return lateness(round < 0 ? 5 : count, async (times) => {
    for (const due of times) await boss.boss.send('due', { due }, { startAfter: new Date(due) });
  });
}

function graphileAll(round) {
  return lateness(round < 0 ? 5 : count, async (times) => {
    for (const due of times) await graphile.utils.addJob('due', { due }, { runAt: new Date(due) });
  });
}

/** How late each was, in ms. */
async function lateness(wanted, plan) {
  late = [];
  await plan(dueTimes(wanted));
  await until('everything was due', 60_000, () => late.length >= wanted);
  return late;
}
