import { takeFire, type TakeFire } from '../../../src/commands/routines/take-fire.js';
import type { LaneEvent } from '../../../src/events/lane.js';
import {
  agent,
  at,
  deferred,
  fact,
  failed,
  movedTo,
  opened,
  parked,
  queued,
  requested,
  started,
  wakeup,
  withFixer,
} from '../../facts.js';
import { given, type Circumstances } from '../../given.js';

const iso = (clock: string): string => at(clock).toISOString();

type Fields = { readonly [Field in keyof TakeFire]?: unknown };
const third = {
  company: 'acme',
  task: 'nightly~3',
  routine: 'nightly',
  fire: 'nightly@3',
  agent: 'fixer',
  priority: 'high',
  concurrency: 'coalesce_if_active',
  title: 'Check the exports',
  payload: { routine: 'nightly', fire: 'nightly@3', payload: { commit: 'abc' } },
};
/** The third fire comes to the task that the first has opened. */
const joining = { ...third, task: 'nightly~1' };

const taking = (facts: readonly LaneEvent[], fields: Fields, circumstances?: Circumstances) =>
  given(...facts).when(takeFire, fields, circumstances);
const taken = (data: object) => ({ type: 'FireTaken', data: { routine: 'nightly', fire: 'nightly@3', ...data } }) as const;

const task = opened({ task: 'nightly~1', kind: 'routine' });
const on = { runId: 'nightly~1.1', chain: 'nightly~1.1' };
const waiting = [task, requested(1), queued(1, on)];
const running = [...waiting, started(1, { runId: 'nightly~1.1' })];
const retrying = [
  ...running,
  failed(1, { runId: 'nightly~1.1', errorFamily: 'transient_upstream' }),
  requested(2, { outside: false }),
  parked(2, { runId: 'nightly~1.2', retryOf: 'nightly~1.1', chain: 'nightly~1.1' }),
];

describe('a fire opens its own task', () => {
  it('and wakes its agent there, in one append', () =>
    taking([], third)
      .answering({ taken: { how: 'opened', runId: 'nightly~3.1', code: null } })
      .then(
        { type: 'TaskOpened', data: { task: 'nightly~3', kind: 'routine', status: 'todo', assignee: 'fixer', priority: 'high' } },
        {
          type: 'WakeupRequested',
          data: {
            agent: 'fixer',
            source: 'automation',
            trigger: 'system',
            reason: 'routine_fired',
            outside: false,
            mention: false,
          },
        },
        { type: 'RunQueued', data: { runId: 'nightly~3.1', context: { payload: { payload: { commit: 'abc' } } } } },
        taken({ task: 'nightly~3', how: 'opened', runId: 'nightly~3.1', code: null, takenAt: iso('12:00') }),
      ));

  it('asked for twice once', () => {
    taking([opened({ task: 'nightly~3', kind: 'routine' })], third).thenNothing();
    taking([opened({ task: 'nightly~3', kind: 'routine' }), movedTo('done')], third).thenNothing();
  });

  it('for an agent that is paused, where it is held', () =>
    taking([], third, { agents: withFixer({ status: 'paused' }) }).then(
      { type: 'TaskOpened' },
      { type: 'WakeupRequested' },
      { type: 'RunQueued' },
      taken({ how: 'opened', code: null }),
    ));

  it.each([
    ['was terminated', 'agent_not_invokable', { status: 'terminated' }],
    ['is not woken on demand', 'wake_on_demand_disabled', { policy: { ...agent('fixer').policy, wakeOnDemand: false } }],
  ] as const)('though its agent %s, and says so', (_, code, over) =>
    taking([], third, { agents: withFixer(over) }).then(
      { type: 'TaskOpened' },
      { type: 'WakeupRequested' },
      { type: 'WakeupSkipped', data: { code } },
      taken({ how: 'opened', runId: null, code }),
    ),
  );
});

describe('a fire that joins an open task', () => {
  it('wakes its agent again where nothing goes on', () =>
    taking([task], joining).then(
      { type: 'WakeupRequested', data: { reason: 'routine_fired' } },
      { type: 'RunQueued', data: { runId: 'nightly~1.1' } },
      taken({ task: 'nightly~1', how: 'woken', runId: 'nightly~1.1', code: null }),
    ));

  it('is coalesced into the run that waits, or is parked', () => {
    taking(waiting, joining).then(
      { type: 'WakeupRequested' },
      { type: 'WakeupCoalesced', data: { runId: 'nightly~1.1' } },
      taken({ how: 'woken', runId: 'nightly~1.1' }),
    );
    taking(retrying, joining).then(
      { type: 'WakeupRequested' },
      { type: 'WakeupCoalesced', data: { runId: 'nightly~1.2' } },
      taken({ how: 'woken', runId: 'nightly~1.2' }),
    );
  });

  it('waits behind the run that was told of another', () => {
    taking(running, joining).then(
      { type: 'WakeupRequested' },
      { type: 'WakeupDeferred', data: { behind: 'nightly~1.1' } },
      taken({ how: 'woken', runId: null, code: null }),
    );
    const behind = [...running, requested(2), deferred(2, 1, { behind: 'nightly~1.1' })];
    taking(behind, joining).then(
      { type: 'WakeupRequested' },
      { type: 'WakeupCoalesced', data: { into: wakeup(2), runId: null } },
      taken({ how: 'woken', runId: null, code: null }),
    );
  });

  it('is skipped where the task is at work, if that is the rule', () => {
    const skipping = { ...joining, concurrency: 'skip_if_active' };
    const skipped = taken({ how: 'skipped', wakeupId: null, runId: null, code: 'task_active' });
    for (const facts of [waiting, running, retrying]) taking(facts, skipping).then(skipped);
    taking([task], skipping).then({ type: 'WakeupRequested' }, { type: 'RunQueued' }, taken({ how: 'woken' }));
  });

  it('finds it closed', () => {
    const closed = taken({ how: 'closed', wakeupId: null, runId: null, code: null });
    taking([task, movedTo('done')], joining).then(closed);
    taking([task, movedTo('cancelled')], { ...joining, concurrency: 'skip_if_active' }).then(closed);
  });

  it('comes again when it is there before the one that is to open it', () => taking([], joining).thenNothing());

  it('wakes whom the task was given to', () => {
    const given = fact('TaskAssigned', { task: 'nightly~1', assignee: 'reviewer', previous: 'fixer', assignedAt: iso('11:30') });
    taking([task, given], joining).then(
      { type: 'WakeupRequested', data: { agent: 'reviewer', mention: false } },
      { type: 'RunQueued', data: { agent: 'reviewer' } },
      taken({ how: 'woken' }),
    );
  });

  it('gives it to its agent where it is nobody’s', () => {
    const nobodys = [
      task,
      fact('TaskAssigned', { task: 'nightly~1', assignee: null, previous: 'fixer', assignedAt: iso('11:30') }),
    ];
    taking(nobodys, joining).then(
      { type: 'TaskAssigned', data: { assignee: 'fixer', previous: null } },
      { type: 'WakeupRequested' },
      { type: 'RunQueued' },
      taken({ how: 'woken' }),
    );
    taking(nobodys, joining, { agents: withFixer({ status: 'terminated' }) }).then(
      { type: 'WakeupRequested' },
      { type: 'WakeupSkipped' },
      taken({ how: 'woken', code: 'agent_not_invokable' }),
    );
  });

  it('is taken while the task is held, or says a status of its own', () => {
    const held = fact('TaskHeld', { task: 'nightly~1', reason: 'wait', subtree: false, interrupt: true, heldAt: iso('11:30') });
    for (const before of [held, movedTo('blocked'), movedTo('backlog'), movedTo('in_progress')])
      taking([task, before], joining).then(
        { type: 'WakeupRequested' },
        { type: 'RunQueued' },
        taken({ how: 'woken', code: null }),
      );
  });

  it('is refused while the task waits for another, and says by which demand within a minute', () => {
    const blocked = fact('BlockersSet', { task: 'nightly~1', blockers: [{ task: 'ACME-9', open: true }], setAt: iso('11:30') });
    const code = 'issue_dependencies_blocked';
    taking([task, blocked], joining).then(
      { type: 'WakeupRequested' },
      { type: 'WakeupSkipped', data: { code, blockers: ['ACME-9'] } },
      taken({ how: 'woken', runId: null, code }),
    );
    const before = [
      requested(1),
      fact('WakeupSkipped', { wakeupId: wakeup(1), agent: 'fixer', code, skippedAt: iso('11:59:30') }),
    ];
    taking([task, blocked, ...before], joining).then(taken({ how: 'woken', wakeupId: wakeup(1), code }));
  });

  it('is joined by as many fires as there are', () =>
    taking([...running, requested(2), deferred(2, 1, { behind: 'nightly~1.1' })], { ...joining, fire: 'nightly@4' }).then(
      { type: 'WakeupRequested' },
      { type: 'WakeupCoalesced' },
      { type: 'FireTaken', data: { fire: 'nightly@4' } },
    ));
});
