import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { commandLine } from '../cli/command-line.js';
import { compiledLedger } from '../processes/compiled.js';
import { until } from '../processes/until.js';
import { emptyDatabase } from '../postgres.js';
import { eventStoreDbLog, filled, keptOf, nthWrite, postgresLog, type TestLog } from './logs.js';

const { said, ledger } = commandLine();

const opened: { end(): Promise<void> }[] = [];
async function open<L extends TestLog>(kind: () => Promise<L>): Promise<L> {
  const log = await kind();
  opened.push(log);
  return log;
}
const environment = { ...process.env };
afterEach(async () => {
  process.env = { ...environment };
  await Promise.all(opened.splice(0).map((log) => log.end()));
});

const copy = (from: string, to: string, ...more: string[]) => ledger('store copy', ['--from', from, '--to', to, ...more]);

/** A copy in a process of its own. */
async function copying(from: string, to: string) {
  const child = spawn(process.execPath, [await compiledLedger(), 'store', 'copy', '--from', from, '--to', to], {
    stdio: 'ignore',
  });
  return { kill: () => child.kill('SIGKILL'), ended: once(child, 'exit').then(([code]) => code as number | null) };
}

it('goes on with a copy that was killed', async () => {
  const [source, target] = [await open(postgresLog), await open(eventStoreDbLog)];
  await filled(source.store, 0, 600);
  const { kill, ended } = await copying(source.url, target.url);
  await until('something is copied', async () => (await target.log.after(undefined, 1)).length > 0);
  kill();
  await ended;
  const there = (await keptOf(target.log)).length;
  const kept = await keptOf(source.log);
  expect(there).toBeLessThan(kept.length);
  expect(await copy(source.url, target.url, '-o', 'json')).toBe(0);
  expect(JSON.parse(said.out)).toMatchObject({ end: 'open', events: kept.length, written: kept.length - there });
  expect(await keptOf(target.log)).toEqual(kept);
});

it('makes the tables of a new database, and says what is next', async () => {
  const source = await open(postgresLog);
  const target = await emptyDatabase();
  await filled(source.store, 0, 3);
  expect(await copy(source.url, target.url, '-o', 'table')).toBe(0);
  expect(said.out).toMatch(
    /^6 events of 3 streams are in postgres:\/\/127\.0\.0\.1\S+, 6 of them by this copy; each was read back/,
  );
  expect(said.out).toContain('the log is open for writes: what is written to it from now on is not in the copy');
  expect(said.out).not.toContain(new URL(source.url).password);
  await source.log.seal();
  expect(await copy(source.url, target.url, '-o', 'table')).toBe(0);
  expect(said.out).toContain('6 events of 3 streams are in');
  expect(said.out).toContain('so the copy is complete; next: ledger store adopt');
  await target.drop();
});

it('ends with 7 when the target has something else, and with 2 when it is no store', async () => {
  const [source, target] = [await open(postgresLog), await open(postgresLog)];
  await filled(source.store, 0, 3);
  await target.store.append([nthWrite(7)]);
  expect(await copy(source.url, target.url)).toBe(7);
  expect(said.err).toContain('the target is no copy of the source: event 1 is RunQueued');
  expect(await copy(source.url, 'mysql://localhost')).toBe(2);
  expect(said.err).toContain('"mysql://localhost" is no store: give postgres://');
});

it('refuses a source without the tables of this version, and leaves it as it is', async () => {
  const source = await emptyDatabase();
  const target = await open(postgresLog);
  expect(await copy(source.url, target.url)).toBe(1);
  expect(said.err).toContain('lacks migration 0001_events.sql: run ledger migrate');
  const { rows } = await source.pool.query(`select from pg_tables where schemaname = 'public'`);
  expect(rows).toEqual([]);
  await source.drop();
});

it('closes and opens the log that the environment names, and tells of it', async () => {
  const { url, log, store } = await open(postgresLog);
  process.env.DATABASE_URL = url;
  await filled(store, 0, 3);
  expect(await ledger('store seal -o table', ['--reason', 'it is moved'])).toBe(0);
  expect(said.out).toMatch(
    /^log \S+ is closed for writes since \S+ by user:local: it is moved; ledger store unseal opens it again/,
  );
  expect(await log.isSealed()).toBe(true);
  expect(await ledger('store status -o table')).toBe(0);
  expect(said.out).toMatch(/^store +Postgres\nwhere +postgres:\/\/127/);
  expect(said.out).toMatch(
    /events +7\nhead +7\nwrites +closed since \S+ by user:local: it is moved\nread models +belong to no log yet/,
  );
  expect(await ledger('store unseal -o json')).toBe(0);
  expect(JSON.parse(said.out)).toEqual({ log: await log.id(), sealed: null });
  expect(await ledger('store status -o json')).toBe(0);
  expect(JSON.parse(said.out)).toMatchObject({ engine: 'Postgres', events: 8, closed: false, sealed: null });
});
