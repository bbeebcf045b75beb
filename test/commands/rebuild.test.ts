import { cutOver, dropReadModel, rollBack } from '../../src/commands/operations/cut-over.js';
import { abandonRebuild, pauseRebuild, resumeRebuild, startRebuild } from '../../src/commands/operations/rebuild.js';
import { recordComparison, recordFailure, recordFilled } from '../../src/commands/operations/rebuild-steps.js';
import { operations } from '../../src/events/evolve-operations.js';
import type { Comparison, OperationsEvent, RebuildStarted } from '../../src/events/operations.js';
import { at, person } from '../facts.js';
import { given } from '../given.js';

const time = at('09:00').toISOString();
const v1 = 'run_status_v1';
const v2 = 'run_status_v2';
const v3 = 'run_status_v3';
const projection = 'run_status';

const started = (over: Partial<RebuildStarted['data']> = {}): OperationsEvent => ({
  type: 'RebuildStarted',
  data: {
    rebuild: v2,
    projection,
    version: 2,
    generation: 1,
    beside: v1,
    purpose: 'cut_over',
    eventsPerSecond: null,
    reason: 'a column more',
    startedBy: { type: 'user', id: 'grace' },
    startedAt: time,
    ...over,
  },
});
const of = (rebuild: string) => ({ rebuild, reason: 'because' });
const paused: OperationsEvent = { type: 'RebuildPaused', data: { ...of(v2), pausedAt: time } };
const resumed: OperationsEvent = { type: 'RebuildResumed', data: { ...of(v2), eventsPerSecond: null, resumedAt: time } };
const filled = (rebuild = v2): OperationsEvent => ({
  type: 'RebuildFilled',
  data: { rebuild, position: '0000000000000042', events: 42, rows: 7, filledAt: time },
});
const none = { rows: 0, samples: [] };
const comparison: Comparison = {
  position: '0000000000000050',
  liveRows: 7,
  rebuiltRows: 7,
  onlyLive: none,
  onlyRebuilt: none,
  changed: none,
  columns: [],
  onlyLiveColumns: [],
  onlyRebuiltColumns: ['failed'],
  agrees: true,
};
const differing: Comparison = {
  ...comparison,
  changed: { rows: 3, samples: [] },
  onlyLive: { rows: 2, samples: [] },
  agrees: false,
};
const compared = (result = comparison, rebuild = v2): OperationsEvent => ({
  type: 'RebuildCompared',
  data: { ...result, rebuild, comparedAt: time },
});
const failed: OperationsEvent = { type: 'RebuildFailed', data: { rebuild: v2, error: 'no such thing', failedAt: time } };
const abandoned: OperationsEvent = { type: 'RebuildAbandoned', data: { ...of(v2), abandonedAt: time } };
const moved = (from: string, to: string) => ({ projection, from, to, reason: 'because' });
const cut = (from = v1, to = v2): OperationsEvent => ({
  type: 'ReadModelCutOver',
  data: { ...moved(from, to), cutOverAt: time },
});
const rolledBack = (from = v2, to = v1): OperationsEvent => ({
  type: 'ReadModelRolledBack',
  data: { ...moved(from, to), rolledBackAt: time },
});
const dropped = (readModel: string): OperationsEvent => ({
  type: 'ReadModelDropped',
  data: { projection, readModel, reason: 'because', droppedAt: time },
});

const ready = [started(), filled(), compared()];
const over = [...ready, cut()];
const anotherReady = [started({ rebuild: v3, version: 3, beside: v2 }), filled(v3), compared(comparison, v3)];

describe('StartRebuild', () => {
  const fields = { projection, version: 2, purpose: 'cut_over', live: v1, reason: 'a column more' };

  it('builds a version beside the live one, as fast as it can', () =>
    given()
      .when(startRebuild, fields)
      .answering({ rebuild: { id: v2, projection, version: 2, generation: 1, beside: v1, status: 'filling', paused: false } })
      .then({
        type: 'RebuildStarted',
        data: {
          rebuild: v2,
          beside: v1,
          purpose: 'cut_over',
          eventsPerSecond: null,
          startedBy: person,
          startedAt: at('12:00').toISOString(),
        },
      }));

  it('builds the live version anew as another generation', () =>
    given()
      .when(startRebuild, { ...fields, version: 1, eventsPerSecond: 500 })
      .then({ type: 'RebuildStarted', data: { rebuild: 'run_status_v1_g2', generation: 2, beside: v1, eventsPerSecond: 500 } }));

  it.each([
    ['failed', failed],
    ['was abandoned', abandoned],
  ])('takes the next generation after one that %s', (_, ended) =>
    given(started(), ended)
      .when(startRebuild, fields)
      .then({ type: 'RebuildStarted', data: { rebuild: 'run_status_v2_g2', generation: 2 } }),
  );

  it('takes the next generation after one that was verified and dropped', () =>
    given(started({ purpose: 'verify' }), filled(), compared())
      .when(startRebuild, { ...fields, purpose: 'verify' })
      .then({ type: 'RebuildStarted', data: { rebuild: 'run_status_v2_g2', purpose: 'verify' } }));

  it('believes the record of what is live, not its sender, once there is one', () =>
    given(...over)
      .when(startRebuild, { ...fields, version: 3, live: v1 })
      .then({ type: 'RebuildStarted', data: { rebuild: v3, beside: v2 } }));

  it('verifies nothing while a cut-over waits, which would compare one version with another', () =>
    given(...over)
      .when(startRebuild, { ...fields, version: 1, purpose: 'verify', live: v1 })
      .refuses('rebuild_not_ready', `${v2} is asked as soon as it is not behind ${v1}: verify it then`));

  it('does not mind the rebuild of another projection', () =>
    given(started())
      .when(startRebuild, { ...fields, projection: 'dashboard', live: 'dashboard_v1' })
      .then({ type: 'RebuildStarted', data: { rebuild: 'dashboard_v2' } }));

  it.each<[string, OperationsEvent[], RegExp]>([
    [
      'is filled',
      [started()],
      /^run_status is being rebuilt already: grace started run_status_v2 at 2026-04-20T09:00:00.000Z, and it is being filled/,
    ],
    ['is paused', [started(), paused], /it is paused/],
    ['is compared', [started(), filled()], /being compared/],
    ['is ready', ready, /ready to be cut over to; cut over to it, or abandon it/],
    [
      'differs',
      [started(), filled(), compared(differing)],
      /different from what is asked; look at the differences, or abandon it/,
    ],
  ])('is refused while another one %s, and told whose', (_, facts, sentence) =>
    given(...facts)
      .when(startRebuild, fields)
      .refuses('rebuild_under_way', sentence),
  );
});

describe('PauseRebuild', () => {
  it('lets it wait', () =>
    given(started())
      .when(pauseRebuild, { rebuild: v2, reason: 'it is noon' })
      .answering({ rebuild: { id: v2, paused: true } })
      .then({ type: 'RebuildPaused', data: { rebuild: v2, reason: 'it is noon' } }));

  it('says nothing new of one that is paused', () => given(started(), paused).when(pauseRebuild, { rebuild: v2 }).thenNothing());
  it('says nothing of one that waits for its operator anyway', () =>
    given(...ready)
      .when(pauseRebuild, { rebuild: v2 })
      .thenNothing());

  it('refuses one that is not there, and names those that are', () =>
    given(started())
      .when(pauseRebuild, { rebuild: 'run_status_v9' })
      .refuses('rebuild_not_found', 'there is no rebuild run_status_v9, or it is over; under way: run_status_v2'));
});

describe('ResumeRebuild', () => {
  it('lets one that is paused go on as before', () =>
    given(started({ eventsPerSecond: 50 }), paused)
      .when(resumeRebuild, { rebuild: v2 })
      .answering({ rebuild: { paused: false } })
      .then({ type: 'RebuildResumed', data: { rebuild: v2, eventsPerSecond: 50 } }));

  it.each([100, null])('changes the rate of one that goes on to %s', (eventsPerSecond) =>
    given(started({ eventsPerSecond: 50 }))
      .when(resumeRebuild, { rebuild: v2, eventsPerSecond })
      .answering({ rebuild: { eventsPerSecond } })
      .then({ type: 'RebuildResumed', data: { eventsPerSecond } }),
  );

  it('says nothing new of one that goes on', () =>
    given(started(), paused, resumed).when(resumeRebuild, { rebuild: v2 }).thenNothing());

  it('refuses one that has failed', () =>
    given(started(), failed).when(resumeRebuild, { rebuild: v2 }).refuses('rebuild_not_found', 'none is under way'));
});

describe('AbandonRebuild', () => {
  it.each<[string, OperationsEvent[]]>([
    ['is filled', [started()]],
    ['is ready', ready],
    ['differs', [started(), filled(), compared(differing)]],
  ])('gives one up that %s', (_, facts) =>
    given(...facts)
      .when(abandonRebuild, { rebuild: v2, reason: 'wrong' })
      .answering({ rebuild: { id: v2, status: 'gone' } })
      .then({ type: 'RebuildAbandoned', data: { rebuild: v2, reason: 'wrong' } }),
  );

  it.each([
    ['given up', abandoned],
    ['failed', failed],
  ])('says nothing new of one that is %s', (_, ended) =>
    given(started(), ended).when(abandonRebuild, { rebuild: v2 }).thenNothing(),
  );

  it('refuses one that was cut over to, also after a roll-back', () => {
    given(...over)
      .when(abandonRebuild, { rebuild: v2 })
      .refuses('read_model_in_use', 'roll back if it is asked, and drop it');
    given(...over, rolledBack())
      .when(abandonRebuild, { rebuild: v2 })
      .refuses('read_model_in_use');
  });
  it('refuses one that never was', () => given().when(abandonRebuild, { rebuild: v2 }).refuses('rebuild_not_found'));
});

describe('CutOver', () => {
  it('lets what agreed be asked', () =>
    given(...ready)
      .when(cutOver, { rebuild: v2, reason: 'it is Monday' })
      .answering({ projection, live: v2, before: v1 })
      .then({ type: 'ReadModelCutOver', data: { projection, from: v1, to: v2, reason: 'it is Monday' } }));

  it('says nothing new of what is asked', () =>
    given(...over)
      .when(cutOver, { rebuild: v2 })
      .thenNothing());

  it('goes again to what was rolled back', () =>
    given(...over, rolledBack())
      .when(cutOver, { rebuild: v2 })
      .answering({ live: v2, before: v1 })
      .then({ type: 'ReadModelCutOver', data: { from: v1, to: v2 } }));

  it.each<[string, OperationsEvent[], RegExp]>([
    ['is not filled', [started()], /run_status_v2 is not compared with run_status_v1 yet: wait for it/],
    ['is paused', [started(), paused], /resume it/],
    ['is not compared', [started(), filled()], /wait for it/],
    ['is built to verify', [started({ purpose: 'verify' })], /rebuild without verify/],
    [
      'was compared with what is not asked any more',
      [...over, ...anotherReady, rolledBack()],
      /run_status_v3 was compared with run_status_v2, and run_status_v1 is asked by now/,
    ],
  ])('refuses what %s', (_, facts, sentence) =>
    given(...facts)
      .when(cutOver, { rebuild: facts.length > 4 ? v3 : v2 })
      .refuses('rebuild_not_ready', sentence),
  );

  it('refuses what differs, and says how much', () =>
    given(started(), filled(), compared(differing))
      .when(cutOver, { rebuild: v2 })
      .refuses('differences_found', /^5 rows of run_status_v2 differ from run_status_v1/));

  it('takes what differs from its own version, when that is accepted', () => {
    const anew = started({ rebuild: 'run_status_v1_g2', version: 1, generation: 2 });
    const facts = [anew, filled('run_status_v1_g2'), compared(differing, 'run_status_v1_g2')];
    given(...facts)
      .when(cutOver, { rebuild: 'run_status_v1_g2' })
      .refuses('differences_found', 'repair what is asked by accepting them');
    given(...facts)
      .when(cutOver, { rebuild: 'run_status_v1_g2', acceptDifferences: true })
      .then({ type: 'ReadModelCutOver', data: { from: v1, to: 'run_status_v1_g2', reason: 'repaired' } });
    given(started(), filled(), compared(differing))
      .when(cutOver, { rebuild: v2, acceptDifferences: true })
      .refuses('differences_found', 'name the columns that are meant to differ');
  });

  it('refuses what is given up', () =>
    given(...ready, abandoned)
      .when(cutOver, { rebuild: v2 })
      .refuses('rebuild_not_found'));
});

describe('RollBack', () => {
  it('lets what was asked before be asked again', () =>
    given(...over)
      .when(rollBack, { projection, reason: 'slow' })
      .answering({ projection, live: v1, before: null })
      .then({ type: 'ReadModelRolledBack', data: { projection, from: v2, to: v1, reason: 'slow' } }));

  it('goes back once for each cut-over', () => {
    const twice = [...over, ...anotherReady, cut(v2, v3)];
    given(...twice)
      .when(rollBack, { projection })
      .then({ type: 'ReadModelRolledBack', data: { from: v3, to: v2 } });
    given(...twice, rolledBack(v3, v2))
      .when(rollBack, { projection })
      .then({ type: 'ReadModelRolledBack', data: { to: v1 } });
  });

  it('goes back once when two operators have seen the same', () => {
    const twice = [...over, ...anotherReady, cut(v2, v3)];
    given(...twice, rolledBack(v3, v2))
      .when(rollBack, { projection, from: v3 })
      .refuses('nothing_to_roll_back', `${v2} is to be asked by now, and not ${v3}`);
  });

  it('takes a cut-over back that is still waiting, and so not seen yet', () =>
    given(...over)
      .when(rollBack, { projection, from: v1 })
      .then({ type: 'ReadModelRolledBack', data: { from: v2, to: v1 } }));

  it.each<[string, OperationsEvent[]]>([
    ['nothing was cut over', []],
    ['nothing was cut over yet', ready],
    ['it was done already', [...over, rolledBack()]],
    ['what was before is dropped', [...over, dropped(v1)]],
  ])('is refused when %s', (_, facts) =>
    given(...facts)
      .when(rollBack, { projection })
      .refuses('nothing_to_roll_back', 'rebuild the version that you want'),
  );
});

describe('DropReadModel', () => {
  const drop = (readModel: string) => ({ projection, readModel });

  it.each<[string, OperationsEvent[], string]>([
    ['was replaced', over, v1],
    ['was rolled back', [...over, rolledBack()], v2],
  ])('removes what %s', (_, facts, readModel) =>
    given(...facts)
      .when(dropReadModel, drop(readModel))
      .answering({ readModel, status: 'gone' })
      .then({ type: 'ReadModelDropped', data: { projection, readModel } }),
  );

  it('says nothing new of what is gone', () =>
    given(...over, dropped(v1))
      .when(dropReadModel, drop(v1))
      .thenNothing());

  it.each<[string, OperationsEvent[], string, RegExp]>([
    ['is asked', over, v2, /is the one that is asked/],
    ['is built', [started()], v2, /abandon the rebuild instead/],
    ['is asked while another one is built', [started()], v1, /is the one that is asked/],
    ['a rebuild is compared with', [...over, ...anotherReady, rolledBack()], v2, /run_status_v3 is compared with run_status_v2/],
  ])('refuses what %s', (_, facts, readModel, sentence) =>
    given(...facts)
      .when(dropReadModel, drop(readModel))
      .refuses('read_model_in_use', sentence),
  );

  it('refuses what is another projection’s, or nobody’s', () => {
    given(...over)
      .when(dropReadModel, { projection: 'dashboard', readModel: v1 })
      .refuses('rebuild_not_found');
    given().when(dropReadModel, drop(v1)).refuses('rebuild_not_found', 'only what was replaced can be dropped');
  });
});

describe('RecordFilled', () => {
  const fields = { rebuild: v2, position: '0000000000000042', events: 42, rows: 7 };
  it('says how far', () =>
    given(started())
      .when(recordFilled, fields)
      .answering({ rebuild: { status: 'filled' } })
      .then({ type: 'RebuildFilled', data: fields }));
  it('says it also of one that is paused meanwhile', () =>
    given(started(), paused).when(recordFilled, fields).then({ type: 'RebuildFilled' }));
  it('says nothing new twice', () => given(started(), filled()).when(recordFilled, fields).thenNothing());
  it('says nothing of one that was given up', () => given(started(), abandoned).when(recordFilled, fields).thenNothing());
});

describe('RecordComparison', () => {
  it.each([
    ['ready', comparison],
    ['different', differing],
  ])('says that it is %s', (status, result) =>
    given(started(), filled())
      .when(recordComparison, { rebuild: v2, comparison: result })
      .answering({ rebuild: { status } })
      .then({ type: 'RebuildCompared', data: { ...result, rebuild: v2 } }),
  );
  it('is the end of one that was to be verified', () =>
    given(started({ purpose: 'verify' }), filled())
      .when(recordComparison, { rebuild: v2, comparison })
      .answering({ rebuild: { status: 'gone' } })
      .then({ type: 'RebuildCompared' }));
  it('says nothing new twice', () =>
    given(...ready)
      .when(recordComparison, { rebuild: v2, comparison })
      .thenNothing());
  it('says nothing of one that was paused meanwhile, which is compared when it goes on', () =>
    given(started(), filled(), paused).when(recordComparison, { rebuild: v2, comparison }).thenNothing());
  it('says nothing of one that was given up', () =>
    given(started(), filled(), abandoned).when(recordComparison, { rebuild: v2, comparison }).thenNothing());
});

describe('RecordFailure', () => {
  const fields = { rebuild: v2, error: 'no such thing' };
  it('is the end of it', () =>
    given(started())
      .when(recordFailure, fields)
      .answering({ rebuild: { status: 'gone' } })
      .then({ type: 'RebuildFailed', data: fields }));
  it('says nothing new twice', () => given(started(), failed).when(recordFailure, fields).thenNothing());
  it('says nothing of one that is ready', () =>
    given(...ready)
      .when(recordFailure, fields)
      .thenNothing());
});

it('remembers of a hundred rebuilds that are gone their number alone', () => {
  const facts = Array.from({ length: 100 }, (_, n) => {
    const rebuild = n === 0 ? v2 : `${v2}_g${n + 1}`;
    return [
      started({ rebuild, generation: n + 1 }),
      { type: 'RebuildAbandoned', data: { ...of(rebuild), abandonedAt: time } } satisfies OperationsEvent,
    ];
  }).flat();
  const state = facts.reduce(operations.evolve, operations.initial);
  expect(Object.keys(state.readModels)).toEqual([v1]);
  expect(state.generations).toEqual({ [v1]: 1, [v2]: 100 });
});
