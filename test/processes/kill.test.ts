import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPool } from '../../src/database.js';
import { postmaster, within } from '../../src/embedded-postgres/postmaster.js';
import { seeded } from '../projections/history.js';
import { embeddedUrl } from './embedded-url.js';
import { ask } from './ask.js';
import { endAll, serveLedger, type LedgerServer } from './ledger-server.js';
import { Load } from './load.js';
import { caughtUp, faultsOf, lostCommands, readLog, unfaithful } from './log-checks.js';
import { until } from './until.js';

jest.setTimeout(120_000);

const kills = 8;
/** An owner's term is 14 s: who is well below that has not waited for a dead one. */
const belowOwnTermMs = 12_000;

describe('a server that is killed', () => {
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
  let home: string;
  let server: LedgerServer;

  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), 'run-ledger-kill-'));
    chmodSync(home, 0o755);
  });
  afterAll(async () => {
    await endAll();
    const left = postmaster(join(home, 'postgres'));
    if (left) process.kill(left.pid, 'SIGQUIT');
    await within(10_000, () => (postmaster(join(home, 'postgres')) ? undefined : true));
    rmSync(home, { recursive: true, force: true });
  });

  it(`has every acknowledged command after each of ${kills} starts, and none twice (SEED=${seed})`, async () => {
    const draw = seeded(seed);
    server = await serveLedger({ LEDGER_HOME: home });
    const postgres = postmaster(join(home, 'postgres'));
    const load = new Load(() => server.url, draw);
    load.start(6);
    for (let kill = 0; kill < kills; kill += 1) {
      await atARandomMoment(load, draw);
      await server.end('SIGKILL');
      server = await serveLedger({ LEDGER_HOME: home });
      await caughtUp(server.url, belowOwnTermMs);
    }
    await load.stop();
    await caughtUp(server.url);

    const databaseUrl = embeddedUrl(home);
    const log = await readLog(databaseUrl);
    expect(load.unexpected).toEqual([]);
    expect(load.repeats.get('connection lost')).toBeGreaterThan(0);
    expect(await lostCommands(databaseUrl, load.acknowledged, log)).toEqual([]);
    expect(faultsOf(log, 3)).toEqual([]);
    expect(postmaster(join(home, 'postgres'))?.pid).toBe(postgres?.pid);
    await expectTheSameAnswers(load);
    const again = await readLog(databaseUrl);
    expect(again.filter(({ metadata }) => !isSystem(metadata.actor)).length).toBe(
      log.filter(({ metadata }) => !isSystem(metadata.actor)).length,
    );
    await caughtUp(server.url);
    const pool = createPool(databaseUrl, 'read');
    await until(
      'read models that equal a fold of the log',
      async () => (await unfaithful(pool, await readLog(databaseUrl))).length === 0,
      10_000,
    );
    await pool.end();
    expect(await server.end('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(postmaster(join(home, 'postgres'))).toBeUndefined();
  });

  async function expectTheSameAnswers({ acknowledged }: Load): Promise<void> {
    for (const { answer, path, ...command } of acknowledged.slice(-400)) {
      const again = await ask(server.url, { ...command, path });
      expect([path, again.status, again.text]).toEqual([path, answer.status, answer.text]);
      expect(again.headers.get('idempotent-replayed')).toBe('true');
    }
  }
});

const isSystem = ({ type }: { type: string }): boolean => type === 'system';

async function atARandomMoment({ acknowledged }: Load, draw: (n: number) => number): Promise<void> {
  const enough = acknowledged.length + 5 + draw(60);
  await until('some acknowledged commands', () => acknowledged.length >= enough);
}
