import { fireRoutine, type FireRoutine } from '../../../src/commands/routines/fire.js';
import type { RoutineEvent } from '../../../src/events/routine.js';
import { agent, at, defaultAgents, itself, machine, withFixer } from '../../facts.js';
import { eventsOf } from './decided.js';
import { given, type Circumstances } from '../../given.js';
import {
  definition,
  fireConcluded,
  fireCreated,
  fireReopened,
  routineArchived,
  routineDefined,
  routinePaused,
} from '../../routine-facts.js';

const iso = (clock: string): string => at(clock).toISOString();

type Fields = { readonly [Field in keyof FireRoutine]?: unknown };
const button = { id: 'button', kind: 'api', enabled: true } as const;
const defined = routineDefined({ triggers: [...definition.triggers, button] });

const firing = (facts: readonly RoutineEvent[], fields: Fields = {}, circumstances: Circumstances = {}) =>
  given(...facts).when(fireRoutine, { company: 'acme', routine: 'nightly', ...fields }, circumstances);

/** What the first fire of a routine so defined is ordered to do. */
const ordered = (over: Parameters<typeof routineDefined>[0], fields: Fields = {}, circumstances: Circumstances = {}) => {
  const [event] = eventsOf(firing([routineDefined(over)], fields, circumstances));
  if (event?.type !== 'RoutineFired' || !event.data.order) throw new Error('it was not fired');
  return { ...event.data.order, fingerprint: event.data.fingerprint };
};

describe('a fire by hand', () => {
  it('orders a task of its own, by its name', () =>
    firing([defined], { payload: { commit: 'abc' } })
      .answering({ fire: { id: 'nightly@1', outcome: 'pending', source: 'manual', task: 'nightly~1' } })
      .then({
        type: 'RoutineFired',
        data: {
          fire: 'nightly@1',
          n: 1,
          trigger: null,
          source: 'manual',
          slot: null,
          nextSlot: null,
          firedAt: iso('12:00'),
          fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown,
          order: {
            task: 'nightly~1',
            agent: 'fixer',
            priority: 'medium',
            concurrency: 'coalesce_if_active',
            title: 'Check the exports of 2026-04-20',
            payload: { routine: 'nightly', fire: 'nightly@1', source: 'manual', payload: { commit: 'abc' } },
          },
        },
      }));

  it('asked for twice is two fires, of one task', () => {
    const [first] = eventsOf(firing([defined]));
    const [second] = eventsOf(firing([defined, first!]));
    expect(second).toMatchObject({ data: { fire: 'nightly@2', n: 2, order: { task: 'nightly~1' } } });
  });

  it('joins the newest task of the same work while that is open, and no longer', () => {
    const [fired] = eventsOf(firing([defined]));
    const first = [defined, fired!, fireCreated(1)];
    const taskOf = (...more: RoutineEvent[]) => {
      const [event] = eventsOf(firing([...first, ...more]));
      return event?.type === 'RoutineFired' && event.data.order?.task;
    };
    expect(taskOf()).toBe('nightly~1');
    expect(taskOf(fireConcluded(1, 'blocked'))).toBe('nightly~1');
    expect(taskOf(fireConcluded(1, 'done'))).toBe('nightly~2');
    expect(taskOf(fireConcluded(1, 'cancelled'))).toBe('nightly~2');
    expect(taskOf(fireConcluded(1, 'done'), fireReopened(1))).toBe('nightly~1');
  });

  it('of other work opens another task', () => {
    const [fired] = eventsOf(firing([defined], { payload: { commit: 'abc' } }));
    const [other] = eventsOf(firing([defined, fired!], { payload: { commit: 'def' } }));
    expect(other).toMatchObject({ data: { order: { task: 'nightly~2' } } });
  });

  it('always opens its own where that is the rule', () => {
    const always = routineDefined({ concurrency: 'always_enqueue' });
    const [fired] = eventsOf(firing([always]));
    expect(eventsOf(firing([always, fired!, fireCreated(1)]))).toMatchObject([{ data: { order: { task: 'nightly~2' } } }]);
  });

  it('passes a pause, and the time in which the routine is active', () => {
    firing([defined, routinePaused]).then({ type: 'RoutineFired' });
    firing([routineDefined({ activeUntil: iso('11:30') })]).then({ type: 'RoutineFired' });
  });

  it('may be for another agent, and be that agent’s own', () => {
    firing([defined], { agent: 'reviewer' }).then({ type: 'RoutineFired', data: { order: { agent: 'reviewer' } } });
    firing([routineDefined({ agent: null }), routinePaused], { agent: 'fixer' }).then({ type: 'RoutineFired' });
    firing([defined], {}, { actor: itself }).then({ type: 'RoutineFired' });
  });

  it('may try any trigger that is switched on', () =>
    firing([defined], { trigger: 'daily' }).then({ type: 'RoutineFired', data: { trigger: 'daily', source: 'manual' } }));

  it.each<[string, Parameters<ReturnType<typeof firing>['refuses']>[0], Fields, RegExp]>([
    ['of a trigger that there is not', 'trigger_not_found', { trigger: 'x' }, /there are daily, push, button/],
    ['for an agent that there is not', 'agent_not_found', { agent: 'nobody' }, /nobody/],
    ['with variables that there are not', 'variables_unknown', { variables: { branch: 'main' } }, /branch/],
  ])('is refused %s, and not recorded', (_, code, fields, sentence) => firing([defined], fields).refuses(code, sentence));

  it('is refused of a routine that is unknown, archived, or another’s', () => {
    firing([]).refuses('routine_not_found', /no routine nightly/);
    firing([defined, routineArchived]).refuses('routine_archived');
    firing([defined], { agent: 'reviewer' }, { actor: itself }).refuses('not_permitted');
    firing([routineDefined({ agent: 'reviewer' })], { agent: 'fixer' }, { actor: itself }).refuses('not_permitted');
  });

  it('is refused without an agent that can do it', () => {
    firing([routineDefined({ agent: null }), routinePaused]).refuses('agent_required', /name one with the fire/);
    firing([defined], {}, { agents: withFixer({ status: 'terminated' }) }).refuses('agent_terminated');
    firing([defined], {}, { agents: withFixer({ status: 'paused' }) }).then({ type: 'RoutineFired' });
  });

  it('is refused with all that it lacks, and not recorded', () => {
    const variables = ['branch', 'target'].map(
      (name) => ({ name, type: 'text', label: null, default: null, required: true, options: [] }) as const,
    );
    firing([routineDefined({ triggers: [], variables })]).refuses('variables_missing', /branch, target/);
  });
});

describe('a fire by the api', () => {
  it('is what a trigger of that kind is for, named or not', () => {
    const byApi = { type: 'RoutineFired', data: { trigger: 'button', source: 'api' } } as const;
    firing([defined], { trigger: 'button' }).then(byApi);
    firing([defined], { source: 'api' }).then(byApi);
    firing([defined], { source: 'manual', trigger: 'button' }).then({ type: 'RoutineFired', data: { source: 'manual' } });
  });

  it('is refused where there is no such trigger, or several, or one for something else', () => {
    firing([routineDefined()], { source: 'api' }).refuses('trigger_not_found', /fire by hand/);
    firing([routineDefined({ triggers: [button, { ...button, id: 'other' }] })], { source: 'api' }).refuses(
      'trigger_not_found',
      /2 triggers .* name one/,
    );
    firing([defined], { source: 'api', trigger: 'daily' }).refuses('trigger_kind', /is of kind schedule/);
  });

  it.each<[string, 'routine_paused' | 'outside_window' | 'trigger_disabled', RoutineEvent[], RegExp]>([
    ['while the routine is paused', 'routine_paused', [defined, routinePaused], /paused since .*: holidays; resume it/],
    ['before it is active', 'outside_window', [routineDefined({ triggers: [button], activeFrom: iso('12:01') })], /active from/],
    ['from its end on', 'outside_window', [routineDefined({ triggers: [button], activeUntil: iso('12:00') })], /active until/],
    ['by what is switched off', 'trigger_disabled', [routineDefined({ triggers: [{ ...button, enabled: false }] })], /button/],
  ])('is recorded and refused %s', (_, code, facts, sentence) => {
    const fire = firing(facts, { trigger: 'button' });
    fire.then({ type: 'RoutineFired', data: { order: null, fingerprint: null } }, { type: 'FireSuppressed', data: { code } });
    fire.refuses(code, sentence);
    fire.refuses(code, /nightly@1 records this/);
  });

  it('is fired from the beginning of the time in which it is active', () =>
    firing([routineDefined({ triggers: [button], activeFrom: iso('12:00'), activeUntil: iso('12:01') })], {
      trigger: 'button',
    }).then({
      type: 'RoutineFired',
    }));

  it('asked for twice while it is paused is refused twice', () => {
    const first = eventsOf(firing([defined, routinePaused], { trigger: 'button' }));
    firing([defined, routinePaused, ...first], { trigger: 'button' }).then(
      { type: 'RoutineFired', data: { n: 2 } },
      { type: 'FireSuppressed', data: { fire: 'nightly@2' } },
    );
  });
});

describe('a fire by a webhook', () => {
  const byWebhook = { source: 'webhook', trigger: 'push' };

  it('comes through the ledger’s own door', () => {
    firing([defined], byWebhook, { actor: machine }).then({ type: 'RoutineFired', data: { source: 'webhook' } });
    firing([defined], byWebhook).refuses('not_permitted', /its own address/);
  });

  it.each<[string, string, Parameters<typeof routineDefined>[0], Circumstances]>([
    ['its agent was terminated', 'agent_terminated', {}, { agents: withFixer({ status: 'terminated' }) }],
    ['there is no agent', 'agent_required', { agent: null }, {}],
    ['its agent is unknown', 'agent_not_found', {}, { agents: { reviewer: agent('reviewer') } }],
  ])('is recorded as failed where %s', (_, code, over, circumstances) =>
    firing([routineDefined(over)], byWebhook, { ...circumstances, actor: machine })
      .answering({ fire: { outcome: 'failed', code } })
      .then({ type: 'RoutineFired', data: { order: null } }, { type: 'FireFailed', data: { task: null, code } }),
  );

  it('is recorded as failed where what it sends does not do', () => {
    const variables = [{ name: 'branch', type: 'text', label: null, default: null, required: true, options: [] }] as const;
    const without = routineDefined({ triggers: definition.triggers.slice(1), variables });
    return firing([without], { ...byWebhook, payload: { ref: 'main' } }, { actor: machine }).then(
      { type: 'RoutineFired' },
      { type: 'FireFailed', data: { code: 'variables_missing', reason: expect.stringMatching(/branch/) as unknown } },
    );
  });
});

describe('what a task is told', () => {
  it('is the work, with the values that were given for it', () => {
    const variables = [{ name: 'branch', type: 'text', label: null, default: 'main', required: true, options: [] }] as const;
    const over = { title: 'Build {{branch}}', description: 'from {{branch}}', variables };
    expect(ordered(over, { variables: { branch: 'next' } })).toMatchObject({
      title: 'Build next',
      payload: { description: 'from next', variables: { branch: 'next' } },
    });
    expect(ordered(over).payload).toMatchObject({ variables: { branch: 'main' }, payload: {} });
  });

  it('is redacted, though what was sent makes the difference', () => {
    const one = ordered({}, { payload: { token: 'sk-aaaaaaaaaaaa', note: 'ghp_aaaaaaaaaaaaaaaaaaaa' } });
    const other = ordered({}, { payload: { token: 'sk-bbbbbbbbbbbb', note: 'ghp_bbbbbbbbbbbbbbbbbbbb' } });
    expect(JSON.stringify([one, other])).not.toMatch(/sk-|ghp_/);
    expect(one.payload).toEqual(other.payload);
    expect(one.fingerprint).not.toBe(other.fingerprint);
  });

  it('is cut where it is too much, but never of its names', () => {
    const { payload } = ordered(
      {},
      { payload: Object.fromEntries(Array.from({ length: 99 }, (_, n) => [n, 'x'.repeat(9_000)])) },
    );
    expect(Buffer.byteLength(JSON.stringify(payload))).toBeLessThan(66_000);
    expect(payload).toMatchObject({ routine: 'nightly', fire: 'nightly@1', source: 'manual', _truncated: true });
  });

  it('cannot be made to say that it is another fire, or about comments', () =>
    expect(ordered({}, { payload: { fire: 'other@1', commentIds: ['c-1'] } }).payload).toMatchObject({
      fire: 'nightly@1',
      payload: { fire: 'other@1' },
    }));

  it('does not depend on the order of keys, nor on what does not count', () => {
    const { fingerprint } = ordered({}, { payload: { a: 1, b: { c: 2, d: 3 } } });
    expect(ordered({}, { payload: { b: { d: 3, c: 2 }, a: 1 } }).fingerprint).toBe(fingerprint);
    expect(ordered({}, { payload: { a: 1, b: { c: 2, d: 4 } } }).fingerprint).not.toBe(fingerprint);
    const ignoring = { fingerprintIgnore: ['delivery.id'] };
    const delivered = (id: string) => ordered(ignoring, { payload: { a: 1, delivery: { id } } }).fingerprint;
    expect(delivered('one')).toBe(delivered('other'));
  });

  it('is other work for another agent', () =>
    expect(ordered({}, { agent: 'reviewer' }, { agents: defaultAgents }).fingerprint).not.toBe(ordered({}).fingerprint));
});
