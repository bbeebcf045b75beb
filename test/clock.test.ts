import { SystemClock } from '../src/clock.js';
import { createPool } from '../src/database.js';
import { freshDatabase, type TestDatabase } from './postgres.js';

const minute = 60_000;

describe('the clock of a process', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await freshDatabase();
  });
  afterAll(() => database.drop());
  afterEach(() => jest.restoreAllMocks());

  /** By how many ms it is off the database's. */
  async function error(clock: SystemClock): Promise<number> {
    const { rows } = await database.pool.query<{ ms: number }>('select epoch_ms(clock_timestamp()) as ms');
    return Math.abs(clock.now().getTime() - rows[0]!.ms);
  }

  const setMachineClock = (by: number) => {
    const real = Date.now;
    jest.spyOn(Date, 'now').mockImplementation(() => real() + by);
  };

  it.each([5 * minute, -5 * minute])("shows the database's time on a machine whose clock is %d ms off", async (by) => {
    setMachineClock(by);
    const clock = new SystemClock(database.pool);
    await clock.start();
    expect(await error(clock)).toBeLessThan(100);
    expect(Math.abs(clock.skewMs + by)).toBeLessThan(100);
  });

  it('is right all the while when the clock of the machine is set, and soon knows by how much that is off', async () => {
    const clock = new SystemClock(database.pool);
    const { turn } = await clock.start();
    setMachineClock(5 * minute);
    expect(await error(clock)).toBeLessThan(100);
    await turn(new AbortController().signal);
    expect(await error(clock)).toBeLessThan(100);
    expect(Math.abs(clock.skewMs + 5 * minute)).toBeLessThan(100);
  });

  it('is not misled by an answer that was waited for', async () => {
    const busy = createPool(database.url, 'read', 1);
    const clock = new SystemClock(busy);
    const starting = clock.start();
    // Behind the first question of the start, and before its measurement.
    const work = busy.query('select pg_sleep(0.6)');
    await starting;
    expect(await error(clock)).toBeLessThan(50);
    await work;
    await busy.end();
  });
});
