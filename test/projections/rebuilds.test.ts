import type { Comparison, OperationsEvent, RebuildPurpose } from '../../src/events/operations.js';
import { rebuilds } from '../../src/projections/operations/rebuilds.js';
import { at, person } from '../facts.js';
import { given, only, onOperations } from './folded.js';

const time = (clock: string): string => at(clock).toISOString();
const rebuild = 'run_status_v2';
const because = { rebuild, reason: 'because' };

const started = (purpose: RebuildPurpose = 'cut_over'): OperationsEvent => ({
  type: 'RebuildStarted',
  data: {
    rebuild,
    projection: 'run_status',
    version: 2,
    generation: 1,
    beside: 'run_status_v1',
    purpose,
    eventsPerSecond: 50,
    reason: 'a column more',
    startedBy: person,
    startedAt: time('09:00'),
  },
});
const filled: OperationsEvent = {
  type: 'RebuildFilled',
  data: { rebuild, position: '0000000000000042', events: 42, rows: 7, filledAt: time('09:10') },
};
const none = { rows: 0, samples: [] };
const comparison = (agrees: boolean): Comparison => ({
  position: '0000000000000050',
  liveRows: 7,
  rebuiltRows: 7,
  onlyLive: none,
  onlyRebuilt: none,
  changed: agrees ? none : { rows: 1, samples: [] },
  columns: [],
  onlyLiveColumns: [],
  onlyRebuiltColumns: [],
  agrees,
});
const compared = (agrees = true): OperationsEvent => ({
  type: 'RebuildCompared',
  data: { ...comparison(agrees), rebuild, comparedAt: time('09:20') },
});
const change = { projection: 'run_status', reason: 'because' };
const cutOver: OperationsEvent = {
  type: 'ReadModelCutOver',
  data: { ...change, from: 'run_status_v1', to: rebuild, cutOverAt: time('09:30') },
};
const rolledBack: OperationsEvent = {
  type: 'ReadModelRolledBack',
  data: { ...change, from: rebuild, to: 'run_status_v1', rolledBackAt: time('09:40') },
};
const dropped: OperationsEvent = { type: 'ReadModelDropped', data: { ...change, readModel: rebuild, droppedAt: time('09:50') } };

const rowAfter = (...facts: readonly OperationsEvent[]) => only(given(onOperations(facts)).folded(rebuilds));

describe('the row of a rebuild', () => {
  it('says who asked for it, and why', () =>
    expect(rowAfter(started())).toMatchObject({
      rebuild,
      phase: 'filling',
      paused: false,
      events_per_second: 50,
      reason: 'a column more',
      actor: person,
      started_at: time('09:00'),
      position: '0000000000000001',
    }));

  it('is paused, and goes on at another rate', () => {
    const paused: OperationsEvent = { type: 'RebuildPaused', data: { ...because, pausedAt: time('09:05') } };
    const resumed: OperationsEvent = {
      type: 'RebuildResumed',
      data: { ...because, eventsPerSecond: null, resumedAt: time('09:06') },
    };
    expect(rowAfter(started(), paused)).toMatchObject({ phase: 'filling', paused: true });
    expect(rowAfter(started(), paused, resumed)).toMatchObject({ paused: false, events_per_second: null });
  });

  it('says what it was filled with', () =>
    expect(rowAfter(started(), filled)).toMatchObject({ phase: 'filled', events: 42, rows: 7, filled_at: time('09:10') }));

  it.each<[RebuildPurpose, boolean, string, string | null]>([
    ['cut_over', true, 'ready', null],
    ['cut_over', false, 'different', null],
    ['verify', true, 'verified', time('09:20')],
    ['verify', false, 'different', time('09:20')],
  ])('that was to %s, and agrees: %s, is %s', (purpose, agrees, phase, ended_at) =>
    expect(rowAfter(started(purpose), filled, compared(agrees))).toMatchObject({
      phase,
      ended_at,
      compared_at: time('09:20'),
      comparison: comparison(agrees),
    }),
  );

  it('follows what is asked, and what is not any more', () => {
    const ready = [started(), filled, compared()];
    expect(rowAfter(...ready, cutOver)).toMatchObject({ phase: 'live', cut_over_at: time('09:30'), ended_at: null });
    expect(rowAfter(...ready, cutOver, rolledBack)).toMatchObject({ phase: 'former', cut_over_at: time('09:40') });
    expect(rowAfter(...ready, cutOver, rolledBack, dropped)).toMatchObject({ phase: 'dropped', ended_at: time('09:50') });
  });

  it('says why it is over', () => {
    const failed: OperationsEvent = { type: 'RebuildFailed', data: { rebuild, error: 'no such thing', failedAt: time('09:15') } };
    const abandoned: OperationsEvent = { type: 'RebuildAbandoned', data: { ...because, abandonedAt: time('09:15') } };
    expect(rowAfter(started(), failed)).toMatchObject({ phase: 'failed', error: 'no such thing', ended_at: time('09:15') });
    expect(rowAfter(started(), abandoned)).toMatchObject({ phase: 'abandoned', error: null, ended_at: time('09:15') });
  });
});
