import { createPool } from '../../src/database.js';
import type { EventStore } from '../../src/event-store/event-store.js';
import { MemoryEventStore } from '../../src/event-store/memory.js';
import { activity } from '../../src/projections/activity.js';
import { projectionsOfTheLedger } from '../../src/projections/all.js';
import { anyProjection, readModelOf, type AnyProjection } from '../../src/projections/projection.js';
import { checkpointAt } from '../../src/projections/projector/checkpoint.js';
import { ddlOf } from '../../src/projections/projector/install.js';
import { Owners } from '../../src/projections/projector/owner.js';
import { compare, type Comparing } from '../../src/projections/rebuild/compare.js';
import { fill } from '../../src/projections/rebuild/fill.js';
import { addIndexes, createReadModel, dropReadModel } from '../../src/projections/rebuild/schema.js';
import { pause } from '../../src/pause.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { appendAll, filling, wholeLog } from './filled.js';
import { History, seeded, type Draw } from './history.js';
import { ReadSide } from './read-side.js';

const lines = anyProjection(activity);
/** Tells of the same lines; its sentences are meant to be others, it knows no `entity_type`, and has a column of its own. */
const linesOfTomorrow: AnyProjection = {
  ...lines,
  version: 2,
  differs: ['sentence'],
  ddl: ddlOf(lines).replace('entity_type text not null', 'mood text'),
};

let database: TestDatabase;
let store: EventStore;
let side: ReadSide;
let load: Load;
let draw: Draw;
const seed = Date.now() % 2 ** 31;
beforeAll(() => console.log(`seed ${seed}`));

beforeEach(async () => {
  draw = seeded(seed);
  database = await freshDatabase();
  store = new MemoryEventStore();
  side = new ReadSide(database.url, store, [...projectionsOfTheLedger, linesOfTomorrow].filter(isLive));
  await side.start();
  load = new Load(store, new History(draw, { agents: 4, tasks: 20 }));
  await load.steps(200);
});
afterEach(async () => {
  await load.stop();
  await side.stop();
  await store.close();
  await database.drop();
});

describe('a comparison', () => {
  it('finds nothing between two read models of one log, whatever is appended meanwhile', async () => {
    load.start();
    for (let round = 0; round < 20; round++) {
      const projection = projectionsOfTheLedger[round % projectionsOfTheLedger.length]!;
      const before = await store.head();
      const rebuilt = await build(projection, round + 2);
      const found = await compareWithLive(projection, rebuilt);
      expect({ ...found, columns: found.columns.slice(0, 3) }).toMatchObject({
        liveRows: found.rebuiltRows,
        onlyLive: { rows: 0, samples: [] },
        onlyRebuilt: { rows: 0, samples: [] },
        changed: { rows: 0, samples: [] },
        columns: [],
        onlyLiveColumns: [],
        onlyRebuiltColumns: [],
        agrees: true,
      });
      expect(found.position >= before).toBe(true);
      await dropReadModel(database.pool, rebuilt);
    }
  });

  it('finds exactly what differs, and knows what is meant to', async () => {
    load.start();
    for (let round = 0; round < 20; round++) {
      const rebuilt = await build(linesOfTomorrow, round + 1);
      const planted = await plant(rebuilt);
      const found = await compareWithLive(linesOfTomorrow, rebuilt);
      expect(found).toMatchObject({
        onlyLive: { rows: planted.missing.length, samples: planted.missing.slice(0, 10).map((key) => ({ key })) },
        onlyRebuilt: { rows: planted.extra.length, samples: planted.extra.slice(0, 10).map((key) => ({ key })) },
        changed: {
          rows: planted.changed.length,
          samples: planted.changed.slice(0, 10).map(({ key, was }) => ({
            key,
            columns: expect.arrayContaining([{ column: 'agent', live: was, rebuilt: 'somebody' }]),
          })),
        },
        onlyLiveColumns: ['entity_type'],
        onlyRebuiltColumns: ['mood'],
        agrees: planted.missing.length + planted.extra.length + planted.changed.length === 0,
      });
      expect(found.columns).toEqual(
        [
          { column: 'agent', rows: planted.changed.length, meant: false },
          { column: 'sentence', rows: planted.meant, meant: true },
        ].filter(({ rows }) => rows > 0),
      );
      await dropReadModel(database.pool, rebuilt);
    }
  });
});

const isLive = ({ version }: AnyProjection) => version === 1;

/** A read model beside the live one, of the log as it is now. */
async function build(projection: AnyProjection, generation: number): Promise<string> {
  const readModel = readModelOf(projection, generation);
  const at = checkpointAt((await wholeLog(store)).at(-1)!);
  await createReadModel(database.pool, projection, { readModel, generation, filling: true, at });
  await fill(filling(database.pool, store, projection, { readModel, upTo: at.position }));
  await addIndexes(database.pool, projection, readModel);
  await database.pool.query('update checkpoints set filling = false where read_model = $1', [readModel]);
  return readModel;
}

async function compareWithLive(projection: AnyProjection, rebuilt: string, rest: Partial<Comparing> = {}) {
  const live = projectionsOfTheLedger.find(({ name }) => name === projection.name)!;
  const owners = new Owners(database.pool);
  const db = createPool(database.url, 'admin');
  const signal = AbortSignal.timeout(10_000);
  const beside = { projection: live, readModel: readModelOf(live) };
  return compare({ db, store, owners, projection, live: beside, rebuilt, signal, ...rest }).finally(() => db.end());
}

/** Differences in the rebuilt lines; lines do not change any more, so that they stay. */
async function plant(rebuilt: string) {
  const { rows } = await database.pool.query<{ company: string; position: string; agent: string | null }>(
    `select company, position, agent from ${rebuilt}.activity order by company, position`,
  );
  const fates = new Map(
    rows.map((row) => [row, ['missing', 'extra', 'other agent', 'other agent and words', 'other words'][draw(100)]]),
  );
  const drawn = (...named: string[]) => rows.filter((row) => named.includes(fates.get(row) ?? ''));
  const positions = (...named: string[]) => drawn(...named).map(({ position }) => position);
  const table = `${rebuilt}.activity`;
  await database.pool.query(`delete from ${table} where position = any ($1)`, [positions('missing')]);
  await database.pool.query(
    `insert into ${table} (company, position, at, actor_type, actor_id, action, entity_id, sentence)
     select company, position || 'x', at, actor_type, actor_id, action, entity_id, sentence
     from ${table}
     where position = any ($1)`,
    [positions('extra')],
  );
  const reassigned = ['other agent', 'other agent and words'];
  const reworded = ['other words', 'other agent and words'];
  await database.pool.query(`update ${table} set agent = 'somebody' where position = any ($1)`, [positions(...reassigned)]);
  await database.pool.query(`update ${table} set sentence = 'more' where position = any ($1)`, [positions(...reworded)]);
  return {
    missing: drawn('missing').map(({ company, position }) => [company, position]),
    extra: drawn('extra').map(({ company, position }) => [company, `${position}x`]),
    changed: drawn(...reassigned).map(({ company, position, agent }) => ({ key: [company, position], was: agent })),
    meant: drawn(...reworded).length,
  };
}

/** Events that come all the time, some hundred a second. */
class Load {
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;

  constructor(
    private readonly store: EventStore,
    private readonly history: History,
  ) {}

  async steps(count: number): Promise<void> {
    for (let n = 0; n < count; n++) await appendAll(this.store, this.history.step());
  }

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      await this.steps(1);
      await pause(5, this.stopping.signal);
    }
  }
}
