import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { StoreSealed } from '../../src/event-store/event-store.js';
import { operationsStream } from '../../src/events/operations.js';
import { LedgerProcess } from '../../src/ledger-process.js';
import { byOperator } from '../../src/operator.js';
import { seal, unseal } from '../../src/sealing.js';
import { storeStatus } from '../../src/store-status.js';
import { compiledLedger } from '../processes/compiled.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { nthWrite, postgresLog, wholeLog } from './logs.js';

/** Appends in a process of its own, from now on until it is refused. */
async function appender(url: string, number: number) {
  const postgres = join(dirname(await compiledLedger()), '../event-store/postgres.js');
  const child = spawn(process.execPath, [resolve('test/store/appender.mjs'), postgres, url, String(number)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface(child.stdout);
  await once(lines, 'line');
  const ended = once(lines, 'line').then(([line]): { acknowledged: string[]; errors: string[] } => JSON.parse(line));
  return { ended, kill: () => child.kill('SIGKILL') };
}

it('closes a log while two processes append: nothing comes after it, and nothing that was acknowledged is lost', async () => {
  const { url, log, store, end } = await postgresLog();
  const appenders = await Promise.all([appender(url, 1), appender(url, 2)]);
  try {
    await log.seal();
    const closed = await wholeLog(log);
    const ends = await Promise.all(appenders.map(({ ended }) => ended));

    expect(await wholeLog(log)).toEqual(closed);
    expect(ends.map(({ errors }) => errors)).toEqual([['StoreSealed'], ['StoreSealed']]);
    const acknowledged = ends.flatMap((ended) => ended.acknowledged);
    expect(closed.map(({ id }) => id).toSorted()).toEqual(acknowledged.toSorted());

    await expect(store.append([nthWrite(1)])).rejects.toThrow(StoreSealed);
    await log.unseal();
    expect(await store.append([nthWrite(1)])).toMatchObject([{ outcome: 'appended' }]);
  } finally {
    for (const { kill } of appenders) kill();
    await end();
  }
});

it('keeps a log closed also for a session that has switched ordinary triggers off', async () => {
  const { log, database, end } = await postgresLog();
  await log.seal();
  const client = await database.pool.connect();
  await client.query('set session_replication_role = replica');
  const insert = `insert into events values (1, 'a', 0, gen_random_uuid(), 'T', 1, '{}', '{}', now())`;
  await expect(client.query(insert)).rejects.toThrow('the log is sealed');
  client.release(true);
  await end();
});

describe('an operator', () => {
  let database: TestDatabase;
  let ledger: LedgerProcess;

  beforeEach(async () => {
    database = await freshDatabase();
    const settings = { roles: [], clock: 'system' } as const;
    const silent = { info: () => {}, warn: () => {}, error: () => {} };
    ledger = new LedgerProcess(database.url, settings, silent);
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await ledger.stop();
    await database.drop();
  });

  const told = async () => (await ledger.store.readStream(operationsStream)).map(({ type }) => type);
  const cutOff = (what: 'seal' | 'unseal') => jest.spyOn(ledger.storedLog, what).mockRejectedValueOnce(new Error('cut off'));

  it('closes and opens the log, each told once however often it is done', async () => {
    const log = await ledger.storedLog.id();
    const sealed = { log, reason: 'moved', sealedBy: { type: 'user', id: 'local' } };
    expect(await seal(ledger, 'moved', byOperator())).toMatchObject({ log, sealed });
    expect(await seal(ledger, 'again', byOperator())).toMatchObject({ log, sealed });
    expect(await storeStatus(ledger)).toMatchObject({ log, events: 1, closed: true, sealed, followed: null });
    expect(await unseal(ledger, undefined, byOperator())).toEqual({ log, sealed: null });
    expect(await unseal(ledger, undefined, byOperator())).toEqual({ log, sealed: null });
    expect(await storeStatus(ledger)).toMatchObject({ events: 2, closed: false, sealed: null });
    expect(await told()).toEqual(['StoreSealed', 'StoreUnsealed']);
  });

  it('finishes what was cut off between telling and closing', async () => {
    cutOff('seal');
    await expect(seal(ledger, undefined, byOperator())).rejects.toThrow('cut off');
    expect(await storeStatus(ledger)).toMatchObject({ closed: false, sealed: { reason: 'asked for' } });
    await ledger.store.append([nthWrite(1)]);
    await seal(ledger, undefined, byOperator());
    await expect(ledger.store.append([nthWrite(2)])).rejects.toThrow(StoreSealed);
    expect(await told()).toEqual(['StoreSealed']);
  });

  it('finishes what was cut off between opening and telling', async () => {
    await seal(ledger, undefined, byOperator());
    await ledger.storedLog.unseal();
    await unseal(ledger, 'not yet', byOperator());
    expect(await told()).toEqual(['StoreSealed', 'StoreUnsealed']);
  });

  it('is told of a log that was closed without a word, and can open it', async () => {
    await ledger.storedLog.seal();
    expect(await storeStatus(ledger)).toMatchObject({ closed: true, sealed: null });
    await expect(seal(ledger, undefined, byOperator())).rejects.toThrow('ledger store unseal');
    await unseal(ledger, undefined, byOperator());
    expect(await seal(ledger, undefined, byOperator())).toMatchObject({ sealed: { reason: 'asked for' } });
  });
});
