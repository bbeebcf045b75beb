import { putAgent, retryOf } from '../../src/commands/agent.js';
import { scheduleRetry } from '../../src/commands/retry.js';
import { putTask } from '../../src/commands/task.js';
import { requestWakeup } from '../../src/commands/wakeup.js';
import { agents, type Agent } from '../../src/events/agent.js';
import { agentStream, beginning, type Recorded } from '../../src/events/event.js';
import { lanes } from '../../src/events/evolve-lane.js';
import type { Lane, LaneEvent } from '../../src/events/lane.js';
import type { LedgerEvent } from '../../src/events/ledger-event.js';
import type { EventStore } from '../../src/event-store/event-store.js';
import { MemoryEventStore } from '../../src/event-store/memory.js';
import { periodOf, type Asked } from '../../src/projections/what-if/period.js';
import { redecide, type Failure } from '../../src/projections/what-if/redecide.js';
import { StreamsAt } from '../../src/projections/what-if/streams-at.js';
import { WhatIf, type WhatIfReport } from '../../src/projections/what-if/what-if.js';
import { at } from '../facts.js';
import { agents as modelAgents, drawSteps, policies } from '../model/steps.js';
import { Rig } from '../model/rig.js';
import { VirtualLedger } from '../virtual-ledger.js';
import { seeded } from './history.js';

type Fields = Parameters<typeof retryOf>[0];

async function whatIf(
  store: EventStore,
  fields: Fields,
  { company, ...asked }: Asked & { company?: string } = {},
): Promise<WhatIfReport> {
  const policy = { ...retryOf(fields), name: 'asked', version: 1 };
  const looking = new WhatIf(store).retryPolicy(policy, await periodOf(store, asked), company);
  for (;;) {
    const step = await looking.next();
    if (step.done) return step.value;
  }
}

const minute = 60_000;
const usual = { delaysMs: [minute, 10 * minute, 30 * minute] };
const transient = { outcome: 'failed', errorFamily: 'transient_upstream' };

describe('another retry policy', () => {
  let ledger: VirtualLedger;
  let store: EventStore;

  beforeEach(async () => {
    ledger = new VirtualLedger();
    store = ledger.ports.store;
    await ledger.send(putAgent, { agent: 'fixer', policy: { retry: usual } });
  });

  /** A run on a task of its own, that ends like this, and its retries after it, each when it is due. */
  async function chain(task: string, ...endings: readonly object[]): Promise<void> {
    await ledger.send(putTask, { task, title: task });
    await ledger.send(requestWakeup, { agent: 'fixer', task, source: 'on_demand' });
    for (const ending of endings) {
      await ledger.promoteDue();
      await ledger.work('fixer', ending);
      ledger.clock.advance(2 * 60 * minute);
    }
  }
  const failing = (times: number) => Array.from({ length: times }, () => transient);

  it('changes nothing if it is the one that was used, jitter included', async () => {
    ledger.clock.chance = 0.3;
    await chain('A-1', ...failing(2), { outcome: 'succeeded' });
    ledger.clock.chance = 0.9;
    await chain('A-2', ...failing(4));
    expect(await whatIf(store, usual)).toMatchObject({
      failures: 6,
      chains: 2,
      unchanged: 2,
      moved: 0,
      saved: 0,
      givenUp: 0,
      extraAttempts: { atLeast: 0, atMost: 0 },
      fewerAttempts: 0,
      addedWaitingMs: { count: 5, sum: 0, p50: 0, p95: 0 },
    });
  });

  it('tries again where a chain was given up, and does not say what comes of it', async () => {
    await chain('A-1', ...failing(4));
    expect(await whatIf(store, { delaysMs: [...usual.delaysMs, 60 * minute, 120 * minute] })).toMatchObject({
      chains: 1,
      saved: 1,
      recordedEnds: { saved: { succeeded: 0, failed: 1, cancelled: 0, open: 0 } },
      extraAttempts: { atLeast: 1, atMost: 2 },
      fewerAttempts: 0,
      addedWaitingMs: { count: 3, sum: 0 },
      extraWaitingMs: { count: 1, sum: 60 * minute, p50: 60 * minute },
    });
  });

  it('says of a saved chain that a person had it tried again, and that it succeeded', async () => {
    await ledger.send(putAgent, { agent: 'fixer', policy: { retry: { delaysMs: [] } } });
    await chain('A-1', { outcome: 'failed', errorFamily: 'bug' });
    await ledger.send(putAgent, { agent: 'fixer', policy: { retry: usual } });
    await ledger.send(scheduleRetry, { run: 'A-1.1' });
    ledger.clock.advance(minute);
    await ledger.promoteDue();
    await ledger.work('fixer', { outcome: 'succeeded' });
    expect(await whatIf(store, usual)).toMatchObject({ chains: 1, unchanged: 1, byHand: 1 });
    await ledger.send(putAgent, { agent: 'fixer', policy: { retry: { delaysMs: [] } } });
    await chain('A-2', transient);
    await ledger.send(putAgent, { agent: 'fixer', policy: { retry: usual } });
    await ledger.send(scheduleRetry, { run: 'A-2.1' });
    await ledger.promoteDue();
    await chain('A-3');
    ledger.clock.advance(minute);
    await ledger.promoteDue();
    await ledger.work('fixer', { outcome: 'succeeded' });
    await ledger.work('fixer', { outcome: 'succeeded' });
    expect(await whatIf(store, usual)).toMatchObject({
      chains: 2,
      saved: 1,
      recordedEnds: { saved: { succeeded: 1, failed: 0 } },
      byHand: 2,
    });
  });

  it('gives up sooner, and says which of those had succeeded', async () => {
    await chain('A-1', ...failing(2), { outcome: 'succeeded' });
    await chain('A-2', ...failing(4));
    await chain('A-3', transient, { outcome: 'succeeded' });
    await chain('A-4', ...failing(2));
    expect(await whatIf(store, { delaysMs: [minute] })).toMatchObject({
      chains: 4,
      unchanged: 1,
      givenUp: 3,
      recordedEnds: { givenUp: { succeeded: 1, failed: 1, cancelled: 0, open: 1 } },
      // The second retry of, and the third one of A-2.
      fewerAttempts: 4,
      extraAttempts: { atLeast: 0, atMost: 0 },
      addedWaitingMs: { count: 4, sum: 0 },
    });
  });

  it('adds up by how much attempts are due later, and earlier', async () => {
    await chain('A-1', ...failing(3), { outcome: 'succeeded' });
    const later = { delaysMs: [3 * minute, 9 * minute, 130 * minute] };
    expect(await whatIf(store, later)).toMatchObject({
      moved: 1,
      unchanged: 0,
      addedWaitingMs: { count: 3, sum: (2 - 1 + 100) * minute, p50: 2 * minute, p95: 100 * minute },
    });
  });

  it("keeps a provider's time in force", async () => {
    await chain('A-1', { ...transient, retryAfter: '3600' }, { outcome: 'succeeded' });
    expect(await whatIf(store, { delaysMs: [minute] })).toMatchObject({ unchanged: 1 });
    expect(await whatIf(store, { delaysMs: [2 * 60 * minute] })).toMatchObject({
      moved: 1,
      addedWaitingMs: { sum: 60 * minute },
    });
    expect(await whatIf(store, { delaysMs: [minute], maxNotBeforeMs: 30 * minute })).toMatchObject({
      moved: 1,
      addedWaitingMs: { sum: -30 * minute },
    });
  });

  it('counts what is taken up at once as an attempt, and its bound as one', async () => {
    await ledger.send(putTask, { task: 'B-1', title: 'B-1', assignee: 'fixer' });
    await ledger.work('fixer', { outcome: 'timed_out' });
    expect(await whatIf(store, usual)).toMatchObject({ chains: 1, unchanged: 1, addedWaitingMs: { count: 1, sum: 0 } });
    expect(await whatIf(store, { delaysMs: [] })).toMatchObject({
      givenUp: 1,
      fewerAttempts: 1,
      recordedEnds: { givenUp: { open: 1 } },
    });
  });

  it('looks at the company and at the period that it is asked for', async () => {
    await chain('A-1', ...failing(4));
    const [failure] = (await ledger.history('A-1')).filter(({ type }) => type === 'RunFailed');
    const last = await store.head();
    expect(await whatIf(store, usual, { company: 'other' })).toMatchObject({ company: 'other', failures: 0 });
    expect(await whatIf(store, usual, { to: failure!.position })).toMatchObject({
      failures: 1,
      unchanged: 1,
      period: { from: '0000000000000001', to: failure!.position, lastAt: failure!.recordedAt },
    });
    expect(await whatIf(store, usual, { from: failure!.position, to: failure!.position })).toMatchObject({
      events: 1,
      unchanged: 1,
    });
    expect(await whatIf(store, usual, { from: at('15:00').toISOString() })).toMatchObject({ failures: 2, unchanged: 1 });
    expect(await whatIf(store, usual, { from: String(Number(failure!.position) + 1), to: last })).toMatchObject({ failures: 3 });
  });

  it.each([
    [{ from: '9000' }, 'from', 'from is 9000: the log ends at position'],
    [{ from: '2030-01-01T00:00:00Z' }, 'from', 'from is 2030-01-01T00:00:00Z: the log ends at position'],
    [{ to: '2020-01-01T00:00:00Z' }, 'to', 'the log begins with position 1, recorded 2026-04-20T12:00:00.000Z; give a later one'],
    [{ from: '5', to: '3' }, 'from', 'from is 5 and to is 3: nothing was recorded between them'],
    [{ from: 'noon' }, 'from', 'from is "noon": give a time such as'],
    [{ to: '2026-02-30T00:00:00Z' }, 'to', 'give a time such as'],
  ])('says of the period %j what is wrong with it', async (asked, field, sentence) => {
    await chain('A-1', transient);
    await expect(periodOf(store, asked)).rejects.toMatchObject({ field, message: expect.stringContaining(sentence) });
  });

  it('has nothing to look at in an empty ledger', async () => {
    await expect(periodOf(new MemoryEventStore(), {})).rejects.toThrow('nothing has been recorded yet');
  });
});

it('knows streams as they stood at a place of the log, also those that it had forgotten', async () => {
  const ledger = new VirtualLedger();
  const names = ['a', 'b', 'c'].map((agent) => agentStream('acme', agent));
  for (const max of [1, 2, 3, 4])
    for (const agent of ['a', 'b', 'c']) await ledger.send(putAgent, { agent, policy: { maxConcurrentRuns: max } });
  const log = await ledger.log();
  const counted = { initial: 0, evolve: (count: number) => count + 1 };
  const streams = new StreamsAt(ledger.ports.store, counted, 2);
  for (const [done, event] of log.entries()) {
    const asked = [names[done % 2]!, names[2]!];
    await streams.load(asked, log[done - 1]?.position ?? beginning);
    const before = (stream: string) => log.slice(0, done).filter((each) => each.stream === stream).length;
    expect(asked.map((stream) => streams.at(stream))).toEqual(asked.map(before));
    streams.advance(event);
  }
  expect(names.filter((name) => streams.at(name) !== undefined)).toHaveLength(2);
});

/** All failures of a log, as they were decided on. */
function failuresOf(log: readonly Recorded<LedgerEvent>[]): Failure[] {
  const states = new Map<string, Lane>();
  const known = new Map<string, Agent | undefined>();
  const failures: (Failure & { followed: LaneEvent[] })[] = [];
  for (const event of log) {
    const { stream, type, metadata } = event;
    const last = failures.at(-1);
    if (last?.event.stream === stream && last.event.metadata.commandId === metadata.commandId)
      last.followed.push({ type, data: event.data } as LaneEvent);
    const lane = states.get(stream) ?? lanes.initial;
    if (event.type === 'RunFailed' || event.type === 'RunTimedOut')
      failures.push({ event, lane, agent: known.get(agentStream('acme', event.data.agent))!, followed: [] });
    if (stream.startsWith('task-')) states.set(stream, lanes.evolve(lane, event as Recorded<LaneEvent>));
    if (stream.startsWith('agent-')) known.set(stream, agents.evolve(known.get(stream), event as never));
  }
  return failures;
}

/** The same log in small pages, so that appends are parted. */
const inPagesOf = (size: number, store: EventStore): EventStore =>
  new Proxy(store, {
    get(target, name: keyof EventStore) {
      if (name !== 'readAll') return target[name].bind(target);
      return (options: Parameters<EventStore['readAll']>[0]) =>
        target.readAll({ ...options, limit: Math.min(size, options.limit) });
    },
  });

const seed = Number(process.env.SEED ?? 20_260_420);

it(`decides on random histories what was decided, under the same policy (SEED=${seed})`, async () => {
  let seen = 0;
  for (let n = 0; n < 60; n++) {
    const rig = await Rig.open();
    const retry = { delaysMs: [...policies.fixer.retry.delaysMs] };
    for (const agent of modelAgents) await rig.ledger.send(putAgent, { agent, policy: { ...policies[agent], retry } });
    const draw = seeded((seed + n) * 7_919 + 1);
    for (const step of drawSteps(draw, 120)) {
      rig.ledger.clock.chance = draw(1_000) / 999;
      await rig.do(step);
      if (!step.lag) await rig.react();
    }
    const log = await rig.ledger.ports.store.readAll<LedgerEvent>({ after: beginning, limit: 100_000 });
    const failures = failuresOf(log);
    for (const failure of failures)
      expect({ seed: seed + n, events: redecide(failure, failure.agent.policy.retry) }).toEqual({
        seed: seed + n,
        events: failure.followed,
      });
    for (const store of [rig.ledger.ports.store, inPagesOf(3, rig.ledger.ports.store)]) {
      const report = await whatIf(store, retry);
      const { chains, addedWaitingMs } = report;
      expect({ seed: seed + n, ...report }).toMatchObject({
        seed: seed + n,
        failures: failures.length,
        unchanged: chains,
        fewerAttempts: 0,
      });
      expect(report.extraAttempts).toEqual({ atLeast: 0, atMost: 0 });
      expect(addedWaitingMs).toMatchObject({ sum: 0, p50: 0, p95: 0 });
      seen += addedWaitingMs.count;
    }
  }
  // Two hundred attempts at the least, or the histories say nothing.
  expect(seen).toBeGreaterThan(200);
});

it(`comes to the same in small pages, whatever the policy (SEED=${seed})`, async () => {
  let different = 0;
  for (let n = 0; n < 20; n++) {
    const rig = await Rig.open();
    const draw = seeded((seed + n) * 104_729 + 3);
    for (const step of drawSteps(draw, 120)) {
      rig.ledger.clock.chance = draw(1_000) / 999;
      await rig.do(step);
    }
    const { store } = rig.ledger.ports;
    const fields = { delaysMs: Array.from({ length: draw(5) }, () => 1_000 + draw(1_000_000)), jitterRatio: draw(5) / 4 };
    const whole = await whatIf(store, fields);
    expect({ seed: seed + n, ...(await whatIf(inPagesOf(1 + draw(4), store), fields)) }).toEqual({ seed: seed + n, ...whole });
    expect(whole.unchanged + whole.moved + whole.saved + whole.givenUp).toBe(whole.chains);
    different += whole.moved + whole.saved + whole.givenUp;
  }
  expect(different).toBeGreaterThan(20);
});
