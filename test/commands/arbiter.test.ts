import { finishRun } from '../../src/commands/run.js';
import type { LaneEvent } from '../../src/events/lane.js';
import {
  assignedTo,
  chainOf,
  coalesced,
  deferred,
  fact,
  failed,
  moving,
  movedTo,
  opened,
  policy,
  queued,
  requested,
  runningRun,
  started,
  succeeded,
  wakeup,
  withFixer,
} from '../facts.js';
import { given } from '../given.js';

const after = (n: number, ...facts: readonly LaneEvent[]) => ({
  ends: (fields: object, circumstances: object = {}) =>
    given(...facts).when(
      finishRun,
      { company: 'acme', run: `ACME-12.${n}`, lease: 'secret', ...fields },
      { lease: { token: 'secret', runId: `ACME-12.${n}` }, ...circumstances },
    ),
});

const succeeds = { outcome: 'succeeded' };
const rateLimited = { outcome: 'failed', error: '429 rate limited' };
const lost = { outcome: 'failed', errorCode: 'process_lost' };
const broken = { outcome: 'failed', error: 'the build is broken' };
const handedBack = { outcome: 'cancelled', intent: 'requeue' };

const person = [...runningRun, requested(2), deferred(2, 1)] as const;
const sweep = [...runningRun, requested(2, { outside: false }), deferred(2, 1)] as const;
/** The demand of a sweep, which a person's has joined. */
const joined = [...sweep, requested(3), coalesced(3, 2, null)] as const;
const repeated = [
  ...runningRun,
  failed(1, { errorCode: 'process_lost', errorFamily: 'process_lost' }),
  requested(2, { outside: false }),
  queued(2, { cause: 'process_lost', chain: 'ACME-12.1', retryOf: 'ACME-12.1' }),
  started(2),
] as const;
const exhausted = chainOf(4).slice(0, -1);
const recovery = { type: 'RunQueued', data: { cause: 'assignment_recovery', chain: 'ACME-12.1', attempt: 1 } } as const;

describe('1: a run that is handed back', () => {
  it('is done again in its chain, by its own demand and what waited', () =>
    after(1, ...sweep)
      .ends(handedBack)
      .then(
        { type: 'RunCancelled' },
        { type: 'RunQueued', data: { cause: 'requeued', chain: 'ACME-12.1', attempt: 0, wakeupIds: [wakeup(1), wakeup(2)] } },
      ));
  it('begins a chain when a person waited', () =>
    after(1, ...person)
      .ends(handedBack)
      .then(
        { type: 'RunCancelled' },
        { type: 'RunQueued', data: { cause: 'requeued', chain: 'ACME-12.2', attempt: 0, wakeupIds: [wakeup(2), wakeup(1)] } },
      ));
  it('keeps its attempt', () =>
    after(5, ...exhausted)
      .ends(handedBack)
      .then({ type: 'RunCancelled' }, { type: 'RunQueued', data: { chain: 'ACME-12.1', attempt: 4 } }));
});

describe('2: what a person asked for meanwhile', () => {
  it.each([
    ['succeeded', succeeds],
    ['failed for a while', rateLimited],
    ['was lost', lost],
    ['failed for good', broken],
  ])('is done next when the run %s, in a chain of its own', (_, ending) => {
    const next = {
      type: 'RunQueued',
      data: { cause: 'deferred', chain: 'ACME-12.2', attempt: 0, outside: true, wakeupIds: [wakeup(2)] },
    } as const;
    for (const facts of [person, joined])
      expect(
        after(1, ...facts)
          .ends(ending)
          .events()
          .slice(1),
      ).toMatchObject([next]);
  });
});

describe('3: a failure that passes', () => {
  it('is retried, and what waited joins the retry', () =>
    after(1, ...sweep)
      .ends(rateLimited)
      .then(
        { type: 'RunFailed' },
        { type: 'WakeupRequested' },
        { type: 'RetryScheduled', data: { attempt: 1, wakeupIds: [expect.any(String), wakeup(2)] } },
      ));
  it.each([
    ['on a closed task', movedTo('done')],
    ['on a task that is somebody else’s', assignedTo('reviewer')],
  ])('is not retried %s', (_, since) =>
    after(1, ...runningRun, since)
      .ends(rateLimited)
      .then({ type: 'RunFailed' }),
  );
  it('is retried for an agent that was asked beside the assignee', () =>
    after(1, opened({ assignee: 'reviewer' }), requested(1, { mention: true }), queued(1, { mention: true }), started(1))
      .ends(rateLimited)
      .then(
        { type: 'RunFailed' },
        { type: 'WakeupRequested', data: { mention: true } },
        { type: 'RetryScheduled', data: { mention: true } },
      ));
});

describe('4: a chain whose attempts are used up', () => {
  it('is said to be exhausted, and its task is blocked', () =>
    after(5, ...exhausted)
      .ends(rateLimited)
      .then(
        { type: 'RunFailed' },
        { type: 'RetryExhausted', data: { attempts: 4, maxAttempts: 4 } },
        { type: 'RecoveryEscalated' },
        { type: 'TaskStatusChanged', data: { to: 'blocked' } },
      ));
  it('of a task in review escalates nothing', () =>
    after(5, ...exhausted, movedTo('in_review'))
      .ends(rateLimited)
      .then({ type: 'RunFailed' }, { type: 'RetryExhausted' }));
  it('strands nothing that waited for it', () =>
    after(5, ...exhausted, requested(9, { outside: false }), deferred(9, 5))
      .ends(rateLimited)
      .then(
        { type: 'RunFailed' },
        { type: 'RetryExhausted' },
        { type: 'RecoveryEscalated' },
        { type: 'TaskStatusChanged' },
        {
          type: 'RunQueued',
          data: { cause: 'deferred', chain: 'ACME-12.6', place: { taskStatus: 'blocked' }, wakeupIds: [wakeup(9)] },
        },
      ));
});

describe('5: a process that was lost', () => {
  it('is repeated at once, in the same attempt', () =>
    after(1, ...runningRun)
      .ends(lost)
      .then(
        { type: 'RunFailed' },
        { type: 'WakeupRequested' },
        { type: 'RunQueued', data: { cause: 'process_lost', chain: 'ACME-12.1', attempt: 0 } },
      ));
  it('is repeated once in a chain', () =>
    after(2, ...repeated)
      .ends(lost)
      .then({ type: 'RunFailed' }, { type: 'WakeupRequested' }, recovery));
  it('is not repeated again after its repeat was handed back', () => {
    const requeued = fact('RunCancelled', {
      ...moving(2, 'running'),
      code: 'cancelled',
      reason: 'moved',
      intent: 'requeue',
      wakeups: 'passed',
      cancelledAt: '2026-04-20T12:00:00.000Z',
    });
    const again = queued(3, { cause: 'requeued', chain: 'ACME-12.1', retryOf: 'ACME-12.2', wakeupIds: [wakeup(2)] });
    after(3, ...repeated, requeued, again, started(3))
      .ends(lost)
      .then({ type: 'RunFailed' }, { type: 'WakeupRequested' }, recovery);
  });
  it('is not repeated on a closed task', () =>
    after(1, ...runningRun, movedTo('done'))
      .ends(lost)
      .then({ type: 'RunFailed' }));
});

describe('8: what still waits', () => {
  it('is given a run, whatever its cause', () =>
    after(1, ...sweep)
      .ends(succeeds)
      .then({ type: 'RunSucceeded' }, { type: 'RunQueued', data: { cause: 'deferred', wakeupIds: [wakeup(2)] } }));
  it('joins what is recovered', () =>
    after(1, ...sweep)
      .ends(broken)
      .then(
        { type: 'RunFailed' },
        { type: 'WakeupRequested' },
        { type: 'RunQueued', data: { cause: 'assignment_recovery', wakeupIds: [expect.any(String), wakeup(2)] } },
      ));
  it('is skipped by the gate that it does not pass', () => {
    after(1, ...sweep, movedTo('done'))
      .ends(succeeds)
      .then({ type: 'RunSucceeded' }, { type: 'WakeupSkipped', data: { wakeupId: wakeup(2), code: 'issue_terminal_status' } });
    after(1, ...person, assignedTo('reviewer'))
      .ends(succeeds)
      .then({ type: 'RunSucceeded' }, { type: 'WakeupSkipped', data: { code: 'issue_assignee_changed' } });
  });
  it('is queued for a paused agent, and held there', () =>
    after(1, ...sweep)
      .ends(succeeds, { agents: withFixer({ status: 'paused' }) })
      .then({ type: 'RunSucceeded' }, { type: 'RunQueued' }));
});

const owing = (more: object = {}) => withFixer({ policy: { ...policy, requireComment: true, ...more } });
const assignedRun = [
  opened(),
  requested(1, { source: 'assignment', reason: 'issue_assigned' }),
  queued(1, { context: { source: 'assignment', trigger: 'system', reason: 'issue_assigned', payload: {} } }),
  started(1),
] as const;
const comment = fact('CommentAdded', {
  task: 'ACME-12',
  commentId: 'c-1',
  author: { type: 'agent', id: 'fixer' },
  body: 'mended',
  mentions: [],
  wakeupIds: [],
  addedAt: '2026-04-20T11:20:00.000Z',
});

describe('6: a run that succeeds without a word', () => {
  const owed = {
    type: 'RunQueued',
    data: { cause: 'missing_issue_comment', chain: 'ACME-12.2', attempt: 0, retryOf: 'ACME-12.1' },
  };
  it('is asked once for the comment that an assignment is owed', () => {
    after(1, ...assignedRun)
      .ends(succeeds, { agents: owing() })
      .then({ type: 'RunSucceeded' }, { type: 'WakeupRequested', data: { reason: 'missing_issue_comment' } }, owed);
    after(1, ...assignedRun, comment)
      .ends(succeeds, { agents: owing() })
      .then({ type: 'RunSucceeded' });
    after(1, ...assignedRun)
      .ends(succeeds)
      .then({ type: 'RunSucceeded' });
  });
  it('owes nothing if it was not assigned, if the task is done, or if it was asked before', () => {
    after(1, ...runningRun)
      .ends(succeeds, { agents: owing() })
      .then({ type: 'RunSucceeded' });
    after(1, ...assignedRun, movedTo('done'))
      .ends(succeeds, { agents: owing() })
      .then({ type: 'RunSucceeded' });
    const asked = queued(2, {
      cause: 'missing_issue_comment',
      retryOf: 'ACME-12.1',
      context: { reason: 'missing_issue_comment' },
    });
    after(2, ...assignedRun, succeeded(1), requested(2), asked, started(2))
      .ends(succeeds, { agents: owing() })
      .then({ type: 'RunSucceeded' });
  });
});

describe('6: a run that has only planned', () => {
  const planning = { outcome: 'succeeded', liveness: 'plan_only' };
  const agents = withFixer({ policy: { ...policy, continuations: 2 } });
  const continued = (n: number) => [
    succeeded(n - 1),
    requested(n),
    queued(n, { cause: 'continuation', retryOf: `ACME-12.${n - 1}` }),
    started(n),
  ];
  it('goes on as often as its agent may, each time in a new chain', () => {
    after(1, ...runningRun)
      .ends(planning, { agents })
      .then(
        { type: 'RunSucceeded' },
        { type: 'WakeupRequested', data: { reason: 'run_liveness_continuation' } },
        { type: 'RunQueued', data: { cause: 'continuation', chain: 'ACME-12.2', retryOf: 'ACME-12.1' } },
      );
    after(2, ...runningRun, ...continued(2))
      .ends(planning, { agents })
      .then({ type: 'RunSucceeded' }, { type: 'WakeupRequested' }, { type: 'RunQueued' });
  });
  it('is followed by a note and nothing else when it has gone on often enough', () =>
    after(3, ...runningRun, ...continued(2), ...continued(3))
      .ends({ outcome: 'succeeded', liveness: 'empty_response' }, { agents })
      .then({ type: 'RunSucceeded' }, { type: 'CommentAdded', data: { author: { type: 'system' }, wakeupIds: [] } }));
  it('does not go on unless its agent may, nor when it has done something', () => {
    after(1, ...runningRun)
      .ends(planning)
      .then({ type: 'RunSucceeded' });
    after(1, ...runningRun)
      .ends({ outcome: 'succeeded', liveness: 'advanced' }, { agents })
      .then({ type: 'RunSucceeded' });
  });
});

describe('7: work that failed for good', () => {
  const recovered = [
    ...runningRun,
    failed(1),
    requested(2, { outside: false }),
    queued(2, { cause: 'assignment_recovery', chain: 'ACME-12.1', attempt: 1, retryOf: 'ACME-12.1', outside: false }),
    started(2),
  ] as const;
  it('is taken up once more in its chain, as what it is: not begun, or in the middle', () => {
    after(1, ...runningRun)
      .ends(broken)
      .then({ type: 'RunFailed' }, { type: 'WakeupRequested', data: { reason: 'issue_assignment_recovery' } }, recovery);
    after(1, ...runningRun, movedTo('in_progress'))
      .ends({ outcome: 'timed_out' })
      .then(
        { type: 'RunTimedOut' },
        { type: 'WakeupRequested', data: { reason: 'issue_continuation_needed' } },
        { type: 'RunQueued', data: { cause: 'continuation_recovery', attempt: 1 } },
      );
  });
  it('is never recovered twice in a chain: a person must act', () =>
    after(2, ...recovered)
      .ends(broken)
      .then(
        { type: 'RunFailed' },
        { type: 'RecoveryEscalated', data: { runId: 'ACME-12.2', why: expect.stringMatching(/set its status to todo/) } },
        { type: 'TaskStatusChanged', data: { to: 'blocked' } },
      ));
  it('is a person’s to see to at once when its agent is given no other attempt', () =>
    after(1, ...runningRun)
      .ends(broken, { agents: withFixer({ policy: { ...policy, retry: { ...policy.retry, delaysMs: [] } } }) })
      .then(
        { type: 'RunFailed' },
        { type: 'RecoveryEscalated', data: { why: expect.stringMatching(/^ACME-12\.1 failed .* no other attempt: /) } },
        { type: 'TaskStatusChanged' },
      ));
  it('is not recovered when its attempts are used up by retries', () =>
    after(5, ...exhausted)
      .ends(broken)
      .then({ type: 'RunFailed' }, { type: 'RecoveryEscalated' }, { type: 'TaskStatusChanged' }));
  it('does not begin the budget of retries anew after a recovery', () =>
    after(2, ...recovered)
      .ends(rateLimited)
      .then(
        { type: 'RunFailed' },
        { type: 'WakeupRequested' },
        { type: 'RetryScheduled', data: { attempt: 2, chain: 'ACME-12.1' } },
      ));
  it('is left to the resolution of what blocks it, to its new agent, or to whoever closed it', () => {
    const blocked = fact('BlockersSet', {
      task: 'ACME-12',
      blockers: [{ task: 'ACME-9', open: true }],
      setAt: '2026-04-20T11:20:00.000Z',
    });
    for (const change of [blocked, assignedTo('reviewer'), movedTo('done'), movedTo('in_review'), movedTo('blocked')])
      after(1, ...runningRun, change)
        .ends(broken)
        .then({ type: 'RunFailed' });
  });
});

it('follows nothing from a run that succeeds, or is stopped, where nothing waits', () => {
  for (const ending of [succeeds, { outcome: 'cancelled', intent: 'stop' }])
    expect(
      after(1, ...runningRun)
        .ends(ending)
        .events(),
    ).toHaveLength(1);
});
