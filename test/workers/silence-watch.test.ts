import { putAgent } from '../../src/commands/agent.js';
import { Contention } from '../../src/commands/decider.js';
import { decideSilence } from '../../src/commands/silence.js';
import { putTask } from '../../src/commands/task.js';
import { StoreUnavailable } from '../../src/event-store/event-store.js';
import { RunStatusQueries } from '../../src/projections/run-queries.js';
import { Bells } from '../../src/workers/bells.js';
import { PostgresLeases } from '../../src/workers/leases.js';
import { reportSilentRuns, type SilencePorts } from '../../src/workers/silence-watch.js';
import { at } from '../facts.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { projectionsOfTheLedger } from '../../src/projections/all.js';
import { ReadSide } from '../projections/read-side.js';
import { VirtualLedger } from '../virtual-ledger.js';

const tasks = ['ACME-1', 'ACME-2', 'ACME-3'];
const log = { warn: (sentence: string) => void warnings.push(sentence) };
let warnings: string[];
let ledger: VirtualLedger;
beforeEach(async () => {
  warnings = [];
  ledger = new VirtualLedger();
  await ledger.send(putAgent, { agent: 'fixer' });
  for (const task of tasks) await ledger.send(putTask, { task, title: task, assignee: 'fixer' });
});

const raised = async (task: string) =>
  (await ledger.history(task)).flatMap(({ type, data }) => (type === 'RunWentSilent' ? [data.level] : []));

describe('the watch over silent runs', () => {
  let database: TestDatabase;
  let side: ReadSide;
  let leases: PostgresLeases;
  beforeEach(async () => {
    database = await freshDatabase();
    leases = new PostgresLeases(database.pool, database.pool, new Bells());
    side = new ReadSide(database.url, ledger.ports.store, projectionsOfTheLedger);
    await side.start();
  });
  afterEach(async () => {
    await side.stop();
    await database.drop();
  });

  async function look(clock: string): Promise<void> {
    ledger.clock.set(clock);
    await database.pool.query(
      'insert into manual_clock (now) values ($1) on conflict (only_row) do update set now = excluded.now',
      [at(clock)],
    );
    await side.caughtUp();
    await reportSilentRuns({ dispatch: { send: ledger.send.bind(ledger) }, runs: new RunStatusQueries(side.readModels), log });
  }

  /** All three are started at noon. */
  const start = () => ledger.claim('fixer');

  /** What its worker says of the output of the first. */
  async function speaks(clock: string): Promise<void> {
    const request = { company: 'acme', agent: 'fixer', workerId: 'laptop', requestId: 'r', leaseMs: 900_000 };
    const candidate = { task: 'ACME-1', runId: 'ACME-1.1' };
    const [taken] = [...(await leases.granted(request)), ...(await leases.take(request, [candidate], 1, 5))];
    const output = { outputSeq: 1, outputAt: at(clock).toISOString() };
    expect(await leases.beat({ company: 'acme', task: 'ACME-1', token: taken!.token, ...output })).toBeDefined();
  }

  it('points out what has said nothing for an hour, each level once however often it looks', async () => {
    await start();
    await look('12:59');
    expect(await raised('ACME-1')).toEqual([]);
    for (const clock of ['13:01', '13:02', '16:01', '16:02']) await look(clock);
    for (const task of tasks) expect(await raised(task)).toEqual(['suspicious', 'critical']);
    expect(await ledger.last('ACME-2', 'RunWentSilent')).toMatchObject({ lastOutputAt: at('12:00').toISOString() });
  });

  it('counts from the last output that its worker has told of', async () => {
    await start();
    await speaks('12:30');
    await look('13:01');
    expect(await Promise.all(tasks.map(raised))).toEqual([[], ['suspicious'], ['suspicious']]);
    await look('13:31');
    expect(await ledger.last('ACME-1', 'RunWentSilent')).toMatchObject({ lastOutputAt: at('12:30').toISOString() });
  });

  it('does not raise a dismissed silence in the next sweep, but one that begins after it', async () => {
    await start();
    await look('13:01');
    await ledger.send(decideSilence, { run: 'ACME-1.1', decision: 'dismiss' });
    await look('13:02');
    await look('17:00');
    expect(await raised('ACME-1')).toEqual(['suspicious']);
    await speaks('17:01');
    await look('18:02');
    expect(await raised('ACME-1')).toEqual(['suspicious', 'suspicious']);
  });

  it('raises it again when a snooze has run out', async () => {
    await start();
    await look('13:01');
    await ledger.send(decideSilence, { run: 'ACME-1.1', decision: 'snooze', until: at('15:00').toISOString() });
    await look('14:59');
    expect(await raised('ACME-1')).toEqual(['suspicious']);
    await look('15:00');
    expect(await raised('ACME-1')).toEqual(['suspicious', 'suspicious']);
  });

  it('comes by all of them, some at a time', async () => {
    await start();
    await look('12:30');
    const runs = new RunStatusQueries(side.readModels);
    const first = await runs.silentRuns(60_000, 2);
    const rest = await runs.silentRuns(60_000, 2, first.at(-1));
    expect([first, rest].map((page) => page.map(({ runId }) => runId))).toEqual([['ACME-1.1', 'ACME-2.1'], ['ACME-3.1']]);
  });

  it('says nothing of what has not begun, or has ended', async () => {
    await look('13:01');
    await ledger.work('fixer', { outcome: 'succeeded' });
    await look('15:00');
    for (const task of tasks) expect(await raised(task)).toEqual([]);
  });
});

describe('a silent run of which that cannot be said', () => {
  const lastOutputAt = at('12:00').toISOString();
  const runs = { silentRuns: async () => tasks.map((task) => ({ company: 'acme', runId: `${task}.1`, lastOutputAt })) };
  const failingFor = (run: string, failure: Error): SilencePorts['dispatch'] => ({
    send: async (kind, fields, context) => {
      if ('run' in fields && fields.run === run) throw failure;
      return ledger.send(kind, fields, context);
    },
  });
  beforeEach(async () => {
    await ledger.claim('fixer');
    ledger.clock.set('13:01');
  });

  it('does not hold up the others, and is spoken of once', async () => {
    await reportSilentRuns({ dispatch: failingFor('ACME-1.1', new Contention('too many writers')), runs, log });
    expect(await Promise.all(tasks.map(raised))).toEqual([[], ['suspicious'], ['suspicious']]);
    expect(warnings).toEqual(['silent runs that could not be pointed out: 1; first ACME-1.1 of acme: too many writers']);
  });

  it('ends the look when the store is away', async () => {
    const dispatch = failingFor('ACME-1.1', new StoreUnavailable('away'));
    await expect(reportSilentRuns({ dispatch, runs, log })).rejects.toThrow(StoreUnavailable);
    expect(await raised('ACME-2')).toEqual([]);
  });
});
