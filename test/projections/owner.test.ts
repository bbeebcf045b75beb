import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Owners } from '../../src/projections/projector/owner.js';
import { thisProcess } from '../../src/projections/projector/process-identity.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.drop());

const forever = new AbortController().signal;
const soon = () => AbortSignal.timeout(300);

describe('the ownership of a loop', () => {
  it('is had by one process at a time, until it is given back', async () => {
    const [one, other] = [new Owners(database.pool), new Owners(database.pool)];
    const first = await one.acquire('one at a time', forever);
    expect(await other.acquire('one at a time', soon())).toBeUndefined();
    await first!.release();
    const second = await other.acquire('one at a time', forever);
    expect(second!.term).toBe(first!.term + 1);
    await second!.release();
  });

  it('is that of the later term when one process has asked for it twice at once', async () => {
    const owners = new Owners(database.pool);
    for (let n = 0; n < 100; n++) {
      const both = await Promise.all([owners.acquire(`twice ${n}`, soon()), owners.seize(`twice ${n}`)]);
      const [latest, former] = both.filter((one) => one !== undefined).toSorted((a, b) => b.term - a.term);
      expect([latest!.signal.aborted, former?.signal.aborted ?? true]).toEqual([false, true]);
      await latest!.release();
    }
  });

  it('passes at once from a process that was killed, and not from one that lives', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    await once(child, 'spawn');
    const theirs = new Owners(database.pool, { ...thisProcess(), pid: child.pid!, pidStarted: '' });
    await theirs.acquire('killed', forever);
    const ours = new Owners(database.pool);
    expect(await ours.acquire('killed', soon())).toBeUndefined();
    await killed(child);
    const taken = await ours.acquire('killed', AbortSignal.timeout(5_000));
    expect(taken).toBeDefined();
    await taken!.release();
  });

  it('passes from a process whose pid is another process by now', async () => {
    const before = new Owners(database.pool, { ...thisProcess(), pidStarted: 'another boot 1' });
    await before.acquire('pid used again', forever);
    const now = new Owners(database.pool);
    const taken = await now.acquire('pid used again', soon());
    expect(taken !== undefined || thisProcess().pidStarted === '').toBe(true);
    await taken?.release();
  });

  it('passes from a silent process of another host when its time is over', async () => {
    const elsewhere = new Owners(database.pool, { ...thisProcess(), host: 'elsewhere' });
    await elsewhere.acquire('silent', forever);
    await database.pool.query(`update owners set expires_at = clock_timestamp() - interval '1 ms' where name = 'silent'`);
    const taken = await new Owners(database.pool).acquire('silent', soon());
    expect(taken).toBeDefined();
    await taken!.release();
  });

  it('passes within half a second from a process that gives it back', async () => {
    const [one, other] = [new Owners(database.pool), new Owners(database.pool)];
    const first = await one.acquire('given back', forever);
    const next = other.acquire('given back', forever);
    await expect(Promise.race([next, pause(600)])).resolves.toBeUndefined();
    const began = performance.now();
    await first!.release();
    await (await next)!.release();
    expect(performance.now() - began).toBeLessThan(500);
  });

  it('is known to be over by a process that stood still, before its timers tell', async () => {
    const ownership = await new Owners(database.pool).acquire('stood still', forever);
    expect([ownership!.isHeld(), ownership!.signal.aborted]).toEqual([true, false]);
    const now = performance.now();
    const clock = jest.spyOn(performance, 'now').mockReturnValue(now + 14_001);
    expect([ownership!.isHeld(), ownership!.signal.aborted]).toEqual([false, true]);
    clock.mockRestore();
    expect(ownership!.isHeld()).toBe(false);
  });

  it('is not given back by a former owner whose term has come again, since its row was forgotten', async () => {
    const [one, other] = [new Owners(database.pool), new Owners(database.pool)];
    const former = await one.acquire('forgotten', forever);
    await database.pool.query(`delete from owners where name = 'forgotten'`);
    const owner = await other.acquire('forgotten', forever);
    expect(owner!.term).toBe(former!.term);
    await former!.release();
    expect(await new Owners(database.pool).acquire('forgotten', soon())).toBeUndefined();
    await owner!.release();
  });

  it('can be seized, and the term of the former owner is over', async () => {
    const [one, other] = [new Owners(database.pool), new Owners(database.pool)];
    const first = await one.acquire('seized', forever);
    const second = await other.seize('seized');
    expect(second.term).toBe(first!.term + 1);
    await first!.release();
    expect(await one.acquire('seized', soon())).toBeUndefined();
    await second.release();
  });
});

async function killed(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}
