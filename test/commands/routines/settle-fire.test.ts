import { settleFire, type SettleFire } from '../../../src/commands/routines/settle-fire.js';
import type { RoutineEvent } from '../../../src/events/routine.js';
import { at, wakeup } from '../../facts.js';
import { given } from '../../given.js';
import { fireCreated, firedByHand, fireRedirected, orderOn, routineChanged, routineDefined } from '../../routine-facts.js';
import { eventsOf } from './decided.js';

const iso = (clock: string): string => at(clock).toISOString();

type Fields = { readonly [Field in keyof SettleFire]?: unknown };
const settling = (facts: readonly RoutineEvent[], fields: Fields) =>
  given(...facts).when(settleFire, { company: 'acme', routine: 'nightly', ...fields });

/** The first fire opens its task, the second is to join it. */
const first = [routineDefined(), firedByHand(1)];
const second = [...first, fireCreated(1), firedByHand(2, { order: orderOn(1) })];
const opened = { fire: 'nightly@1', task: 'nightly~1', how: 'opened', wakeupId: wakeup(1), runId: 'nightly~1.1' };
const joined = { fire: 'nightly@2', task: 'nightly~1', how: 'woken', wakeupId: wakeup(2), runId: null };

describe('a fire ends as what its task made of it', () => {
  it('created, where it has opened it', () =>
    settling(first, opened)
      .answering({ fire: 'nightly@1', settled: true })
      .then({
        type: 'FireCreated',
        data: { fire: 'nightly@1', task: 'nightly~1', wakeupId: wakeup(1), run: 'nightly~1.1', createdAt: iso('12:00') },
      }));

  it.each([
    ['agent_not_invokable', 'fixer was terminated'],
    ['wake_on_demand_disabled', 'fixer is woken by the clock only: let it be woken on demand, then fire again'],
    ['something_else', 'fixer was not woken: something_else'],
  ])('failed, where its agent was not woken there: %s', (code, reason) =>
    settling(first, { ...opened, runId: null, code }).then({
      type: 'FireFailed',
      data: { fire: 'nightly@1', task: 'nightly~1', code, reason },
    }),
  );

  it('coalesced, where it has joined another’s', () =>
    settling(second, joined).then({
      type: 'FireCoalesced',
      data: { fire: 'nightly@2', task: 'nightly~1', into: 'nightly@1', wakeupId: wakeup(2), run: null },
    }));

  it('skipped, where that is at work, or refused it', () => {
    const skipped = { ...joined, how: 'skipped', wakeupId: null, code: 'task_active' };
    settling(second, skipped).then({ type: 'FireSkipped', data: { fire: 'nightly@2', task: 'nightly~1', code: 'task_active' } });
    settling(second, { ...joined, code: 'issue_dependencies_blocked' }).then({
      type: 'FireSkipped',
      data: { code: 'issue_dependencies_blocked' },
    });
  });

  it('once, however often it is asked', () => {
    settling([...first, fireCreated(1)], opened).thenNothing();
    settling([], opened).thenNothing();
    settling(first, { ...opened, fire: 'nightly@7', task: 'nightly~7' }).thenNothing();
  });
});

describe('a fire whose task was closed meanwhile', () => {
  const closed = { ...joined, how: 'closed', wakeupId: null };

  it('goes on to one of its own, with the same order', () =>
    settling(second, closed).then({
      type: 'FireRedirected',
      data: { fire: 'nightly@2', from: 'nightly~1', order: orderOn(2) },
    }));

  it('asked for twice goes there once', () => settling([...second, fireRedirected(2, 1)], closed).thenNothing());

  it.each([
    ['', []],
    [', though each fire is to have its own by now', [routineChanged({ concurrency: 'always_enqueue' })]],
  ])('joins one that another fire has opened for the same work since%s', (_, changes) => {
    const third = [...second, firedByHand(3, { order: orderOn(1) })];
    const [redirected] = eventsOf(settling(third, closed));
    settling([...third, redirected!, ...changes], { ...closed, fire: 'nightly@3' }).then({
      type: 'FireRedirected',
      data: { fire: 'nightly@3', from: 'nightly~1', order: { task: 'nightly~2' } },
    });
  });

  it('ends as what the next one made of it', () =>
    settling([...second, fireRedirected(2, 1)], { ...opened, fire: 'nightly@2', task: 'nightly~2' }).then({
      type: 'FireCreated',
      data: { task: 'nightly~2' },
    }));
});
