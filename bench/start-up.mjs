// From `ledger serve` to the ready line: in an empty folder, with everything that is to be made, and again in the same one. Beside
// Postgres alone, started the same way. And what the idle server keeps in memory.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '../dist/embedded-postgres.js';
import { alternate, seconds } from './lib/measure.mjs';
import { openPostgres } from './lib/postgres.mjs';
import { atMost, Report } from './lib/report.mjs';
import { freePort, startLedger } from './lib/servers.mjs';
import { settings } from './lib/settings.mjs';

const idleMs = 5_000;

const { rounds } = settings();
const postgres = await openPostgres();
const report = new Report('start-up', postgres);
await postgres.close();

const { ours, server } = await alternate(rounds, { ours: inEmptyFolder(ledger), server: inEmptyFolder(postgresAlone) });
const side = (figure) => ({ ours: ours.map((round) => round[figure]), reference: server.map((round) => round[figure]) });
const rest = { unit: 's', against: 'Postgres alone' };
report.add({ what: 'first start, migrations included', ...side('first'), ...rest, goal: atMost(3, 's') });
report.add({ what: 'restart', ...side('again'), ...rest, goal: atMost(0.7, 's') });
const memory = ours.map(({ rss }) => rss).filter((rss) => rss !== undefined);
if (memory.length > 0)
  report.add({ what: `idle for ${idleMs / 1_000} s`, unit: 'MB RSS', ours: memory, goal: atMost(150, 'MB') });
report.finish();

function inEmptyFolder(work) {
  return async () => {
    const home = mkdtempSync(join(tmpdir(), 'run-ledger-bench-'));
    try {
      return await work(home);
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  };
}

async function ledger(home) {
  const env = { LEDGER_HOME: home, PORT: String(await freePort()), DATABASE_URL: '' };
  const first = await startLedger(env);
  await first.stop();
  const again = await startLedger(env);
  await new Promise((resume) => setTimeout(resume, idleMs));
  const rss = residentMb(again.pid);
  await again.stop();
  return { first: first.ms / 1_000, again: again.ms / 1_000, rss };
}

async function postgresAlone(home) {
  const once = async () => {
    const start = performance.now();
    const server = await startEmbeddedPostgres({ home });
    const took = seconds(start);
    await server.stop();
    return took;
  };
  return { first: await once(), again: await once() };
}

/** undefined where /proc is not. */
function residentMb(pid) {
  try {
    const [, kb] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return Number(kb) / 1_024;
  } catch {
    return undefined;
  }
}
