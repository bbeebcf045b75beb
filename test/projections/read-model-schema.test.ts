import pg from 'pg';
import { projectionsOfTheLedger } from '../../src/projections/all.js';
import { readModelOf } from '../../src/projections/projection.js';
import { install } from '../../src/projections/projector/install.js';
import { addIndexes, createReadModel, createTable, dropReadModel } from '../../src/projections/rebuild/schema.js';
import { freshDatabase, type TestDatabase } from '../postgres.js';

let database: TestDatabase;
beforeEach(async () => {
  database = await freshDatabase();
});
afterEach(() => database.drop());

const [holds] = projectionsOfTheLedger;

describe('a read model that is built anew', () => {
  it('has the columns, keys and indexes of the one that was installed', async () => {
    await install(database.pool, projectionsOfTheLedger);
    for (const projection of projectionsOfTheLedger) {
      const readModel = readModelOf(projection, 2);
      await createReadModel(database.pool, projection, { readModel, generation: 2, filling: true });
      expect((await tableOf(readModel)).indexes).toEqual([]);
      await addIndexes(database.pool, projection, readModel);
      await addIndexes(database.pool, projection, readModel);
      expect(await tableOf(readModel)).toEqual(await tableOf(readModelOf(projection)));
    }
  });

  it('is not made twice, and stands where it was told to', async () => {
    const at = { position: '0000000000000007', eventId: 'e-7', stream: 'task-acme.T-1', revision: 3 } as const;
    const made = { readModel: 'holds_v1_g2', generation: 2, filling: true };
    await createReadModel(database.pool, holds!, { ...made, at });
    await createReadModel(database.pool, holds!, made);
    const { rows } = await database.pool.query(
      `select position, event_id as "eventId", stream, revision from checkpoints where read_model = 'holds_v1_g2' and filling`,
    );
    expect(rows).toEqual([at]);
  });

  it('may share a schema that nothing follows', async () => {
    for (const projection of projectionsOfTheLedger) await createTable(database.pool, projection, 'audit_2026_04');
    const { rows } = await database.pool.query(`select tablename from pg_tables where schemaname = 'audit_2026_04'`);
    expect(rows).toHaveLength(projectionsOfTheLedger.length);
    await dropReadModel(database.pool, 'audit_2026_04');
  });
});

describe('dropping a read model', () => {
  it('leaves nothing of it, and nothing is fine', async () => {
    await createReadModel(database.pool, holds!, { readModel: 'holds_v1_g2', generation: 2, filling: true });
    const name = `${holds!.name}`;
    await database.pool.query(
      `insert into fill_parts (read_model, part) values ('holds_v1_g2.${name}', 1), ('holds_v1_g22.${name}', 1)`,
    );
    await database.pool.query(
      `insert into parked_streams (read_model, stream, position, revision, event_id, error) values ('holds_v1_g2', 's', '', 0, 'e', 'x')`,
    );
    await database.pool.query(`insert into rebuild_progress (read_model, phase) values ('holds_v1_g2', 'filling')`);
    await dropReadModel(database.pool, 'holds_v1_g2');
    await dropReadModel(database.pool, 'holds_v1_g2');
    const left = await database.pool.query(
      `select read_model from checkpoints where read_model like 'holds_v1_g2%'
       union all select read_model from fill_parts
       union all select read_model from parked_streams
       union all select read_model from rebuild_progress
       union all select nspname from pg_namespace where nspname = 'holds_v1_g2'`,
    );
    expect(left.rows).toEqual([{ read_model: `holds_v1_g22.${name}` }]);
  });

  it('waits for those who read, and lets others read meanwhile', async () => {
    await createTable(database.pool, holds!, 'read_for_long');
    const read = `select count(*) from read_for_long.${holds!.name}`;
    const reader = new pg.Client(database.url);
    await reader.connect();
    await reader.query('begin');
    await reader.query(read);
    const dropping = dropReadModel(database.pool, 'read_for_long');
    for (let n = 0; n < 20; n++) await database.pool.query(read);
    await reader.query('commit');
    await dropping;
    await expect(reader.query(read)).rejects.toThrow('does not exist');
    await reader.end();
  });
});

async function tableOf(schema: string) {
  const { rows: columns } = await database.pool.query(
    `select column_name, data_type, is_nullable, column_default, collation_name
     from information_schema.columns where table_schema = $1 order by ordinal_position`,
    [schema],
  );
  const { rows: indexes } = await database.pool.query<{ definition: string }>(
    `select indexdef as definition from pg_indexes where schemaname = $1 order by indexname`,
    [schema],
  );
  const { rows: options } = await database.pool.query(
    `select relname, reloptions from pg_class where relnamespace = $1::regnamespace and relkind = 'r'`,
    [schema],
  );
  return { columns, options, indexes: indexes.map(({ definition }) => definition.replaceAll(`${schema}.`, '')) };
}
