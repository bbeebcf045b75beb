import { companies } from '../../src/events/company.js';
import { lanes } from '../../src/events/evolve-lane.js';
import type { LaneEvent } from '../../src/events/lane.js';
import { endAgentWork, interruptRun } from '../../src/commands/interrupt.js';
import {
  coalesced,
  deferred,
  fact,
  failedRun,
  opened,
  parkedRetry,
  queued,
  requested,
  runningRun,
  started,
  wakeup,
  waitingRun,
  withFixer,
} from '../facts.js';
import { given } from '../given.js';

const run = { company: 'acme', run: 'ACME-12.1' };
const since = '2026-04-20T11:40:00.000Z';
const pause = { reason: 'too noisy', interrupt: true, since };
const laneOf = (...facts: LaneEvent[]) => facts.reduce(lanes.evolve, lanes.initial);
const held = (task: string, over: { subtree?: boolean; interrupt?: boolean } = {}) =>
  fact('TaskHeld', { task, reason: 'legal', subtree: false, interrupt: true, heldAt: since, ...over });
const below = [opened({ parent: 'ACME-2' }), ...runningRun.slice(1)];
const above = (hold: LaneEvent) => ({
  tasks: {
    'ACME-2': laneOf(opened({ task: 'ACME-2', parent: 'ACME-1' })),
    'ACME-1': laneOf(opened({ task: 'ACME-1' }), hold),
  },
});

describe('InterruptRun', () => {
  it('hands back a run whose agent is paused, to be done again', () =>
    given(...runningRun)
      .when(interruptRun, run, { agents: withFixer({ status: 'paused', pause }) })
      .answering({ run: { id: 'ACME-12.1', status: 'cancelled' } })
      .then(
        {
          type: 'RunCancelled',
          data: {
            code: 'agent_paused',
            reason: 'fixer is paused: too noisy',
            intent: 'requeue',
            wakeups: 'passed',
          },
        },
        { type: 'RunQueued', data: { cause: 'requeued', chain: 'ACME-12.1', attempt: 0, wakeupIds: [wakeup(1)] } },
      ));

  it('hands back a run whose company is held', () =>
    given(...runningRun)
      .when(interruptRun, run, { company: { ...companies.initial, held: pause } })
      .then({ type: 'RunCancelled', data: { code: 'company_held', intent: 'requeue' } }, { type: 'RunQueued' }));

  it('hands back a run of a task that is held, or far below one that is held with its subtree', () => {
    given(...runningRun, held('ACME-12'))
      .when(interruptRun, run)
      .then({ type: 'RunCancelled', data: { code: 'task_held' } }, { type: 'RunQueued' });
    given(...below)
      .when(interruptRun, run, above(held('ACME-1', { subtree: true })))
      .then({ type: 'RunCancelled', data: { code: 'task_held', reason: 'ACME-1 is held: legal' } }, { type: 'RunQueued' });
  });

  it('leaves a run alone that is below a task which is held by itself', () =>
    given(...below)
      .when(interruptRun, run, above(held('ACME-1')))
      .thenNothing());

  it('leaves a run alone whose hold lets it end, and hands it back if another hold does not', () => {
    const gentle = withFixer({ status: 'paused', pause: { ...pause, interrupt: false } });
    given(...runningRun)
      .when(interruptRun, run, { agents: gentle })
      .thenNothing();
    given(...runningRun, held('ACME-12'))
      .when(interruptRun, run, { agents: gentle })
      .then({ type: 'RunCancelled', data: { code: 'task_held' } }, { type: 'RunQueued' });
  });

  it('leaves a run alone that is not held any more', () =>
    given(...runningRun)
      .when(interruptRun, run)
      .thenNothing());

  it.each([
    ['queued', waitingRun],
    ['over', failedRun],
  ])('leaves a run alone that is %s', (_, facts) =>
    given(...facts)
      .when(interruptRun, run, { agents: withFixer({ status: 'paused', pause }) })
      .thenNothing(),
  );

  it('ends a run of an agent that was terminated, without a successor', () =>
    given(...runningRun)
      .when(interruptRun, run, { agents: withFixer({ status: 'terminated' }) })
      .then({ type: 'RunCancelled', data: { code: 'agent_terminated', intent: 'stop', wakeups: 'cancelled' } }));

  it('refuses a run that never was', () =>
    given(...runningRun)
      .when(interruptRun, { ...run, run: 'ACME-12.7' })
      .refuses('run_not_found'));
});

describe('EndAgentWork', () => {
  const work = { company: 'acme', task: 'ACME-12', agent: 'fixer' };
  const terminated = { agents: withFixer({ status: 'terminated' }) };
  const ended = { code: 'agent_terminated', reason: 'fixer was terminated' };

  it.each([
    ['queued', waitingRun, 'ACME-12.1'],
    ['running', runningRun, 'ACME-12.1'],
    ['parked', parkedRetry, 'ACME-12.2'],
  ])('ends a run that is %s, and its demands with it', (_, facts, runId) =>
    given(...facts)
      .when(endAgentWork, work, terminated)
      .answering({ task: 'ACME-12', agent: 'fixer', ended: 1 })
      .then({ type: 'RunCancelled', data: { runId, ...ended, intent: 'stop', wakeups: 'cancelled' } }),
  );

  it('ends what waits behind the run as well, each demand once', () => {
    const waits = [requested(2), deferred(2, 1), requested(3), coalesced(3, 2, null)];
    const events = given(...runningRun, ...waits)
      .when(endAgentWork, work, terminated)
      .events();
    expect(events.map(({ type, data }) => [type, 'wakeupId' in data ? data.wakeupId : undefined])).toEqual([
      ['WakeupCancelled', wakeup(2)],
      ['WakeupCancelled', wakeup(3)],
      ['RunCancelled', undefined],
    ]);
  });

  it('leaves the work of others on the lane alone', () =>
    given(
      ...waitingRun,
      requested(2, { agent: 'reviewer', mention: true }),
      queued(2, { agent: 'reviewer', mention: true }),
      started(2, { agent: 'reviewer' }),
    )
      .when(endAgentWork, work, terminated)
      .then({ type: 'RunCancelled', data: { runId: 'ACME-12.1' } }));

  it('does nothing a second time', () =>
    given(opened()).when(endAgentWork, work, terminated).answering({ ended: 0 }).thenNothing());

  it('does nothing to an agent that is only paused', () =>
    given(...runningRun)
      .when(endAgentWork, work, { agents: withFixer({ status: 'paused' }) })
      .thenNothing());

  it('refuses an agent that never was', () =>
    given(opened())
      .when(endAgentWork, { ...work, agent: 'nobody' })
      .refuses('agent_not_found'));
});
