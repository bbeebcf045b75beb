import type { RoutineEvent } from '../../../src/events/routine.js';
import { activity } from '../../../src/projections/activity.js';
import { story } from '../../../src/projections/story.js';
import { fact, requested } from '../../facts.js';
import {
  daily,
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
  routineArchived,
  routineChanged,
  routineDefined,
  routinePaused,
  routineResumed,
  secretRotated,
  slotsMissed,
} from '../../routine-facts.js';
import { given, onRoutine, onTask } from '../folded.js';

const push = { id: 'push', kind: 'webhook', enabled: false, signing: 'bearer', windowSec: 300 } as const;

it.each<[string, RoutineEvent]>([
  ['nightly is defined: "Check the exports of {{date}}" for fixer, at 0 12 * * * UTC and by webhook push', routineDefined()],
  [
    'nightly is changed: "Check it" for no agent yet, by hand only',
    routineChanged({ title: 'Check it', agent: null, triggers: [] }),
  ],
  [
    'nightly is changed: "Check it" for fixer, at 0 12 * * * UTC and by webhook push (switched off)',
    routineChanged({ title: 'Check it', triggers: [daily, push] }),
  ],
  ['nightly is paused, and fires by hand only: holidays', routinePaused],
  ['nightly goes on: back again', routineResumed],
  ['nightly is archived, and never fires again: done with it', routineArchived],
  ['push of nightly has another secret from now on; the former one is taken until 2026-04-20 12:30:00 UTC', secretRotated],
  ['nightly@1 is fired by hand: fixer is to do "Check the exports of 2026-04-20" on nightly~1', firedByHand(1)],
  [
    'nightly@1 is fired by daily, due at 2026-04-20 12:00:00 UTC: fixer is to do "Check the exports of 2026-04-20" on nightly~1',
    firedOnTime(1),
  ],
  ['nightly@1 is fired by webhook push', firedByHand(1, { source: 'webhook', trigger: 'push', order: null })],
  ['nightly@1 is fired over the api by deploy', firedByHand(1, { source: 'api', trigger: 'deploy', order: null })],
  ['nightly@1 has opened nightly~1, and nightly~1.1 is for it', fireCreated(1)],
  [
    'nightly@2 has joined nightly~1, which nightly@1 has opened, where its agent is told when it can be',
    fireCoalesced(2, 1, null),
  ],
  ['nothing comes of nightly@2 on nightly~1: it is at work already', fireSkipped(2, 1, 'task_active')],
  ['nothing comes of nightly@2 on nightly~1: its agent is woken by the clock only', fireSkipped(2, 1, 'wake_on_demand_disabled')],
  [
    'nightly@1 is suppressed (routine_paused): nightly is paused: holidays',
    fireSuppressed(1, 'routine_paused', 'nightly is paused: holidays'),
  ],
  ['nightly@1 failed (variables_missing): the variable branch is missing', fireFailed(1)],
  ['nightly@1 failed on nightly~1 (variables_missing): the variable branch is missing', fireFailed(1, { task: 'nightly~1' })],
  ['nightly~1 was closed when nightly@2 came to it, so that it opens nightly~2', fireRedirected(2, 1)],
  ['nightly@1 is completed: nightly~1 is done', fireConcluded(1, 'done')],
  ['nightly@1 has failed: nightly~1 is blocked, it needs a person', fireConcluded(1, 'blocked', 'it needs a person')],
  ['nightly@1 has failed: nightly~1 is cancelled', fireConcluded(1, 'cancelled', 'nightly~1 is cancelled')],
  ['nightly~1 goes on, and with it nightly@1', fireReopened(1)],
  [
    '3 slots of daily, from 2026-04-17 12:00:00 UTC to 2026-04-19 12:00:00 UTC, are not fired by nightly: nobody was there to fire in time (nightly@1)',
    slotsMissed(1),
  ],
  [
    'the slot of daily at 2026-04-17 12:00:00 UTC is not fired by nightly: the routine was paused (nightly@1)',
    slotsMissed(1, { count: 1, last: '2026-04-17T12:00:00.000Z', code: 'routine_paused' }),
  ],
])('says of a routine: %s', (sentence, event) => expect(story(onRoutine([event])[0]!)).toBe(sentence));

const taken = {
  task: 'nightly~1',
  routine: 'nightly',
  fire: 'nightly@2',
  wakeupId: null,
  runId: null,
  code: null,
  takenAt: '2026-04-20T12:00:00.000Z',
} as const;

it.each([
  ['nightly~1 is opened by nightly@2', fact('FireTaken', { ...taken, how: 'opened' })],
  [
    'nightly~1 is opened by nightly@2, and nothing comes of its wake: its agent is paused, or was terminated',
    fact('FireTaken', { ...taken, how: 'opened', code: 'agent_not_invokable' }),
  ],
  ['nightly@2 has come to nightly~1 as well, and wakes its agent', fact('FireTaken', { ...taken, how: 'woken' })],
  [
    'nightly@2 has come to nightly~1, and nothing comes of its wake: the task waits for others',
    fact('FireTaken', { ...taken, how: 'woken', code: 'issue_dependencies_blocked' }),
  ],
  [
    'nightly@2 has come to nightly~1, which is at work already, and is skipped',
    fact('FireTaken', { ...taken, how: 'skipped', code: 'task_active' }),
  ],
  [
    'nightly@2 has come to nightly~1, which is closed: it is to open a task of its own',
    fact('FireTaken', { ...taken, how: 'closed' }),
  ],
  [
    'fixer is asked to run on nightly~1, because a routine was fired for it',
    requested(1, { reason: 'routine_fired', source: 'automation', trigger: 'system' }),
  ],
])('says of a task: %s', (sentence, event) => expect(story(onTask([event], 'nightly~1')[0]!)).toBe(sentence));

describe('activity', () => {
  it('has the lines of a fire under its id, those of a routine under its own', () => {
    const facts = [routineDefined(), firedByHand(1), fireCreated(1), fireSuppressed(2, 'outside_window', 'too early')];
    expect(given(onRoutine(facts)).folded(activity)).toMatchObject([
      { entity_type: 'routine', entity_id: 'nightly', agent: 'fixer', task: null },
      { entity_type: 'fire', entity_id: 'nightly@1', agent: 'fixer', task: 'nightly~1', run: null },
      { entity_type: 'fire', entity_id: 'nightly@1', agent: null, task: 'nightly~1', run: 'nightly~1.1' },
      { entity_type: 'fire', entity_id: 'nightly@2', agent: null, task: null },
    ]);
  });

  it('finds a fire that came to a task among the lines of its run', () =>
    expect(
      given(onTask([fact('FireTaken', { ...taken, how: 'woken', runId: 'nightly~1.2' })], 'nightly~1')).folded(activity),
    ).toMatchObject([{ entity_type: 'task', entity_id: 'nightly~1', task: 'nightly~1', run: 'nightly~1.2' }]));
});
