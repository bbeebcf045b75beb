import { addComment } from '../../src/commands/comment.js';
import { pauseAgent, putAgent, resumeAgent } from '../../src/commands/agent.js';
import { observeBlockers, setBlockers } from '../../src/commands/blockers.js';
import { interruptRun } from '../../src/commands/interrupt.js';
import { finishRun, recordProcess, reportRunLost } from '../../src/commands/run.js';
import { assignTask, putTask, setTaskStatus } from '../../src/commands/task.js';
import type { LaneEvent } from '../../src/events/lane.js';
import { story } from '../../src/projections/story.js';
import { fact, failed, machine, moving, parked, person, queued, requested, wakeup } from '../facts.js';
import { VirtualLedger } from '../virtual-ledger.js';
import { onTask } from './folded.js';

const task = 'ACME-12';

/** Assigned, blocked, unblocked, commented on while running, retried, paused, resumed, worker lost, recovered, done. */
async function tenSteps(): Promise<string[]> {
  const ledger = new VirtualLedger();
  const itself = { type: 'agent', id: 'fixer' } as const;
  const start = async () => (await ledger.claim('fixer'))[0]!;
  await ledger.send(putAgent, { agent: 'fixer' });
  await ledger.send(putTask, { task: 'ACME-9', title: 'Find the fault' });
  await ledger.send(putTask, { task, title: 'Mend the export' });
  await ledger.send(assignTask, { task, agent: 'fixer' });
  await ledger.send(setBlockers, { task, blockedBy: ['ACME-9'] });
  await ledger.claim('fixer');
  await ledger.send(setTaskStatus, { task: 'ACME-9', status: 'done' });
  await ledger.send(observeBlockers, { task, blockers: ['ACME-9'] }, { actor: machine });
  const first = await start();
  await ledger.send(setTaskStatus, { task, status: 'in_progress' }, { actor: itself });
  await ledger.send(addComment, { task, body: 'Please keep the old column names.' }, { actor: machine });
  await ledger.send(finishRun, { ...first, outcome: 'failed', exitCode: 1, error: '429 rate limited' });
  ledger.clock.advance(180_000);
  await ledger.promoteDue();
  const second = await start();
  await ledger.send(pauseAgent, { agent: 'fixer', reason: 'the test system is down' });
  await ledger.send(interruptRun, { run: second.run }, { actor: { type: 'system', id: 'policies' } });
  await ledger.send(finishRun, { ...second, outcome: 'cancelled' });
  await ledger.send(resumeAgent, { agent: 'fixer', reason: 'it is up again' });
  const third = await start();
  const process = { pid: 4711, pgid: 4711, host: 'laptop', startedAt: '2026-04-20T12:03:00.000Z' };
  await ledger.send(recordProcess, { ...third, ...process });
  await ledger.send(reportRunLost, { run: third.run, beaten: true }, { actor: { type: 'system', id: 'reaper' } });
  ledger.leases.revoke();
  ledger.clock.advance(60_000);
  await ledger.reap();
  const fourth = await start();
  await ledger.send(setTaskStatus, { task, status: 'done' }, { actor: itself });
  await ledger.send(finishRun, { ...fourth, outcome: 'succeeded', exitCode: 0 });
  return (await ledger.history(task)).map(story);
}

it('tells a task of ten steps to somebody who was not there', async () =>
  expect(await tenSteps()).toEqual([
    `ACME-12 "Mend the export" is opened as todo, nobody's`,
    `ACME-12 is fixer's from now on; it was nobody's`,
    'fixer is asked to run on ACME-12, because the task is assigned to it',
    'ACME-12.1 is queued for fixer, because the task is assigned to it',
    'ACME-12 waits until ACME-9 is done',
    'ACME-12.1 is not started any more: ACME-12 waits for ACME-9 (issue_dependencies_blocked)',
    'ACME-12 waits for ACME-9 no longer: ACME-9 is done',
    'fixer is asked to run on ACME-12, because nothing stands before the task any more',
    'ACME-12.2 is queued for fixer, because nothing stands before the task any more',
    'ACME-12.2 is started by laptop',
    'ACME-12 goes from todo to in_progress',
    'scheduler says "Please keep the old column names." on ACME-12, and wakes one agent',
    'fixer is asked to run on ACME-12, because there is a comment on its task',
    'this demand waits until fixer has finished ACME-12.2',
    'ACME-12.2 failed with exit code 1 (transient_upstream): 429 rate limited',
    'fixer is asked to run on ACME-12, because its run failed in a way that may pass',
    'ACME-12.3 waits until 2026-04-20 12:02:00 UTC to try ACME-12.2 again: retry 1 of 4, after 2m; it is told of one comment',
    'ACME-12.3 is queued, because it is due',
    'ACME-12.3 is started by laptop',
    'ACME-12.3 is handed back, to be done again: fixer is paused: the test system is down (agent_paused)',
    'ACME-12.4 is queued for fixer, to do what ACME-12.3 was at; it is told of one comment',
    'ACME-12.4 is started by laptop',
    'ACME-12.4 is process 4711 on laptop',
    'ACME-12.4 failed (process_lost): nothing was heard of laptop for a whole lease',
    'fixer is asked to run on ACME-12, because its process was lost',
    'ACME-12.5 is queued for fixer, because the process of ACME-12.4 was lost; it is told of one comment',
    'ACME-12.5 is started by laptop',
    'ACME-12 goes from in_progress to done',
    'ACME-12.5 succeeded',
  ]));

const noon = '2026-04-20T12:00:00.000Z';
const told = (event: LaneEvent): string => story(onTask([event])[0]!);
const said = { task, commentId: 'c-1', author: person, mentions: [], wakeupIds: [], addedAt: noon };

it.each<[string, LaneEvent]>([
  ['fixer is asked to run on ACME-12, because of "a customer waits"', requested(1, { reason: 'a customer waits' })],
  [
    'nothing comes of this demand on fixer: the task waits for A and B',
    fact('WakeupSkipped', {
      wakeupId: wakeup(1),
      agent: 'fixer',
      code: 'issue_dependencies_blocked',
      blockers: ['A', 'B'],
      skippedAt: noon,
    }),
  ],
  [
    'nothing comes of this demand on fixer: agents have answered each other for too long: a person has to say something first',
    fact('WakeupSkipped', { wakeupId: wakeup(1), agent: 'fixer', code: 'comment_loop', skippedAt: noon }),
  ],
  ['ada says "Is it done?" on ACME-12, and wakes nobody', fact('CommentAdded', { ...said, body: 'Is it\n done?' })],
  [
    'ada comments without words on ACME-12, mentions fixer and reviewer, and wakes 2 agents',
    fact('CommentAdded', { ...said, body: ' ', mentions: ['fixer', 'reviewer'], wakeupIds: [wakeup(1), wakeup(2)] }),
  ],
  [
    'ACME-12 waits until B, C, D, E, F and 2 more are done, not for A any more',
    fact('BlockersSet', { task, blockers: [...'ABCDEFGH'].map((name) => ({ task: name, open: name !== 'A' })), setAt: noon }),
  ],
  ['ACME-12 waits for no other task', fact('BlockersSet', { task, blockers: [], setAt: noon })],
  [
    'ACME-12 waits for A no longer: A was cancelled, not done',
    fact('BlockerResolved', { task, blocker: 'A', how: 'cancelled', note: 'A was cancelled, not done', resolvedAt: noon }),
  ],
  [
    'nothing on ACME-12 and the tasks below it starts from now on; what runs goes on: not before Monday',
    fact('TaskHeld', { task, reason: 'not before Monday', subtree: true, interrupt: false, heldAt: noon }),
  ],
  [
    'ACME-12.1 is started by laptop, to answer and not to work: ACME-12 still waits for A',
    fact('RunStarted', { ...moving(1, 'queued'), workerId: 'laptop', leaseMs: 1, blockedBy: ['A'], startedAt: noon }),
  ],
  [
    'the worker of ACME-12.1 is gone; its process goes on alone',
    fact('RunDetached', { runId: 'ACME-12.1', agent: 'fixer', detachedAt: noon }),
  ],
  [
    'the silence of ACME-12.1 means nothing, and is not raised again before it has spoken and fallen silent again: it compiles',
    fact('SilenceDecided', {
      runId: 'ACME-12.1',
      agent: 'fixer',
      decision: 'dismiss',
      until: null,
      reason: 'it compiles',
      decidedAt: noon,
    }),
  ],
  [
    'ACME-12.2 is queued for fixer, because ACME-12.1 failed and the task is not done',
    queued(2, { cause: 'assignment_recovery', retryOf: 'ACME-12.1' }),
  ],
  [
    'ACME-12.1 failed with exit code 1 (quota): 429 rate limited',
    failed(1, { errorFamily: 'quota', error: '429\nrate limited' }),
  ],
  [
    'ACME-12.2 waits until 2026-04-20 12:02:00 UTC to try ACME-12.1 again: retry 1 of 4, after 2m, by chance 2m6s',
    parked(2, { delayMs: 126_000 }),
  ],
  [
    'ACME-12.2 waits until 2026-04-20 12:02:00 UTC to try ACME-12.1 again: retry 1 of 4, because the provider said 2026-04-20 12:02:00 UTC',
    parked(2, { notBefore: '2026-04-20T12:02:00.000Z' }),
  ],
])('says: %s', (sentence, event) => expect(told(event)).toBe(sentence));
