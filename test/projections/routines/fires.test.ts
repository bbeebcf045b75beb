import type { RoutineEvent } from '../../../src/events/routine.js';
import { routineFires, type FireRow } from '../../../src/projections/routines/routine-fires.js';
import { wakeup } from '../../facts.js';
import {
  fireCoalesced,
  fireConcluded,
  fireCreated,
  firedByHand,
  firedOnTime,
  fireFailed,
  fireRedirected,
  fireReopened,
  fireSkipped,
  fireSuppressed,
  routineDefined,
  slotsMissed,
} from '../../routine-facts.js';
import { given, only, onRoutine } from '../folded.js';

const firesAfter = (...facts: readonly RoutineEvent[]): FireRow[] =>
  given(onRoutine([routineDefined(), ...facts])).folded(routineFires);
const after = (...facts: readonly RoutineEvent[]): FireRow => only(firesAfter(...facts));

describe('a fire', () => {
  it('is pending until it has an outcome, and on its way to its task', () =>
    expect(after(firedOnTime(1))).toEqual({
      company: 'acme',
      routine: 'nightly',
      fire: 'nightly@1',
      n: 1,
      trigger: 'daily',
      source: 'schedule',
      slot: '2026-04-20T12:00:00.000Z',
      fired_at: '2026-04-20T12:00:00.000Z',
      outcome: 'pending',
      settled_at: null,
      code: null,
      reason: null,
      task: 'nightly~1',
      run: null,
      wakeup: null,
      coalesced_into: null,
      fingerprint: 'f'.repeat(64),
      count: null,
      last_slot: null,
      concluded: null,
    }));

  it('is created with its task, its run and its demand', () =>
    expect(after(firedByHand(1), fireCreated(1))).toMatchObject({
      outcome: 'created',
      settled_at: '2026-04-20T12:00:00.000Z',
      task: 'nightly~1',
      run: 'nightly~1.1',
      wakeup: wakeup(1),
    }));

  it('is coalesced into the fire whose task it has joined', () => {
    const [, second] = firesAfter(firedByHand(1), fireCreated(1), firedByHand(2), fireCoalesced(2, 1, null));
    expect(second).toMatchObject({ outcome: 'coalesced', task: 'nightly~1', coalesced_into: 'nightly@1', run: null });
  });

  it.each<[string, RoutineEvent, Partial<FireRow>]>([
    ['skipped', fireSkipped(1, 0, 'task_active'), { code: 'task_active', task: 'nightly~0' }],
    ['suppressed', fireSuppressed(1, 'routine_paused', 'holidays'), { code: 'routine_paused', reason: 'holidays' }],
    ['failed', fireFailed(1), { code: 'variables_missing', reason: 'the variable branch is missing', task: null }],
  ])('is %s, and says why', (outcome, event, row) => expect(after(firedByHand(1), event)).toMatchObject({ outcome, ...row }));

  it('goes to a task of its own when the one that it was to join is closed', () => {
    const order = { ...firedByHand(2).data.order!, task: 'nightly~1' };
    const pending = after(firedByHand(2, { order }), fireRedirected(2, 1));
    expect(pending).toMatchObject({ outcome: 'pending', task: 'nightly~2' });
  });

  it('is concluded as its task ends, and goes on as its task does', () => {
    const created = [firedByHand(1), fireCreated(1)];
    const at = '2026-04-20T12:10:00.000Z';
    expect(after(...created, fireConcluded(1, 'done'))).toMatchObject({
      outcome: 'created',
      concluded: { outcome: 'completed', status: 'done', at },
    });
    const failed = fireConcluded(1, 'blocked', 'it needs a person');
    expect(after(...created, failed).concluded).toEqual({
      outcome: 'failed',
      status: 'blocked',
      at,
      reason: 'it needs a person',
    });
    expect(after(...created, failed, fireReopened(1)).concluded).toBeNull();
  });

  it('is none where slots are not fired, which are told of as one', () =>
    expect(after(slotsMissed(1))).toMatchObject({
      fire: 'nightly@1',
      outcome: 'caught_up',
      code: 'missed',
      trigger: 'daily',
      source: 'schedule',
      count: 3,
      slot: '2026-04-17T12:00:00.000Z',
      last_slot: '2026-04-19T12:00:00.000Z',
      settled_at: '2026-04-20T11:59:00.000Z',
    }));
});
