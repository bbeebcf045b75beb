// Validated, durable commands over HTTP, 32 connections, without idempotency keys: the role api alone, the read models kept up by another
// process. Beside Nest and fastify with the same fields and nothing kept.
import 'reflect-metadata';
import { putAgent } from '../dist/commands/agent.js';
import { openLedger } from './lib/ledger.mjs';
import { fileURLToPath } from 'node:url';
import { randomUUID } from 'node:crypto';
import { alternate } from './lib/measure.mjs';
import { openPostgres } from './lib/postgres.mjs';
import { forkAll } from './lib/processes.mjs';
import { ratioAtLeast, Report } from './lib/report.mjs';
import { freePort, startLedger, startProcess } from './lib/servers.mjs';
import { settings } from './lib/settings.mjs';

const { rounds, ms } = settings();
const postgres = await openPostgres();
const report = new Report('http', postgres);
const url = await postgres.database('bench_ours');
await register();
const [ourPort, floorPort] = [await freePort(), await freePort()];
const api = await startLedger({ DATABASE_URL: url, LEDGER_ROLES: 'api', PORT: String(ourPort) });
const projector = await startLedger({ DATABASE_URL: url, LEDGER_ROLES: 'projector' });
const floor = await startProcess(fileURLToPath(new URL('lib/nest-floor.mjs', import.meta.url)), { args: [String(floorPort)] });
const load = await forkAll(1, 'http-load.mjs');

for (const connections of [1, 32]) {
  const ask = (port) => async (round) => (await load.ask({ ports: [port], connections, ms: round < 0 ? 2_000 : ms }))[0];
  const { ours, nothing } = await alternate(rounds, { ours: ask(ourPort), nothing: ask(floorPort) });
  const side = (figure) => ({ ours: ours.map((round) => round[figure]), reference: nothing.map((round) => round[figure]) });
  const rest = { against: 'Nest + fastify, nothing kept' };
  report.add({
    what: `PUT task, ${connections} connections`,
    unit: 'req/s',
    ...side('rate'),
    ...rest,
    goal: connections === 32 ? ratioAtLeast(0.7) : undefined,
  });
  report.add({ what: `PUT task, ${connections} connections: p50`, unit: 'ms', ...side('p50'), ...rest });
  report.add({ what: `PUT task, ${connections} connections: p99`, unit: 'ms', ...side('p99'), ...rest });
}

report.finish();
await load.close();
for (const server of [api, projector, floor]) await server.stop();
await postgres.close();

async function register() {
  const ours = await openLedger(url);
  await ours.dispatch.send(
    putAgent,
    { company: 'bench', agent: 'worker' },
    { commandId: randomUUID(), actor: { type: 'user', id: 'operator' } },
  );
  await ours.close();
}
