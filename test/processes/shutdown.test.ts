import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { postmaster, within } from '../../src/embedded-postgres/postmaster.js';
import { createPool } from '../../src/database.js';
import { ask, get, post, put } from './ask.js';
import { embeddedUrl } from './embedded-url.js';
import { endAll, serveLedger } from './ledger-server.js';
import { until } from './until.js';

jest.setTimeout(60_000);

/** After ten seconds, whatever is left is cut off: nothing may be. */
const patienceMs = 9_000;

describe('a server that is told to end', () => {
  let home: string;

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'run-ledger-end-'));
    chmodSync(home, 0o755);
  });
  afterEach(async () => {
    await endAll();
    const left = postmaster(join(home, 'postgres'));
    if (left) process.kill(left.pid, 'SIGQUIT');
    await within(10_000, () => (postmaster(join(home, 'postgres')) ? undefined : true));
    rmSync(home, { recursive: true, force: true });
  });

  it('answers its long polls, finishes what is in flight, stops its Postgres and ends well', async () => {
    const server = await serveLedger({ LEDGER_HOME: home });
    await put(server.url, 'agents/coder', {});
    const began = performance.now();
    const polls = ['a', 'b'].map((requestId) => post(server.url, 'agents/coder/claims?wait=50', { workerId: 'w', requestId }));
    const pool = createPool(embeddedUrl(home), 'admin');
    const appender = await pool.connect();
    await appender.query('begin; select public.begin_append()');
    const inFlight = [1, 2, 3, 4, 5].map((n) =>
      ask(server.url, {
        method: 'PUT',
        path: `tasks/T-${n}`,
        body: { title: 'In flight' },
        headers: { 'idempotency-key': `key-${n}` },
      }),
    );
    await until('five commands in flight', async () => (await pool.query('select from idempotency_keys')).rowCount === 5);
    const ended = server.end('SIGTERM');
    for (const { status, body } of await Promise.all(polls)) expect([status, body]).toEqual([200, { runs: [] }]);
    await appender.query('commit');
    expect((await Promise.all(inFlight)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    appender.release();
    await pool.end();
    expect(await ended).toEqual({ code: 0, signal: null });
    expect(performance.now() - began).toBeLessThan(patienceMs);
    expect(postmaster(join(home, 'postgres'))).toBeUndefined();

    const next = await serveLedger({ LEDGER_HOME: home });
    await until('the five tasks', async () => (await get(next.url, 'tasks')).body.items?.length === 5);
  });
});
