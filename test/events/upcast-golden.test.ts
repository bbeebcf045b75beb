import { agents, type AgentEvent } from '../../src/events/agent.js';
import { companies, type CompanyEvent } from '../../src/events/company.js';
import { beginning, type Appended, type Recorded, type StreamId } from '../../src/events/event.js';
import { lanes } from '../../src/events/evolve-lane.js';
import type { LaneEvent } from '../../src/events/lane.js';
import type { LedgerEvent } from '../../src/events/ledger-event.js';
import { operations } from '../../src/events/evolve-operations.js';
import type { OperationsEvent } from '../../src/events/operations.js';
import { routines } from '../../src/events/evolve-routine.js';
import type { RoutineEvent } from '../../src/events/routine.js';
import { schemaOf } from '../../src/events/upcast.js';
import type { EventStore } from '../../src/event-store/event-store.js';
import { MemoryEventStore } from '../../src/event-store/memory.js';
import { PostgresEventStore } from '../../src/event-store/postgres.js';
import { projectionsOfTheLedger } from '../../src/projections/all.js';
import { readModelOf } from '../../src/projections/projection.js';
import { Folding } from '../folding.js';
import {
  expectedOf,
  expectFromNowOn,
  histories,
  historyOf,
  record,
  storyNames,
  told,
  type Written,
} from '../golden/histories.js';
import { nameOf, shapesOf, unlike } from '../golden/shapes.js';
import { Rig } from '../model/rig.js';
import { drawSteps } from '../model/steps.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { seeded } from '../projections/history.js';

/*
 * test/golden keeps histories as versions of the ledger have written them. Two commands, and nothing else, write there:
 *   GOLDEN=expect npx jest golden           takes what today's folds make of the histories for what they should
 *   GOLDEN=record:<version> npx jest golden keeps what today's version writes as `<version>.<story>.jsonl`
 */
const [wish, version = ''] = (process.env.GOLDEN ?? '').split(':');

/** All that can happen, so that nothing is forgotten: the compiler sees to that. */
const types: Record<LedgerEvent['type'], true> = {
  CompanyNamed: true,
  CompanyHeld: true,
  CompanyReleased: true,
  AgentRegistered: true,
  AgentChanged: true,
  AgentPaused: true,
  AgentResumed: true,
  AgentTerminated: true,
  TaskOpened: true,
  TaskChanged: true,
  TaskAssigned: true,
  TaskStatusChanged: true,
  BlockersSet: true,
  BlockerResolved: true,
  BlockerReopened: true,
  CommentAdded: true,
  CommentRemoved: true,
  TaskHeld: true,
  TaskReleased: true,
  FireTaken: true,
  WakeupRequested: true,
  WakeupCoalesced: true,
  WakeupDeferred: true,
  WakeupSkipped: true,
  WakeupCancelled: true,
  RunQueued: true,
  RunStarted: true,
  ProcessRecorded: true,
  RunDetached: true,
  RunReattached: true,
  RunWentSilent: true,
  SilenceDecided: true,
  RunSucceeded: true,
  RunFailed: true,
  RunTimedOut: true,
  RunCancelled: true,
  RetryScheduled: true,
  RetryPromoted: true,
  RetrySuperseded: true,
  RetryExhausted: true,
  RecoveryEscalated: true,
  RoutineDefined: true,
  RoutineChanged: true,
  RoutinePaused: true,
  RoutineResumed: true,
  RoutineArchived: true,
  TriggerSecretRotated: true,
  RoutineFired: true,
  FireCreated: true,
  FireCoalesced: true,
  FireSkipped: true,
  FireSuppressed: true,
  FireFailed: true,
  FireRedirected: true,
  FireConcluded: true,
  FireReopened: true,
  SlotsMissed: true,
  RebuildStarted: true,
  RebuildPaused: true,
  RebuildResumed: true,
  RebuildFilled: true,
  RebuildCompared: true,
  RebuildFailed: true,
  RebuildAbandoned: true,
  ReadModelCutOver: true,
  ReadModelRolledBack: true,
  ReadModelDropped: true,
  ParkedStreamRetried: true,
  ParkedEventSkipped: true,
  ParkedReactionDropped: true,
  AsOfBuilt: true,
  AsOfDropped: true,
  StoreSealed: true,
  StoreUnsealed: true,
  StoreMoved: true,
};

if (wish === 'record') beforeAll(() => record(version));

describe.each(histories())('the history %s', (history) => {
  const written = historyOf(history);
  let database: TestDatabase;
  let postgres: EventStore;
  let memory: EventStore;

  beforeAll(async () => {
    database = await freshDatabase();
    postgres = new PostgresEventStore({ url: database.url });
    memory = await inMemory(written);
    await insert(database, written);
  });
  afterAll(async () => {
    await postgres.close();
    await database.drop();
  });

  const wholeLog = (store: EventStore) => store.readAll<LedgerEvent>({ after: beginning, limit: 10_000 });

  it('is read in the shapes of today', async () => {
    const events = await wholeLog(postgres);
    expect(events.map(({ id }) => id)).toEqual(written.map(({ id }) => id));
    expect(events.filter(({ type, schema }) => schema !== schemaOf(type))).toEqual([]);
  });

  it.each<[string, (store: EventStore) => Promise<Appended[]>]>([
    ['the log by types', (store) => store.readAll({ after: beginning, limit: 10_000, types: Object.keys(types) })],
    ['a subscription', (store) => subscribed(store, written.length)],
    ['streams one by one', (store) => byStream(written, async (stream) => store.readStream(stream))],
    [
      'streams from their ends',
      (store) => byStream(written, async (stream) => store.readStream(stream, { direction: 'backwards' })),
    ],
    [
      'many streams at once',
      async (store) => inOrder([...(await store.readStreams(written.map(({ stream }) => stream))).values()].flat()),
    ],
    ['appends that are sent again', (store) => sentAgain(store, written)],
  ])('is read alike by %s, from both engines', async (_, read) => {
    const events = await wholeLog(postgres);
    expect(await read(postgres)).toEqual(events);
    expect(await read(memory)).toEqual(events);
  });

  it('comes to what it has come to before, in every state and every read model', async () => {
    const text = `${JSON.stringify(outcomeOf(await wholeLog(postgres)), null, 2)}\n`;
    if (wish === 'expect') expectFromNowOn(history, text);
    expect(text).toBe(expectedOf(history));
  });
});

const kept = histories().flatMap(historyOf);
const shapes = shapesOf(kept);

it.each(Object.keys(types))('there is a history with every shape of %s that there was', (type) => {
  const schemas = Array.from({ length: schemaOf(type) }, (_, n) => nameOf({ type, schema: n + 1 }));
  expect(schemas.filter((name) => !shapes.has(name))).toEqual([]);
});

describe('what is written today', () => {
  it.each(storyNames)('has the shapes that are kept, in the story of %s', async (story) => {
    const log = await told(story);
    expect(log.map((event) => unlike(event, shapes.get(nameOf(event))))).toEqual(log.map(() => undefined));
  });

  it('has the shapes that are kept, whatever is asked', async () => {
    const news = new Set<string | undefined>();
    for (let seed = 1; seed <= 40; seed++)
      for (const event of await walked(seed)) news.add(unlike(event, shapes.get(nameOf(event))));
    expect([...news]).toEqual([undefined]);
  });
});

async function walked(seed: number): Promise<Recorded[]> {
  const rig = await Rig.open();
  for (const step of drawSteps(seeded(seed * 7_919), 60)) {
    await rig.do(step);
    if (!step.lag) await rig.react();
  }
  return rig.log;
}

/** As rows, without a version of the ledger between. */
async function insert({ pool }: TestDatabase, written: readonly Written[]): Promise<void> {
  await pool.query(
    `
    insert into public.events (position, stream, revision, id, type, schema, data, metadata, recorded_at)
    select position, stream, revision, id, type, schema, data, metadata, "recordedAt"
    from jsonb_to_recordset($1) as (
      position bigint, stream text, revision int, id uuid, type text, schema int, data jsonb, metadata jsonb, "recordedAt" timestamptz
    )`,
    [JSON.stringify(written)],
  );
}

async function inMemory(written: readonly Written[]): Promise<EventStore> {
  let now = '';
  const store = new MemoryEventStore({ now: () => new Date(now) });
  for (const event of written) {
    now = event.recordedAt;
    await store.append([asWrite(event)]);
  }
  return store;
}

const asWrite = ({ stream, revision, metadata, id, type, schema, data }: Written) => ({
  stream,
  expectedRevision: revision === 0 ? ('no-stream' as const) : revision - 1,
  events: [{ id, type, schema, data }],
  metadata,
});

async function sentAgain(store: EventStore, written: readonly Written[]): Promise<Appended[]> {
  const events: Appended[] = [];
  for (const event of written) {
    const [result] = await store.append([asWrite(event)]);
    if (result?.outcome === 'appended' && result.replayed) events.push(...result.events);
  }
  return events;
}

async function subscribed(store: EventStore, count: number): Promise<Recorded[]> {
  const events: Recorded[] = [];
  for await (const page of store.subscribe({ after: beginning, signal: AbortSignal.timeout(10_000), limit: 10 })) {
    events.push(...page);
    if (events.length >= count) break;
  }
  return events;
}

async function byStream(written: readonly Written[], read: (stream: StreamId) => Promise<Recorded[]>): Promise<Recorded[]> {
  const streams = new Set(written.map(({ stream }) => stream));
  return inOrder((await Promise.all([...streams].map(read))).flat());
}

const inOrder = (events: readonly Recorded[]): Recorded[] => [...events].sort((a, b) => (a.position < b.position ? -1 : 1));

function outcomeOf(log: readonly Recorded<LedgerEvent>[]): object {
  const streams = [...new Set(log.map(({ stream }) => stream))].sort();
  const states = streams.map((stream) => [stream, stateOf(log.filter((event) => event.stream === stream))]);
  const readModels = projectionsOfTheLedger.flatMap((projection) => {
    const folding = new Folding(projection);
    folding.follow(log);
    const rows = folding.all();
    return rows.length > 0 ? [[readModelOf(projection), rows] as const] : [];
  });
  return { states: Object.fromEntries(states), readModels: Object.fromEntries(readModels.sort(([a], [b]) => (a < b ? -1 : 1))) };
}

/** A stream holds events of its category only. */
function stateOf(events: readonly Recorded<LedgerEvent>[]): unknown {
  const [category] = events[0]!.stream.split('-');
  switch (category) {
    case 'company':
      return (events as Recorded<CompanyEvent>[]).reduce(companies.evolve, companies.initial);
    case 'agent':
      return (events as Recorded<AgentEvent>[]).reduce(agents.evolve, agents.initial);
    case 'task':
      return (events as Recorded<LaneEvent>[]).reduce(lanes.evolve, lanes.initial);
    case 'routine':
      return (events as Recorded<RoutineEvent>[]).reduce(routines.evolve, routines.initial);
    case 'operations':
      return (events as Recorded<OperationsEvent>[]).reduce(operations.evolve, operations.initial);
    default:
      throw new Error(`say here what ${category} streams are folded to`);
  }
}
