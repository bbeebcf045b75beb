// PromoteDueRetries: every parked run that is due, in one call, while the read models are kept up in the same process.
import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { promoteDueRetries } from '../dist/commands/promote-due-retries.js';
import { openLedger } from './lib/ledger.mjs';
import { alternate, seconds } from './lib/measure.mjs';
import { drainBoss, insertBossJobs, openBoss } from './lib/peers.mjs';
import { openPostgres } from './lib/postgres.mjs';
import { atMost, Report } from './lib/report.mjs';
import { seed, taskNames } from './lib/seed.mjs';
import { settings } from './lib/settings.mjs';

const { rounds } = settings();
const postgres = await openPostgres();
const report = new Report('promote', postgres);
const ours = await openLedger(await postgres.database('bench_ours'), ['api', 'projector']);
const peer = await openBoss(await postgres.database('bench_boss'), ['burst']);
const readModels = (await ours.ledger.reads.query('select projection from projection_versions')).rows.map(
  ({ projection }) => projection,
);

await measure(10_000, rounds, 1);
await measure(60_000, Math.min(rounds, 3), 6);
report.finish();
await ours.close();
await peer.close();
await postgres.close();

async function measure(count, times, goal) {
  const warmUp = count <= 10_000;
  const measured = await alternate(times, { ours: (round) => promote(count, round), boss: () => drain(count) }, { warmUp });
  const note = count === 10_000 ? 'Paperclip, earlier: 50 s in a loop of calls' : '';
  const rest = { unit: 's', against: 'pg-boss fetch + complete', reference: measured.boss, goal: atMost(goal, 's'), note };
  report.add({ what: `${count} due at one instant`, ours: measured.ours, ...rest });
}

async function promote(count, round) {
  const due = new Date(Date.now() - 60_000);
  const head = await seed(ours.ledger.store, 'parked', taskNames(`P-${count}-${round + 1}`, count), { due: () => due });
  await ours.ledger.progress.reached(readModels, head, 600_000);
  await postgres.checkpoint();
  const start = performance.now();
  const { answer } = await ours.dispatch.send(
    promoteDueRetries,
    {},
    { commandId: randomUUID(), actor: { type: 'user', id: 'operator' } },
  );
  const took = seconds(start);
  if (answer.promoted !== count) throw new Error(`${answer.promoted} of ${count} were promoted`);
  await ours.ledger.progress.reached(readModels, await ours.ledger.store.head(), 600_000);
  return took;
}

async function drain(count) {
  await insertBossJobs(peer.boss, 'burst', count, { retryOf: 'BENCH-1.1' });
  await postgres.checkpoint();
  const start = performance.now();
  const drained = await drainBoss(peer.boss, 'burst');
  if (drained !== count) throw new Error(`pg-boss drained ${drained} of ${count}`);
  return seconds(start);
}
