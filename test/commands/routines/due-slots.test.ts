import { fireDueSlots } from '../../../src/commands/routines/due-slots.js';
import { offsetMs } from '../../../src/events/due-slot.js';
import type { RoutineDefinition, RoutineEvent } from '../../../src/events/routine.js';
import { at, machine, withFixer } from '../../facts.js';
import { eventsOf } from './decided.js';
import { given, type Circumstances } from '../../given.js';
import { daily, firedOnTime, routineArchived, routineDefined, routinePaused, slotsMissed } from '../../routine-facts.js';

const day = (n: number): string => `2026-04-${String(n).padStart(2, '0')}T12:00:00.000Z`;
const noonOn = (n: number): Date => new Date(day(n));

const firing = (facts: readonly RoutineEvent[], circumstances: Circumstances = {}) =>
  given(...facts).when(fireDueSlots, { company: 'acme', routine: 'nightly' }, { actor: machine, ...circumstances });

/** Due at noon each day, from the 1st on. */
const daysMissed = (over: Partial<RoutineDefinition> = {}) =>
  routineDefined({ triggers: [{ ...daily, nextSlot: day(1) }], ...over });

const slots = (events: readonly RoutineEvent[]) =>
  events.flatMap(({ type, data }) => (type === 'RoutineFired' ? [[data.slot, data.nextSlot]] : []));

describe('a slot that is due', () => {
  it('is fired, and the next one is known', () =>
    firing([routineDefined()])
      .answering({ fires: [{ id: 'nightly@1', source: 'schedule', trigger: 'daily', slot: day(20) }], missed: 0, more: false })
      .then({
        type: 'RoutineFired',
        data: { trigger: 'daily', source: 'schedule', slot: day(20), nextSlot: day(21), order: { task: 'nightly~1' } },
      }));

  it('asked for twice is fired once', () => firing([routineDefined(), firedOnTime(1)]).thenNothing());
  it('is not fired before', () => firing([routineDefined()], { now: at('11:59:59') }).thenNothing());

  it('is as it was recorded, whatever has become of its zone since', () =>
    firing([routineDefined({ triggers: [{ ...daily, nextSlot: '2026-04-20T11:30:00.000Z' }] })], { now: at('11:45') }).then({
      type: 'RoutineFired',
      data: { slot: '2026-04-20T11:30:00.000Z', nextSlot: day(20) },
    }));

  it('is fired later by the offset of its trigger', () => {
    const offset = offsetMs('acme', 'nightly', 'daily', 600);
    expect(offset).toBeGreaterThan(1_000);
    const after = (ms: number) => firing([routineDefined({ spreadSec: 600 })], { now: new Date(noonOn(20).getTime() + ms) });
    after(offset - 1).thenNothing();
    after(offset).then({ type: 'RoutineFired', data: { slot: day(20) } });
  });

  it('fills in the day of the slot, not that of the firing', () =>
    firing([routineDefined({ catchUp: 'enqueue_missed_with_cap' })], { now: noonOn(21) }).then(
      { type: 'RoutineFired', data: { slot: day(20), order: { title: 'Check the exports of 2026-04-20' } } },
      { type: 'RoutineFired', data: { slot: day(21), order: { title: 'Check the exports of 2026-04-21' } } },
    ));

  it('is fired for each schedule that has it', () => {
    const two = routineDefined({ triggers: [daily, { ...daily, id: 'other' }], title: 'Check the exports' });
    firing([two]).then(
      { type: 'RoutineFired', data: { fire: 'nightly@1', trigger: 'daily', order: { task: 'nightly~1' } } },
      { type: 'RoutineFired', data: { fire: 'nightly@2', trigger: 'other', order: { task: 'nightly~1' } } },
    );
  });

  it('is the last where the routine is over after it', () =>
    firing([routineDefined({ activeUntil: '2026-04-21T00:00:00.000Z' })]).then({
      type: 'RoutineFired',
      data: { nextSlot: null },
    }));

  it('is not fired of what is switched off, and refused of no routine', () => {
    firing([routineDefined({ triggers: [{ ...daily, enabled: false }] })]).thenNothing();
    firing([routineDefined(), routineArchived]).thenNothing();
    firing([]).refuses('routine_not_found');
  });
});

describe('slots that were missed', () => {
  it('are one fact, and the newest is fired', () => {
    const fire = firing([daysMissed()], { now: noonOn(20) });
    fire.answering({ fires: [{ id: 'nightly@2' }], missed: 19, more: false });
    fire.then(
      {
        type: 'SlotsMissed',
        data: { fire: 'nightly@1', n: 1, code: 'missed', count: 19, first: day(1), last: day(19), nextSlot: day(20) },
      },
      { type: 'RoutineFired', data: { fire: 'nightly@2', n: 2, slot: day(20), nextSlot: day(21) } },
    );
  });

  it('are fired up to the cap where that is the rule, each with the slot after it', () => {
    const now = new Date('2026-05-10T12:00:00Z');
    const events = eventsOf(firing([daysMissed({ catchUp: 'enqueue_missed_with_cap' })], { now }));
    expect(events[0]).toMatchObject({
      type: 'SlotsMissed',
      data: { count: 15, first: day(1), last: day(15), nextSlot: day(16) },
    });
    expect(slots(events)).toHaveLength(25);
    expect(slots(events)[0]).toEqual([day(16), day(17)]);
    expect(slots(events).at(-1)).toEqual(['2026-05-10T12:00:00.000Z', '2026-05-11T12:00:00.000Z']);
    expect(events).toHaveLength(26);
  });

  it('are all fired where there are no more than the cap', () => {
    const events = eventsOf(firing([daysMissed({ catchUp: 'enqueue_missed_with_cap' })], { now: noonOn(25) }));
    expect(slots(events).map(([slot]) => slot)).toEqual(Array.from({ length: 25 }, (_, n) => day(n + 1)));
    expect(events).toHaveLength(25);
  });

  it.each([
    ['skip_missed', 1],
    ['enqueue_missed_with_cap', 25],
  ] as const)('by %s, beyond ten thousand, are gone through ten thousand at a time', (catchUp, cap) => {
    const minutely = { ...daily, cron: '* * * * *', nextSlot: '2026-04-01T00:00:00.000Z' };
    const defined = routineDefined({ catchUp, triggers: [minutely] });
    const now = new Date('2026-04-08T00:00:00.000Z');
    const first = firing([defined], { now });
    const count = 10_000 - cap;
    const events = eventsOf(first);
    expect(events).toMatchObject([{ type: 'SlotsMissed', data: { count, first: minutely.nextSlot } }]);
    first.answering({ fires: [], missed: count, more: true });
    const second = firing([defined, ...events], { now });
    second.answering({ missed: 81, more: false });
    expect(slots(eventsOf(second)).at(-1)![0]).toBe('2026-04-08T00:00:00.000Z');
    expect(slots(eventsOf(second))).toHaveLength(cap);
  });
});

describe('slots that are more than one append takes', () => {
  const told = { catchUp: 'enqueue_missed_with_cap', description: '漢'.repeat(16_000) } as const;
  const hours = ['one', 'two', 'three'].map((id) => ({ ...daily, id, cron: '0 * * * *' }));

  it.each([
    ['of one schedule', daysMissed(told), noonOn(25), 25],
    ['of several', routineDefined({ ...told, triggers: hours }), noonOn(25), 75],
    ['of several, each its newest', routineDefined({ ...told, catchUp: 'skip_missed', triggers: hours }), noonOn(25), 3],
  ])('are fired some at a time, each once: %s', (_, defined, now, count) => {
    const facts: RoutineEvent[] = [defined];
    for (let more = true; more;) {
      const next = firing(facts, { now });
      const events = eventsOf(next);
      expect(Buffer.byteLength(JSON.stringify(events))).toBeLessThan(1024 * 1024);
      facts.push(...events);
      more = eventsOf(firing(facts, { now })).length > 0;
      next.answering({ more });
    }
    const fired = facts.flatMap(({ type, data }) => (type === 'RoutineFired' ? [`${data.trigger} ${data.slot}`] : []));
    expect([fired.length, new Set(fired).size]).toEqual([count, count]);
  });

  it('are not parted from what comes of them at once', () => {
    const reason = 'x'.repeat(4_000);
    const paused: RoutineEvent = { type: 'RoutinePaused', data: { ...routinePaused.data, reason } };
    const triggers = Array.from({ length: 20 }, (_, n) => ({ ...daily, id: `t${n}`, nextSlot: day(1) }));
    const events = eventsOf(firing([daysMissed({ catchUp: 'enqueue_missed_with_cap', triggers }), paused], { now: noonOn(25) }));
    expect(events.length).toBeLessThan(1_000);
    expect(events.map(({ type }) => type)).toEqual(
      Array.from(events, (__, n) => (n % 2 === 0 ? 'RoutineFired' : 'FireSuppressed')),
    );
  });
});

describe('a slot that is due while the routine is paused', () => {
  it('is recorded as suppressed, at its time', () =>
    firing([routineDefined(), routinePaused]).then(
      { type: 'RoutineFired', data: { slot: day(20), nextSlot: day(21), order: null } },
      {
        type: 'FireSuppressed',
        data: { fire: 'nightly@1', code: 'routine_paused', reason: expect.stringMatching(/holidays/) as unknown },
      },
    ));

  it('is one of those that are recorded, or of those that are counted', () =>
    firing([daysMissed(), routinePaused], { now: noonOn(20) }).then(
      { type: 'SlotsMissed', data: { code: 'routine_paused', count: 19, nextSlot: day(20) } },
      { type: 'RoutineFired', data: { slot: day(20) } },
      { type: 'FireSuppressed' },
    ));
});

describe('a slot that is due and cannot be fired', () => {
  it.each<[string, string, Partial<RoutineDefinition>, Circumstances]>([
    ['its agent was terminated', 'agent_terminated', {}, { agents: withFixer({ status: 'terminated' }) }],
    ['its agent is unknown', 'agent_not_found', { agent: 'nobody' }, {}],
    [
      'its title is too long when it is filled in',
      'title_too_long',
      {
        title: 'Check {{what}}',
        variables: [{ name: 'what', type: 'text', label: null, default: 'x'.repeat(200), required: true, options: [] }],
      },
      {},
    ],
  ])('is recorded as failed when %s', (_, code, over, circumstances) =>
    firing([routineDefined(over)], circumstances)
      .answering({ fires: [{ outcome: 'failed', code }] })
      .then(
        { type: 'RoutineFired', data: { slot: day(20), nextSlot: day(21), order: null } },
        { type: 'FireFailed', data: { code } },
      ),
  );
});

it('counts slots behind those that were missed before', () => {
  const missed = slotsMissed(1, { nextSlot: day(20) });
  firing([routineDefined(), missed]).then({ type: 'RoutineFired', data: { fire: 'nightly@2', n: 2 } });
});
