import fc from 'fast-check';
import { putAgent } from '../../src/commands/agent.js';
import { addComment, removeComment } from '../../src/commands/comment.js';
import { Rejected } from '../../src/commands/decider.js';
import { promoteDueRetries } from '../../src/commands/promote-due-retries.js';
import { scheduleRetry } from '../../src/commands/retry.js';
import { cancelRun, finishRun } from '../../src/commands/run.js';
import { assignTask, putTask, setTaskStatus } from '../../src/commands/task.js';
import { cancelWakeup, requestWakeup } from '../../src/commands/wakeup.js';
import { lanes } from '../../src/events/evolve-lane.js';
import type { Actor } from '../../src/events/event.js';
import { commentIdsIn, type Lane, type LaneEvent } from '../../src/events/lane.js';
import { itself, person } from '../facts.js';
import { brokenLaws } from '../laws.js';
import { VirtualLedger, type Claimed } from '../virtual-ledger.js';

const task = 'ACME-12';
const reviewer: Actor = { type: 'agent', id: 'reviewer' };
const retry = { delaysMs: [60_000] };

async function newLedger(): Promise<VirtualLedger> {
  const ledger = new VirtualLedger();
  for (const agent of ['fixer', 'reviewer']) await ledger.send(putAgent, { agent, policy: { retry } });
  await ledger.send(putTask, { task, title: 'Mend the export', assignee: 'fixer', status: 'backlog' });
  return ledger;
}

const say = (ledger: VirtualLedger, commentId: string, actor = person, more: object = {}) =>
  ledger.answer(addComment, { task, commentId, body: 'please look', ...more }, actor);
const openRuns = async (ledger: VirtualLedger) => (await ledger.lane(task)).open;

describe('comments on a task', () => {
  it('that come during a run are one run after it, in their order, without the one that it began with (case 66)', async () => {
    const ledger = await newLedger();
    await say(ledger, 'c1');
    const [claimed] = await ledger.claim('fixer');
    await say(ledger, 'c2');
    await say(ledger, 'c3', reviewer);
    await ledger.send(finishRun, { ...claimed, outcome: 'succeeded' });
    expect(await openRuns(ledger)).toMatchObject([{ runId: 'ACME-12.2', context: { commentIds: ['c2', 'c3'] } }]);
  });

  it('join a queued run in their order, and leave the cause that was recorded of it as it was', async () => {
    const ledger = await newLedger();
    await ledger.send(requestWakeup, { agent: 'fixer', task, reason: 'look into it' });
    await say(ledger, 'c1');
    await say(ledger, 'c2', reviewer);
    expect(await openRuns(ledger)).toMatchObject([
      { context: { reason: 'look into it', commentIds: ['c1', 'c2'] }, comment: true },
    ]);
  });

  it('are not told to anybody any more once they are removed', async () => {
    const ledger = await newLedger();
    await ledger.send(requestWakeup, { agent: 'fixer', task });
    await say(ledger, 'c1');
    await say(ledger, 'c2');
    await ledger.send(removeComment, { task, comment: 'c1' });
    const [claimed] = await ledger.claim('fixer');
    await ledger.send(removeComment, { task, comment: 'c2' });
    expect(await ledger.last(task, 'CommentRemoved')).toMatchObject({ commentId: 'c2', wakeupIds: [] });
    await ledger.send(finishRun, { ...claimed, outcome: 'cancelled', intent: 'requeue' });
    expect(await openRuns(ledger)).toMatchObject([{ cause: 'requeued', context: { commentIds: [] } }]);
  });

  it('are not told to a retry either that an operator asks for after they were removed', async () => {
    const ledger = await newLedger();
    await say(ledger, 'c1', itself, { mentions: ['reviewer'] });
    const run = await ledger.work('reviewer', { outcome: 'failed', error: 'the build is broken' });
    await ledger.send(removeComment, { task, comment: 'c1' });
    await ledger.send(scheduleRetry, { run });
    expect(await openRuns(ledger)).toMatchObject([{ status: 'scheduled_retry', context: { commentIds: [] } }]);
  });

  it('are delivered to a run that starts after them, never to one at work', async () => {
    const ledger = await newLedger();
    await ledger.send(requestWakeup, { agent: 'fixer', task });
    const [claimed] = await ledger.claim('fixer');
    await say(ledger, 'c1');
    expect(await openRuns(ledger)).toMatchObject([
      { status: 'running', context: expect.not.objectContaining({ commentIds: ['c1'] }) },
    ]);
    await ledger.send(finishRun, { ...claimed, outcome: 'succeeded' });
    expect(await openRuns(ledger)).toMatchObject([{ status: 'queued', context: { commentIds: ['c1'] } }]);
  });

  it.each([
    ['succeeds', { outcome: 'succeeded' }],
    ['fails for good', { outcome: 'failed', error: 'the build is broken' }],
    ['fails and would be retried', { outcome: 'failed', error: '429 rate limited' }],
    ['times out', { outcome: 'timed_out' }],
    ['is stopped', { outcome: 'cancelled', intent: 'stop' }],
    ['is handed back', { outcome: 'cancelled', intent: 'requeue' }],
  ])('do not wait for ever when the run before them %s', async (_, ending) => {
    const ledger = await newLedger();
    await say(ledger, 'c1');
    const [claimed] = await ledger.claim('fixer');
    await say(ledger, 'c2');
    await ledger.send(finishRun, { ...claimed, ...ending });
    expect(await openRuns(ledger)).toMatchObject([{ status: 'queued', context: { commentIds: expect.arrayContaining(['c2']) } }]);
  });

  it('are answered on a task that was closed meanwhile, and do not reopen what a run has closed', async () => {
    const ledger = await newLedger();
    await say(ledger, 'c1');
    const [claimed] = await ledger.claim('fixer');
    await say(ledger, 'c2');
    await ledger.answer(setTaskStatus, { task, status: 'done' }, itself);
    await ledger.send(finishRun, { ...claimed, outcome: 'succeeded' });
    expect(await ledger.claim('fixer')).toMatchObject([{ run: 'ACME-12.2' }]);
    expect(await ledger.lane(task)).toMatchObject({ status: 'done', open: [{ context: { commentIds: ['c2'] } }] });
  });

  it('are there once, however many servers are told of them at the same time', async () => {
    const ledger = await newLedger();
    const servers = [ledger, ledger.another(), ledger.another()];
    const answers = await Promise.all(servers.map((server) => say(server, 'c1')));
    const [wakeups] = answers.map((answer) => answer.wakeups);
    expect(answers).toMatchObject(answers.map(() => ({ comment: { id: 'c1' }, wakeups })));
    expect(await ledger.lane(task)).toMatchObject({ comments: [{ id: 'c1' }], open: [{ context: { commentIds: ['c1'] } }] });
  });

  it('do not keep two agents talking for ever, and do not stop them for good', async () => {
    const ledger = await newLedger();
    await ledger.answer(addComment, { task, body: 'sort it out, @reviewer' });
    for (let round = 0; round < 20; round++)
      for (const [agent, other] of [
        ['fixer', 'reviewer'],
        ['reviewer', 'fixer'],
      ] as const) {
        const [claimed] = await ledger.claim(agent);
        if (!claimed) continue;
        await ledger.answer(addComment, { task, body: `after you, @${other}` }, { type: 'agent', id: agent });
        await ledger.send(finishRun, { ...claimed, outcome: 'succeeded' });
        ledger.clock.advance(120_000);
      }
    const { runs, open, agentReplies } = await ledger.lane(task);
    expect({ open, isBounded: runs <= 8, agentReplies }).toEqual({ open: [], isBounded: true, agentReplies: runs });
    await say(ledger, 'enough');
    await ledger.claim('fixer');
    await ledger.answer(addComment, { task, body: 'right, @reviewer' }, itself);
    expect(await openRuns(ledger)).toMatchObject([{ agent: 'fixer' }, { agent: 'reviewer' }]);
  });
});

const choices = fc.record({
  verb: fc.constantFrom(
    ...(['comment', 'comment', 'comment', 'remove', 'claim', 'claim', 'claim', 'finish', 'finish', 'finish'] as const),
    ...(['cancelRun', 'cancelWakeup', 'wake', 'setStatus', 'assign', 'promote', 'advance', 'reap'] as const),
  ),
  actor: fc.constantFrom<Actor>(person, person, itself, reviewer),
  agent: fc.constantFrom('fixer', 'reviewer'),
  mentions: fc.constantFrom<string[]>([], [], ['reviewer'], ['fixer', 'reviewer']),
  right: fc.constantFrom({}, {}, {}, { interrupt: true }, { reopen: true }, { resume: true }),
  status: fc.constantFrom('todo', 'in_progress', 'done', 'blocked', 'cancelled'),
  ending: fc.constantFrom(
    { outcome: 'succeeded' },
    { outcome: 'failed', error: '429 rate limited' },
    { outcome: 'failed', error: 'the build is broken' },
    { outcome: 'failed', errorCode: 'process_lost' },
    { outcome: 'cancelled', intent: 'requeue' },
    { outcome: 'cancelled', intent: 'stop' },
  ),
  pick: fc.nat({ max: 30 }),
});
type Choice = typeof choices extends fc.Arbitrary<infer T> ? T : never;

async function take(ledger: VirtualLedger, choice: Choice, n: number, claimed: Claimed[]): Promise<unknown> {
  const { verb, actor, agent, mentions, right, status, ending, pick } = choice;
  const { comments, open } = await ledger.lane(task);
  const lately = <T>(list: readonly T[]): T | undefined => list.at(-1 - (pick % 3));
  const [comment, held, run] = [lately(comments), lately(claimed), lately(open)];
  switch (verb) {
    case 'comment':
      return say(ledger, `c${n}`, actor, { mentions, ...(actor === person && right) });
    case 'remove':
      return comment && ledger.send(removeComment, { task, comment: comment.id });
    case 'claim':
      return claimed.push(...(await ledger.claim(agent)));
    case 'finish':
      return held && ledger.send(finishRun, { ...held, ...ending });
    case 'cancelRun':
      return run && ledger.send(cancelRun, { run: run.runId, reason: 'enough' });
    case 'cancelWakeup':
      return comment?.wakeupIds[0] && ledger.send(cancelWakeup, { task, wakeup: comment.wakeupIds[0], reason: 'no need' });
    case 'wake':
      return ledger.send(requestWakeup, { agent, task }, { actor });
    case 'setStatus':
      return ledger.send(setTaskStatus, { task, status }, { actor });
    case 'assign':
      return ledger.send(assignTask, { task, agent }, { actor });
    case 'promote':
      return ledger.send(promoteDueRetries, { company: undefined });
    case 'advance':
      return ledger.clock.advance(40_000);
    case 'reap':
      return ledger.reap();
  }
}

async function play(story: readonly Choice[]): Promise<VirtualLedger> {
  const ledger = await newLedger();
  const claimed: Claimed[] = [];
  for (const [n, choice] of story.entries())
    await take(ledger, choice, n, claimed).catch((error: unknown) => {
      if (!(error instanceof Rejected)) throw error;
    });
  return ledger;
}

/** Told from the log: of which comments the runs of each agent knew when they began, and which demands ended before that. */
function tale(history: readonly LaneEvent[]) {
  const told = new Map<string, number>();
  const over = new Set<string>();
  const removedAt = new Map<string, number>();
  const demands: { comment: string; agent: string; wakeupId: string }[] = [];
  let lane: Lane = lanes.initial;
  for (const [n, event] of history.entries()) {
    const run =
      'runId' in event.data ? lane.open.find(({ runId }) => 'runId' in event.data && runId === event.data.runId) : undefined;
    if (event.type === 'RunStarted') for (const id of commentIdsIn(run?.context ?? {})) told.set(`${event.data.agent} ${id}`, n);
    if (event.type === 'CommentRemoved') removedAt.set(event.data.commentId, n);
    if (event.type === 'WakeupRequested')
      for (const comment of commentIdsIn(event.data.payload)) demands.push({ ...event.data, comment });
    if (event.type === 'WakeupSkipped' || event.type === 'WakeupCancelled') {
      over.add(event.data.wakeupId);
      const unit = lane.waiting.find(({ wakeupId }) => wakeupId === event.data.wakeupId);
      if (event.type === 'WakeupSkipped') unit?.joined.forEach(({ wakeupId }) => over.add(wakeupId));
    }
    if (event.type === 'RunCancelled' && event.data.wakeups !== 'passed')
      [...event.data.wakeupIds, ...(run?.joined ?? [])].forEach((id) => over.add(id));
    lane = lanes.evolve(lane, event);
  }
  return { told, over, removedAt, demands, lane };
}

/** Comments that somebody was to be told of, and neither was, nor ever will be, nor was released from it. */
function lost(history: readonly LaneEvent[]): string[] {
  const { told, over, removedAt, demands, lane } = tale(history);
  const pending = new Set([
    ...lane.open.flatMap(({ agent, context }) => commentIdsIn(context).map((id) => `${agent} ${id}`)),
    ...lane.waiting.flatMap((unit) =>
      [unit, ...unit.joined].flatMap(({ agent, payload }) => commentIdsIn(payload).map((id) => `${agent} ${id}`)),
    ),
  ]);
  return demands
    .filter(({ comment, wakeupId }) => !removedAt.has(comment) && !over.has(wakeupId))
    .map(({ comment, agent }) => `${agent} ${comment}`)
    .filter((key) => !told.has(key) && !pending.has(key));
}

function toldInSpiteOfRemoval(history: readonly LaneEvent[]): string[] {
  const { told, removedAt } = tale(history);
  return [...told].filter(([key, n]) => (removedAt.get(key.split(' ')[1] ?? '') ?? Infinity) < n).map(([key]) => key);
}

describe('whatever is said, in whichever order', () => {
  it('keeps the laws of a lane, loses no comment, and tells of none that was removed', () =>
    fc.assert(
      fc.asyncProperty(fc.array(choices, { minLength: 20, maxLength: 60, size: 'max' }), async (story) => {
        const history = await (await play(story)).history(task);
        expect(brokenLaws(history, { maxAttempts: retry.delaysMs.length })).toEqual([]);
        expect({ lost: lost(history), toldInSpiteOfRemoval: toldInSpiteOfRemoval(history) }).toEqual({
          lost: [],
          toldInSpiteOfRemoval: [],
        });
      }),
      { numRuns: 150, interruptAfterTimeLimit: 20_000 },
    ));
});
