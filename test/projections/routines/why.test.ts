import type { RoutineDefinition, RoutineEvent } from '../../../src/events/routine.js';
import { routineFires } from '../../../src/projections/routines/routine-fires.js';
import { routines } from '../../../src/projections/routines/routines.js';
import type { FireFacts } from '../../../src/projections/why/facts.js';
import { reasonsOfFire } from '../../../src/projections/why/of-fire.js';
import type { Reason } from '../../../src/projections/why/reason.js';
import { at } from '../../facts.js';
import {
  daily,
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
  slotsMissed,
} from '../../routine-facts.js';
import { given, only, onRoutine } from '../folded.js';

const iso = (clock: string): string => at(clock).toISOString();
const tomorrow = '2026-04-21T12:00:00.000Z';

/** What is known of the last fire a few seconds after it, by the facts of its routine. */
function known(facts: readonly RoutineEvent[], over: Partial<FireFacts> = {}): FireFacts {
  const log = onRoutine(facts);
  const fires = given(log).folded(routineFires);
  const fire = fires.at(-1)!;
  return {
    now: iso('12:00:05'),
    roles: ['api', 'projector', 'policies'],
    steadyRoles: ['api', 'projector', 'policies'],
    lags: [],
    fire,
    routine: only(given(log).folded(routines)),
    lead: fires.find((one) => one.fire === fire.coalesced_into),
    parked: undefined,
    policy: { position: '0000000000000040', head: '0000000000000042', lag: 2, movedAt: iso('11:59') },
    ...over,
  };
}

const why = (facts: readonly RoutineEvent[], over: Partial<FireFacts> = {}): Reason => only(reasonsOfFire(known(facts, over)));

const fired = [routineDefined(), firedOnTime(1)];
const parked = {
  stream: 'task-acme.nightly~1',
  command: 'TakeFire',
  error: 'TypeError: no such thing',
  parkedAt: iso('12:00:01'),
};

describe('a fire without an outcome', () => {
  it.each<[string, Reason['code'], Partial<FireFacts>]>([
    ['is on its way', 'READY', {}],
    ['is nowhere after ten seconds', 'SHOULD_BE_RUNNING', { now: iso('12:00:11') }],
    ['waits for those who have only just begun', 'READY', { now: iso('12:00:11'), steadyRoles: ['api'] }],
    ['waits for a server that would finish it', 'POLICIES_STOPPED', { now: iso('12:00:11'), roles: ['api'] }],
    [
      'waits for a policy that is behind',
      'PROJECTION_LAG',
      {
        now: iso('12:00:11'),
        policy: { position: '0000000000000040', head: '0000000000009000', lag: 8_960, movedAt: iso('11:59') },
      },
    ],
    ['has met with an error', 'REACTION_PARKED', { now: iso('12:00:11'), parked }],
  ])('%s', (_, code, over) => expect(why(fired, over).code).toBe(code));

  it('says what it has met with, and who clears that', () =>
    expect(why(fired, { parked })).toEqual({
      code: 'REACTION_PARKED',
      sentence: 'policy routines could not send TakeFire to task-acme.nightly~1: TypeError: no such thing',
      since: iso('12:00:01'),
      clearedBy: 'whoever mends that; it is tried again every 30 s',
      action: 'ledger policies parked',
    }));
});

describe('a fire that came to something', () => {
  it('has opened its task, and says how that ended', () => {
    const created = [...fired, fireCreated(1)];
    expect(why(created)).toEqual({ code: 'DONE', sentence: 'nightly@1 has opened nightly~1', since: iso('12:00') });
    expect(why([...created, fireConcluded(1, 'done')]).sentence).toBe('nightly@1 has opened nightly~1, which is done');
  });

  it('has joined the task of another, and says how that ended', () => {
    const joined = [...fired, fireCreated(1), firedByHand(2), fireCoalesced(2, 1, null)];
    const sentence = 'nightly@2 has joined nightly~1, which nightly@1 has opened';
    expect(why(joined)).toMatchObject({ code: 'COALESCED_INTO', sentence, since: iso('12:01') });
    const ended = [...joined, fireConcluded(1, 'cancelled')];
    expect(why(ended).sentence).toBe(`${sentence}, and which is cancelled`);
  });
});

describe('a suppressed fire', () => {
  const paused = [
    routineDefined(),
    routinePaused,
    firedOnTime(1),
    fireSuppressed(1, 'routine_paused', 'nightly is paused: holidays'),
  ];

  it('says who lets the routine go on', () =>
    expect(why(paused)).toEqual({
      code: 'ROUTINE_SUPPRESSED',
      sentence: 'nothing comes of nightly@1 (routine_paused): nightly is paused: holidays',
      since: iso('11:40'),
      clearedBy: 'whoever resumes nightly',
      action: 'ledger routines resume nightly',
    }));

  const window = (over: Partial<RoutineDefinition>) => [
    routineDefined(over),
    firedByHand(1, { source: 'api', trigger: 'push', order: null }),
    fireSuppressed(1, 'outside_window', 'it is not its time'),
  ];
  const off = [
    routineDefined({ triggers: [{ ...daily, enabled: false }] }),
    firedByHand(1, { trigger: 'daily', order: null }),
    fireSuppressed(1, 'trigger_disabled', 'daily is switched off'),
  ];

  it.each<[string, readonly RoutineEvent[], Partial<Reason>]>([
    [
      'may be fired again when its routine goes on',
      [...paused, routineResumed],
      { sentence: expect.stringMatching(/: holidays; nightly goes on by now$/), action: 'ledger routines fire nightly' },
    ],
    ['has its trigger switched on', off, { action: 'ledger routines set nightly --enable daily' }],
    ['may be fired again when its trigger is on', [...off, routineChanged()], { action: 'ledger routines fire nightly' }],
    [
      'waits for its time',
      window({ activeFrom: tomorrow }),
      {
        sentence: 'nothing comes of nightly@1 (outside_window): it is not its time',
        clearsAt: tomorrow,
        action: 'ledger routines fire nightly',
      },
    ],
    ['came too late', window({ activeUntil: iso('11:59') }), { action: 'ledger routines set nightly --active-until <time>' }],
  ])('%s', (_, facts, reason) => expect(why(facts)).toMatchObject({ code: 'ROUTINE_SUPPRESSED', ...reason }));

  it('is cleared by nobody when its routine is archived', () => {
    const { action, clearedBy, sentence } = why([...paused, routineArchived]);
    expect([action, clearedBy]).toEqual([undefined, undefined]);
    expect(sentence).toMatch(/: holidays; nightly is archived by now$/);
  });
});

describe('a fire that failed', () => {
  it.each([
    ['variables_missing', 'ledger routines fire nightly --var <name>=<value>'],
    ['variable_invalid', 'ledger routines fire nightly --var <name>=<value>'],
    ['agent_required', 'ledger routines set nightly --agent <agent>'],
    ['agent_not_found', 'ledger routines set nightly --agent <agent>'],
    ['agent_terminated', 'ledger routines set nightly --agent <agent>'],
    ['title_too_long', 'ledger routines set nightly --title <template>'],
    ['description_too_long', 'ledger routines set nightly --description <template>'],
    ['something_else', 'ledger routines fire nightly'],
  ])('by %s says what would do', (code, action) =>
    expect(why([...fired, fireFailed(1, { code })])).toEqual({
      code: 'NON_RETRYABLE',
      sentence: `nightly@1 failed (${code}): the variable branch is missing`,
      since: iso('12:00'),
      clearedBy: expect.any(String),
      action,
    }),
  );

  it('of an archived routine is made up for by nothing', () => {
    const { action, clearedBy } = why([...fired, fireFailed(1), routineArchived]);
    expect([action, clearedBy]).toEqual([undefined, undefined]);
  });

  it('behind its task leaves it to that what would do', () => {
    const reason = why([...fired, fireFailed(1, { task: 'nightly~1', code: 'wake_on_demand_disabled', reason: 'no wakes' })]);
    expect(reason).toEqual({
      code: 'NON_RETRYABLE',
      sentence: 'nightly@1 failed on nightly~1 (wake_on_demand_disabled): no wakes',
      since: iso('12:00'),
    });
  });
});

it('says of a skipped fire what was at work', () =>
  expect(why([...fired, fireCreated(1), firedByHand(2), fireSkipped(2, 1, 'task_active')])).toEqual({
    code: 'SKIPPED',
    sentence: 'nothing comes of nightly@2 on nightly~1: it is at work already',
    since: iso('12:01'),
    clearedBy: 'whoever fires it again',
    action: 'ledger routines fire nightly',
  }));

it.each([
  [
    'missed',
    '3 slots of daily, from 2026-04-17 12:00:00 UTC to 2026-04-19 12:00:00 UTC, are not fired: nobody was there to fire in time (nightly@1)',
  ],
  [
    'schedule_changed',
    '3 slots of daily, from 2026-04-17 12:00:00 UTC to 2026-04-19 12:00:00 UTC, are not fired: the schedule was changed, or ended (nightly@1)',
  ],
] as const)('says of slots why they are not fired: %s', (code, sentence) =>
  expect(why([routineDefined(), slotsMissed(1, { code })])).toMatchObject({ code: 'SKIPPED', sentence }),
);
