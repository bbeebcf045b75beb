import { activity } from '../../src/projections/activity.js';
import { coalesced, parked, requested, runningRun, wakeup } from '../facts.js';
import { given, only, onTask } from './folded.js';

describe('activity', () => {
  it('has a line per event, with who, what and why', () => {
    const lines = given(onTask([...runningRun, parked(2)])).folded(activity);
    expect(lines.map(({ sentence }) => sentence)).toEqual([
      'ACME-12 was opened: Mend the export',
      'the wakeup asks fixer to run: requested',
      'ACME-12.1 was queued for fixer: requested',
      'ACME-12.1 was started by laptop',
      'ACME-12.2 will retry ACME-12.1 at 2026-04-20T12:02:00.000Z (1 of 4)',
    ]);
    expect(lines[3]).toMatchObject({
      actor_type: 'user',
      actor_id: 'ada',
      action: 'RunStarted',
      entity_type: 'run',
      entity_id: 'ACME-12.1',
      agent: 'fixer',
      task: 'ACME-12',
      run: 'ACME-12.1',
    });
  });

  it('finds a demand that joined a run among the lines of that run', () => {
    const lines = given(onTask([...runningRun, requested(2), coalesced(2, 1, 1)])).folded(activity);
    expect(lines.at(-1)).toMatchObject({ entity_type: 'wakeup', entity_id: wakeup(2), run: 'ACME-12.1' });
    expect(lines.at(-2)).toMatchObject({ entity_type: 'wakeup', run: null });
  });

  it('cuts a sentence that a caller made too long', () => {
    const line = only(given(onTask([requested(1, { reason: 'x'.repeat(5_000) })])).folded(activity));
    expect(line).toMatchObject({ entity_id: wakeup(1) });
    expect(line.sentence).toHaveLength(500);
  });
});
