import fc from 'fast-check';
import { pauseAgent, putAgent, resumeAgent } from '../../src/commands/agent.js';
import { setBlockers } from '../../src/commands/blockers.js';
import { addComment, removeComment } from '../../src/commands/comment.js';
import { Rejected } from '../../src/commands/decider.js';
import { holdTask, releaseTask } from '../../src/commands/hold.js';
import { promoteDueRetries } from '../../src/commands/promote-due-retries.js';
import { cancelRun, finishRun } from '../../src/commands/run.js';
import { scheduleRetry } from '../../src/commands/retry.js';
import { assignTask, putTask, setTaskStatus } from '../../src/commands/task.js';
import { cancelWakeup, requestWakeup } from '../../src/commands/wakeup.js';
import { unopened, type Lane, type OpenRun } from '../../src/events/lane.js';
import { agents } from '../../src/projections/agents.js';
import { conservation } from '../../src/projections/conservation/conservation.js';
import { dashboard } from '../../src/projections/dashboard.js';
import { dueRetries } from '../../src/projections/due-retries.js';
import { LaneAccount } from '../../src/projections/conservation/lane-account.js';
import { foldLog } from '../../src/projections/projector/fold.js';
import { readyRuns } from '../../src/projections/ready-runs.js';
import { runStatus } from '../../src/projections/run-status.js';
import { taskCounts } from '../../src/projections/task-counts.js';
import { tasks } from '../../src/projections/tasks.js';
import { wakeupRequests } from '../../src/projections/wakeup-requests.js';
import { machine, person } from '../facts.js';
import { VirtualLedger, type Claimed } from '../virtual-ledger.js';
import { seeded, type Draw } from './history.js';

const agentNames = ['fixer', 'reviewer'];
const taskNames = ['ACME-1', 'ACME-2', 'ACME-3'];
const endings = [
  { outcome: 'succeeded' },
  { outcome: 'failed', error: '429 rate limited' },
  { outcome: 'failed', errorCode: 'process_lost' },
  { outcome: 'timed_out' },
  { outcome: 'cancelled', intent: 'requeue' },
  { outcome: 'cancelled', intent: 'stop' },
];

/** What the lanes are by their own fold, and what the read models make of the same log. */
async function told(seed: number) {
  const ledger = await playedLedger(seeded(seed));
  const log = await ledger.log();
  const lanes = await Promise.all(taskNames.map((task) => ledger.lane(task)));
  return { log, lanes, open: lanes.flatMap(({ open }) => open) };
}

describe('whatever commands decide, the read models agree with the lanes', () => {
  const seed = Date.now() % 2 ** 31;
  beforeAll(() => console.log(`seed ${seed}`));

  const agree = (compare: (history: Awaited<ReturnType<typeof told>>) => void) => () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 0 }), async (story) => compare(await told(story))),
      { seed, numRuns: 15 },
    );

  it(
    'about runs',
    agree(({ log, open }) => {
      const rows = foldLog(runStatus, log).filter(({ finished_at }) => finished_at === null);
      expect(byId(rows.map(({ run_id, agent, status, attempt, context }) => [run_id, agent, status, attempt, context]))).toEqual(
        byId(open.map(({ runId, agent, status, attempt, context }) => [runId, agent, status, attempt, context])),
      );
    }),
  );

  it(
    'about what is queued and what is parked',
    agree(({ log, lanes, open }) => {
      expect(
        foldLog(readyRuns, log)
          .map(({ run_id }) => run_id)
          .sort(),
      ).toEqual(ids(open, 'queued'));
      const parked = foldLog(dueRetries, log).flatMap((lane) => lane.parked);
      expect(
        byId(parked.map(({ runId, dueAt, wakeupIds, queuedAt, chain }) => [runId, dueAt, wakeupIds, queuedAt, chain])),
      ).toEqual(
        byId(
          withStatus(open, 'scheduled_retry').map(({ runId, parking, wakeupIds, queuedAt, chain }) => [
            runId,
            parking?.dueAt,
            wakeupIds,
            queuedAt,
            chain,
          ]),
        ),
      );
      for (const lane of foldLog(dueRetries, log)) {
        expect(lane.revision).toBe(log.findLast(({ subject }) => subject === lane.task)?.revision);
        const { kind, status: taskStatus, priority } = lanes.find(({ task }) => task === lane.task)!;
        for (const { place } of lane.parked) expect(place).toEqual({ kind, taskStatus, priority });
      }
    }),
  );

  it(
    'about tasks',
    agree(({ log, lanes }) => {
      const rows = foldLog(tasks, log).map(({ task, status, assignee, open_runs, running, blockers, held }) => [
        task,
        status,
        assignee,
        open_runs,
        running,
        blockers,
        held?.since,
      ]);
      expect(byId(rows)).toEqual(
        byId(
          lanes.map((lane) => [
            lane.task,
            lane.status,
            lane.assignee,
            lane.open.length,
            runningOn(lane),
            lane.blockers,
            lane.held?.since,
          ]),
        ),
      );
      for (const { task, revision } of foldLog(tasks, log))
        expect(revision).toBe(log.findLast(({ subject }) => subject === task)?.revision);
      const counted = foldLog(taskCounts, log).filter((row) => row.tasks > 0);
      expect(counted.reduce((sum, row) => sum + row.tasks, 0)).toBe(lanes.length);
    }),
  );

  it(
    'about counters',
    agree(({ log, open }) => {
      const days = foldLog(dashboard, log);
      const sum = (column: 'queued' | 'running' | 'parked') => days.reduce((total, day) => total + day[column], 0);
      const statuses = ['queued', 'running', 'scheduled_retry'] as const;
      expect([sum('queued'), sum('running'), sum('parked')]).toEqual(statuses.map((status) => withStatus(open, status).length));
      for (const { agent, queued, running, parked } of foldLog(agents, log)) {
        const own = open.filter((run) => run.agent === agent);
        expect([agent, queued, running, parked]).toEqual([agent, ...statuses.map((status) => withStatus(own, status).length)]);
      }
    }),
  );

  it(
    'about demands: none is lost, and each open one has its place',
    agree(({ log, lanes, open }) => {
      const rows = foldLog(wakeupRequests, log);
      expect(rows).toHaveLength(log.filter(({ type }) => type === 'WakeupRequested').length);
      const waiting = lanes.flatMap((lane) => lane.waiting.map(({ wakeupId }) => wakeupId));
      expect(
        rows
          .filter(({ status }) => status === 'deferred')
          .map(({ wakeup_id }) => wakeup_id)
          .sort(),
      ).toEqual(waiting.sort());
      const carried = open.flatMap((run) =>
        run.wakeupIds.map((id) => [id, run.runId, run.status === 'running' ? 'claimed' : 'queued']),
      );
      const shown = rows.filter(({ status }) => status === 'queued' || status === 'claimed');
      expect(byId(shown.map(({ wakeup_id, run, status }) => [wakeup_id, run, status]))).toEqual(byId(carried));
    }),
  );
});

describe('whatever commands decide', () => {
  const seed = Date.now() % 2 ** 31;
  beforeAll(() => console.log(`seed ${seed}`));

  it('every demand is accounted for, and as many are open as the lanes know', () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 0 }), async (story) => {
        const { log, lanes } = await told(story);
        const accounts = foldLog(conservation, log).map((row) => new LaneAccount(row).endAppend().row());
        expect(accounts.map(({ task, first_violation }) => [task, first_violation])).toEqual(
          accounts.map(({ task }) => [task, null]),
        );
        for (const { task, open } of accounts) expect(open).toBe(openDemands(lanes.find((lane) => lane.task === task)));
      }),
      { seed, numRuns: 15 },
    ));
});

const openDemands = ({ waiting, open }: Lane = unopened): number =>
  waiting.reduce((sum, { joined }) => sum + 1 + joined.length, 0) +
  open
    .filter(({ status }) => status !== 'running')
    .reduce((sum, { wakeupIds, joined }) => sum + wakeupIds.length + joined.length, 0);

const byId = (rows: readonly (readonly unknown[])[]) => rows.toSorted((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
const withStatus = (runs: readonly OpenRun[], status: OpenRun['status']) => runs.filter((run) => run.status === status);
const ids = (runs: readonly OpenRun[], status: OpenRun['status']) =>
  withStatus(runs, status)
    .map(({ runId }) => runId)
    .sort();
const runningOn = ({ open }: Lane) => open.find(({ status }) => status === 'running')?.runId ?? null;

async function playedLedger(draw: Draw): Promise<VirtualLedger> {
  const ledger = new VirtualLedger();
  for (const agent of agentNames) await ledger.send(putAgent, { agent, policy: { retry: { delaysMs: [60_000, 60_000] } } });
  for (const task of taskNames) await ledger.send(putTask, { task, title: 'Mend the export', assignee: agentNames[draw(2)] });
  const claimed: Claimed[] = [];
  for (let step = 0; step < 120; step++) await refusable(() => move(ledger, draw, claimed));
  return ledger;
}

async function move(ledger: VirtualLedger, draw: Draw, claimed: Claimed[]): Promise<unknown> {
  const agent = agentNames[draw(2)]!;
  const task = taskNames[draw(3)]!;
  const { open, waiting } = await ledger.lane(task);
  const run = open[0]?.runId;
  const wakeup = draw(2) ? waiting[0]?.wakeupId : open[0]?.wakeupIds[0];
  const { comments } = await ledger.lane(task);
  const comment = comments[draw(comments.length || 1)]?.id;
  const say = () =>
    ledger.send(
      addComment,
      { task, body: `look, @${agent}`, interrupt: draw(4) === 0 ? true : undefined },
      { actor: draw(3) ? person : { type: 'agent', id: agentNames[draw(2)]! } },
    );
  const unsay = () => comment && ledger.send(removeComment, { task, comment });
  const hold = () => (draw(2) ? ledger.send(holdTask, { task, subtree: draw(2) === 0 }) : ledger.send(releaseTask, { task }));
  const wake = () => ledger.send(requestWakeup, { agent, task, source: 'on_demand' }, { actor: draw(2) ? person : machine });
  const claim = async () => claimed.push(...(await ledger.claim(agent, { max: 2 })));
  const finish = () => claimed.length > 0 && ledger.send(finishRun, { ...claimed.shift(), ...endings[draw(endings.length)] });
  const often = [wake, wake, wake, wake, claim, claim, claim, finish, finish, finish, finish];
  const moves = [
    ...often,
    say,
    say,
    unsay,
    unsay,
    hold,
    () => ledger.send(setBlockers, { task, blockedBy: taskNames.filter((name) => name > task && draw(2)) }),
    () => ledger.clock.advance(45_000),
    () => ledger.send(promoteDueRetries, { company: undefined }),
    () => ledger.send(setTaskStatus, { task, status: ['todo', 'in_progress', 'in_progress', 'done', 'blocked'][draw(5)] }),
    () => ledger.send(assignTask, { task, agent }),
    () => (draw(4) ? ledger.send(resumeAgent, { agent, reason: 'quiet' }) : ledger.send(pauseAgent, { agent, reason: 'noisy' })),
    () => wakeup && ledger.send(cancelWakeup, { task, wakeup, reason: 'no need' }),
    () => run && ledger.send(cancelRun, { run, reason: 'enough' }),
    () => run && ledger.send(scheduleRetry, { run }),
  ];
  return moves[draw(moves.length)]!();
}

async function refusable(work: () => Promise<unknown>): Promise<void> {
  await work().catch((error: unknown) => {
    if (!(error instanceof Rejected)) throw error;
  });
}
