import pg from 'pg';
import { endAll, exitOf, serveLedger, spawnLedger } from '../processes/ledger-server.js';
import { until } from '../processes/until.js';
import { MovingLedger } from './moving-ledger.js';
import { eventStoreDbLog } from './logs.js';
import { denseLog, type MovableLog } from './spread-log.js';

jest.setTimeout(120_000);
afterEach(endAll);

/** What the command waits for when somebody else has locked it, and what it has changed by then. */
const steps = {
  'a comparison': 'lock table activity_v1.activity in access exclusive mode',
  'the middle of the change': 'lock table parked_reactions in exclusive mode',
  'the telling': `select pg_advisory_xact_lock(hashtext('run-ledger append'))`,
};

describe('ledger store adopt', () => {
  let ledger: MovingLedger;
  let env: Record<string, string>;
  let args: string[];
  afterEach(() => ledger.end());

  /** Read models beside a log of their own that is a copy of the one that they follow, which is elsewhere. */
  beforeEach(async () => {
    ledger = await MovingLedger.begin(5, denseLog);
    const { old, young } = ledger;
    await ledger.db.query('update followed_log set id = $1', [await young.log.id()]);
    await ledger.worksOn(young, 40);
    await ledger.closes(young);
    await ledger.copy(young, old);
    env = { DATABASE_URL: old.database.url };
    args = ['store', 'adopt', '-o', 'table', '--from', young.url, '--to', old.database.url];
  });

  it('goes on where it was killed, and the database belongs to one log or the other all the time', async () => {
    const { old } = ledger;
    const before = await ledger.state();
    for (const step of ['a comparison', 'the middle of the change'] as const) {
      await killedAt(step);
      expect(withoutStaged(await ledger.state())).toEqual(before);
    }
    await killedAt('the telling');
    expect(await ledger.all('select id from followed_log')).toEqual([{ id: await old.log.id() }]);
    const { child, log } = await spawnLedger(args, env);
    expect(await exitOf(child)).toMatchObject({ code: 0 });
    expect(log.join('\n')).toMatch(/^the ledger goes on in .*, as it did already: \d+ events, digest [0-9a-f]{64}$/m);
    expect(log.join('\n')).toMatch(/^next: restart the servers without EVENT_STORE_URL/m);
    await ledger.worksOn(old, 20);
    await ledger.expectRowsOf(old);
  });

  it('shows what differs, and changes nothing', async () => {
    await ledger.db.query(`update tasks_v1.tasks set title = 'planted' where ctid = (select min(ctid) from tasks_v1.tasks)`);
    const before = await ledger.state();
    const { child, log } = await spawnLedger(args, env);
    expect(await exitOf(child)).toMatchObject({ code: 7 });
    expect(log.join('\n')).toMatch(/^tasks_v1 \(live\) and the copy \(rebuilt\) at position \d+:$/m);
    expect(log.join('\n')).toMatch(/^changed +\S+ \S+ +title +planted/m);
    expect(log.join('\n')).toContain('nothing was changed');
    expect(await ledger.state()).toEqual(before);
  });

  async function killedAt(step: keyof typeof steps): Promise<void> {
    const holder = new pg.Client(ledger.old.database.url);
    await holder.connect();
    await holder.query(`begin; ${steps[step]}`);
    const { child } = await spawnLedger(args, env);
    await until(step, async () => {
      const { rowCount } = await ledger.db.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return rowCount !== 0;
    });
    child.kill('SIGKILL');
    await exitOf(child);
    await holder.end();
    await until('no connection of it', async () => {
      const { rows } = await ledger.db.query<{ free: boolean }>(
        `select pg_try_advisory_xact_lock(hashtext('run-ledger move')) as free`,
      );
      return rows[0]!.free;
    });
  }
});

/** Without what was begun and is seen by nobody. */
const withoutStaged = ([schemas = [], ...others]: object[][]) => [
  schemas.filter((schema) => !JSON.stringify(schema).includes('_moving')),
  ...others,
];

describe('servers of a ledger that moves to an EventStoreDB', () => {
  let ledger: MovingLedger;
  beforeEach(async () => {
    ledger = await MovingLedger.begin(7, inEventStoreDb);
  });
  afterEach(async () => {
    await endAll();
    await ledger.end();
  });

  it('end by themselves on the old store, touch nothing of the new one, and go on there', async () => {
    const { old, young } = ledger;
    // Of roles that write, the history would not know.
    const onOld = { DATABASE_URL: old.database.url, LEDGER_ROLES: 'api,projector' };
    const left = await serveLedger(onOld);
    await ledger.happens(old, 30);
    await ledger.closes(old);
    await ledger.copy(old, young);
    await ledger.adopts(old, young);
    await until('the end of the server', () => !left.isRunning);
    expect(left.log.join('\n')).toContain(`the ledger goes on in log ${await young.log.id()} and no more in log`);
    expect(await ledger.all('select from checkpoints where not filling and (halted is not null or term > 0)')).toEqual([]);

    const server = await serveLedger({ ...onOld, EVENT_STORE_URL: young.url });
    await ledger.happens(young, 20);
    const head = await young.store.head();
    await until('read models at the head', async () => {
      const behind = await ledger.all(`select from checkpoints where not filling and position <> '${head}'`);
      return behind.length === 0;
    });
    await server.end('SIGTERM');
    await ledger.expectRowsOf(young);
  });
});

async function inEventStoreDb(): Promise<MovableLog> {
  return { ...(await eventStoreDbLog()), engine: 'EventStoreDB' };
}
