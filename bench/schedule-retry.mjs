// ScheduleRetry: load the task's stream, decide, append. Beside pg-boss putting a job off.
import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { scheduleRetry } from '../dist/commands/retry.js';
import { setTaskStatus } from '../dist/commands/task.js';
import { company } from './lib/history.mjs';
import { openLedger } from './lib/ledger.mjs';
import { alternate, closedLoop, eachOnce } from './lib/measure.mjs';
import { openBoss } from './lib/peers.mjs';
import { openPostgres } from './lib/postgres.mjs';
import { ratioAtLeast, Report } from './lib/report.mjs';
import { sampleEvent } from './lib/samples.mjs';
import { seed, taskNames } from './lib/seed.mjs';
import { settings } from './lib/settings.mjs';

const goals = { 1: 1, 8: 2, 32: 3 };
/** What Paperclip's scheduleBoundedRetry did per second on such a machine, measured once; it is not run here. */
const paperclip = { 1: 109, 8: 184, 32: 166 };
/** About a second's work. */
const runs = { 1: 1_500, 8: 4_000, 32: 8_000 };

const { rounds, ms } = settings();
const postgres = await openPostgres();
const report = new Report('schedule-retry', postgres);
const ours = await openLedger(await postgres.database('bench_ours'));
const peer = await openBoss(await postgres.database('bench_boss'), ['late']);

for (const callers of [1, 8, 32]) {
  const measured = await alternate(rounds, {
    cold: (round) => schedule(callers, round, 'cold'),
    warm: (round) => schedule(callers, round, 'warm'),
    boss: (round) => closedLoop(callers, round < 0 ? 500 : ms, sendLate),
  });
  const note = `Paperclip, earlier: ${paperclip[callers]} per s`;
  compare(
    `ScheduleRetry, ${callers} callers, streams read anew`,
    measured.cold,
    { goal: ratioAtLeast(goals[callers]), note },
    measured.boss,
  );
  compare(`ScheduleRetry, ${callers} callers, streams known`, measured.warm, {}, measured.boss);
}

report.finish();
await ours.close();
await peer.close();
await postgres.close();

/** Each of many failed runs once. `warm`: this process has decided on these tasks before. */
async function schedule(callers, round, how) {
  const tasks = taskNames(`${how.toUpperCase()}-${callers}-${round + 1}`, round < 0 ? 300 : runs[callers]);
  await seed(ours.ledger.store, 'failed', tasks);
  if (how === 'warm') await eachOnce(32, tasks, touch);
  return eachOnce(callers, tasks, scheduleOne);
}

async function scheduleOne(task) {
  const { answer } = await ours.dispatch.send(scheduleRetry, { company, run: `${task}.1` }, context());
  if (answer.outcome !== 'scheduled') throw new Error(`${task}: ${answer.outcome}`);
}

/** A command that finds everything as it wants it, and so writes nothing. */
async function touch(task) {
  await ours.dispatch.send(setTaskStatus, { company, task, status: 'todo' }, context());
}

function compare(what, measured, rest, boss) {
  const [rates, bossRates] = [measured, boss].map((side) => side.map(({ rate }) => rate));
  report.add({ what, unit: 'per s', ours: rates, against: 'pg-boss send startAfter', reference: bossRates, ...rest });
}

function sendLate() {
  return peer.boss.send('late', sampleEvent().data, { startAfter: new Date(Date.now() + 3_600_000) });
}

function context() {
  return { commandId: randomUUID(), actor: { type: 'user', id: 'operator' } };
}
