import fc from 'fast-check';
import { pauseAgent, putAgent, resumeAgent, terminateAgent } from '../../src/commands/agent.js';
import { Contention, Rejected } from '../../src/commands/decider.js';
import { claimRuns } from '../../src/commands/claim-runs.js';
import { promoteDueRetries } from '../../src/commands/promote-due-retries.js';
import { retryNow, scheduleRetry } from '../../src/commands/retry.js';
import { cancelRun, finishRun, recordProcess } from '../../src/commands/run.js';
import { assignTask, putTask, setTaskStatus } from '../../src/commands/task.js';
import { cancelWakeup, requestWakeup } from '../../src/commands/wakeup.js';
import { lanes } from '../../src/events/evolve-lane.js';
import type { Actor } from '../../src/events/event.js';
import { brokenLaws } from '../laws.js';
import { itself, machine, person } from '../facts.js';
import { VirtualLedger, type Claimed } from '../virtual-ledger.js';

const agents = ['fixer', 'reviewer'] as const;
const tasks = ['ACME-1', 'ACME-2', 'heartbeat~fixer'] as const;
const retry = { delaysMs: [60_000] };

/** How often each is asked, beside the others. */
const weights = {
  wake: 6,
  claim: 12,
  finish: 12,
  cancelRun: 1,
  scheduleRetry: 3,
  retryNow: 1,
  cancelWakeup: 1,
  recordProcess: 1,
  promote: 4,
  advance: 4,
  reap: 2,
  assign: 1,
  setStatus: 2,
  pause: 0.5,
  resume: 3,
  terminate: 0.05,
};
type Verb = keyof typeof weights;
const verbs = Object.entries(weights) as [Verb, number][];

const endings = [
  { outcome: 'succeeded' },
  { outcome: 'failed', error: '429 rate limited' },
  { outcome: 'failed', error: '503 service unavailable' },
  { outcome: 'failed', errorFamily: 'quota', retryAfter: '3600' },
  { outcome: 'failed', errorCode: 'process_lost' },
  { outcome: 'failed', error: 'the build is broken' },
  { outcome: 'timed_out' },
  { outcome: 'cancelled', intent: 'requeue' },
  { outcome: 'cancelled', intent: 'stop' },
] as const;

/** One choice of everything; a verb takes what it needs of it. */
const asked = fc.record({
  verb: fc.oneof(...verbs.map(([verb, weight]) => ({ weight: weight * 20, arbitrary: fc.constant(verb) }))),
  agent: fc.constantFrom(...agents),
  task: fc.constantFrom(...tasks),
  actor: fc.constantFrom<Actor>(person, machine, machine, itself),
  source: fc.constantFrom('on_demand', 'timer', 'automation'),
  ending: fc.constantFrom(...endings),
  intent: fc.constantFrom('stop', 'requeue'),
  status: fc.constantFrom('backlog', 'todo', 'in_progress', 'done', 'blocked'),
  ms: fc.constantFrom(10_000, 60_000, 7_200_000),
  pick: fc.nat({ max: 40 }),
  /** by another process, which knows what it has read so far */
  elsewhere: fc.boolean(),
});
type Asked = typeof asked extends fc.Arbitrary<infer T> ? T : never;

/** What is asked at once races: each decides on what it knows, and one of them appends first. */
const moments = fc.array(fc.array(asked, { minLength: 1, maxLength: 3 }), { minLength: 30, maxLength: 90, size: 'max' });

interface Known {
  readonly claimed: Claimed[];
  readonly runs: readonly string[];
  readonly wakeups: readonly { task: string; wakeup: string }[];
}

/** One of the last few. */
const oneOf = <T>(list: readonly T[], pick: number): T | undefined =>
  list.slice(-4)[pick % Math.max(Math.min(list.length, 4), 1)];

async function ask(ledger: VirtualLedger, choice: Asked, { claimed, runs, wakeups }: Known): Promise<unknown> {
  const { agent, task, actor, source, ending, intent, status, ms, pick } = choice;
  const held = oneOf(claimed, pick);
  const run = oneOf(runs, pick);
  const wakeup = oneOf(wakeups, pick);
  switch (choice.verb) {
    case 'wake':
      return ledger.send(requestWakeup, task === 'heartbeat~fixer' ? { agent: 'fixer', source } : { agent, task, source }, {
        actor,
      });
    case 'claim':
      return claim(ledger, agent, pick, claimed);
    case 'finish':
      return held && ledger.send(finishRun, { ...held, ...ending });
    case 'cancelRun':
      return run && ledger.send(cancelRun, { run, reason: 'enough', intent });
    case 'scheduleRetry':
      return run && ledger.send(scheduleRetry, { run });
    case 'retryNow':
      return run && ledger.send(retryNow, { run });
    case 'cancelWakeup':
      return wakeup && ledger.send(cancelWakeup, { ...wakeup, reason: 'no need' });
    case 'recordProcess':
      return held && ledger.send(recordProcess, { ...held, pid: 4_711, host: 'laptop', startedAt: '2026-04-20T12:00:00Z' });
    case 'promote':
      return ledger.send(promoteDueRetries, { company: undefined });
    case 'advance':
      return ledger.clock.advance(ms);
    case 'reap':
      return ledger.reap();
    case 'assign':
      return ledger.send(assignTask, { task, agent: pick === 0 ? null : agent }, { actor });
    case 'setStatus':
      return ledger.send(setTaskStatus, { task, status }, { actor });
    case 'pause':
      return ledger.send(pauseAgent, { agent });
    case 'resume':
      return ledger.send(resumeAgent, { agent });
    case 'terminate':
      return ledger.send(terminateAgent, { agent: 'reviewer' });
  }
}

async function claim(ledger: VirtualLedger, agent: string, pick: number, claimed: Claimed[]): Promise<void> {
  const { answer } = await ledger.send(claimRuns, { agent, workerId: 'laptop', requestId: `request-${pick}`, max: 2 });
  claimed.push(...answer.runs.map(({ run, lease }) => ({ run: run.id, lease: lease.token })));
}

async function play(story: readonly (readonly Asked[])[]): Promise<VirtualLedger> {
  const ledger = await newLedger();
  const other = ledger.another();
  const claimed: Claimed[] = [];
  for (const moment of story) {
    const log = await ledger.log();
    const runs = log.flatMap(({ type, data }) => (type === 'RunQueued' || type === 'RetryScheduled' ? [data.runId] : []));
    const wakeups = log.flatMap(({ type, data, subject }) =>
      type === 'WakeupRequested' ? [{ task: subject, wakeup: data.wakeupId }] : [],
    );
    await Promise.all(
      moment.map((choice) => orRefused(ask(choice.elsewhere ? other : ledger, choice, { claimed, runs, wakeups }))),
    );
  }
  return ledger;
}

async function newLedger(): Promise<VirtualLedger> {
  const ledger = new VirtualLedger();
  for (const agent of agents) await ledger.send(putAgent, { agent, policy: { retry, heartbeat: { enabled: true } } });
  await ledger.send(putTask, { task: 'ACME-1', title: 'Mend the export', assignee: 'fixer' });
  await ledger.send(putTask, { task: 'ACME-2', title: 'Write the manual', assignee: 'reviewer', kind: 'routine' });
  return ledger;
}

async function orRefused(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof Rejected) && !(error instanceof Contention)) throw error;
  }
}

describe('whatever is asked, in whichever order', () => {
  it('keeps the laws of a lane', () =>
    fc.assert(
      fc.asyncProperty(moments, async (story) => {
        const ledger = await play(story);
        for (const task of tasks)
          expect(brokenLaws(await ledger.history(task), { maxAttempts: retry.delaysMs.length })).toEqual([]);
      }),
      { numRuns: 60, interruptAfterTimeLimit: 20_000 },
    ));

  it("folds a lane's facts in any order without a throw", async () => {
    const ledger = await play(fc.sample(moments, { numRuns: 1, seed: 7 })[0]!);
    const facts = (await Promise.all(tasks.map((task) => ledger.history(task)))).flat();
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...facts), { maxLength: 100 }), (events) => {
        expect(() => events.reduce(lanes.evolve, lanes.initial)).not.toThrow();
      }),
    );
  });
});
