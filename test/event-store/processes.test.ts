import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { beginning, type Recorded } from '../../src/events/event.js';
import { PostgresEventStore } from '../../src/event-store/postgres.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { collect } from './contract.js';

const run = promisify(execFile);
const processes = 4;
const eventsPerProcess = 8 * 60 * 2;

describe('32 appenders in 4 processes', () => {
  let compiled: string;
  let database: TestDatabase;

  beforeAll(async () => {
    [compiled, database] = await Promise.all([compile(), freshDatabase()]);
  });
  afterAll(async () => {
    await database.drop();
    rmSync(compiled, { recursive: true });
  });

  it('lose nothing, double nothing, leave no hole, and a reader that follows them sees all of it in order', async () => {
    const store = new PostgresEventStore({ url: database.url });
    const ending = new AbortController();
    const total = processes * eventsPerProcess;
    const following = collect(store.subscribe({ after: beginning, signal: ending.signal, limit: 100 }), ending, total);
    const acknowledged = (await Promise.all(Array.from({ length: processes }, (_, i) => append(i)))).flat();
    const followed = await following;
    const log = await store.readAll({ after: beginning, limit: total + 1 });
    await store.close();

    expect(log).toHaveLength(total);
    expect(log.map(({ position }) => Number(position))).toEqual(Array.from({ length: total }, (_, i) => i + 1));
    expect(followed).toEqual(log);
    expect(new Map(acknowledged)).toEqual(new Map(log.map(({ id, position }) => [id, position])));
    expect(new Set(log.map(({ id }) => id)).size).toBe(total);
    expect(unevenStreams(log)).toEqual([]);
    expect(log.every(({ recordedAt }, i) => i === 0 || recordedAt >= log[i - 1]!.recordedAt)).toBe(true);
  });

  async function append(number: number): Promise<[id: string, position: string][]> {
    const worker = resolve('test/event-store/appender.mjs');
    const module = join(compiled, 'event-store/postgres.js');
    const { stdout } = await run(process.execPath, [worker, module, database.url, String(number)], { maxBuffer: 10_000_000 });
    return JSON.parse(stdout);
  }
});

/** Streams whose revisions are not 0, 1, 2 … in the order of the log. */
function unevenStreams(log: readonly Recorded[]): string[] {
  const next = new Map<string, number>();
  return log.flatMap(({ stream, revision }) => {
    const expected = next.get(stream) ?? 0;
    next.set(stream, expected + 1);
    return revision === expected ? [] : [`${stream}@${revision}`];
  });
}

/** The engine as JavaScript, for processes that no test runner transforms. It lies where its packages are found. */
async function compile(): Promise<string> {
  mkdirSync('node_modules/.cache', { recursive: true });
  const folder = resolve(mkdtempSync('node_modules/.cache/event-store-'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const options = [
    '--ignoreConfig',
    '--noCheck',
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--rootDir',
    'src',
    '--outDir',
    folder,
  ];
  await run(process.execPath, ['node_modules/typescript7/bin/tsc', ...options, 'src/event-store/postgres.ts']);
  return folder;
}
