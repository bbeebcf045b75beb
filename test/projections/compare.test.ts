import { createPool } from '../../src/database.js';
import type { EventStore } from '../../src/event-store/event-store.js';
import { MemoryEventStore } from '../../src/event-store/memory.js';
import { activity } from '../../src/projections/activity.js';
import { projectionsOfTheLedger } from '../../src/projections/all.js';
import { anyProjection, change, readModelOf, type AnyProjection } from '../../src/projections/projection.js';
import { checkpointAt, Halted } from '../../src/projections/projector/checkpoint.js';
import { ddlOf } from '../../src/projections/projector/install.js';
import { Owners } from '../../src/projections/projector/owner.js';
import { Unfoldable } from '../../src/projections/projector/projector-term.js';
import { compare, type Comparing } from '../../src/projections/rebuild/compare.js';
import { fill } from '../../src/projections/rebuild/fill.js';
import { addIndexes, createReadModel, dropReadModel } from '../../src/projections/rebuild/schema.js';
import { pause } from '../../src/pause.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';
import { appendAll, filling, refuse, wholeLog } from './filled.js';
import { History, seeded, type Draw } from './history.js';
import { ReadSide } from './read-side.js';

const lines = anyProjection(activity);
/** Tells of the same lines; its sentences are meant to be others, one column is of another type, one is gone, and one is new. */
const linesOfTomorrow: AnyProjection = {
  ...lines,
  version: 2,
  differs: ['sentence'],
  ddl: ddlOf(lines).replace('entity_type text not null', 'mood text').replace('actor_id text', 'actor_id varchar(200)'),
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

describe('a comparison with a live read model', () => {
  it('that is behind waits until it has come as far', async () => {
    await standStill();
    await load.steps(20);
    const rebuilt = await build(lines, 2);
    const found = compareWithLive(lines, rebuilt);
    await side.start();
    expect(await found).toMatchObject({ position: await store.head(), agrees: true });
  });

  it('that does not go on says why', async () => {
    await standStill();
    await database.pool.query(`update checkpoints set halted = 'a person must look at it' where read_model = 'activity_v1'`);
    await load.steps(20);
    const found = compareWithLive(lines, await build(lines, 2));
    await expect(found).rejects.toThrow(Halted);
    await expect(found).rejects.toThrow(/activity_v1 stands at position "0\d+": a person must look at it/);
  });

  it('ends with its signal', async () => {
    await standStill();
    await load.steps(1);
    const ending = new AbortController();
    const found = compareWithLive(lines, await build(lines, 2), { signal: ending.signal });
    ending.abort(new Error('given up'));
    await expect(found).rejects.toThrow('given up');
  });

  it('names the event that the rebuilt one cannot fold, and leaves it where it was', async () => {
    const rebuilt = await build(lines, 2, { followed: false });
    const before = await checkpointOf(rebuilt);
    await load.steps(50);
    await side.caughtUp();
    const fails = (await wholeLog(store)).findLast(({ type, position }) => type === 'RunStarted' && position > before)!;
    const failing = { ...lines, on: { ...lines.on, RunStarted: refuse(fails.id) } };
    const found = compareWithLive(failing, rebuilt);
    await expect(found).rejects.toThrow(Unfoldable);
    await expect(found).rejects.toThrow(
      `RunStarted at position ${fails.position} (${fails.stream} revision ${fails.revision}) cannot be folded: TypeError: no such place`,
    );
    expect(await checkpointOf(rebuilt)).toBe(before);
  });

  it('names the event whose row Postgres does not take', async () => {
    const rebuilt = await build(lines, 2, { followed: false });
    const before = await checkpointOf(rebuilt);
    await load.steps(50);
    await side.caughtUp();
    const [told] = (await wholeLog(store)).filter(({ type, position }) => type === 'RunStarted' && position > before);
    const unstorable = () => change<Record<string, unknown>>(['acme', told!.position], (row) => ({ ...row, sentence: null }));
    const failing: AnyProjection = { ...lines, on: { ...lines.on, RunStarted: unstorable } };
    await expect(compareWithLive(failing, rebuilt)).rejects.toThrow(
      new RegExp(`^RunStarted at position ${told!.position} .* cannot be folded: 23502: null value in column`),
    );
    expect(await checkpointOf(rebuilt)).toBe(before);
  });

  it('of another key is refused', async () => {
    const rebuilt = await build(lines, 2);
    await expect(compareWithLive({ ...lines, version: 2, key: ['position'] }, rebuilt)).rejects.toThrow(
      'activity is keyed by company, position in version 1 and by position in version 2',
    );
  });
});

/** The live read models are where they are, until `side` starts again. */
async function standStill(): Promise<void> {
  await side.caughtUp();
  await side.stop();
  side = new ReadSide(database.url, store, [lines]);
}

async function checkpointOf(readModel: string): Promise<string> {
  const { rows } = await database.pool.query<{ position: string }>('select position from checkpoints where read_model = $1', [
    readModel,
  ]);
  return rows[0]!.position;
}

const isLive = ({ version }: AnyProjection) => version === 1;

/** A read model beside the live one, of the log as it is now. */
async function build(projection: AnyProjection, generation: number, { followed = true } = {}): Promise<string> {
  const readModel = readModelOf(projection, generation);
  const at = checkpointAt((await wholeLog(store)).at(-1)!);
  await createReadModel(database.pool, projection, { readModel, generation, filling: true, at });
  await fill(filling(database.pool, store, projection, { readModel, upTo: at.position }));
  await addIndexes(database.pool, projection, readModel);
  await database.pool.query('update checkpoints set filling = not $2 where read_model = $1', [readModel, followed]);
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
