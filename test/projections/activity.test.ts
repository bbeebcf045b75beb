import { activity } from '../../src/projections/activity.js';
import { coalesced, fact, parked, requested, runningRun, wakeup } from '../facts.js';
import { given, only, onTask } from './folded.js';

describe('activity', () => {
  it('has a line per event, with who, what and why', () => {
    const lines = given(onTask([...runningRun, parked(2)])).folded(activity);
    expect(lines.map(({ sentence }) => sentence)).toEqual([
      `ACME-12 "Mend the export" is opened as todo, fixer's`,
      'fixer is asked to run on ACME-12, because somebody asked for it',
      'ACME-12.1 is queued for fixer, because somebody asked for it',
      'ACME-12.1 is started by laptop',
      'ACME-12.2 waits until 2026-04-20 12:02:00 UTC to try ACME-12.1 again: retry 1 of 4, after 2m',
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
    const why = 'x'.repeat(5_000);
    const escalated = fact('RecoveryEscalated', { runId: null, agent: 'fixer', why, escalatedAt: '' });
    const line = only(given(onTask([escalated])).folded(activity));
    expect(line.sentence).toHaveLength(500);
  });
});
