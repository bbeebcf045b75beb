import { cutOver, rollBack } from '../../src/commands/cut-over.js';
import { projectionsOfTheLedger } from '../../src/projections/all.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { startServer, type TestServer } from '../server.js';
import { History, seeded } from './history.js';
import { Operator } from './operator.js';
import { allVersions, first } from './run-counts.js';

let database: TestDatabase;
let server: TestServer;
let operator: Operator;

/** The server of before has made what it knew; the one of today knows more. */
beforeEach(async () => {
  database = await freshDatabase();
  const former = await startServer({ database, projections: [...projectionsOfTheLedger, first] });
  await new Operator(former.ledger).happens(new History(seeded(1)), 300);
  await former.stop();
  server = await startServer({ database, projections: [...projectionsOfTheLedger, ...allVersions] });
  operator = new Operator(server.ledger);
});
afterEach(async () => {
  await server.stop();
  await database.drop();
});

describe('a rebuild', () => {
  it('builds a new version beside the live one, is compared, cut over to, rolled back and cut over to again', async () => {
    const rebuild = await operator.rebuild('run_counts', 2);
    expect(rebuild).toBe('run_counts_v2');
    const ready = await operator.sees(rebuild, 'ready');
    expect(ready).toMatchObject({ beside: 'run_counts_v1', comparison: { agrees: true, onlyRebuiltColumns: ['failed'] } });
    await operator.says(cutOver, { rebuild });
    await operator.seesAsked('run_counts', rebuild);
    await operator.says(rollBack, { projection: 'run_counts' });
    await operator.seesAsked('run_counts', 'run_counts_v1');
    await operator.says(cutOver, { rebuild });
    await operator.seesAsked('run_counts', rebuild);
  });
});
