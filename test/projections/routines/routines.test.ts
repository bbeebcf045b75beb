import { nextDueAt, offsetMs } from '../../../src/events/due-slot.js';
import type { RoutineEvent } from '../../../src/events/routine.js';
import { routines, type RoutineRow } from '../../../src/projections/routines/routines.js';
import {
  daily,
  definition,
  fireCoalesced,
  fireConcluded,
  fireCreated,
  firedByHand,
  firedOnTime,
  fireFailed,
  fireSkipped,
  fireSuppressed,
  routineArchived,
  routineChanged,
  routineDefined,
  routinePaused,
  routineResumed,
  secretRotated,
  slotsMissed,
} from '../../routine-facts.js';
import { given, only, onRoutine } from '../folded.js';

const noon = '2026-04-20T12:00:00.000Z';
const tomorrow = '2026-04-21T12:00:00.000Z';
const none = { pending: 0, created: 0, coalesced: 0, skipped: 0, suppressed: 0, failed: 0, caught_up: 0 };
const after = (...facts: readonly RoutineEvent[]): RoutineRow => only(given(onRoutine(facts)).folded(routines));

describe('routines', () => {
  it('has how a routine is defined, and when it is due', () =>
    expect(after(routineDefined())).toEqual({
      company: 'acme',
      routine: 'nightly',
      status: 'active',
      reason: null,
      since: '2026-04-20T11:00:00.000Z',
      title: 'Check the exports of {{date}}',
      description: null,
      agent: 'fixer',
      priority: 'medium',
      concurrency: 'coalesce_if_active',
      catch_up: 'skip_missed',
      variables: [],
      fingerprint_ignore: [],
      spread_sec: 0,
      active_from: null,
      active_until: null,
      triggers: definition.triggers,
      defined_at: '2026-04-20T11:00:00.000Z',
      changed_at: '2026-04-20T11:00:00.000Z',
      fires: 0,
      outcomes: none,
      last_fire: null,
      last_fired_at: null,
      next_due_at: noon,
      revision: 0,
    }));

  it('is due at the slot after the one that was fired', () => {
    const row = after(routineDefined(), firedOnTime(1));
    expect(row).toMatchObject({ fires: 1, last_fire: 'nightly@1', last_fired_at: noon, next_due_at: tomorrow });
    expect(row.triggers[0]).toEqual({ ...daily, nextSlot: tomorrow });
  });

  it('is due as before when it is fired by hand', () =>
    expect(after(routineDefined(), firedByHand(1))).toMatchObject({ fires: 1, last_fire: 'nightly@1', next_due_at: noon }));

  it('counts slots that are not fired as a fact, and not as a fire', () =>
    expect(after(routineDefined(), slotsMissed(1, { nextSlot: tomorrow }))).toMatchObject({
      fires: 1,
      last_fire: null,
      next_due_at: tomorrow,
    }));

  it('is another one when it is changed, with the fires that it had', () => {
    const weekly = { ...daily, id: 'weekly', nextSlot: '2026-04-27T12:00:00.000Z' };
    const row = after(routineDefined(), firedByHand(1), routineChanged({ title: 'Check it all', triggers: [weekly] }));
    expect(row).toMatchObject({ title: 'Check it all', triggers: [weekly], next_due_at: weekly.nextSlot, fires: 1 });
    expect([row.defined_at, row.changed_at]).toEqual(['2026-04-20T11:00:00.000Z', '2026-04-20T11:30:00.000Z']);
  });

  it('is due while it is paused, says why, and forgets that when it goes on', () => {
    const paused = after(routineDefined(), routinePaused);
    expect(paused).toMatchObject({ status: 'paused', reason: 'holidays', next_due_at: noon });
    expect(paused.since).toBe('2026-04-20T11:40:00.000Z');
    expect(after(routineDefined(), routinePaused, routineResumed)).toMatchObject({ status: 'active', reason: null });
  });

  it('is never due again when it is archived', () =>
    expect(after(routineDefined(), routineArchived)).toMatchObject({ status: 'archived', next_due_at: null }));

  it('counts what its fires have come to', () => {
    const fires = [firedByHand(1), fireCreated(1), firedByHand(2), fireCoalesced(2, 1, null), firedByHand(3), fireFailed(3)];
    const more = [firedByHand(4), fireSkipped(4, 1, 'task_active'), firedByHand(5), slotsMissed(6), fireConcluded(1, 'done')];
    const suppressed = [firedByHand(7), fireSuppressed(7, 'routine_paused', 'holidays')];
    expect(after(routineDefined(), ...fires, ...more, ...suppressed).outcomes).toEqual({
      pending: 1,
      created: 1,
      coalesced: 1,
      skipped: 1,
      suppressed: 1,
      failed: 1,
      caught_up: 1,
    });
  });

  it('has the revision of the last event, whatever it was', () => {
    const facts = [routineDefined(), secretRotated, firedByHand(1), fireCreated(1), fireConcluded(1, 'done')];
    for (const count of facts.keys()) expect(after(...facts.slice(0, count + 1)).revision).toBe(count);
  });
});

describe('the time at which a routine is due', () => {
  const due = (over: object) => nextDueAt('acme', { ...definition, routine: 'nightly', ...over });

  it('is that of the first slot among its schedules', () =>
    expect(due({ triggers: [{ ...daily, nextSlot: tomorrow }, daily] })).toBe(noon));

  it.each([
    ['it has no schedule', []],
    ['no slot is to come', [{ ...daily, nextSlot: null }]],
    ['its schedule is switched off', [{ ...daily, enabled: false }]],
  ])('is none when %s', (_, triggers) => expect(due({ triggers })).toBeNull());

  it('is spread by whole seconds below the bound, always the same for one trigger', () => {
    const offsets = Array.from({ length: 500 }, (_, n) => offsetMs('acme', `routine-${n}`, 'daily', 60));
    expect(offsets).toEqual(Array.from({ length: 500 }, (_, n) => offsetMs('acme', `routine-${n}`, 'daily', 60)));
    expect(new Set(offsets).size).toBe(60);
    expect(Math.min(...offsets)).toBe(0);
    expect(Math.max(...offsets)).toBe(59_000);
    expect(Date.parse(due({ spreadSec: 60 })!)).toBe(Date.parse(noon) + offsetMs('acme', 'nightly', 'daily', 60));
  });

  it('differs between companies, routines and triggers of the same name', () => {
    const some = ['acme.nightly.daily', 'globex.nightly.daily', 'acme.hourly.daily', 'acme.nightly.weekly'];
    const offsets = some.map((name) => name.split('.')).map(([c, r, t]) => offsetMs(c!, r!, t!, 3_600));
    expect(new Set(offsets).size).toBe(4);
  });
});
