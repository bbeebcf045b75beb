import { LedgerProcess } from '../../src/ledger-process.js';
import { byOperator } from '../../src/operator.js';
import { seal, unseal } from '../../src/sealing.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';

const another = '00000000-0000-4000-8000-000000000000';
const silent = { info: () => {}, warn: () => {}, error: () => {} };

describe('a log that the ledger has been moved from', () => {
  let database: TestDatabase;
  let ledger: LedgerProcess;

  beforeEach(async () => {
    database = await freshDatabase();
    ledger = new LedgerProcess(database.url, { roles: [], clock: 'system' }, silent);
    await seal(ledger, undefined, byOperator());
  });
  afterEach(async () => {
    await ledger.stop();
    await database.drop();
  });

  const isMoved = () =>
    database.pool.query('insert into followed_log (id) values ($1) on conflict (only_row) do update set id = excluded.id', [
      another,
    ]);

  it('is opened and closed without a word in it, so that it stays the beginning of the other', async () => {
    await isMoved();
    const head = await ledger.store.head();
    expect(await unseal(ledger, undefined, byOperator())).toEqual({
      log: await ledger.storedLog.id(),
      sealed: null,
      followed: another,
    });
    expect(await ledger.storedLog.isSealed()).toBe(false);
    await seal(ledger, undefined, byOperator());
    expect(await ledger.storedLog.isSealed()).toBe(true);
    expect(await ledger.store.head()).toBe(head);
  });

  it('is noticed by a server that still works on it', async () => {
    await ledger.start();
    await isMoved();
    expect(await ledger.movedAway).toMatch(
      `the ledger goes on in log ${another} and no more in log ${await ledger.storedLog.id()}`,
    );
  });
});
