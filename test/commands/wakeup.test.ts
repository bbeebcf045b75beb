import { cancelWakeup, requestWakeup } from '../../src/commands/wakeup.js';
import {
  at,
  coalesced,
  deferred,
  fact,
  failedRun,
  itself,
  machine,
  movedTo,
  moving,
  opened,
  parkedRetry,
  policy,
  queued,
  requested,
  runningRun,
  waitingRun,
  wakeup,
  withFixer,
} from '../facts.js';
import { given } from '../given.js';

const ask = { company: 'acme', agent: 'fixer', task: 'ACME-12' };
const skipped = (n: number, code: string, clock: string) =>
  fact('WakeupSkipped', { wakeupId: wakeup(n), agent: 'fixer', code, skippedAt: at(clock).toISOString() });
const requestedThenSkipped = [{ type: 'WakeupRequested' }, { type: 'WakeupSkipped' }] as const;

describe('RequestWakeup', () => {
  it('queues a run where nothing is open', () =>
    given(opened())
      .when(requestWakeup, { ...ask, payload: { token: 'abc', page: 3 } })
      .answering({ wakeup: { status: 'queued', run: 'ACME-12.1' }, run: { id: 'ACME-12.1', status: 'queued' } })
      .then(
        {
          type: 'WakeupRequested',
          data: { agent: 'fixer', outside: true, mention: false, payload: { token: '***REDACTED***', page: 3 } },
        },
        { type: 'RunQueued', data: { runId: 'ACME-12.1', cause: 'requested', attempt: 0, chain: 'ACME-12.1', retryOf: null } },
      ));
  it('opens the agent’s own lane with the first demand', () =>
    given()
      .when(requestWakeup, { company: 'acme', agent: 'fixer' })
      .then(
        { type: 'TaskOpened', data: { task: 'heartbeat~fixer', kind: 'heartbeat', assignee: 'fixer' } },
        { type: 'WakeupRequested' },
        { type: 'RunQueued', data: { runId: 'heartbeat~fixer.1' } },
      ));
  it('joins a queued run', () =>
    given(...waitingRun)
      .when(requestWakeup, ask)
      .answering({ wakeup: { status: 'coalesced', run: 'ACME-12.1' } })
      .then({ type: 'WakeupRequested' }, { type: 'WakeupCoalesced', data: { into: wakeup(1), runId: 'ACME-12.1' } }));
  it('waits for the end of a run at work, and a second demand joins it there', () => {
    given(...runningRun)
      .when(requestWakeup, ask)
      .answering({ wakeup: { status: 'deferred', behind: 'ACME-12.1' } })
      .then({ type: 'WakeupRequested' }, { type: 'WakeupDeferred', data: { behind: 'ACME-12.1' } });
    given(...runningRun, requested(2), deferred(2, 1))
      .when(requestWakeup, ask)
      .answering({ wakeup: { status: 'coalesced' } })
      .then({ type: 'WakeupRequested' }, { type: 'WakeupCoalesced', data: { into: wakeup(2), runId: null } });
  });
  it('takes the place of a parked retry when a person asks, and carries its demands', () =>
    given(...parkedRetry)
      .when(requestWakeup, ask)
      .then(
        { type: 'WakeupRequested' },
        { type: 'RetrySuperseded', data: { runId: 'ACME-12.2', by: 'ACME-12.3' } },
        { type: 'RunQueued', data: { runId: 'ACME-12.3', cause: 'superseding', chain: 'ACME-12.3', attempt: 0 } },
      ));
  it.each([[machine], [itself]])('joins a parked retry when nobody in person asks: %o', (actor) =>
    given(...parkedRetry)
      .when(requestWakeup, ask, { actor })
      .then({ type: 'WakeupRequested', data: { outside: false } }, { type: 'WakeupCoalesced', data: { runId: 'ACME-12.2' } }),
  );
  it('queues behind another agent’s run, and names it', () =>
    given(...runningRun)
      .when(requestWakeup, { ...ask, agent: 'reviewer' })
      .answering({ wakeup: { status: 'queued', run: 'ACME-12.2', behind: 'ACME-12.1' } })
      .then(
        { type: 'WakeupRequested', data: { mention: true } },
        { type: 'RunQueued', data: { agent: 'reviewer', mention: true } },
      ));
  it('writes nothing for a timer that has nothing to add', () => {
    const agents = withFixer({ policy: { ...policy, heartbeat: { enabled: true, intervalSec: 300 } } });
    given(...runningRun)
      .when(requestWakeup, { ...ask, source: 'timer' }, { agents })
      .thenNothing();
  });
  it.each([
    ['a timer while heartbeats are off', { source: 'timer' }, {}, 'heartbeat_disabled'],
    ['a demand while those are off', {}, { policy: { ...policy, wakeOnDemand: false } }, 'wake_on_demand_disabled'],
  ])('records %s as skipped', (_, fields, over, code) =>
    given(opened())
      .when(requestWakeup, { ...ask, ...fields }, { agents: withFixer(over) })
      .answering({ wakeup: { status: 'skipped', code } })
      .then({ type: 'WakeupRequested' }, { type: 'WakeupSkipped', data: { code } }),
  );
  it('records a demand on a closed task as skipped', () =>
    given(opened(), movedTo('done'))
      .when(requestWakeup, ask)
      .answering({ wakeup: { status: 'skipped', code: 'issue_terminal_status' } })
      .then(...requestedThenSkipped));
  it('records a demand on a blocked task as skipped, with the blockers that are open, and answers the next by it', () => {
    const blockers = [
      { task: 'ACME-3', open: true },
      { task: 'ACME-4', open: false },
    ];
    const blocked = [opened(), fact('BlockersSet', { task: 'ACME-12', blockers, setAt: at('11:00').toISOString() })] as const;
    given(...blocked)
      .when(requestWakeup, ask)
      .then({ type: 'WakeupRequested' }, { type: 'WakeupSkipped', data: { blockers: ['ACME-3'] } });
    given(...blocked, requested(1), skipped(1, 'issue_dependencies_blocked', '12:00'))
      .when(requestWakeup, ask, { now: at('12:00:59') })
      .answering({ wakeup: { id: wakeup(1), status: 'skipped', code: 'issue_dependencies_blocked' } })
      .thenNothing();
  });
  it.each(['paused', 'terminated'] as const)('records and refuses a demand on a %s agent', (status) => {
    const decided = given(opened()).when(requestWakeup, ask, { agents: withFixer({ status }) });
    decided.refuses('agent_not_invokable', /fixer/);
    decided.then(...requestedThenSkipped);
  });
  it('answers the same refusal within a minute by the first, and records it again after that', () => {
    const facts = [opened(), movedTo('done'), requested(1), skipped(1, 'issue_terminal_status', '12:00')] as const;
    given(...facts)
      .when(requestWakeup, ask, { now: at('12:00:59') })
      .answering({ wakeup: { id: wakeup(1), status: 'skipped', code: 'issue_terminal_status' } })
      .thenNothing();
    given(...facts)
      .when(requestWakeup, ask, { now: at('12:01') })
      .then(...requestedThenSkipped);
  });
  it('does not answer a tick with nothing to add by a refusal of long ago', () => {
    const agents = withFixer({ policy: { ...policy, heartbeat: { enabled: true, intervalSec: 300 } } });
    given(opened(), requested(9), skipped(9, 'agent_not_invokable', '09:00'), requested(1), queued(1))
      .when(requestWakeup, { ...ask, source: 'timer' }, { agents })
      .answering({})
      .thenNothing();
  });
  it('answers a refusal by the one that was refused for the same reason', () =>
    given(
      opened(),
      requested(1),
      skipped(1, 'heartbeat_disabled', '12:00'),
      requested(2),
      skipped(2, 'wake_on_demand_disabled', '12:00:30'),
    )
      .when(
        requestWakeup,
        { ...ask, source: 'timer' },
        { now: at('12:00:40'), agents: withFixer({ policy: { ...policy, wakeOnDemand: false } }) },
      )
      .answering({ wakeup: { id: wakeup(1), code: 'heartbeat_disabled' } })
      .thenNothing());
  it('does not take a payload for a comment, which may be answered where other work may not begin', () =>
    given(...waitingRun)
      .when(requestWakeup, { ...ask, payload: { commentIds: ['c-9'] } })
      .refuses('data_refused', /comment on the task, and mention fixer/));
  it('refuses an unknown agent and an unknown task, and records nothing', () => {
    given(opened())
      .when(requestWakeup, { ...ask, agent: 'stranger' })
      .refuses('agent_not_found', /stranger/);
    given()
      .when(requestWakeup, ask)
      .refuses('task_not_found', /ACME-12/);
  });
});

describe('CancelWakeup', () => {
  const cancel = (n: number) => ({ company: 'acme', task: 'ACME-12', wakeup: wakeup(n), reason: 'no need' });
  it('ends the run that carries nothing else', () =>
    given(...waitingRun)
      .when(cancelWakeup, cancel(1))
      .answering({ wakeup: { status: 'cancelled' } })
      .then({ type: 'RunCancelled', data: { runId: 'ACME-12.1', code: 'wakeup_cancelled', wakeups: 'cancelled' } }));
  it('leaves a run that carries others', () =>
    given(opened(), requested(1), requested(2), queued(1, { wakeupIds: [wakeup(1), wakeup(2)] }))
      .when(cancelWakeup, cancel(1))
      .then({ type: 'WakeupCancelled', data: { wakeupId: wakeup(1) } }));
  it('withdraws a demand that waits', () =>
    given(...runningRun, requested(2), deferred(2, 1))
      .when(cancelWakeup, cancel(2))
      .then({ type: 'WakeupCancelled', data: { wakeupId: wakeup(2), code: 'wakeup_cancelled', reason: 'no need' } }));
  it('lets the oldest demand that had joined it take its place', () =>
    given(...runningRun, requested(2), deferred(2, 1), requested(3), coalesced(3, 2, null), requested(4), coalesced(4, 2, null))
      .when(cancelWakeup, cancel(2))
      .then(
        { type: 'WakeupCancelled' },
        { type: 'WakeupDeferred', data: { wakeupId: wakeup(3), behind: 'ACME-12.1' } },
        { type: 'WakeupCoalesced', data: { wakeupId: wakeup(4), into: wakeup(3) } },
      ));
  it('says of which comments the heirs of a withdrawn demand are', () =>
    given(
      ...runningRun,
      requested(2),
      deferred(2, 1),
      requested(3),
      coalesced(3, 2, null),
      requested(4, { comment: true, payload: { commentIds: ['c-1'] } }),
      coalesced(4, 2, null),
    )
      .when(cancelWakeup, cancel(2))
      .then(
        { type: 'WakeupCancelled' },
        { type: 'WakeupDeferred', data: { wakeupId: wakeup(3) } },
        { type: 'WakeupCoalesced', data: { wakeupId: wakeup(4), commentIds: ['c-1'] } },
      ));
  it('refuses to end a demand that others have joined, also while it waited', () => {
    given(...waitingRun, requested(2), coalesced(2, 1, 1))
      .when(cancelWakeup, cancel(1))
      .refuses('wakeup_shared', /cancel ACME-12\.1/);
    given(
      ...runningRun,
      requested(2),
      deferred(2, 1),
      requested(3),
      coalesced(3, 2, null),
      failedRun.at(-1)!,
      queued(2, { cause: 'deferred' }),
    )
      .when(cancelWakeup, cancel(2))
      .refuses('wakeup_shared');
  });
  it('refuses what runs already, and what is unknown', () => {
    given(...runningRun)
      .when(cancelWakeup, cancel(1))
      .refuses('wakeup_not_open', /cancel ACME-12\.1 instead/);
    given(...waitingRun)
      .when(cancelWakeup, cancel(7))
      .refuses('wakeup_not_open', /ACME-12/);
    given()
      .when(cancelWakeup, cancel(1))
      .refuses('wakeup_not_found', /no task ACME-12/);
  });
  it('does not end the run that a demand has joined', () =>
    given(...waitingRun, requested(2), coalesced(2, 1, 1))
      .when(cancelWakeup, cancel(2))
      .refuses('wakeup_not_open', /joined another's run/));
  it('withdraws once', () => {
    const withdrawal = { agent: 'fixer', code: 'wakeup_cancelled', reason: 'no need', cancelledAt: at('11:30').toISOString() };
    given(...runningRun, requested(2), deferred(2, 1), fact('WakeupCancelled', { wakeupId: wakeup(2), ...withdrawal }))
      .when(cancelWakeup, cancel(2))
      .answering({ wakeup: { status: 'cancelled' } })
      .thenNothing();
    const ending = { intent: 'stop', wakeups: 'cancelled', ...moving(1, 'queued') } as const;
    given(...waitingRun, fact('RunCancelled', { ...withdrawal, ...ending }))
      .when(cancelWakeup, cancel(1))
      .answering({ wakeup: { status: 'cancelled' } })
      .thenNothing();
  });
});
