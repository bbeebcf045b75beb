import { putRoutine, type PutRoutine } from '../../../src/commands/routines/routine.js';
import type { RoutineEvent } from '../../../src/events/routine.js';
import { InvalidCommand } from '../../../src/commands/dispatch.js';
import { agent, at, itself, withFixer } from '../../facts.js';
import { eventsOf } from './decided.js';
import { given, type Circumstances } from '../../given.js';
import {
  daily,
  definition,
  routineArchived,
  routineChanged,
  routineDefined,
  routinePaused,
  slotsMissed,
} from '../../routine-facts.js';

type Fields = { readonly [Field in keyof PutRoutine]?: unknown };

const iso = (clock: string): string => at(clock).toISOString();
const tomorrow = '2026-04-21T12:00:00.000Z';

const { nextSlot: _, ...noon } = daily;
const push = { id: 'push', kind: 'webhook' };
/** As `routineDefined` has it. */
const described = { company: 'acme', routine: 'nightly', title: definition.title, agent: 'fixer', triggers: [noon, push] };

const defining = (fields: Fields, circumstances?: Circumstances) =>
  given().when(putRoutine, { company: 'acme', ...fields }, circumstances);
const changing = (facts: readonly RoutineEvent[], fields: Fields, now = '11:50') =>
  given(...facts).when(putRoutine, { ...described, ...fields }, { now: at(now) });

describe('a definition', () => {
  it('has a usual value for whatever is left out', () =>
    defining({ routine: 'nightly', title: 'Check the exports', agent: 'fixer', triggers: [] }).then({
      type: 'RoutineDefined',
      data: {
        routine: 'nightly',
        title: 'Check the exports',
        description: null,
        agent: 'fixer',
        priority: 'medium',
        concurrency: 'coalesce_if_active',
        catchUp: 'skip_missed',
        variables: [],
        fingerprintIgnore: [],
        spreadSec: 0,
        activeFrom: null,
        activeUntil: null,
        triggers: [],
        definedAt: iso('12:00'),
      },
    }));

  it('has usual triggers and variables too', () => {
    const [defined] = defining({
      ...described,
      variables: [{ name: 'branch', default: 'main' }],
      triggers: [{ id: 'daily', kind: 'schedule', cron: '0 12 * * *' }, push, { id: 'button', kind: 'api', enabled: false }],
    }).events();
    expect(defined).toMatchObject({
      data: {
        variables: [{ name: 'branch', type: 'text', label: null, default: 'main', required: true, options: [] }],
        triggers: [
          { id: 'daily', enabled: true, zone: 'UTC', dst: { gap: 'shift', overlap: 'once' }, nextSlot: tomorrow },
          { id: 'push', kind: 'webhook', enabled: true, signing: 'bearer', windowSec: 300 },
          { id: 'button', kind: 'api', enabled: false },
        ],
      },
    });
  });

  it('without an agent begins paused', () =>
    defining({ routine: 'nightly', title: 'Check the exports', triggers: [] })
      .answering({ routine: { id: 'nightly', status: 'paused', reason: 'it was defined without an agent', agent: null } })
      .then(
        { type: 'RoutineDefined', data: { agent: null } },
        { type: 'RoutinePaused', data: { reason: 'it was defined without an agent' } },
      ));

  it('is answered with the routine as it stands', () => {
    defining(described).answering({
      routine: { id: 'nightly', company: 'acme', status: 'active', title: definition.title, revision: 0 },
    });
    changing([routineDefined(), routinePaused], {}).answering({
      routine: { status: 'paused', reason: 'holidays', since: iso('11:40') },
    });
  });

  it('asked for twice is there once', () => changing([routineDefined()], {}).thenNothing());

  it('is replaced whole: what is left out is as usual again', () =>
    changing([routineDefined({ priority: 'high', spreadSec: 60, description: 'all of them' })], {}).then({
      type: 'RoutineChanged',
      data: { priority: 'medium', spreadSec: 0, description: null, changedAt: iso('11:50') },
    }));

  it('keeps the time of what is paused, and is not paused once more', () =>
    changing([routineDefined(), routinePaused], { title: 'Check them all' })
      .answering({ routine: { status: 'paused', since: iso('11:40') } })
      .then({ type: 'RoutineChanged' }));

  it('that loses its agent is paused', () =>
    changing([routineDefined()], { agent: null }).then({ type: 'RoutineChanged' }, { type: 'RoutinePaused' }));

  it('gives times in UTC', () =>
    defining({ ...described, activeFrom: '2026-04-20T14:00:00+02:00', activeUntil: '2026-05-01T00:00:00Z' }).then({
      type: 'RoutineDefined',
      data: { activeFrom: iso('12:00'), activeUntil: '2026-05-01T00:00:00.000Z' },
    }));

  it('keeps no secret that somebody wrote into it', () => {
    const variables = [{ name: 'key', default: 'sk-abcdefghijklmnop' }];
    const [defined] = defining({ ...described, description: 'use sk-abcdefghijklmnop', variables }).events();
    expect(JSON.stringify(defined)).not.toContain('sk-abcdefghijklmnop');
  });
});

describe('the next slot of a schedule', () => {
  const nextSlots = (fields: Fields, circumstances?: Circumstances) =>
    eventsOf(defining({ ...described, ...fields }, circumstances))
      .flatMap(({ data }) => ('triggers' in data ? data.triggers : []))
      .map((trigger) => trigger.kind === 'schedule' && trigger.nextSlot)[0];

  it('is the first after now', () => expect(nextSlots({})).toBe(tomorrow));
  it('is none of one that is switched off', () => expect(nextSlots({ triggers: [{ ...noon, enabled: false }] })).toBeNull());
  it('is not before the routine is active', () =>
    expect(nextSlots({ activeFrom: '2026-05-01T12:00:00Z' })).toBe('2026-05-01T12:00:00.000Z'));
  it('is none where the routine is over by then', () => {
    expect(nextSlots({ activeUntil: tomorrow })).toBeNull();
    expect(nextSlots({ activeUntil: '2026-04-21T12:00:00.001Z' })).toBe(tomorrow);
  });

  it('stays what it is as long as its schedule does, though it has passed', () =>
    changing([routineDefined()], { title: 'Check them all' }, '12:30').then({
      type: 'RoutineChanged',
      data: { triggers: [{ nextSlot: iso('12:00') }, {}] },
    }));

  it.each<[string, Fields]>([
    ['another expression', { triggers: [{ ...noon, cron: '30 12 * * *' }, push] }],
    ['another zone', { triggers: [{ ...noon, zone: 'Europe/Berlin' }, push] }],
    ['another way with the clocks', { triggers: [{ ...noon, dst: { gap: 'skip' } }, push] }],
    ['being switched off', { triggers: [{ ...noon, enabled: false }, push] }],
    ['being removed', { triggers: [push] }],
    ['another time in which it is active', { activeUntil: '2026-05-01T00:00:00Z' }],
  ])('is counted as missed when it has passed before %s', (_, fields) =>
    changing([routineDefined()], fields, '12:30').then(
      {
        type: 'SlotsMissed',
        data: {
          fire: 'nightly@1',
          n: 1,
          trigger: 'daily',
          code: 'schedule_changed',
          count: 1,
          first: iso('12:00'),
          last: iso('12:00'),
        },
      },
      { type: 'RoutineChanged' },
    ),
  );

  it('is nobody’s concern when it is still to come', () =>
    changing([routineDefined()], { triggers: [{ ...noon, cron: '30 12 * * *' }, push] }, '11:59').then({
      type: 'RoutineChanged',
      data: { triggers: [{ nextSlot: iso('12:30') }, {}] },
    }));

  it('is counted with all others that have passed, once', () =>
    changing([routineDefined(), slotsMissed(1, { nextSlot: '2026-04-17T12:00:00.000Z' })], { triggers: [] }, '12:30').then(
      { type: 'SlotsMissed', data: { fire: 'nightly@2', count: 4, first: '2026-04-17T12:00:00.000Z', last: iso('12:00') } },
      { type: 'RoutineChanged' },
    ));

  it('is not to be counted where too many have passed', () => {
    const minutely = { ...daily, cron: '* * * * *', nextSlot: '2026-01-01T00:00:00.000Z' };
    changing([routineDefined({ triggers: [minutely] })], { triggers: [] }).refuses('too_many', /let the scheduler do that/);
  });
});

describe('a definition is refused', () => {
  it.each<[string, Parameters<ReturnType<typeof defining>['refuses']>[0], Fields, RegExp]>([
    ['under the name of agents’ lanes', 'routine_name_reserved', { routine: 'heartbeat' }, /name the routine otherwise/],
    ['for an agent that there is not', 'agent_not_found', { agent: 'nobody' }, /no agent nobody/],
    ['with an expression that cannot be read', 'cron_invalid', { triggers: [{ ...noon, cron: '61 * * * *' }] }, /61/],
    ['with one that never comes', 'cron_never_fires', { triggers: [{ ...noon, cron: '0 0 30 2 *' }] }, /./],
    ['with a zone that there is not', 'zone_unknown', { triggers: [{ ...noon, zone: 'Europe/Berln' }] }, /Europe\/Berlin/],
    ['with two triggers of one name', 'triggers_invalid', { triggers: [push, push] }, /push is there twice/],
    ['with a schedule without an expression', 'triggers_invalid', { triggers: [{ id: 'x', kind: 'schedule' }] }, /without cron/],
    [
      'with what is another trigger’s',
      'triggers_invalid',
      { triggers: [{ ...push, cron: '* * * * *', zone: 'UTC' }] },
      /cron, zone/,
    ],
    [
      'with an end before its beginning',
      'window_invalid',
      { activeFrom: tomorrow, activeUntil: iso('12:00') },
      /after the beginning/,
    ],
    ['with a placeholder that is no variable', 'template_invalid', { title: '{{branch}}' }, /branch/],
    ['with a path that is none', 'fingerprint_path_invalid', { fingerprintIgnore: ['a..b'] }, /a\.\.b/],
    [
      'with a schedule and variables that nobody would give',
      'variables_invalid',
      { variables: [{ name: 'branch' }, { name: 'target' }] },
      /branch, target/,
    ],
  ])('%s', (_, code, fields, sentence) => defining({ ...described, ...fields }).refuses(code, sentence));

  it('for an agent that was terminated', () =>
    defining(described, { agents: withFixer({ status: 'terminated' }) }).refuses('agent_terminated', /another agent/));

  it('when an agent defines what is another’s, or nobody’s', () => {
    const others = { actor: itself, agents: { fixer: agent('fixer'), reviewer: agent('reviewer') } };
    defining(described, others).then({ type: 'RoutineDefined' });
    defining({ ...described, agent: 'reviewer' }, others).refuses('not_permitted', /fixer may define/);
    defining({ ...described, agent: null }, others).refuses('not_permitted');
    given(routineDefined({ agent: 'reviewer' }))
      .when(putRoutine, described, others)
      .refuses('not_permitted');
  });

  it('when the routine was archived', () => changing([routineDefined(), routineArchived], {}).refuses('routine_archived'));

  it('when a trigger would become another kind of trigger', () =>
    changing([routineDefined(), routineChanged()], { triggers: [{ id: 'daily', kind: 'api' }] }).refuses(
      'trigger_kind',
      /remove it, and add api under another id/,
    ));

  const many = (count: number, one: (n: number) => unknown) => Array.from({ length: count }, (_, n) => one(n));
  it.each<[string, Fields, RegExp]>([
    ['a title of 201 characters', { title: 'x'.repeat(201) }, /title .* at most 200/],
    ['a description of 16,385', { description: 'x'.repeat(16_385) }, /description/],
    [
      '21 triggers',
      { triggers: many(21, (n) => ({ id: `t${n}`, kind: 'api' })) },
      /^triggers is a list of 21: give a list of at most 20$/,
    ],
    ['no triggers at all', { triggers: undefined }, /triggers/],
    ['a trigger that is text', { triggers: ['daily'] }, /^triggers has "daily" in it: every item must be an object/],
    ['triggers that are no list', { triggers: { id: 'x', kind: 'api' } }, /triggers is an object: give a list of at most 20/],
    [
      '51 variables',
      { variables: many(51, (n) => ({ name: `v${n}` })) },
      /^variables is a list of 51: give a list of at most 50$/,
    ],
    ['51 options', { variables: [{ name: 'v', type: 'select', options: many(51, String) }] }, /options/],
    ['51 paths', { fingerprintIgnore: many(51, String) }, /fingerprintIgnore/],
    ['a default that is an object', { variables: [{ name: 'v', default: {} }] }, /default is an object/],
    ['a default of 16,385 characters', { variables: [{ name: 'v', default: 'x'.repeat(16_385) }] }, /at most 16384/],
    ['a default that no keyboard makes', { variables: [{ name: 'v', default: 'a\0' }] }, /text of at most/],
    ['a default that JavaScript cannot keep', { variables: [{ name: 'v', default: 2 ** 53 }] }, /a number/],
    ['a spread of more than an hour', { spreadSec: 3_601 }, /spreadSec is 3601/],
    ['a window of 29 s', { triggers: [{ ...push, windowSec: 29 }] }, /windowSec is 29/],
    ['an unknown field of a trigger', { triggers: [{ ...push, secret: 'x' }] }, /unknown field triggers\.0\.secret/],
    ['a next slot, which is not for anybody to say', { triggers: [{ ...daily }] }, /unknown field triggers\.0\.nextSlot/],
    ['a day that does not exist', { activeFrom: '2026-02-30T00:00:00Z' }, /activeFrom/],
  ])('with %s', (_, fields, sentence) => {
    const define = () => defining({ ...described, ...fields });
    expect(define).toThrow(InvalidCommand);
    expect(define).toThrow(sentence);
  });
});
