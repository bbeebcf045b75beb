import { pauseAgent, putAgent, resumeAgent, terminateAgent } from '../../src/commands/agent.js';
import { claimRuns } from '../../src/commands/claim-runs.js';
import { holdCompany, releaseCompany } from '../../src/commands/company.js';
import { Rejected } from '../../src/commands/decider.js';
import { holdTask, releaseTask } from '../../src/commands/hold.js';
import { finishRun } from '../../src/commands/run.js';
import { putTask } from '../../src/commands/task.js';
import { requestWakeup } from '../../src/commands/wakeup.js';
import { toWrite } from '../../src/commands/write.js';
import { nameUuid, taskStream } from '../../src/events/event.js';
import { MemoryEventStore } from '../../src/event-store/memory.js';
import { AgentsQueries } from '../../src/projections/agent-queries.js';
import { agents } from '../../src/projections/agents.js';
import { DueRetriesQueries, dueRetries } from '../../src/projections/due-retries.js';
import { holds } from '../../src/projections/holds.js';
import { ReadyRunsQueries, readyRuns } from '../../src/projections/ready-runs.js';
import { RunStatusQueries } from '../../src/projections/run-queries.js';
import { runStatus } from '../../src/projections/run-status.js';
import { tasks } from '../../src/projections/tasks.js';
import { WakeupRequestsQueries } from '../../src/projections/wakeup-queries.js';
import { wakeupRequests } from '../../src/projections/wakeup-requests.js';
import { fact, machine } from '../facts.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { heldIn } from '../folded-holds.js';
import { VirtualClock, VirtualLedger } from '../virtual-ledger.js';
import { anyProjection } from '../../src/projections/projection.js';
import { seeded, type Draw } from './history.js';
import { ReadSide } from './read-side.js';

const names = ['fixer', 'reviewer'];
const rateLimited = { outcome: 'failed', error: '429 rate limited' } as const;
/** Four levels; T-8 comes to be a part of T-7 as well. */
const parents: Readonly<Record<string, string | null>> = {
  'T-1': null,
  'T-2': 'T-1',
  'T-3': 'T-2',
  'T-4': 'T-3',
  'T-5': 'T-1',
  'T-6': null,
  'T-7': 'T-8',
  'T-8': null,
};
const taskNames = Object.keys(parents);

const clock = new VirtualClock();
const store = new MemoryEventStore({ now: clock.now });
const ledger = new VirtualLedger({ store, clock });
let database: TestDatabase;
let side: ReadSide;

beforeAll(async () => {
  database = await freshDatabase();
  side = new ReadSide(
    database.url,
    store,
    [dueRetries, readyRuns, holds, tasks, agents, runStatus, wakeupRequests].map(anyProjection),
  );
  await side.start();
  for (const company of ['acme', 'globex']) await fill(company);
});
afterAll(async () => {
  await side.stop();
  await database.drop();
});

/** On each task one agent's retry is parked, and the other's run is queued. */
async function fill(company: string): Promise<void> {
  for (const agent of names) await ledger.send(putAgent, { company, agent });
  for (const [n, task] of taskNames.entries()) {
    const assignee = names[n % 2]!;
    await ledger.send(putTask, { company, task, title: task, parent: parents[task], assignee });
    const claimed = await ledger.answer(claimRuns, {
      company,
      agent: assignee,
      workerId: 'laptop',
      requestId: `${company} ${n}`,
    });
    for (const { run, lease } of claimed.runs)
      await ledger.send(finishRun, { company, run: run.id, lease: lease.token, ...rateLimited });
    clock.advance(1_000);
  }
  await closeRing(company);
  for (const [n, task] of taskNames.entries())
    await ledger.send(requestWakeup, { company, agent: names[(n + 1) % 2], task }, { actor: machine });
}

/** What only two simultaneous changes can do: each of them was decided before it had heard of the other. */
async function closeRing(company: string): Promise<void> {
  const change = { task: 'T-8', title: 'T-8', priority: 'medium', labels: [], parent: 'T-7', queuedRuns: [] } as const;
  const revision = (await ledger.history('T-8', company)).length - 1;
  const event = fact('TaskChanged', { ...change, changedAt: clock.now().toISOString() });
  const context = { commandId: nameUuid(company, 'ring'), actor: machine };
  await store.append([toWrite(taskStream(company, 'T-8'), revision, [event], context, undefined)]);
}

const now = () => new Date(clock.now().getTime() + 3_600_000).toISOString();

/** What the database says is what the log says. */
async function expectAgreement(): Promise<void> {
  await side.caughtUp();
  const due = new DueRetriesQueries(side.readModels, side.progress);
  expect(await due.due(now(), 100, {})).toEqual(await ledger.ports.dueRetries.due(now(), 100, {}));
  expect(await due.nextDue()).toEqual(await ledger.ports.dueRetries.nextDue());
  const ready = new ReadyRunsQueries(side.readModels, side.progress);
  for (const company of ['acme', 'globex'])
    for (const agent of names)
      expect(await ready.candidates(company, agent, 100)).toEqual(await ledger.ports.readyRuns.candidates(company, agent, 100));
  for (const company of ['acme', 'globex']) await expectShownAsHeld(company);
}

async function expectShownAsHeld(company: string): Promise<void> {
  const held = heldIn(await ledger.log());
  const { items: runs } = await new RunStatusQueries(side.readModels).list(company, {}, { limit: 100 });
  const { items: demands } = await new WakeupRequestsQueries(side.readModels).list(company, {}, { limit: 100 });
  const waits = (work: { company: string; task: string; agent: string }) =>
    held.lane(work) || (held.agent(work) && !held.isTerminated(work));
  expect(runs.map((run) => [run.id, run.held === true])).toEqual(
    runs.map((run) => [run.id, ['queued', 'scheduled_retry'].includes(run.status) && waits(run)]),
  );
  const { items: counted } = await new AgentsQueries(side.readModels).list(company, {});
  expect(counted.map(({ id, counts }) => [id, counts.held])).toEqual(
    counted.map(({ id }) => [id, runs.filter((run) => run.agent === id && run.held).length]),
  );
  expect(demands.map((demand) => [demand.id, demand.held === true])).toEqual(
    demands.map((demand) => [demand.id, demand.status === 'queued' && waits(demand)]),
  );
}

describe('what is held', () => {
  const acme = { company: 'acme' };

  it('is nothing at first, and all is offered', async () => {
    await expectAgreement();
    const due = new DueRetriesQueries(side.readModels, side.progress);
    expect((await due.due(now(), 100, acme)).map(({ held }) => held)).toEqual(taskNames.map(() => []));
  });

  it('is all below a task that is held with its subtree, by whatever ring of parents it is reached', async () => {
    await ledger.send(holdTask, { ...acme, task: 'T-2', subtree: true });
    await ledger.send(holdTask, { ...acme, task: 'T-7', subtree: true });
    await ledger.send(holdTask, { ...acme, task: 'T-1' });
    await expectAgreement();
    const due = await new DueRetriesQueries(side.readModels, side.progress).due(now(), 100, acme);
    const isHeld = Object.fromEntries(due.map(({ task, held }) => [task, held.length > 0]));
    expect(isHeld).toEqual({
      'T-1': true,
      'T-2': true,
      'T-3': true,
      'T-4': true,
      'T-5': false,
      'T-6': false,
      'T-7': true,
      'T-8': true,
    });
    for (const task of ['T-1', 'T-2', 'T-7']) await ledger.send(releaseTask, { ...acme, task });
    await expectAgreement();
  });

  it('is the same by the database and by the log, whatever is held and released', async () => {
    const seed = Date.now() % 2 ** 31;
    console.log(`seed ${seed}`);
    const draw = seeded(seed);
    for (let step = 0; step < 40; step++) {
      await change(draw).catch((error: unknown) => {
        if (!(error instanceof Rejected)) throw error;
      });
      await expectAgreement();
    }
  });

  it('is not what a terminated agent had to do: that ends', async () => {
    for (const agent of names) await ledger.send(terminateAgent, { company: 'globex', agent });
    await ledger.send(releaseCompany, { company: 'globex' });
    for (const task of taskNames) await ledger.send(releaseTask, { company: 'globex', task });
    await expectAgreement();
    const { items } = await new RunStatusQueries(side.readModels).list('globex', {}, { limit: 100 });
    expect(items.filter(({ held }) => held)).toEqual([]);
  });
});

async function change(draw: Draw): Promise<unknown> {
  const company = ['acme', 'acme', 'globex'][draw(3)]!;
  const task = taskNames[draw(taskNames.length)]!;
  const agent = names[draw(2)]!;
  const moves = [
    () => ledger.send(holdTask, { company, task, subtree: draw(2) === 1 }),
    () => ledger.send(holdTask, { company, task, subtree: true }),
    () => ledger.send(releaseTask, { company, task }),
    () => ledger.send(releaseTask, { company, task }),
    () => ledger.send(pauseAgent, { company, agent }),
    () => ledger.send(resumeAgent, { company, agent }),
    () => ledger.send(resumeAgent, { company, agent }),
    () => (draw(3) ? ledger.send(releaseCompany, { company }) : ledger.send(holdCompany, { company })),
    () => ledger.send(putTask, { company, task, title: task, parent: draw(2) ? taskNames[draw(taskNames.length)] : null }),
  ];
  return moves[draw(moves.length)]!();
}
