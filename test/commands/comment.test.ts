import { nameUuid, wakeupId, type Actor } from '../../src/events/event.js';
import type { LaneEvent } from '../../src/events/lane.js';
import { addComment, removeComment } from '../../src/commands/comment.js';
import { startRun } from '../../src/commands/run.js';
import { setTaskStatus } from '../../src/commands/task.js';
import { requestWakeup } from '../../src/commands/wakeup.js';
import {
  agent,
  assignedTo,
  at,
  coalesced,
  deferred,
  defaultAgents,
  fact,
  failed,
  failedRun,
  itself,
  machine,
  movedTo,
  opened,
  parked,
  parkedRetry,
  person,
  policy,
  queued,
  requested,
  runningRun,
  started,
  waitingRun,
  wakeup,
  withFixer,
} from '../facts.js';
import { given } from '../given.js';

const reviewer: Actor = { type: 'agent', id: 'reviewer' };
const say = { company: 'acme', task: 'ACME-12', commentId: 'c-9', body: 'please look' };
const blockedBy = (...blockers: string[]) =>
  fact('BlockersSet', {
    task: 'ACME-12',
    blockers: blockers.map((task) => ({ task, open: true })),
    setAt: at('11:00').toISOString(),
  });
const commented = (commentId: string, author: Actor, wakeupIds: string[] = []) =>
  fact('CommentAdded', {
    task: 'ACME-12',
    commentId,
    author,
    body: 'please look',
    mentions: [],
    wakeupIds,
    addedAt: at('11:20').toISOString(),
  });
const about = (...commentIds: string[]) => ({ payload: { commentIds }, reason: 'issue_commented', comment: true }) as const;
const removed = (commentId: string, ...wakeupIds: string[]) =>
  fact('CommentRemoved', { task: 'ACME-12', commentId, wakeupIds, removedAt: at('11:30').toISOString() });
const joined = (n: number, into: number, run: number | null, ...commentIds: string[]) => {
  const { type, data } = coalesced(n, into, run);
  return fact(type, { ...data, commentIds });
};
describe('AddComment', () => {
  it('records the comment and wakes the assignee in one append', () =>
    given(opened())
      .when(addComment, say)
      .answering({
        comment: { id: 'c-9', author: { type: 'user', id: 'ada' }, addedAt: at('12:00').toISOString() },
        wakeups: [{ id: wakeupId('command-1', 0), agent: 'fixer', status: 'queued', run: 'ACME-12.1' }],
        task: { id: 'ACME-12', status: 'todo' },
      })
      .then(
        { type: 'CommentAdded', data: { commentId: 'c-9', body: 'please look', wakeupIds: [wakeupId('command-1', 0)] } },
        {
          type: 'WakeupRequested',
          data: {
            agent: 'fixer',
            source: 'automation',
            trigger: 'system',
            reason: 'issue_commented',
            payload: { commentIds: ['c-9'] },
            outside: true,
            mention: false,
            comment: true,
          },
        },
        {
          type: 'RunQueued',
          data: { comment: true, context: { reason: 'issue_commented', payload: {}, commentIds: ['c-9'] } },
        },
      ));

  it('names a comment after its command where the sender has no name for it', () =>
    given(opened())
      .when(addComment, { ...say, commentId: undefined })
      .answering({ comment: { id: nameUuid('comment', 'command-1') } })
      .then({ type: 'CommentAdded' }, { type: 'WakeupRequested' }, { type: 'RunQueued' }));

  it('adds nothing when the same comment comes again, and answers with the first', () =>
    given(opened(), commented('c-9', itself, [wakeup(1)]), requested(1, about('c-9')), queued(1))
      .when(addComment, { ...say, body: 'please look again' })
      .answering({
        comment: { id: 'c-9', author: itself, addedAt: at('11:20').toISOString() },
        wakeups: [{ id: wakeup(1), agent: 'fixer', status: 'queued', run: 'ACME-12.1' }],
      })
      .thenNothing());

  it('says what became of the first one’s demands when it comes again', () => {
    const first = [opened(), commented('c-9', person, [wakeup(1)]), requested(1, about('c-9'))] as const;
    const again = (...facts: LaneEvent[]) => given<LaneEvent[]>(...first, ...facts).when(addComment, say);
    again(queued(1), started(1)).answering({ wakeups: [{ status: 'claimed', run: 'ACME-12.1' }] });
    again(queued(1), started(1), failed(1)).answering({ wakeups: [{ status: 'failed', run: 'ACME-12.1' }] });
    const withdrawal = { code: 'wakeup_cancelled', reason: 'no need', cancelledAt: at('11:30').toISOString() };
    again(fact('WakeupCancelled', { wakeupId: wakeup(1), agent: 'fixer', ...withdrawal })).answering({
      wakeups: [{ id: wakeup(1), status: 'cancelled' }],
    });
  });

  it('redacts what looks like a secret', () =>
    given(opened({ assignee: null }))
      .when(addComment, { ...say, body: 'password=hunter2hunter2' })
      .then({ type: 'CommentAdded', data: { body: expect.not.stringContaining('hunter2') } }));

  it('refuses a comment that says nothing', () => {
    for (const body of [undefined, ' \n'])
      given(opened())
        .when(addComment, { ...say, body })
        .refuses('data_refused', /says nothing/);
  });

  it('refuses a comment of a mebibyte, before anything is decided', () =>
    expect(() => given(opened()).when(addComment, { ...say, body: 'x'.repeat(1_048_576) })).toThrow(/at most 65536 characters/));

  it('refuses an unknown task', () =>
    given()
      .when(addComment, say)
      .refuses('task_not_found', /ACME-12/));

  it('lets a person bring in the comments of others; an agent’s does not become a person’s by that', () => {
    given(opened())
      .when(addComment, { ...say, author: reviewer })
      .then(
        { type: 'CommentAdded', data: { author: reviewer } },
        { type: 'WakeupRequested', data: { outside: false } },
        { type: 'RunQueued' },
      );
    given(opened())
      .when(addComment, { ...say, author: { type: 'user', id: 'grace' } })
      .then({ type: 'CommentAdded' }, { type: 'WakeupRequested', data: { outside: true } }, { type: 'RunQueued' });
  });

  it('lets an agent comment as itself only', () => {
    given(opened())
      .when(addComment, { ...say, author: reviewer }, { actor: reviewer })
      .then({ type: 'CommentAdded', data: { author: reviewer } }, { type: 'WakeupRequested' }, { type: 'RunQueued' });
    given(opened())
      .when(addComment, { ...say, author: { type: 'user', id: 'ada' } }, { actor: reviewer })
      .refuses('not_permitted', /reviewer may not comment as ada/);
  });

  it.each(['reopen', 'resume', 'interrupt'])('refuses %s by an agent (case 68)', (right) =>
    given(...runningRun)
      .when(addComment, { ...say, [right]: true }, { actor: itself })
      .refuses('not_permitted', new RegExp(`fixer may not ${right}`)),
  );
});

describe('who is woken by a comment', () => {
  it('is nobody by the assignee’s own (case 67)', () =>
    given(opened())
      .when(addComment, say, { actor: itself })
      .answering({ wakeups: [] })
      .then({ type: 'CommentAdded', data: { author: itself, wakeupIds: [] } }));

  it('is nobody where nobody is assigned', () =>
    given(opened({ assignee: null }))
      .when(addComment, say)
      .then({ type: 'CommentAdded' }));

  it('is every agent that is mentioned, but the author (case 67)', () =>
    given(opened({ assignee: null }))
      .when(addComment, { ...say, mentions: ['reviewer', 'fixer', 'reviewer'] }, { actor: itself })
      .then(
        { type: 'CommentAdded', data: { mentions: ['reviewer', 'fixer'] } },
        {
          type: 'WakeupRequested',
          data: { agent: 'reviewer', reason: 'issue_comment_mentioned', mention: true, comment: true, outside: false },
        },
        { type: 'RunQueued', data: { agent: 'reviewer', mention: true, comment: true } },
      ));

  it('is whoever the body names, if there is such an agent', () =>
    given(opened({ assignee: null }))
      .when(addComment, { ...say, body: 'ask @reviewer, @nobody, mail@fixer.example and @fixer’s log' })
      .answering({
        wakeups: [
          { agent: 'reviewer', run: 'ACME-12.1' },
          { agent: 'fixer', run: 'ACME-12.2' },
        ],
      })
      .then(
        { type: 'CommentAdded', data: { mentions: ['reviewer', 'fixer'] } },
        { type: 'WakeupRequested', data: { wakeupId: wakeupId('command-1', 0), agent: 'reviewer' } },
        { type: 'RunQueued' },
        { type: 'WakeupRequested', data: { wakeupId: wakeupId('command-1', 1), agent: 'fixer' } },
        { type: 'RunQueued' },
      ));

  it('is nobody when an unknown agent is mentioned by the sender: all of them are named, and nothing is written', () =>
    given(opened())
      .when(addComment, { ...say, mentions: ['stranger', 'reviewer', 'ghost'] })
      .refuses('agent_not_found', /stranger, ghost/));

  it('is no more than fifty', () =>
    given(opened())
      .when(addComment, { ...say, mentions: Array.from({ length: 51 }, (_, n) => `agent-${n}`) })
      .refuses('too_many', /51 agents/));

  it('is recorded as refused where a mentioned agent was terminated', () =>
    given(opened({ assignee: null }))
      .when(
        addComment,
        { ...say, mentions: ['reviewer'] },
        {
          agents: { ...defaultAgents, reviewer: agent('reviewer', { status: 'terminated' }) },
        },
      )
      .answering({ wakeups: [{ agent: 'reviewer', status: 'skipped', code: 'agent_not_invokable' }] })
      .then(
        { type: 'CommentAdded' },
        { type: 'WakeupRequested' },
        { type: 'WakeupSkipped', data: { code: 'agent_not_invokable' } },
      ));

  it('is an agent that is paused: the demand is held, not refused', () =>
    given(opened())
      .when(addComment, say, { agents: withFixer({ status: 'paused' }) })
      .then({ type: 'CommentAdded' }, { type: 'WakeupRequested' }, { type: 'RunQueued' }));

  it('does not let a mention overwrite the assignee’s wake', () =>
    given(opened())
      .when(addComment, { ...say, mentions: ['fixer', 'reviewer'], body: '@fixer' })
      .then(
        { type: 'CommentAdded', data: { mentions: ['fixer', 'reviewer'] } },
        { type: 'WakeupRequested', data: { agent: 'fixer', reason: 'issue_commented', mention: false } },
        { type: 'RunQueued', data: { agent: 'fixer' } },
        { type: 'WakeupRequested', data: { agent: 'reviewer', reason: 'issue_comment_mentioned', mention: true } },
        { type: 'RunQueued', data: { agent: 'reviewer' } },
      ));

  it('is the assignee of a closed task only if it is mentioned, when an agent comments', () => {
    given(opened(), movedTo('done')).when(addComment, say, { actor: reviewer }).then({ type: 'CommentAdded' });
    given(opened(), movedTo('done'))
      .when(addComment, { ...say, body: '@fixer, was it this?' }, { actor: reviewer })
      .then(
        { type: 'CommentAdded' },
        { type: 'WakeupRequested', data: { agent: 'fixer', reason: 'issue_comment_mentioned' } },
        { type: 'RunQueued', data: { comment: true } },
      );
  });
});

describe('a person’s comment on a task that is not worked on', () => {
  it.each(['done', 'cancelled', 'blocked'] as const)('takes it up again from %s (case 68)', (status) =>
    given(opened(), movedTo(status))
      .when(addComment, say)
      .answering({ task: { status: 'todo' } })
      .then(
        { type: 'CommentAdded' },
        { type: 'TaskStatusChanged', data: { from: status, to: 'todo', why: 'ada commented on it' } },
        { type: 'WakeupRequested', data: { reason: 'issue_reopened_via_comment', comment: true } },
        { type: 'RunQueued' },
      ),
  );

  it('leaves it blocked while it waits for another, and is answered all the same (case 63)', () => {
    const decided = given(opened(), movedTo('blocked'), blockedBy('ACME-3', 'ACME-4')).when(addComment, say);
    decided.answering({ task: { status: 'blocked' }, wakeups: [{ status: 'queued' }] });
    decided.then(
      { type: 'CommentAdded' },
      { type: 'WakeupRequested', data: { reason: 'issue_commented', comment: true } },
      { type: 'RunQueued', data: { comment: true } },
    );
  });

  it('leaves it closed when it is nobody’s, unless reopening is asked for', () => {
    given(opened({ assignee: null }), movedTo('done'))
      .when(addComment, say)
      .answering({ task: { status: 'done' } })
      .then({ type: 'CommentAdded' });
    given(opened({ assignee: null }), movedTo('done'))
      .when(addComment, { ...say, body: undefined, reopen: true })
      .answering({ task: { status: 'todo' }, wakeups: [] })
      .then({ type: 'CommentAdded' }, { type: 'TaskStatusChanged', data: { to: 'todo' } });
  });

  it('says so to the agent when the work is to be resumed', () => {
    const payload = { commentIds: ['c-9'], resumeIntent: true, followUpRequested: true };
    given(opened(), movedTo('done'))
      .when(addComment, { ...say, resume: true })
      .then(
        { type: 'CommentAdded' },
        { type: 'TaskStatusChanged', data: { to: 'todo' } },
        { type: 'WakeupRequested', data: { reason: 'issue_reopened_via_comment', payload } },
        { type: 'RunQueued', data: { context: { payload: { resumeIntent: true, followUpRequested: true } } } },
      );
  });

  it('does not resume what is cancelled, or still waits for another', () => {
    given(opened(), movedTo('cancelled'))
      .when(addComment, { ...say, resume: true })
      .refuses('issue_terminal_status', /reopen it instead/);
    given(opened(), blockedBy('ACME-3', 'ACME-4'))
      .when(addComment, { ...say, resume: true })
      .refuses('issue_dependencies_blocked', /ACME-3, ACME-4/);
  });
});

describe('a demand on a blocked task', () => {
  it('starts a run for a comment, which is told that it may answer and not work (case 63)', () =>
    given(opened(), blockedBy('ACME-3', 'ACME-4'), requested(1, about('c-1')), queued(1, { comment: true }))
      .when(startRun, { company: 'acme', run: 'ACME-12.1', workerId: 'laptop', leaseMs: 30_000 })
      .answering({ started: true, run: { blockedBy: ['ACME-3', 'ACME-4'] } })
      .then({ type: 'RunStarted', data: { blockedBy: ['ACME-3', 'ACME-4'] } }));

  it('is refused with the blockers named, unless it is about a comment (case 62)', () =>
    given(opened(), blockedBy('ACME-3', 'ACME-4'))
      .when(requestWakeup, { company: 'acme', agent: 'fixer', task: 'ACME-12' })
      .answering({ wakeup: { status: 'skipped', code: 'issue_dependencies_blocked' } })
      .then(
        { type: 'WakeupRequested' },
        { type: 'WakeupSkipped', data: { code: 'issue_dependencies_blocked', blockers: ['ACME-3', 'ACME-4'] } },
      ));

  it('is taken in of an agent that is asked beside the assignee', () =>
    given(opened(), blockedBy('ACME-3'))
      .when(requestWakeup, { company: 'acme', agent: 'reviewer', task: 'ACME-12' })
      .answering({ run: { blockedBy: ['ACME-3'] } })
      .then({ type: 'WakeupRequested', data: { mention: true } }, { type: 'RunQueued' }));
});

describe('a comment while work is open', () => {
  it('joins a queued run', () =>
    given(...waitingRun)
      .when(addComment, say)
      .answering({ wakeups: [{ status: 'coalesced', run: 'ACME-12.1' }] })
      .then(
        { type: 'CommentAdded' },
        { type: 'WakeupRequested' },
        { type: 'WakeupCoalesced', data: { into: wakeup(1), runId: 'ACME-12.1', commentIds: ['c-9'] } },
      ));

  it('does not let a parked retry swallow a person’s comment', () => {
    given(...failedRun, requested(2, { outside: false }), parked(2, { context: { commentIds: ['c-1'] } }))
      .when(addComment, say)
      .answering({ wakeups: [{ status: 'queued', run: 'ACME-12.3' }] })
      .then(
        { type: 'CommentAdded' },
        { type: 'WakeupRequested' },
        { type: 'RetrySuperseded', data: { runId: 'ACME-12.2', by: 'ACME-12.3' } },
        {
          type: 'RunQueued',
          data: { cause: 'superseding', chain: 'ACME-12.3', attempt: 0, comment: true, context: { commentIds: ['c-1', 'c-9'] } },
        },
      );
  });

  it('keeps its exemptions when a plain wakeup takes the place of its retry', () =>
    given(...failedRun, requested(2, { outside: false }), parked(2, { comment: true, context: { commentIds: ['c-1'] } }))
      .when(requestWakeup, { company: 'acme', agent: 'fixer', task: 'ACME-12' })
      .then(
        { type: 'WakeupRequested' },
        { type: 'RetrySuperseded' },
        { type: 'RunQueued', data: { comment: true, context: { commentIds: ['c-1'] } } },
      ));

  it('is still answered when the task is closed before the answer was begun', () => {
    const done = { company: 'acme', task: 'ACME-12', status: 'done' };
    given(opened(), requested(1, about('c-1')), queued(1, { comment: true }))
      .when(setTaskStatus, done)
      .then({ type: 'TaskStatusChanged', data: { queuedRuns: ['ACME-12.1'] } });
    given(...runningRun, requested(2, about('c-1')), deferred(2, 1))
      .when(setTaskStatus, done)
      .then({ type: 'TaskStatusChanged' });
  });

  it('of an agent joins a parked retry, so that no back-off is shortened', () =>
    given(...parkedRetry)
      .when(addComment, say, { actor: reviewer })
      .then({ type: 'CommentAdded' }, { type: 'WakeupRequested' }, { type: 'WakeupCoalesced', data: { runId: 'ACME-12.2' } }));

  it('is not lost in a run at work: it waits for the end, and the next joins it there', () => {
    given(...runningRun)
      .when(addComment, say)
      .answering({ wakeups: [{ status: 'deferred', behind: 'ACME-12.1' }] })
      .then({ type: 'CommentAdded' }, { type: 'WakeupRequested' }, { type: 'WakeupDeferred', data: { behind: 'ACME-12.1' } });
    given(...runningRun, requested(2, about('c-2')), deferred(2, 1))
      .when(addComment, say)
      .answering({ wakeups: [{ status: 'coalesced', behind: 'ACME-12.1' }] })
      .then(
        { type: 'CommentAdded' },
        { type: 'WakeupRequested' },
        { type: 'WakeupCoalesced', data: { into: wakeup(2), runId: null, commentIds: ['c-9'] } },
      );
  });
});

describe('a comment that interrupts', () => {
  it('stops the run, and is done with it again', () =>
    given(...runningRun)
      .when(addComment, { ...say, interrupt: true })
      .answering({ cancelledRuns: ['ACME-12.1'], wakeups: [{ status: 'queued', run: 'ACME-12.2' }] })
      .then(
        { type: 'CommentAdded' },
        { type: 'WakeupRequested' },
        { type: 'WakeupDeferred' },
        { type: 'RunCancelled', data: { runId: 'ACME-12.1', code: 'interrupted', intent: 'requeue', wakeups: 'passed' } },
        {
          type: 'RunQueued',
          data: {
            cause: 'requeued',
            wakeupIds: [wakeupId('command-1', 0), wakeup(1)],
            comment: true,
            context: { commentIds: ['c-9'] },
          },
        },
      ));

  it('keeps the comments of the run that it stops', () =>
    given(opened(), requested(1, about('c-1')), queued(1, { comment: true, context: { commentIds: ['c-1'] } }), started(1))
      .when(addComment, { ...say, interrupt: true })
      .then(
        { type: 'CommentAdded' },
        { type: 'WakeupRequested' },
        { type: 'WakeupDeferred' },
        { type: 'RunCancelled' },
        { type: 'RunQueued', data: { context: { commentIds: ['c-1', 'c-9'] } } },
      ));

  it('goes to the assignee where the run is another agent’s', () =>
    given(...runningRun, assignedTo('reviewer'))
      .when(addComment, { ...say, interrupt: true })
      .then(
        { type: 'CommentAdded' },
        { type: 'WakeupRequested', data: { agent: 'reviewer' } },
        { type: 'RunQueued', data: { agent: 'reviewer', context: { commentIds: ['c-9'] } } },
        { type: 'RunCancelled', data: { agent: 'fixer', code: 'interrupted' } },
        { type: 'RunQueued', data: { agent: 'fixer', cause: 'requeued' } },
      ));

  it('is a comment like others where nothing runs', () =>
    given(opened())
      .when(addComment, { ...say, interrupt: true })
      .then({ type: 'CommentAdded' }, { type: 'WakeupRequested' }, { type: 'RunQueued' }));
});

describe('agents that answer each other', () => {
  const replies = (n: number) => Array.from({ length: n }, (_, i) => commented(`reply-${i}`, i % 2 ? reviewer : itself));

  it('wake each other six times in a row, and then nobody', () => {
    given(opened(), ...replies(5))
      .when(addComment, say, { actor: reviewer })
      .then({ type: 'CommentAdded' }, { type: 'WakeupRequested' }, { type: 'RunQueued' });
    given(opened(), ...replies(6))
      .when(addComment, { ...say, mentions: ['fixer'] }, { actor: reviewer })
      .answering({ comment: { id: 'c-9' }, wakeups: [{ agent: 'fixer', status: 'skipped', code: 'comment_loop' }] })
      .then({ type: 'CommentAdded' }, { type: 'WakeupRequested' }, { type: 'WakeupSkipped', data: { code: 'comment_loop' } });
  });

  it('are bounded by the policy of the one that is woken', () => {
    const agents = withFixer({ policy: { ...policy, maxAgentReplies: 1 } });
    given(opened(), ...replies(1))
      .when(addComment, { ...say, mentions: ['reviewer'] }, { actor: { type: 'agent', id: 'third' }, agents })
      .answering({
        wakeups: [
          { agent: 'fixer', code: 'comment_loop' },
          { agent: 'reviewer', status: 'queued' },
        ],
      })
      .then(
        { type: 'CommentAdded' },
        { type: 'WakeupRequested' },
        { type: 'WakeupSkipped' },
        { type: 'WakeupRequested' },
        { type: 'RunQueued' },
      );
  });

  it('are not stopped for good: a person’s word starts them again, and so does another status', () => {
    for (const between of [commented('word', { type: 'user', id: 'ada' }), movedTo('in_progress')])
      given(opened(), ...replies(9), between)
        .when(addComment, say, { actor: reviewer })
        .then({ type: 'CommentAdded' }, { type: 'WakeupRequested' }, { type: 'RunQueued' });
  });

  it('never keep a person from being heard', () =>
    given(opened(), ...replies(9))
      .when(addComment, say)
      .then({ type: 'CommentAdded' }, { type: 'WakeupRequested' }, { type: 'RunQueued' }));

  it('are refused in writing once a minute, and every comment is recorded', () => {
    const refused = [...replies(6), requested(1, about('reply-5'))] as const;
    const skipped = fact('WakeupSkipped', {
      wakeupId: wakeup(1),
      agent: 'fixer',
      code: 'comment_loop',
      skippedAt: at('11:59:30').toISOString(),
    });
    given(opened(), ...refused, skipped)
      .when(addComment, say, { actor: reviewer })
      .answering({ wakeups: [] })
      .then({ type: 'CommentAdded', data: { wakeupIds: [] } });
  });
});

describe('RemoveComment', () => {
  const remove = { company: 'acme', task: 'ACME-12', comment: 'c-1' };
  const asked = [commented('c-1', itself, [wakeup(2)]), requested(2, about('c-1'))] as const;

  it('gives up a run that was for nothing else', () =>
    given(opened(), ...asked, queued(1, { wakeupIds: [wakeup(2)], context: { commentIds: ['c-1'] } }))
      .when(removeComment, remove)
      .answering({ comment: { id: 'c-1', removed: true }, wakeups: [wakeup(2)], cancelledRuns: ['ACME-12.1'] })
      .then(
        { type: 'CommentRemoved', data: { commentId: 'c-1', wakeupIds: [wakeup(2)] } },
        { type: 'RunCancelled', data: { runId: 'ACME-12.1', code: 'comment_removed', intent: 'stop', wakeups: 'cancelled' } },
      ));

  it('does not leave an empty demand behind that waits', () =>
    given(...runningRun, ...asked, deferred(2, 1))
      .when(removeComment, remove)
      .answering({ wakeups: [wakeup(2)] })
      .then({ type: 'CommentRemoved' }, { type: 'WakeupCancelled', data: { wakeupId: wakeup(2), code: 'comment_removed' } }));

  const both = [
    ...runningRun,
    ...asked,
    deferred(2, 1),
    commented('c-2', itself, [wakeup(3)]),
    requested(3, about('c-2')),
    joined(3, 2, null, 'c-2'),
  ] as const;

  it('takes the comment out of a demand that carries another one', () =>
    given(...both)
      .when(removeComment, remove)
      .then({ type: 'CommentRemoved', data: { wakeupIds: [wakeup(2)] } }));

  it('gives up a demand whose comments were all removed, one after the other', () =>
    given(...both, removed('c-1', wakeup(2)))
      .when(removeComment, { ...remove, comment: 'c-2' })
      .then(
        { type: 'CommentRemoved', data: { commentId: 'c-2', wakeupIds: [wakeup(3)] } },
        { type: 'WakeupCancelled', data: { wakeupId: wakeup(2) } },
        { type: 'WakeupCancelled', data: { wakeupId: wakeup(3) } },
      ));

  it('leaves a run that was asked for by others as well', () =>
    given(...waitingRun, ...asked, joined(2, 1, 1, 'c-1'))
      .when(removeComment, remove)
      .then({ type: 'CommentRemoved', data: { wakeupIds: [wakeup(2)] } }));

  it('changes nothing of a run that was told of it already', () =>
    given(opened(), ...asked, queued(1, { wakeupIds: [wakeup(2)] }), started(1, { wakeupIds: [wakeup(2)] }))
      .when(removeComment, remove)
      .then({ type: 'CommentRemoved', data: { wakeupIds: [] } }));

  it('does so once', () =>
    given(opened(), commented('c-1', itself), removed('c-1'))
      .when(removeComment, remove)
      .answering({ comment: { id: 'c-1', removed: true } })
      .thenNothing());

  it('is its author’s right, and a person’s', () => {
    given(opened(), commented('c-1', itself)).when(removeComment, remove, { actor: itself }).then({ type: 'CommentRemoved' });
    for (const actor of [reviewer, machine])
      given(opened(), commented('c-1', itself))
        .when(removeComment, remove, { actor })
        .refuses('not_permitted', /fixer's/);
  });

  it('refuses a comment that is not there', () => {
    given(opened()).when(removeComment, remove).refuses('comment_not_found', /c-1/);
    given().when(removeComment, remove).refuses('task_not_found');
  });
});
