import { putAgent } from '../../src/commands/agent.js';
import { Contention } from '../../src/commands/decider.js';
import type { Dispatch } from '../../src/commands/dispatch.js';
import { putTask } from '../../src/commands/task.js';
import { StoreUnavailable } from '../../src/event-store/event-store.js';
import { Reaper } from '../../src/workers/reaper.js';
import { VirtualLedger } from '../virtual-ledger.js';

const tasks = ['ACME-1', 'ACME-2', 'ACME-3'];
const lost = tasks.map((task) => ({ company: 'acme', task, runId: `${task}.1`, beaten: true }));

/** One turn of a reaper that finds the workers of all three runs gone, and cannot report some of them. */
async function turnWith(failing: (fields: object) => Error | undefined) {
  const ledger = new VirtualLedger();
  await ledger.send(putAgent, { agent: 'fixer' });
  for (const task of tasks) await ledger.send(putTask, { task, title: task, assignee: 'fixer' });
  await ledger.claim('fixer');
  const forgotten: string[] = [];
  const warnings: string[] = [];
  const ending = new AbortController();
  const send: Dispatch['send'] = async (kind, fields, context) => {
    const failure = failing(fields);
    if (failure) throw failure;
    return ledger.send(kind, fields, context);
  };
  const reaper = new Reaper({
    dispatch: { send },
    leases: {
      now: async () => ledger.clock.now(),
      revoke: async () => lost,
      forget: async ({ runId }) => {
        forgotten.push(runId);
        ending.abort();
      },
    },
    runs: { unheldRuns: async () => [] },
    isByHand: true,
    log: { warn: (sentence) => warnings.push(sentence) },
  });
  const turn = reaper.turn(ending.signal);
  return { turn, forgotten, warnings, ledger };
}

it('reports the others when one lost run cannot be reported, and says so once', async () => {
  const failing = (fields: object) =>
    'run' in fields && fields.run === 'ACME-1.1' ? new Contention('too many writers') : undefined;
  const { turn, forgotten, warnings, ledger } = await turnWith(failing);
  await turn;
  expect(forgotten).toEqual(['ACME-2.1', 'ACME-3.1']);
  expect(warnings).toEqual(['lost runs that could not be reported: 1; first ACME-1.1 of acme: too many writers']);
  expect(await ledger.last('ACME-3', 'RunFailed')).toMatchObject({ runId: 'ACME-3.1', errorCode: 'process_lost' });
});

it('ends its turn when the store is away, so that it counts anew from when it is back', async () => {
  const { turn, forgotten } = await turnWith(() => new StoreUnavailable('away'));
  await expect(turn).rejects.toThrow(StoreUnavailable);
  expect(forgotten).toEqual([]);
});

it('loses nobody when the clock of the database jumps', async () => {
  const noon = Date.parse('2026-04-20T12:00:00.000Z');
  const times = [noon, noon + 300_000, noon + 300_500];
  const since: Date[] = [];
  const over = AbortSignal.abort();
  const leases = {
    now: async () => new Date(times.shift()!),
    revoke: async (asked: { since: Date }) => {
      since.push(asked.since);
      return [];
    },
    forget: async () => {},
  };
  const ledger = new VirtualLedger();
  const dispatch = { send: ledger.send.bind(ledger) };
  const reaper = new Reaper({ dispatch, leases, runs: { unheldRuns: async () => [] }, isByHand: false, log: { warn: () => {} } });
  for (let turn = 0; turn < 3; turn++) await reaper.turn(over);
  expect(since.map((from) => from.getTime() - noon)).toEqual([0, 300_000, 300_000]);
});

it('does not leave a run running for ever that nobody has a lease on', async () => {
  const ledger = new VirtualLedger();
  await ledger.send(putAgent, { agent: 'fixer' });
  await ledger.send(putTask, { task: 'ACME-1', title: 'Mend the export', assignee: 'fixer' });
  await ledger.claim('fixer');
  const unheld = [{ company: 'acme', task: 'ACME-1', runId: 'ACME-1.1', beaten: true }];
  const reaper = new Reaper({
    dispatch: { send: ledger.send.bind(ledger) },
    leases: { now: async () => ledger.clock.now(), revoke: async () => [], forget: async () => {} },
    runs: { unheldRuns: async () => unheld },
    isByHand: true,
    log: { warn: () => {} },
  });
  await reaper.turn(AbortSignal.abort());
  expect((await ledger.lane('ACME-1')).open).toMatchObject([{ runId: 'ACME-1.1', status: 'running' }]);
  ledger.clock.advance(30_001);
  await reaper.turn(AbortSignal.abort());
  expect((await ledger.lane('ACME-1')).open).toMatchObject([{ runId: 'ACME-1.2', cause: 'process_lost' }]);
});
