import fc from 'fast-check';
import type { Recorded } from '../../src/events/event.js';
import type { LaneEvent } from '../../src/events/lane.js';
import type { LedgerEvent } from '../../src/events/ledger-event.js';
import { MemoryEventStore } from '../../src/event-store/memory.js';
import { conservation } from '../../src/projections/conservation/conservation.js';
import type { ConservationRow } from '../../src/projections/conservation/lane-account.js';
import { applyChanges, changesOf, foldLog, type Rows } from '../../src/projections/projector/fold.js';
import {
  coalesced,
  deferred,
  fact,
  failed,
  moving,
  parked,
  parkedRetry,
  promoted,
  queued,
  requested,
  runningRun,
  started,
  succeeded,
  waitingRun,
  wakeup,
} from '../facts.js';
import { given, only, onTask } from './folded.js';
import { History, seeded } from './history.js';

/** Each of these is an append of its own. */
const appends = (...parts: readonly (readonly LaneEvent[])[]): Recorded<LedgerEvent>[] => {
  const commandIds = parts.flatMap((part, n) => part.map(() => `command-${n}`));
  return onTask(parts.flat()).map((event, n) => ({ ...event, metadata: { ...event.metadata, commandId: commandIds[n]! } }));
};
const account = (...parts: readonly (readonly LaneEvent[])[]): ConservationRow =>
  only(given(appends(...parts)).folded(conservation));
const counts = ({ requested: asked, delivered, coalesced: joined, skipped, cancelled: over, open }: ConservationRow) => [
  asked,
  delivered,
  joined,
  skipped,
  over,
  open,
];

const skipped = (n: number) =>
  fact('WakeupSkipped', { wakeupId: wakeup(n), agent: 'fixer', code: 'heartbeat_disabled', skippedAt: '' });
const withdrawn = (n: number) =>
  fact('WakeupCancelled', { wakeupId: wakeup(n), agent: 'fixer', code: 'wakeup_cancelled', reason: 'no need', cancelledAt: '' });
const cancelled = (n: number, from: 'queued' | 'running', wakeups: 'skipped' | 'cancelled' | 'passed') =>
  fact('RunCancelled', {
    ...moving(n, from),
    code: 'cancelled',
    reason: 'enough',
    intent: wakeups === 'passed' ? 'requeue' : 'stop',
    wakeups,
    cancelledAt: '',
  });

const waits = [requested(2), deferred(2, 1)];
const joins = [requested(3), coalesced(3, 2, null)];
const joinsToo = [requested(4), coalesced(4, 2, null)];

describe('the demands on a lane', () => {
  it.each<[string, number[], LaneEvent[][]]>([
    ['is open while it waits for its run', [1, 0, 0, 0, 0, 1], [[...waitingRun]]],
    ['is delivered when its run starts', [1, 1, 0, 0, 0, 0], [[...waitingRun], [started(1)]]],
    ['stays delivered however the run ends', [1, 1, 0, 0, 0, 0], [[...runningRun], [succeeded(1)]]],
    [
      'shares the fate of the one that it joined',
      [2, 1, 1, 0, 0, 0],
      [[...waitingRun], [requested(2), coalesced(2, 1, 1)], [started(1)]],
    ],
    ['is skipped by a gate', [1, 0, 0, 1, 0, 0], [[requested(1), skipped(1)]]],
    [
      'is skipped or cancelled with its run',
      [2, 0, 0, 2, 0, 0],
      [[...waitingRun], [requested(2), coalesced(2, 1, 1)], [cancelled(1, 'queued', 'skipped')]],
    ],
    [
      'is open again when its run is handed back',
      [1, 0, 0, 0, 0, 1],
      [[...runningRun], [cancelled(1, 'running', 'passed'), queued(2, { wakeupIds: [wakeup(1)] })]],
    ],
    ['waits with those that have joined it', [3, 1, 0, 0, 0, 2], [[...runningRun], waits, joins]],
    [
      'is delivered with those that joined while it waited',
      [3, 2, 1, 0, 0, 0],
      [[...runningRun], waits, joins, [succeeded(1), queued(2)], [started(2)]],
    ],
    [
      'is skipped with those that joined while it waited',
      [3, 1, 0, 2, 0, 0],
      [[...runningRun], waits, joins, [succeeded(1), skipped(2)]],
    ],
    [
      'gives its place to another when it is withdrawn',
      [4, 1, 0, 0, 1, 2],
      [[...runningRun], waits, joins, joinsToo, [withdrawn(2), deferred(3, 1), coalesced(4, 3, null)]],
    ],
    [
      'is withdrawn from among those that have joined',
      [4, 1, 0, 0, 1, 2],
      [[...runningRun], waits, joins, joinsToo, [withdrawn(3)]],
    ],
    [
      'is withdrawn with all that have joined',
      [4, 1, 0, 0, 3, 0],
      [[...runningRun], waits, joins, joinsToo, [withdrawn(2), withdrawn(3), withdrawn(4)]],
    ],
    ['is one more for each retry', [2, 2, 0, 0, 0, 0], [[...parkedRetry], [promoted(2)], [started(2)], [failed(2)]]],
  ])('%s', (_, expected, parts) => {
    const row = account(...parts);
    expect(row.first_violation).toBeNull();
    expect(counts(row)).toEqual(expected);
  });

  it('says where each open one is', () => {
    const { demands } = account([...runningRun], waits, joins);
    expect(demands).toMatchObject({
      [wakeup(1)]: { at: 'on a run', run: 'ACME-12.1' },
      [wakeup(2)]: { at: 'waiting', joined: { count: 1 } },
    });
  });

  it('leaves nothing of what is closed but its count', () =>
    expect(account([...runningRun], [succeeded(1)])).toMatchObject({ demands: {}, runs: {}, adrift: {} }));

  it('takes no more room for thousands that have joined', () => {
    const many = Array.from({ length: 3_000 }, (_, n) => [requested(n + 3), coalesced(n + 3, 2, null)]);
    const row = account([...runningRun], waits, ...many);
    expect(row).toMatchObject({ open: 3_001, violations: 0 });
    expect(JSON.stringify(row).length).toBeLessThan(1_000);
  });
});

describe('a violation', () => {
  it.each<[string, LaneEvent[][]]>([
    [`${wakeup(1)} was requested twice`, [[requested(1), requested(1)]]],
    [`${wakeup(1)} is not open, and was given another place`, [[requested(1), skipped(1)], [skipped(1)]]],
    [`${wakeup(1)} was taken from ACME-12.1, which goes on`, [[...runningRun], [queued(2, { wakeupIds: [wakeup(1)] })]]],
    [`${wakeup(1)} was taken from ACME-12.1, which goes on`, [[...waitingRun], [skipped(1)]]],
    [`${wakeup(1)} was delivered with ACME-12.1, and then withdrawn`, [[...runningRun], [withdrawn(1)]]],
    [`${wakeup(2)} has found no place`, [[...waitingRun], [requested(2)], [started(1)]]],
    [`${wakeup(1)} was passed on to no run`, [[...runningRun], [cancelled(1, 'running', 'passed')], waits]],
    [`${wakeup(2)} waits for fixer, which is at nothing`, [[...runningRun], waits, [succeeded(1)], [requested(3)]]],
    [
      '2 that had joined a withdrawn demand have found no place',
      [[...runningRun], waits, joins, joinsToo, [withdrawn(2)], [succeeded(1)]],
    ],
    [
      'others have left a withdrawn demand than had joined it',
      [[...runningRun], waits, joins, [withdrawn(2), withdrawn(5)], [succeeded(1)]],
    ],
    [
      `${wakeup(2)} joined ${wakeup(1)}, which does not wait for ACME-12.1`,
      [[...runningRun], [requested(2), coalesced(2, 1, 1)]],
    ],
    ['ACME-12.1 is over, and RunFailed moves it from running', [[...runningRun], [succeeded(1)], [failed(1)]]],
    ['ACME-12.1 is running, and RunStarted moves it from queued', [[...runningRun], [started(1)]]],
    [
      'ACME-12.1 is not running, and RunDetached says something new of it',
      [[...runningRun], [succeeded(1)], [fact('RunDetached', { runId: 'ACME-12.1', agent: 'fixer', detachedAt: '' })]],
    ],
    ['ACME-12.1 carries 1 demands, and RunStarted names others', [[...waitingRun], [started(1, { wakeupIds: [wakeup(7)] })]]],
    ['ACME-12.1 was opened, and nobody has asked for it', [[queued(1, { wakeupIds: [] })]]],
    ['ACME-12.3 was opened behind number 1', [[...waitingRun], [requested(3), parked(3)]]],
  ])('is told by its sentence: %s', (sentence, parts) => {
    const row = account(...parts);
    expect(row.first_violation).toMatch(new RegExp(`^at \\d+: ${sentence}$`));
    expect(row.violations).toBe(1);
  });
});

it('finds nothing wrong with what could have happened, and accounts for every demand after every event', async () => {
  const seed = Date.now() % 2 ** 31;
  console.log(`seed ${seed}`);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0 }), async (chance) => {
      const store = new MemoryEventStore();
      await store.append(new History(seeded(chance)).steps(400));
      const rows: Rows<ConservationRow> = new Map();
      const log = await store.readAll<LedgerEvent>({ after: '', limit: 100_000 });
      for (const event of log) {
        applyChanges(rows, changesOf(conservation, event));
        for (const row of rows.values()) {
          const [asked, ...places] = counts(row!);
          expect(places.reduce((sum, count) => sum + count, 0)).toBe(asked);
          expect(row!.first_violation).toBeNull();
        }
      }
      const demands = foldLog(conservation, log).reduce((sum, row) => sum + row.requested, 0);
      expect(demands).toBe(log.filter(({ type }) => type === 'WakeupRequested').length);
    }),
    { seed, numRuns: 8 },
  );
});
