import fc from 'fast-check';
import { inTransaction } from '../../src/database.js';
import { anyProjection } from '../../src/projections/projection.js';
import { ReadModelTable } from '../../src/projections/projector/read-model-table.js';
import { copy, CopyText } from '../../src/projections/rebuild/copy.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';

const kinds = anyProjection({ name: 'kinds', version: 1, key: ['n'], keyedBy: 'stream', on: {} });

let database: TestDatabase;
beforeAll(async () => {
  database = await freshDatabase();
  const columns =
    'n integer, words text, list jsonb, at timestamptz, yes boolean, id uuid, day date, small smallint, real double precision';
  for (const schema of ['copied', 'inserted'])
    await database.pool.query(`create schema ${schema}; create table ${schema}.kinds (${columns})`);
});
afterAll(() => database.drop());

const characters = fc
  .oneof(
    fc.string({ unit: 'binary' }),
    fc.string({
      unit: fc.constantFrom(
        '\\',
        '\t',
        '\n',
        '\r',
        'N',
        '.',
        '"',
        "'",
        '\b',
        '\f',
        '\v',
        ' ',
        '{',
        ',',
        '\u0001',
        '\u2028',
        '🏃‍♀️',
      ),
    }),
  )
  .map((text) => text.replaceAll(/\0|\p{Surrogate}/gu, ''));
const json = fc
  .jsonValue({ stringUnit: 'binary' })
  .map((value) => JSON.parse(JSON.stringify(value).replaceAll('\\u0000', '')) as unknown)
  .filter((value) => value !== null);
const orNull = <T>(value: fc.Arbitrary<T>) => fc.option(value, { freq: 5 });
const row = fc.record({
  words: orNull(characters),
  list: orNull(json),
  at: orNull(
    fc.date({ noInvalidDate: true, min: new Date('1900-01-01'), max: new Date('9999-12-31') }).map((at) => at.toISOString()),
  ),
  yes: orNull(fc.boolean()),
  id: orNull(fc.uuid()),
  day: orNull(fc.constantFrom('2026-04-20', '1999-12-31')),
  small: orNull(fc.integer({ min: -32_768, max: 32_767 })),
  real: orNull(fc.double({ noNaN: true })),
});

describe('rows that are copied', () => {
  it('are those that a projector would insert, whatever is in them', async () => {
    const seed = Date.now() % 2 ** 31;
    console.log(`seed ${seed}`);
    const alike = fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 20 }), async (drawn) => {
      const rows = drawn.map((each, n) => ({ n, ...each }));
      await database.pool.query('truncate copied.kinds, inserted.kinds');
      await copyRows(rows);
      await insertRows(rows);
      const { rows: copied } = await database.pool.query('select * from copied.kinds order by n');
      const { rows: inserted } = await database.pool.query('select * from inserted.kinds order by n');
      expect(copied).toEqual(inserted);
      expect(copied.map(({ n, words, list }) => ({ n, words, list }))).toEqual(
        rows.map(({ n, words, list }) => ({ n, words, list })),
      );
    });
    await fc.assert(alike, { numRuns: 200, seed });
  });

  it('take what is not there for null', async () => {
    await database.pool.query('truncate copied.kinds');
    await copyRows([{ n: 1 }, { n: 2, words: undefined }]);
    const { rows } = await database.pool.query('select n, words, list from copied.kinds order by n');
    expect(rows).toEqual([1, 2].map((n) => ({ n, words: null, list: null })));
  });
});

async function copyRows(rows: readonly Record<string, unknown>[]): Promise<void> {
  const table = await ReadModelTable.open(database.pool, kinds, 'copied');
  const text = new CopyText(table.columns);
  for (const each of rows) text.add(each);
  await inTransaction(database.pool, (client) => copy(client, 'copy copied.kinds from stdin', text.take()));
  expect(text.size).toBe(0);
}

/** As a projector does it, column by column. */
async function insertRows(rows: readonly Record<string, unknown>[]): Promise<void> {
  const { columns } = await ReadModelTable.open(database.pool, kinds, 'inserted');
  const values = columns.map(({ name, type }) =>
    rows.map((each) => (type === 'jsonb' && each[name] !== null ? JSON.stringify(each[name]) : each[name])),
  );
  await database.pool.query(
    `insert into inserted.kinds select * from unnest(${columns.map(({ type }, n) => `$${n + 1}::${type}[]`).join(', ')})`,
    values,
  );
}
