import { thisProcess } from '../../src/projections/projector/process-identity.js';
import { longGone } from '../../src/workers/expiry.js';
import { ProcessBeat } from '../../src/workers/process-beat.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { startServer } from '../server.js';

describe('the sign of life of a process', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await freshDatabase();
  });
  afterAll(() => database.drop());
  afterEach(() => database.pool.query('delete from processes'));

  const living = async () => {
    const { rows } = await database.pool.query('select pid, roles, seen_at > started_at as again from processes');
    return rows;
  };

  it('is there from the start of a server to its end, with its roles', async () => {
    const server = await startServer({ roles: ['api', 'projector', 'promoter'], database });
    expect(await living()).toMatchObject([{ pid: process.pid, roles: ['api', 'projector', 'promoter'] }]);
    await server.stop();
    expect(await living()).toEqual([]);
  });

  it('does not wait for a connection that reads use', async () => {
    const server = await startServer({ roles: ['api'], database });
    const { rows } = await database.pool.query(
      `select application_name as session
       from pg_stat_activity
       where datname = current_database()
         and query like 'insert into processes%'`,
    );
    expect(rows).toEqual([{ session: 'run-ledger beat' }]);
    await server.stop();
  });

  it('is one row however often it is given', async () => {
    const beat = new ProcessBeat(database.pool, thisProcess(), ['api'], { skewMs: 0 });
    await beat.beat();
    await beat.beat();
    expect(await living()).toEqual([{ pid: process.pid, roles: ['api'], again: true }]);
  });

  it('is forgotten a day after the last one, and not before', async () => {
    const [gone, here] = [thisProcess(), thisProcess()].map((me) => new ProcessBeat(database.pool, me, ['api'], { skewMs: 0 }));
    await gone!.beat();
    await database.pool.query(`update processes set seen_at = clock_timestamp() - interval '25 hours'`);
    await here!.beat();
    expect(await longGone(database.pool, 'processes')(10)).toBe(1);
    expect(await living()).toHaveLength(1);
  });
});
