import { beginning } from '../../src/events/event.js';
import { projectionsOfTheLedger } from '../../src/projections/all.js';
import { followedReadModels, type Successor } from '../../src/projections/moving/followed.js';
import { dropStaged, ReadModelDiffers, stage, type Staging } from '../../src/projections/moving/staging.js';
import type { AnyProjection } from '../../src/projections/projection.js';
import { readModelOf } from '../../src/projections/projection.js';
import { MovingLedger } from './moving-ledger.js';

/** A value that no row has, by the type of a column. */
const planted: Record<string, string> = {
  text: `'00000000000000000001'`,
  integer: '4711',
  smallint: '4711',
  bigint: '4711',
  boolean: 'not ${column}',
  'timestamp with time zone': `'2001-01-01T00:00:00Z'`,
  jsonb: `'{"planted": true}'`,
};

/** Rows of these name positions, which the new log has others of. */
const withPositions = { activity: 'sentence', comments: 'position', rebuilds: 'position', task_graph: 'moved_at' } as const;

describe('the proof that a copied log folds to what is asked', () => {
  let ledger: MovingLedger;
  let staging: Staging;
  let successors: Map<string, Successor>;

  beforeAll(async () => {
    ledger = await MovingLedger.begin(11);
    const { old, young, db } = ledger;
    await ledger.rebuilds(old, 1);
    await ledger.worksOn(old, 400);
    await ledger.copy(old, young);
    const [from, to] = await Promise.all([old, young].map(async ({ store }) => ({ store, head: await store.head() })));
    const events = await old.store.count({ upTo: from!.head });
    staging = { db, from: from!, to: to!, events, signal: new AbortController().signal, moved: () => {} };
    const followed = await followedReadModels(db);
    const successor = (each: (typeof followed)[number]): [string, Successor] => {
      const projection = projectionsOfTheLedger.find(({ name }) => name === each.name)!;
      return [each.name, { followed: each, projection, readModel: readModelOf(projection, 2), generation: 2 }];
    };
    successors = new Map(followed.map(successor));
  });
  afterAll(() => ledger.end());

  it.each(projectionsOfTheLedger.map((projection) => [projection.name, projection] as const))(
    'holds for %s, and sees one value that was changed in it',
    async (name, projection) => {
      const successor = successors.get(name)!;
      await stage(staging, successor);
      await dropStaged(ledger.db, [successor]);
      const column = await changeOneValue(projection);
      const differs = await stage(staging, successor).catch((error: unknown) => error);
      expect(differs).toBeInstanceOf(ReadModelDiffers);
      const { comparison, message } = differs as ReadModelDiffers;
      expect(message).toContain(`${name}_v1`);
      expect(comparison).toMatchObject({ changed: { rows: 1 }, onlyLive: { rows: 0 }, onlyRebuilt: { rows: 0 }, agrees: false });
      expect(comparison.columns).toEqual([{ column, rows: 1, meant: false }]);
    },
  );

  it.each(Object.keys(withPositions))('has the positions of the new log in what is built of %s', async (name) => {
    const successor = successors.get(name)!;
    await dropStaged(ledger.db, [successor]);
    await stage(staging, successor).catch(() => {});
    const { rows } = await ledger.db.query<{ text: string }>(
      `select string_agg(moved::text, ' ') as text from ${successor.readModel}_moving.${name} moved`,
    );
    expect(rows[0]!.text).toMatch(/\b\d{20}\b/);
    expect(rows[0]!.text).not.toMatch(/\b\d{16}\b/);
  });

  it('does not hold for a log that has another event anywhere', async () => {
    const { young, old } = ledger;
    const twisted = {
      ...staging,
      to: { ...staging.to, store: Object.create(young.store, { readAll: { value: swapped } }) as typeof young.store },
    };
    async function swapped(asked: Parameters<typeof old.store.readAll>[0]) {
      const page = await young.store.readAll(asked);
      return asked.after === beginning ? [...page.slice(0, 3), page[4]!, page[3]!, ...page.slice(5)] : page;
    }
    const successor = successors.get('activity')!;
    await dropStaged(ledger.db, [successor]);
    await expect(stage(twisted, successor)).rejects.toThrow('it is no copy of it; see ledger store copy');
  });

  async function changeOneValue({ name, key }: AnyProjection): Promise<string> {
    const table = `${name}_v1.${name}`;
    const { rows } = await ledger.db.query<{ column: string; type: string }>(
      `select attname as column, format_type(atttypid, atttypmod) as type
       from pg_attribute
       where attrelid = $1::regclass and attnum > 0 and not attisdropped and attname <> all ($2)
       order by attnum desc`,
      [table, key],
    );
    const wanted = Reflect.get(withPositions, name) as string | undefined;
    const { column, type } = rows.find((each) => (wanted ? each.column === wanted : each.type in planted))!;
    const value = planted[type]!.replace('${column}', column);
    const { rowCount } = await ledger.db.query(
      `update ${table} set ${column} = ${value} where ctid = (select min(ctid) from ${table})`,
    );
    expect(rowCount).toBe(1);
    return column;
  }
});
