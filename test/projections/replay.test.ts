import type { JsonObject, Recorded } from '../../src/events/event.js';
import { lanes } from '../../src/events/evolve-lane.js';
import type { LaneEvent } from '../../src/events/lane.js';
import type { LedgerEvent } from '../../src/events/ledger-event.js';
import { MemoryEventStore } from '../../src/event-store/memory.js';
import { LaneStory } from '../../src/projections/replay/lane-story.js';
import type { PageRequest } from '../../src/projections/paging.js';
import { ReplayQueries, type Replay } from '../../src/projections/replay/replay-queries.js';
import { standingOf } from '../../src/projections/replay/standing.js';
import { differencesInWords } from '../../src/projections/replay/difference-in-words.js';
import { apply, differences, type Difference } from '../../src/projections/replay/state-diff.js';

import { opened, queued, requested, started, succeeded } from '../facts.js';
import { onTask } from './folded.js';
import { History, seeded } from './history.js';

describe('the differences between two states', () => {
  const differ = (from: JsonObject, to: JsonObject, ...changes: Difference[]) => expect(differences(from, to)).toEqual(changes);

  it('are the smallest values that are not the same', () => {
    differ({ a: 1, b: { c: 'x', d: [1] } }, { a: 1, b: { c: 'y', d: [1] } }, { path: ['b', 'c'], from: 'x', to: 'y' });
    differ({ a: [1, 2] }, { a: [2, 1] }, { path: ['a'], from: [1, 2], to: [2, 1] });
    differ({ a: { b: 1 } }, {}, { path: ['a'], from: { b: 1 }, to: null });
    differ({}, { a: { b: 1 } }, { path: ['a'], from: null, to: { b: 1 } });
    differ({ a: null }, {});
  });

  it('are said in words, those of one thing together', () => {
    const status = ['runs', 'ACME-12.3', 'status'];
    const said = (...changes: Difference[]) => differencesInWords(changes);
    expect(said({ path: status, from: 'queued', to: 'running' })).toBe('runs.ACME-12.3.status: queued → running');
    expect(
      said(
        { path: ['task', 'assignee'], from: 'coder', to: null },
        { path: status, from: 'queued', to: 'running' },
        { path: ['runs', 'ACME-12.3', 'workerId'], from: null, to: 'laptop' },
        { path: ['runs', 'ACME-12.3', 'startedAt'], from: null, to: '2026-04-20T12:00:00.000Z' },
        { path: ['runs', 'ACME-12.4'], from: null, to: { status: 'queued', agent: 'coder' } },
      ),
    ).toBe('task.assignee: coder → none; runs.ACME-12.3.status: queued → running, workerId: laptop; runs.ACME-12.4: queued');
    expect(said({ path: ['task', 'labels'], from: ['a', 'b'], to: ['c'] })).toBe('task.labels: a b → c');
    expect(said()).toBe('');
  });

  it('leave nothing of what nothing is in, and never change what they were made of', () => {
    const [state, run] = [{} as JsonObject, { status: 'queued' }];
    apply(state, [{ path: ['runs', 'A.1'], from: null, to: run }]);
    apply(state, [{ path: ['runs', 'A.1', 'status'], from: 'queued', to: 'running' }]);
    expect([state, run]).toEqual([{ runs: { 'A.1': { status: 'running' } } }, { status: 'queued' }]);
    apply(state, [{ path: ['runs', 'A.1', 'status'], from: 'running', to: null }]);
    expect(state).toEqual({});
  });
});

/** As a store keeps it, with every event known to the decisions that were made on it. */
async function recorded(steps: number, seed: number): Promise<{ store: MemoryEventStore; log: Recorded<LedgerEvent>[] }> {
  const store = new MemoryEventStore();
  for (const write of new History(seeded(seed), { agents: 3, tasks: 5 }).steps(steps)) await store.append([write]);
  return { store, log: await store.readAll<LedgerEvent>({ after: '', limit: 1_000_000 }) };
}

const tasksIn = (log: readonly Recorded<LedgerEvent>[]): Recorded[] => log.filter(({ type }) => type === 'TaskOpened');

describe('the story of a lane', () => {
  it('adds up to the state that decisions know, behind every event of whatever history', async () => {
    const seed = Date.now() % 2 ** 31;
    console.log(`seed ${seed}`);
    const { log } = await recorded(250, seed);
    for (const { stream } of tasksIn(log)) {
      const [story, sum] = [new LaneStory(), {}];
      let lane = lanes.initial;
      for (const event of log.filter((one) => one.stream === stream)) {
        apply(sum, story.tell(event).changes);
        lane = lanes.evolve(lane, event as Recorded<LedgerEvent> & LaneEvent);
        expect(sum).toEqual(standingOf(lane));
      }
      expect(story.state).toEqual(sum);
    }
  });

  it('keeps runs that decisions need not know any more as they were', () => {
    const runs = 103;
    const facts = Array.from({ length: runs }, (_, n) => n + 1).flatMap((n) => [
      requested(n),
      queued(n),
      started(n),
      succeeded(n),
    ]);
    const story = new LaneStory();
    const steps = onTask([opened(), ...facts]).map((event) => story.tell(event));
    expect(Object.keys(story.state.runs!)).toHaveLength(runs);
    expect(steps.at(-1)!.changes.map(({ path }) => path[1])).toEqual([`ACME-12.${runs}`]);
  });
});

describe('a replay', () => {
  it('has every event once, adds up to the state at its end, and does not depend on its pages', async () => {
    const seed = Date.now() % 2 ** 31;
    console.log(`seed ${seed}`);
    const { store, log } = await recorded(300, seed);
    const queries = new ReplayQueries(store);
    const draw = seeded(seed);
    for (const { company, subject, stream, position } of tasksIn(log)) {
      const later = log.filter((event) => event.position >= position);
      const at = later[draw(later.length)]!.position;
      const told = (page: PageRequest) => queries.task(company, subject, page, at);
      const before = log.filter((event) => event.stream === stream && event.position <= at);
      const whole = (await told({}))!;
      const own = whole.items.filter(({ meanwhile }) => !meanwhile);
      expect(own.map(({ id }) => id)).toEqual(before.map(({ id }) => id));
      const state: JsonObject = {};
      for (const { changes } of own) apply(state, changes);
      expect(state).toEqual(whole.state);
      expect(await inPages(told, 1 + draw(7))).toEqual(whole);
    }
  });

  async function inPages(told: (page: PageRequest) => Promise<Replay | undefined>, limit: number): Promise<Replay> {
    const items: Replay['items'][number][] = [];
    for (let cursor: string | undefined; ;) {
      const page = (await told({ limit, cursor }))!;
      expect(page.items.length).toBeLessThanOrEqual(limit);
      items.push(...page.items);
      if (!page.next) return { items, state: page.state };
      cursor = page.next;
    }
  }

  it('tells of a run what its events tell, and no more than concerns it', async () => {
    const { store, log } = await recorded(200, 7);
    const queries = new ReplayQueries(store);
    const head = log.at(-1)!.position;
    const opening = log.flatMap((event) => (event.type === 'RunQueued' ? [{ ...event, ...event.data }] : []));
    for (const { company, position, runId, wakeupIds } of opening) {
      const { items, state } = (await queries.run(company, runId, {}, head))!;
      const own = items.filter(({ meanwhile }) => !meanwhile);
      expect(own.map((event) => event.position)).toContain(position);
      for (const event of own) expect([runId, ...wakeupIds].some((id) => JSON.stringify(event.data).includes(id))).toBe(true);
      expect(Object.keys(state!.runs!)).toContain(runId);
    }
  });
});
