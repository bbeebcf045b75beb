import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publicKeyOf } from '../../src/audit/chain.js';
import type { Verification } from '../../src/audit/verifier.js';
import { fill, filledLog, keyPair } from '../audit/log.js';
import { commandLine } from '../cli/command-line.js';
import { endAll, exitOf, spawnLedger } from '../processes/ledger-server.js';
import { until } from '../projections/until.js';
import { startServer, type TestServer } from '../server.js';

let server: TestServer;
let folder: string;
const { privateKey, publicKey } = keyPair();
const pem = (key: typeof publicKey) => key.export({ type: 'spki', format: 'pem' }).toString();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'audit-'));
  writeFileSync(join(folder, 'public.pem'), pem(publicKey));
  writeFileSync(join(folder, 'other.pem'), pem(keyPair().publicKey));
  server = await startServer({ auditKey: privateKey });
  process.env.LEDGER_URL = server.url;
  await fill(server.ledger.store, 2_100);
  await until('two sealed ranges', async () => (await verified()).sealed === 2, 60_000);
});
afterAll(async () => {
  delete process.env.LEDGER_URL;
  await server.stop();
  await endAll();
  rmSync(folder, { recursive: true });
});

const verified = async (query = ''): Promise<Verification> =>
  (await server.api('GET', `/v1/audit/verify${query}`)).body as unknown as Verification;

it('seals the log as it grows, and answers that it is as it was sealed', async () => {
  expect(await verified()).toMatchObject({ ok: true, ranges: 2, head: '0000000000002100', tail: { events: 52 } });
  expect(await verified('?from=1')).toMatchObject({ ok: true, from: 1, ranges: 1 });
  expect(await verified('?limit=1')).toMatchObject({ ok: true, ranges: 1, next: 1 });
  expect(await verified(`?key=${publicKeyOf(publicKey)}`)).toMatchObject({ ok: true });
  expect(await verified(`?key=${encodeURIComponent(pem(publicKey))}`)).toMatchObject({ ok: true });
});

it.each([
  ['verify?from=3', 400, 'malformed', 'give a range from 0 to 2'],
  ['verify?from=-1', 400, 'malformed', 'from is "-1": give a whole number'],
  ['verify?key=abc', 400, 'malformed', 'key is no Ed25519 public key'],
  ['proof/2049', 409, 'not_sealed', 'the log is sealed up to position 2048'],
  ['proof/9999', 404, 'no_such_position', 'the log ends at 2100'],
  ['proof/0', 400, 'malformed', 'position is "0": give that of an event of the log'],
  ['proof/soon', 400, 'malformed', 'position is "soon"'],
])('answers %s with %d %s', async (path, status, code, detail) => {
  const answer = await server.api('GET', `/v1/audit/${path}`);
  expect(answer).toMatchObject({ status, body: { code, detail: expect.stringContaining(detail) } });
});

describe('on the command line', () => {
  const { said, ledger } = commandLine();

  it('says that all is as it was sealed, and what is not sealed yet', async () => {
    expect(await ledger('audit', 'verify', '--key', join(folder, 'public.pem'), '-o', 'table')).toBe(0);
    expect(said.out).toMatch(/^✓ 2 sealed ranges, 2,048 events: each is as it was sealed\n {2}2 signed by sha256:\w{64}\n/);
    expect(said.out).toContain('not sealed yet: 52 events behind 2048; the log ends at 2100');
  });

  it('says which part it has looked at, and that nothing is sealed behind it', async () => {
    expect(await ledger('audit', 'verify', '--from', '1', '-o', 'table')).toBe(0);
    expect(said.out).toMatch(/^✓ 1 sealed range from range 1 on, 1,024 events: each is as it was sealed\n/);
    expect(await ledger('audit', 'verify', '--from', '2', '-o', 'table')).toBe(0);
    expect(said.out).toMatch(/^✓ nothing is sealed from range 2 on\n/);
  });

  it('ends with 7 where another key was expected, and with 2 where none is', async () => {
    expect(await ledger('audit', 'verify', '--key', join(folder, 'other.pem'), '-o', 'table')).toBe(7);
    expect(said.out).toContain('✗ range 0 (positions 1 to 1024): it is signed by sha256:');
    writeFileSync(join(folder, 'no.pem'), 'no key');
    expect(await ledger('audit', 'verify', '--key', join(folder, 'no.pem'))).toBe(2);
    expect(said.err).toContain('no.pem has no Ed25519 public key in it: give the output of openssl pkey -pubout');
  });

  it('writes a proof that is checked in a process without a server or any setting', async () => {
    expect(await ledger('audit', 'prove', '1500')).toBe(0);
    const proof = join(folder, 'proof.json');
    writeFileSync(proof, said.out);
    const check = async (...args: string[]) => {
      const { child, log } = await spawnLedger(['audit', 'check', proof, '-o', 'table', ...args], { LEDGER_URL: '' });
      return { ...(await exitOf(child)), said: log.join('\n') };
    };
    const holds = expect.stringMatching(/^✓ CommentAdded .* of task-acme.T-37, .* as expected\.$/);
    expect(await check('--key', join(folder, 'public.pem'))).toMatchObject({ code: 0, said: holds });
    expect(await check('--key', join(folder, 'other.pem'))).toMatchObject({
      code: 7,
      said: expect.stringContaining('✗ the proof does not hold'),
    });
    writeFileSync(proof, said.out.replace('comment 19', 'comment 91'));
    expect(await check()).toMatchObject({
      code: 7,
      said: expect.stringContaining('its data do not have the hash that it names'),
    });
    writeFileSync(proof, '{"proof": true}');
    expect(await check()).toMatchObject({ code: 1, said: expect.stringContaining('unknown field proof') });
  });

  it.each([
    ['2049', 5, 'is in no sealed range'],
    ['9999', 3, 'the log ends at 2100'],
  ])('has no proof of position %s', async (position, exitCode, words) => {
    expect(await ledger('audit', 'prove', position)).toBe(exitCode);
    expect(said.err).toContain(words);
  });
});

it('finds what a superuser has done, and has no proof of it any more', async () => {
  const { pool } = server.database;
  await pool.query('alter table events disable trigger all');
  await pool.query(`update events set data = data || '{"body": "another"}' where position = 1600`);
  expect(await verified()).toMatchObject({ ok: false, ranges: 1, firstBad: { range: 1, code: 'events_changed' } });
  expect(await server.api('GET', '/v1/audit/proof/1601')).toMatchObject({ status: 409, body: { code: 'not_as_sealed' } });
  expect((await server.api('GET', '/v1/audit/proof/5')).status).toBe(200);
  await pool.query(`update events set data = data || '{"body": "comment 39"}' where position = 1600`);
  expect(await verified()).toMatchObject({ ok: true });
});

it('seals an old log when it is started on one', async () => {
  const old = await startServer({ roles: ['api'] });
  await filledLog(old.database.url, 3_100);
  const sealing = await startServer({ roles: ['api', 'projector'], database: old.database });
  await until('three sealed ranges', async () => (await old.api('GET', '/v1/audit/verify')).body.sealed === (3 as never), 60_000);
  expect((await old.api('GET', '/v1/audit/verify')).body).toMatchObject({ ok: true, signers: [{ key: null, ranges: 3 }] });
  await sealing.stop();
  await old.stop();
});
