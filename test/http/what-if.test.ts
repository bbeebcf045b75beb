import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { commandLine } from '../cli/command-line.js';
import { startServer, type TestServer } from '../server.js';

let server: TestServer;
let folder: string;

/** ACME-1 is given up after its only retry; it was tried again after five minutes. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'what-if-'));
  server = await startServer({ clock: 'manual' });
  process.env.LEDGER_URL = server.url;
  process.env.LEDGER_COMPANY = 'acme';
  const { api } = server;
  await api('PUT', 'agents/coder', { policy: { retry: { delaysMs: [300_000], jitterRatio: 0 } } });
  await api('PUT', 'tasks/ACME-1', { title: 'Mend the build', assignee: 'coder' });
  const { now } = (await api('GET', '/v1/clock')).body;
  for (const minutes of [0, 6]) {
    await api('PUT', '/v1/clock', { now: new Date(Date.parse(now!) + minutes * 60_000).toISOString() });
    await api('POST', 'retries/promote-due');
    const { runs } = (await api('POST', 'agents/coder/claims', { workerId: 'w', requestId: `r${minutes}` })).body;
    const failure = { outcome: 'failed', errorFamily: 'transient_upstream', error: '503 service unavailable' };
    await api('POST', `runs/${runs![0]!.run!.id}/finish`, { lease: runs![0]!.lease!.token, ...failure });
  }
});
afterAll(async () => {
  delete process.env.LEDGER_URL;
  delete process.env.LEDGER_COMPANY;
  await server.stop();
  rmSync(folder, { recursive: true });
});

const ask = (body: object, accept = 'application/json') => server.api('POST', '/v1/what-if/retry-policy', body, { accept });

it('answers what another policy would have decided, and writes nothing', async () => {
  const head = await server.ledger.store.head();
  expect(await ask({ policy: { delaysMs: [60_000, 120_000, 240_000], jitterRatio: 0 }, company: 'acme' })).toMatchObject({
    status: 200,
    body: {
      policy: { delaysMs: [60_000, 120_000, 240_000], maxNotBeforeMs: 86_400_000 },
      company: 'acme',
      failures: 2,
      chains: 1,
      saved: 1,
      extraAttempts: { atLeast: 1, atMost: 2 },
      addedWaitingMs: { count: 1, sum: -240_000 },
      extraWaitingMs: { count: 1, sum: 120_000 },
    },
  });
  expect((await ask({ policy: { delaysMs: [300_000], jitterRatio: 0 } })).body).toMatchObject({ company: null, unchanged: 1 });
  expect(await server.ledger.store.head()).toBe(head);
});

it('tells whoever reads line by line how far it has come', async () => {
  const { status, headers, body } = await ask({ policy: {} }, 'application/x-ndjson');
  expect({ status, type: headers.get('content-type') }).toEqual({ status: 200, type: 'application/x-ndjson' });
  const [progress, report, end] = String(body).split('\n');
  expect(JSON.parse(progress!)).toEqual({ progress: { done: expect.any(Number), total: expect.any(Number) } });
  expect(JSON.parse(report!)).toMatchObject({ report: { chains: 1, saved: 1 } });
  expect(end).toBe('');
});

it.each([
  [{}, 'policy', 'policy is missing: give an object'],
  [
    { policy: { delaysMs: ['soon'] } },
    'policy.delaysMs',
    'delaysMs has "soon" in it: every item must be a whole number from 1000',
  ],
  [{ policy: { jitterRatio: 2 } }, 'policy.jitterRatio', 'jitterRatio must not be greater than 1'],
  [{ policy: { delays: [1] } }, 'policy.delays', 'unknown field policy.delays; there are delaysMs'],
  [{ policy: {}, from: 'noon' }, 'from', 'from is "noon": give a time such as 2026-04-20T12:00:00Z, or a position'],
  [{ policy: {}, from: '9', to: '3' }, 'from', 'from is 9 and to is 3: nothing was recorded between them'],
  [{ policy: {}, from: '999999' }, 'from', 'the log ends at position'],
  [{ policy: {}, to: '2020-01-01T00:00:00Z' }, 'to', 'the log begins with position 1'],
])('refuses %j, and names the field', async (body, field, message) => {
  const answer = await ask(body, 'application/x-ndjson');
  expect(answer).toMatchObject({
    status: 400,
    body: { code: 'malformed', errors: [{ field, message: expect.stringContaining(message) }] },
  });
});

describe('on the command line', () => {
  const { said, ledger } = commandLine();

  function written(policy: string): string {
    const file = join(folder, 'policy.json');
    writeFileSync(file, policy);
    return file;
  }

  it('is a table for people, and JSON for programs', async () => {
    const file = written('{"delaysMs": [60000, 120000], "jitterRatio": 0}');
    expect(await ledger('what-if', '--retry-policy', file, '-o', 'table')).toBe(0);
    expect(said.out).toMatch(/^tried again +1 \(100 %\), recorded as 1 failed; what would have come of it is not known$/m);
    expect(said.out).toMatch(/^added waiting +-4m in all over 1 attempts, p50 -4m, p95 -4m$/m);
    expect(await ledger('what-if', '--retry-policy', file)).toBe(0);
    expect(JSON.parse(said.out)).toMatchObject({ company: 'acme', saved: 1 });
  });

  it.each([
    ['{"delaysMs": "soon"}', 2, 'delaysMs'],
    ['[1]', 2, 'holds no JSON object: give the fields of a retry policy'],
    ['{', 2, 'cannot be read as JSON'],
  ])('says of %s what is wrong with it', async (policy, exitCode, words) => {
    expect(await ledger('what-if', '--retry-policy', written(policy))).toBe(exitCode);
    expect(said.err).toContain(words);
    expect(said.out).toBe('');
  });
});

it('says on its last line what went wrong on the way, and writes a fault of its own to the log', async () => {
  await server.database.pool.query(
    `insert into events
     select position + 1, stream, revision + 1, gen_random_uuid(), type, 9, data, metadata, recorded_at
     from events
     order by position desc
     limit 1`,
  );
  const logged = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
  const { status, body } = await ask({ policy: {} }, 'application/x-ndjson, */*');
  expect(status).toBe(200);
  expect(body).toMatchObject({ problem: { status: 500, code: 'internal' } });
  expect(logged).toHaveBeenCalledWith(expect.stringContaining('has the schema 9'));
  logged.mockRestore();
});
